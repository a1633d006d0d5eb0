"""A person's value put into a record where its source has a wrong one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

import msgspec

from hub.model.errors import SkipRecord
from hub.store.quarantined import Quarantined
from mappings.runtime import ZERO, Bad, is_guid
from mappings.structs import plain

if TYPE_CHECKING:
    from mappings.compiled import CompiledMapping

_TRUE, _FALSE = ("true", "yes", "1", "истина", "да"), ("false", "no", "0", "ложь", "нет")
_RUSSIAN = ("%d.%m.%Y", "%d.%m.%Y %H:%M", "%d.%m.%Y %H:%M:%S")
#: Whole numbers up to here are the same as floats.
_EXACT = 2**53


def mended(mapping: CompiledMapping, row: Quarantined, value: Any) -> bytes:
    """The record of ``row`` with ``value`` in the field that it was refused for, of the type that the mapping reads.

    In a tabular part every row gets it that holds the refused value; where several fields may fill one and all are
    blank (``A/B``), the first of them. ``SkipRecord`` says why that cannot be done:
    ``mend_no_value``, ``mend_no_field``, ``mend_key``, ``mend_not_there``, ``mend_wrong_type``, ``mend_same``.
    """
    if value is None or (isinstance(value, str) and not value.strip()):
        raise SkipRecord("mend_no_value", row.field)
    part, dot, name = row.field.partition("/")[0].rpartition(".")
    wire = mapping.wires.get(f"{part}{dot}{name}")
    if not part and name in mapping.key:
        raise SkipRecord("mend_key", row.field)
    if wire is None:
        raise SkipRecord("mend_no_field", row.field)
    data = _object(row)
    changed = False
    holders = list(_holders(data, part, name, row.value))
    for holder in holders:
        before = holder.get(name)
        holder[name] = _typed(wire, value, before, row.field)
        changed = changed or holder[name] != before
    if not holders:
        raise SkipRecord("mend_not_there", row.field, row.value)
    if not changed:
        raise SkipRecord("mend_same", row.field, value)
    return msgspec.json.encode(data)


def _object(row: Quarantined) -> dict[str, Any]:
    try:
        data = plain(row.payload.encode())
    except Bad:
        data = None
    if not isinstance(data, dict):
        raise SkipRecord("mend_no_field", row.field)
    return data


def _holders(data: dict[str, Any], part: str, name: str, value: str) -> Iterator[dict[str, Any]]:
    """The objects whose ``name`` holds the refused value; of the record itself whatever it holds."""
    if not part:
        yield data
        return
    rows = data.get(part)
    for row in rows if isinstance(rows, list) else ():
        if isinstance(row, dict) and _shown(row.get(name)) == value:
            yield row


def _shown(value: Any) -> str:
    """A value as a reject tells it: no reference is a blank."""
    return "" if value is None or value == ZERO else str(value)[:200]


def _typed(wire: str, value: Any, before: Any, field: str) -> Any:
    try:
        return _TYPES[wire](value, before)
    except (ValueError, ArithmeticError):
        raise SkipRecord("mend_wrong_type", field, value, wanted=wire) from None


def _text(value: Any, _: Any) -> str:
    if isinstance(value, float) and value.is_integer():
        return str(int(value))  # a spreadsheet makes a number of what looks like one
    return value.isoformat() if isinstance(value, date) else str(value).strip()


def _number(value: Any, _: Any) -> int | float:
    if isinstance(value, (bool, date)):
        raise InvalidOperation
    text = str(value).replace("\u00a0", "").replace(" ", "").replace(",", ".")
    number = Decimal(text)
    if not number.is_finite():
        raise ValueError
    return int(number) if number == number.to_integral_value() and abs(number) < _EXACT else float(number)


def _int(value: Any, before: Any) -> int | str:
    number = _number(value, before)
    if not isinstance(number, int):
        raise ValueError  # noqa: TRY004 - the value is wrong, not its type
    return str(number) if isinstance(before, str) else number


def _bool(value: Any, _: Any) -> bool:
    word = str(value).strip().lower()
    if word not in _TRUE + _FALSE:
        raise ValueError
    return word in _TRUE


def _moment(value: Any, _: Any) -> str:
    if isinstance(value, datetime):
        found = value
    elif isinstance(value, date):
        found = datetime(value.year, value.month, value.day)  # noqa: DTZ001 - of the source's own clock
    else:
        found = _parsed(str(value).strip())
    return found.strftime("%Y-%m-%dT%H:%M:%S").rjust(19, "0")


def _parsed(text: str) -> datetime:
    for shape in _RUSSIAN:
        try:
            return datetime.strptime(text, shape)  # noqa: DTZ007 - of the source's own clock
        except ValueError:
            continue
    return datetime.fromisoformat(text).replace(tzinfo=None)


def _guid(value: Any, _: Any) -> str:
    text = str(value).strip().lower()
    if not is_guid(text):
        raise ValueError
    return text


_TYPES: dict[str, Callable[[Any, Any], Any]] = {
    "text": _text,
    "number": _number,
    "int": _int,
    "bool": _bool,
    "date": _moment,
    "guid": _guid,
}
