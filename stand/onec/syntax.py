"""The ``$filter`` language: words, and a recursive-descent parser that makes a small tree."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from stand.onec.errors import ODataError, bad_option

_TOKEN = re.compile(
    r"""\s*(?:
      (?P<guid>guid'[0-9a-fA-F-]*')
    | (?P<date>datetime'[^']*')
    | (?P<text>'(?:[^']|'')*')
    | (?P<number>-?\d+(?:\.\d+)?)(?![\w'])
    | (?P<word>[^\W\d]\w*(?:/[^\W\d]\w*)*)
    | (?P<mark>[(),:])
    )""",
    re.VERBOSE,
)
_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_DATE = re.compile(r"\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d)?)?")
COMPARISONS = frozenset({"eq", "ne", "gt", "ge", "lt", "le"})
_ADD, _MULTIPLY = frozenset({"add", "sub"}), frozenset({"mul", "div"})
#: Functions with the number of their arguments.
FUNCTIONS = {
    "substringof": (2, 2), "startswith": (2, 2), "endswith": (2, 2), "like": (2, 2), "concat": (2, 2),
    "substring": (2, 3), "year": (1, 1), "quarter": (1, 1), "month": (1, 1), "day": (1, 1), "hour": (1, 1),
    "minute": (1, 1), "second": (1, 1), "dayofweek": (1, 1), "dayofyear": (1, 1), "round": (1, 2), "cast": (2, 2),
    "isof": (2, 2), "dateadd": (3, 3), "datedifference": (3, 3),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Literal:
    """``kind``: guid, date, text, number or bool."""

    kind: str
    value: Any


@dataclass(frozen=True, slots=True)
class Path:
    """A field, possibly of a referred object (``Контрагент/ИНН``)."""

    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Call:
    """A function, an operator (``eq``, ``and``, ``add`` …) or ``not`` with its arguments."""

    name: str
    args: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Lambda:
    """``Товары/any(x: …)`` or ``all``; ``body`` is ``None`` for ``any()``."""

    name: str
    path: tuple[str, ...]
    variable: str
    body: Node | None


Node = Literal | Path | Call | Lambda


@dataclass(slots=True)
class Parser:
    """One parse of one option. ``option``: its name, for the error."""

    text: str
    option: str = "$filter"
    tokens: list[tuple[str, str]] = field(default_factory=list)
    at: int = 0

    def parse(self) -> Node:
        """The tree. Raises ``ODataError`` (code 14) at what the grammar does not know, code 1 at a bad literal."""
        self._split()
        node = self._either()
        if self.at < len(self.tokens):
            raise self._error()
        return node

    def _split(self) -> None:
        position, text = 0, self.text.rstrip()
        while position < len(text):
            match = _TOKEN.match(text, position)
            if match is None:
                raise bad_option(self.option, text[position : position + 20])
            position = match.end()
            self.tokens.append((str(match.lastgroup), match[str(match.lastgroup)]))

    def _error(self) -> ODataError:
        word = self.tokens[self.at][1] if self.at < len(self.tokens) else "конец строки"
        return bad_option(self.option, word)

    def _peek(self) -> str:
        return self.tokens[self.at][1] if self.at < len(self.tokens) else ""

    def _take(self, *expected: str) -> str:
        word = self._peek()
        if not word or (expected and word not in expected):
            raise self._error()
        self.at += 1
        return word

    def _either(self) -> Node:
        node = self._both()
        while self._peek() == "or":
            self.at += 1
            node = Call("or", (node, self._both()))
        return node

    def _both(self) -> Node:
        node = self._negation()
        while self._peek() == "and":
            self.at += 1
            node = Call("and", (node, self._negation()))
        return node

    def _negation(self) -> Node:
        if self._peek() == "not":
            self.at += 1
            return Call("not", (self._negation(),))
        return self._comparison()

    def _comparison(self) -> Node:
        left = self._sum()
        if self._peek() in COMPARISONS:
            return Call(self._take(), (left, self._sum()))
        return left

    def _sum(self) -> Node:
        node = self._product()
        while self._peek() in _ADD:
            node = Call(self._take(), (node, self._product()))
        return node

    def _product(self) -> Node:
        node = self._term()
        while self._peek() in _MULTIPLY:
            node = Call(self._take(), (node, self._term()))
        return node

    def _term(self) -> Node:
        if self.at >= len(self.tokens):
            raise self._error()
        kind, word = self.tokens[self.at]
        if word == "(":
            self.at += 1
            node = self._either()
            self._take(")")
            return node
        self.at += 1
        if kind == "word":
            return self._word(word)
        if kind == "mark":
            self.at -= 1
            raise self._error()
        return literal(kind, word)

    def _word(self, word: str) -> Node:
        if word in ("true", "false"):
            return Literal("bool", word == "true")
        if self._peek() != "(":
            return Path(tuple(word.split("/")))
        *path, name = word.split("/")
        if path and name in ("any", "all"):
            return self._lambda(name, tuple(path))
        if path or name not in FUNCTIONS:
            raise bad_option(self.option, f"неизвестная функция {word}")
        self._take("(")
        args = [self._either()]
        while self._peek() == ",":
            self.at += 1
            args.append(self._either())
        self._take(")")
        low, high = FUNCTIONS[name]
        if not low <= len(args) <= high:
            raise ODataError(400, 12, f"Неверное количество аргументов функции {name}")
        return Call(name, tuple(args))

    def _lambda(self, name: str, path: tuple[str, ...]) -> Node:
        self._take("(")
        if self._peek() == ")":
            self.at += 1
            return Lambda(name, path, "", None)
        variable = self._take()
        self._take(":")
        body = self._either()
        self._take(")")
        return Lambda(name, path, variable, body)


def literal(kind: str, word: str) -> Literal:
    """A literal's value: lower-case guid, full date text, unquoted text, number. Code 1 for a malformed one."""
    if kind == "guid":
        value = word[5:-1].lower()
        if not _GUID.fullmatch(value):
            raise ODataError(400, 1, f"Ошибка преобразования строки «{word[5:-1]}» к типу Edm.Guid")
        return Literal("guid", value)
    if kind == "date":
        value = word[9:-1]
        if not _DATE.fullmatch(value):
            raise ODataError(400, 1, f"Ошибка преобразования строки «{value}» к типу Edm.DateTime")
        return Literal("date", (value + "T00:00:00"[len(value) - 10 :])[:19] if len(value) < 19 else value)
    if kind == "text":
        return Literal("text", word[1:-1].replace("''", "'"))
    return Literal("number", float(word) if "." in word else int(word))
