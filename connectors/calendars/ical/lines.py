"""A resource of iCalendar as the tree that it is: components with their property lines, in their order.

Nothing is thrown away and nothing is understood here: a line that nobody changes is written back as it was read, so
properties and components that the hub does not know survive what it writes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

_FOLD = re.compile(r"\r?\n[ \t]")
_NAME = re.compile(r"[A-Za-z0-9-]+")
_PARAM = re.compile(r';([A-Za-z0-9-]+)=((?:"[^"]*"|[^",;:])*(?:,(?:"[^"]*"|[^",;:])*)*)')
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_TO_ESCAPE = re.compile(r"[\\;,]")
#: Octets of a line, its end not counted.
_WIDTH = 75


class Malformed(ValueError):
    """A text that is no iCalendar; the message says which rule it breaks."""


@dataclass(slots=True)
class Line:
    """One property: ``NAME;PARAM=value:text``. ``params`` by upper-case name, without quotes; ``value`` as written."""

    name: str
    value: str
    params: dict[str, str] = field(default_factory=dict)
    raw: str = ""

    @classmethod
    def read(cls, text: str) -> Line:
        """A property of one unfolded line."""
        found = _NAME.match(text)
        if found is None:
            raise Malformed("a line without a name")
        at, params = found.end(), {}
        while (param := _PARAM.match(text, at)) is not None:
            value = param[2]
            params[param[1].upper()] = value[1:-1] if value[:1] == '"' and value.count('"') == 2 else value
            at = param.end()
        if text[at : at + 1] != ":":
            raise Malformed("a line without a value")
        return cls(found[0].upper(), text[at + 1 :], params, text)

    @property
    def text(self) -> str:
        """The value as a text: escapes undone."""
        if "\\" not in self.value:
            return self.value
        return _ESCAPED.sub(lambda one: "\n" if one[1] in "nN" else one[1], self.value)

    def __str__(self) -> str:
        if self.raw:
            return self.raw
        params = "".join(f";{name}={_quoted(value)}" for name, value in self.params.items())
        return f"{self.name}{params}:{self.value}"


@dataclass(slots=True)
class Component:
    """``BEGIN:name`` to ``END:name``: lines and components in their order."""

    name: str
    parts: list[Line | Component] = field(default_factory=list)

    @property
    def components(self) -> list[Component]:
        """Those directly inside."""
        return [part for part in self.parts if isinstance(part, Component)]

    def named(self, *names: str) -> list[Component]:
        """Those directly inside with one of these names."""
        return [part for part in self.components if part.name in names]

    def lines(self, name: str) -> list[Line]:
        """All properties of that name."""
        return [part for part in self.parts if isinstance(part, Line) and part.name == name]

    def line(self, name: str) -> Line | None:
        """The first property of that name."""
        return next((part for part in self.parts if isinstance(part, Line) and part.name == name), None)

    def text(self, name: str) -> str:
        """The first property of that name as a text; empty where there is none."""
        found = self.line(name)
        return found.text if found is not None else ""

    def put(self, name: str, value: str | None, params: dict[str, str] | None = None) -> None:
        """Make ``name`` a single property with this value; ``None`` takes it away."""
        new = None if value is None else Line(name, value, dict(params or {}))
        self.replace(name, [] if new is None else [new])

    def put_text(self, name: str, value: str) -> None:
        """The same of a text; an empty one takes the property away, parameters that stand there stay."""
        before = self.line(name)
        self.put(name, escaped(value) if value else None, before.params if before else None)

    def replace(self, name: str, new: list[Line]) -> None:
        """Put ``new`` where the first property of that name stands, without any that were there before."""
        places = [at for at, part in enumerate(self.parts) if isinstance(part, Line) and part.name == name]
        inner = next((at for at, part in enumerate(self.parts) if isinstance(part, Component)), len(self.parts))
        at = places[0] if places else inner
        kept = [part for part in self.parts[:at] if not (isinstance(part, Line) and part.name == name)]
        rest = [part for part in self.parts[at:] if not (isinstance(part, Line) and part.name == name)]
        self.parts = [*kept, *new, *rest]

    def unfolded(self) -> Iterator[str]:
        """Its lines, whole."""
        yield f"BEGIN:{self.name}"
        for part in self.parts:
            if isinstance(part, Component):
                yield from part.unfolded()
            else:
                yield str(part)
        yield f"END:{self.name}"

    def encode(self) -> bytes:
        """As RFC 5545 writes it: UTF-8, lines folded at 75 octets, CRLF."""
        return b"".join(_folded(line) for line in self.unfolded())


def escaped(text: str) -> str:
    """A text as a value."""
    plain = text.replace("\r\n", "\n").replace("\r", "\n")
    return _TO_ESCAPE.sub(lambda one: "\\" + one[0], plain).replace("\n", "\\n")


def calendars(data: bytes) -> list[Component]:
    """Every ``VCALENDAR`` of a text, whole ones only; ``Malformed`` where one is not closed or none begins."""
    text = data.decode("utf-8-sig", errors="replace")
    found: list[Component] = []
    stack: list[Component] = []
    for line in _FOLD.sub("", text).split("\n"):
        line = line.rstrip("\r")
        if not line.strip():
            continue
        head, _, name = line.partition(":")
        word = head.upper()
        if word == "BEGIN":
            stack.append(Component(name.strip().upper()))
        elif not stack:
            raise Malformed("a line outside of a calendar")
        elif word == "END":
            done = stack.pop()
            if done.name != name.strip().upper():
                raise Malformed(f"{done.name} is not closed")
            (stack[-1].parts if stack else found).append(done)
        else:
            stack[-1].parts.append(Line.read(line))
    if stack or not found:
        raise Malformed(f"{stack[0].name} is not closed" if stack else "nothing in it")
    if any(one.name != "VCALENDAR" for one in found):
        raise Malformed("no calendar")
    return found


def _quoted(value: str) -> str:
    plain = value.replace('"', "'").replace("\n", " ")
    return f'"{plain}"' if re.search(r"[:;,]", plain) and not value.startswith('"') else plain


def _folded(line: str) -> bytes:
    data = line.encode()
    if len(data) <= _WIDTH:
        return data + b"\r\n"
    parts, start, width = [], 0, _WIDTH
    while start < len(data):
        end = min(start + width, len(data))
        while end < len(data) and data[end] & 0xC0 == 0x80:  # never inside a letter
            end -= 1
        parts.append(data[start:end])
        start, width = end, _WIDTH - 1
    return b"\r\n ".join(parts) + b"\r\n"
