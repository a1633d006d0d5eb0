"""Paths and query strings the way 1C takes them apart: parentheses hold keys and arguments, ``+`` is no blank."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import unquote

from stand.onec.errors import ODataError
from stand.onec.model import EntitySet, Kind
from stand.onec.world import Key, Record

#: Arguments that are texts: their outer quotes are taken off.
_TEXTS = ("Condition", "AccountCondition", "BalancedAccountCondition", "Dimensions", "ExtraDimensions", "Order")
_NAMES = "|".join((*_TEXTS, "Period", "StartPeriod", "EndPeriod", "Top", "PostingModeOperational"))
_ARGUMENT = re.compile(rf"(?:^|,)\s*({_NAMES})\s*=")
#: Live clients double the quotes inside, the documentation's samples do not; 1C takes both.
_DOUBLED = re.compile("(guid|datetime)''")
_NAMED = re.compile(r"\s*([^\W\d]\w*)\s*=\s*((?:guid|datetime)?'(?:[^']|'')*'|[\w.-]+)\s*(?:,|$)")


@dataclass(frozen=True, slots=True)
class Segment:
    """``Name(inside)``; ``inside`` is ``None`` without parentheses."""

    name: str
    inside: str | None


def segments(path: str) -> list[Segment]:
    """The path below the service root, cut at slashes outside parentheses. Percent signs are undone first."""
    parts, depth, current = [], 0, ""
    for char in unquote(path):
        depth += (char == "(") - (char == ")")
        if char == "/" and depth <= 0:
            parts.append(current)
            current = ""
        else:
            current += char
    parts.append(current)
    return [_segment(part) for part in parts if part]


def _segment(text: str) -> Segment:
    name, bracket, rest = text.partition("(")
    if not bracket:
        return Segment(text, None)
    if not rest.endswith(")"):
        raise ODataError(400, 6, f"Неверный формат сегмента пути {text}")
    return Segment(name, rest[:-1])


def pairs(query: str) -> dict[str, str]:
    """Query options; ``+`` stays a plus. Code 18 for one given twice."""
    found: dict[str, str] = {}
    for part in filter(None, query.split("&")):
        name, _, value = part.partition("=")
        name = unquote(name)
        if name in found:
            raise ODataError(400, 18, f"Опция запроса {name} указана несколько раз")
        found[name] = unquote(value)
    return found


def arguments(inside: str) -> dict[str, str]:
    """Arguments of a virtual table. Quotes inside ``Condition='…'`` are not doubled in 1C's own samples."""
    marks = list(_ARGUMENT.finditer(inside))
    if inside.strip() and not marks:
        raise ODataError(400, 12, f"Неизвестный параметр метода: {inside}")
    ends = [mark.start() for mark in marks[1:]] + [len(inside)]
    found = {mark[1]: inside[mark.end() : end].strip() for mark, end in zip(marks, ends, strict=False)}
    return {name: unquoted(name, value) for name, value in found.items()}


def unquoted(name: str, value: str) -> str:
    """A text argument without its outer quotes, a moment without its ``datetime''``."""
    if name in _TEXTS and len(value) > 1 and value[0] == value[-1] == "'":
        text = value[1:-1]
        return text.replace("''", "'") if _DOUBLED.search(text) else text
    return value[9:-1] if value.startswith("datetime'") else value


def _plain(value: str) -> str:
    text = re.sub(r"^(guid|datetime)?'(.*)'$", r"\2", value, flags=re.DOTALL)
    return text.replace("''", "'")


def key_in(item: EntitySet, inside: str) -> dict[str, str]:
    """Key fields of ``Set(…)``. Code 1 for a malformed guid, 7 when a part is missing, 3 for anything else."""
    text = inside.strip()
    if re.fullmatch(r"guid'[^']*'", text):
        if item.key != ("Ref_Key",):
            raise ODataError(400, 7, "Не задана часть ключа")
        return {"Ref_Key": _guid(text[5:-1])}
    found = {match[1]: match[2] for match in _NAMED.finditer(text)}
    if not found:
        raise ODataError(400, 3, f"Неверное представление ключа {inside}")
    missing = [name for name in item.key if name not in found]
    if missing:
        raise ODataError(400, 7, f"Не задана часть ключа: {', '.join(missing)}")
    guids = {p.name for p in item.shape.props if p.kind in (Kind.GUID, Kind.REF)}
    return {name: _guid(_plain(value)) if name in guids else _plain(value) for name, value in found.items()}


def _guid(text: str) -> str:
    if not re.fullmatch(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", text):
        raise ODataError(400, 1, f"Ошибка преобразования строки «{text}» к типу Edm.Guid")
    return text.lower()


def stored_key(item: EntitySet, fields: dict[str, str]) -> Key:
    """The same key as ``World`` keeps it."""
    return fields["Ref_Key"] if item.key == ("Ref_Key",) else tuple(fields[name] for name in item.key)


def link(item: EntitySet, record: Record) -> str:
    """The relative address of a record, as ``navigationLinkUrl`` and Atom's ``id`` write it."""
    if item.key == ("Ref_Key",):
        return f"{item.name}(guid'{record['Ref_Key']}')"
    return f"{item.name}({', '.join(_key_part(item, name, record) for name in item.key)})"


def _key_part(item: EntitySet, name: str, record: Record) -> str:
    value, kind = record.get(name, item.shape.defaults.get(name, "")), item.shape.by_name[name].kind
    if kind in (Kind.GUID, Kind.REF):
        return f"{name}=guid'{value}'"
    if kind is Kind.DATE:
        return f"{name}=datetime'{value}'"
    return f"{name}={value}" if kind is Kind.INT64 else f"{name}='{value}'"
