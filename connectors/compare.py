"""What a system shows beside what was sent: which fields differ, and how; which others changed with the write.

Values are compared in their JSON forms, whatever the system's types are: ``5`` is ``"5"`` (1C writes long integers as
texts), ``null`` is any empty value. A field inside a nested table is named ``Table[2].Field``, rows counted from 1.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from decimal import ROUND_DOWN, ROUND_HALF_EVEN, ROUND_HALF_UP, Context, Decimal, InvalidOperation
from typing import Any, Literal

from connectors.base import Difference

Fields = Mapping[str, Any]
How = Literal["cut", "rounded", "spaced", "dropped", "other"]

#: Fields that the system itself keeps; nobody sends them, they always change.
OWN = frozenset({"Ref_Key", "DataVersion", "LineNumber", "_version"})
#: What may become of a value on its way without being lost: who asked for it decides whether that will do.
BENT = frozenset({"cut", "rounded", "spaced"})

_EMPTY = ("", "0", "00000000-0000-0000-0000-000000000000", "0001-01-01T00:00:00", "StandardODATA.Undefined")
_GUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_DATE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d")
_NUMBER = re.compile(r"-?\d{1,30}(\.\d{1,30})?")
_WIDE = Context(prec=80)


def differences(sent: Fields, before: Fields, shown: Fields) -> tuple[Difference, ...]:
    """Fields of ``sent`` that ``shown`` has otherwise. ``before``: what stood there, empty for a new record."""
    return tuple(_differing(sent, before, shown))


def filled(sent: Fields, before: Fields, shown: Fields, besides: Iterable[str] = ()) -> tuple[str, ...]:
    """Fields not sent that changed. Columns of a table that was sent are named ``Table.Field``."""
    found = []
    left_out = OWN.union(sent, besides)
    for name, value in shown.items():
        rows = sent.get(name)
        if isinstance(rows, list) and isinstance(value, list):
            found += [f"{name}.{column}" for column in _filled_columns(rows, _rows(before.get(name)), _rows(value))]
        elif name not in left_out and not _is_note(name) and not same(before.get(name), value):
            found.append(name)
    return tuple(found)


def stands(found: Iterable[Difference]) -> bool:
    """True when sending again would change nothing: only padding or the case of a GUID differ."""
    return all(item.how == "spaced" and _idle(str(item.sent), str(item.shown)) for item in found)


def arrived(found: Iterable[Difference]) -> bool:
    """True when everything sent is there, though perhaps cut, rounded or spaced."""
    return all(item.how in BENT for item in found)


def same(one: Any, other: Any) -> bool:
    """True for one value in two JSON forms."""
    if one is None or other is None:
        return _is_empty(one) and _is_empty(other)
    if isinstance(one, list) and isinstance(other, list):
        return one == other
    if isinstance(one, bool) is not isinstance(other, bool):
        return False
    left, right = _number(one), _number(other)
    if left is not None and right is not None and not (isinstance(one, str) and isinstance(other, str)):
        return left == right
    return bool(one == other)


def _differing(sent: Fields, before: Fields, shown: Fields) -> Iterator[Difference]:
    for name, value in sent.items():
        was, now = before.get(name), shown.get(name)
        if isinstance(value, list):
            yield from _table(name, value, _rows(was), _rows(now))
        elif not same(value, now):
            yield Difference(name, value, now, _how(value, was, now))


def _table(name: str, sent: list[Fields], before: list[Fields], shown: list[Fields]) -> Iterator[Difference]:
    if len(sent) != len(shown):
        yield Difference(name, sent, shown, "dropped" if shown == before else "other")
        return
    for number, (row, now) in enumerate(zip(sent, shown, strict=True), 1):
        was = before[number - 1] if number <= len(before) else {}
        for item in _differing({key: value for key, value in row.items() if key not in OWN}, was, now):
            yield Difference(f"{name}[{number}].{item.field}", item.sent, item.shown, item.how)


def _rows(value: Any) -> list[Fields]:
    """Rows that a system shows, in the order of their numbers; rows that are sent are in the order of their list."""
    return sorted(value, key=_place) if isinstance(value, list) else []


def _place(row: Fields) -> Decimal:
    return _number(row.get("LineNumber")) or Decimal(0)


def _filled_columns(sent: list[Fields], before: list[Fields], shown: list[Fields]) -> list[str]:
    found: dict[str, None] = {}
    for number, (row, now) in enumerate(zip(sent, shown, strict=False)):
        was = before[number] if number < len(before) else {}
        found.update(dict.fromkeys(filled(row, was, now)))
    return list(found)


def _how(sent: Any, before: Any, shown: Any) -> How:
    if isinstance(sent, str) and isinstance(shown, str):
        if _blanks(sent, shown):
            return "spaced"
        if _DATE.match(sent) and _DATE.fullmatch(shown):
            if _coarser(sent, shown):
                return "rounded"
        elif shown.strip() and sent.startswith(shown.rstrip()):
            return "cut"
    elif _rounded(_number(sent), _number(shown)):
        return "rounded"
    return "dropped" if same(before, shown) else "other"


def _blanks(sent: str, shown: str) -> bool:
    if _GUID.fullmatch(sent):
        return sent.lower() == shown.lower()
    return sent.split() == shown.split()


def _idle(sent: str, shown: str) -> bool:
    return sent.rstrip() == shown.rstrip() or bool(_GUID.fullmatch(sent))


def _coarser(sent: str, shown: str) -> bool:
    """A date without its fraction of a second, or of its day only."""
    return shown in (sent[:19], f"{sent[:10]}T00:00:00")


def _rounded(sent: Decimal | None, shown: Decimal | None) -> bool:
    """True when ``shown`` is ``sent`` with fewer digits after the point; a value that became zero is lost."""
    if sent is None or not shown:
        return False
    places = max(0, -int(sent.as_tuple().exponent))
    ways = (ROUND_HALF_UP, ROUND_HALF_EVEN, ROUND_DOWN)
    try:
        return any(
            sent.quantize(Decimal(1).scaleb(-left), rounding=way, context=_WIDE) == shown
            for left in range(places)
            for way in ways
        )
    except InvalidOperation:
        return False


def _number(value: Any) -> Decimal | None:
    """A number, or a text that is one; no ``bool``, no exponent in a text (a code such as ``1e5`` is no number)."""
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, int | float | Decimal):
        found = Decimal(str(value))
        return found if found.is_finite() else None
    return Decimal(value) if isinstance(value, str) and _NUMBER.fullmatch(value) else None


def _is_empty(value: Any) -> bool:
    return not value or (isinstance(value, str) and value.strip() in _EMPTY)


def _is_note(name: str) -> bool:
    """Links and types that the protocol adds to a record."""
    return "@" in name or name.startswith("odata.")
