"""Columns and their values: how one travels as JSON, and how it gets back into a statement.

======== =================================== ===========================================================
kind     what it is in the database          how it travels
======== =================================== ===========================================================
text     any text, an enumeration            text
uuid     a UUID                              text
integer  whole numbers                       number; of keys and references text, as keys travel everywhere
numeric  decimals and floats                 number, with every digit that the database gives
boolean  a flag                              ``true`` or ``false``
date     a day                               ``2026-01-31T00:00:00``
moment   a day and a time                    the same form, in the system's own zone, whole seconds
any      no type: a column of SQLite     as it is, a number or a text
other    JSON, arrays, intervals …           text, only read
======== =================================== ===========================================================

NULL is ``null``. Days and moments are read as the texts that the database makes of them: a value that no calendar holds
(``infinity``, or what somebody wrote into a file of SQLite) is refused with its record and costs no page.
"""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import sqlalchemy as sa

#: What an empty value looks like in the JSON of systems that have no NULL; a mapping's way back writes these.
_NOTHING = frozenset({"", "0001-01-01T00:00:00", "00000000-0000-0000-0000-000000000000"})
_MOMENT = re.compile(r"(\d{4}-\d\d-\d\d)(?:[ T](\d\d:\d\d)(:\d\d)?(?:[.,]\d+)?\s?(Z|[+-]\d\d(?::?\d\d)*)?)?")
_WHOLE = re.compile(r"[+-]?\d{1,30}")


class Bad(Exception):
    """The value cannot stand in this column; ``code`` of the catalogue, ``wanted`` what may stand there."""

    def __init__(self, code: str, wanted: object = "") -> None:
        super().__init__(code)
        self.code = code
        self.wanted = wanted


@dataclass(frozen=True, slots=True)
class Column:
    """One column. ``as_text``: a whole number that is a key or a reference. ``kept``: the database fills it itself."""

    name: str
    kind: str
    nullable: bool = True
    length: int | None = None
    digits: tuple[int, int] | None = None
    as_text: bool = False
    kept: bool = False

    def shown(self, value: Any, zone: ZoneInfo) -> Any:
        """A value of the driver's as it travels."""
        if value is None or (self.kind == "text" and isinstance(value, str)):
            return value
        if self.kind == "boolean":
            return bool(value) if isinstance(value, int) else value
        if self.kind in {"date", "moment"}:
            return moment(str(value), zone)
        if self.kind in {"integer", "numeric", "any"} and isinstance(value, int | float | Decimal):
            return str(value) if self.as_text or isinstance(value, bool) else _number(value)
        if self.kind == "other" and isinstance(value, dict | list):
            return json.dumps(value, ensure_ascii=False, sort_keys=True, default=str)
        return value if isinstance(value, str) else str(value)

    def told(self, value: Any, zone: ZoneInfo) -> Any:
        """A value that is to be written, as the column will show it; ``Bad`` where it cannot stand there."""
        if value is None or (isinstance(value, str) and value in _NOTHING and self.kind != "text"):
            return None
        match self.kind:
            case "text":
                return _text(self, value)
            case "integer":
                return _integer(self, value)
            case "numeric":
                return _numeric(self, value)
            case "boolean":
                return _boolean(value)
            case "date" | "moment":
                return _day(self, value, zone)
            case "uuid":
                return _uuid(value)
            case "any":
                return value
            case _:
                raise Bad("sql_value_unfit")

    def bound(self, value: Any, *, texts: bool) -> Any:
        """A travelling value as the driver takes it. ``texts``: the database has no type for days and decimals."""
        if value is None:
            return None
        match self.kind:
            case "integer":
                return int(value)
            case "numeric":
                return (value if isinstance(value, int) else float(value)) if texts else Decimal(str(value))
            case "uuid":
                return str(value) if texts else UUID(str(value))
            case "date":
                return value[:10] if texts else date.fromisoformat(value[:10])
            case "moment":
                return value.replace("T", " ") if texts else datetime.fromisoformat(value)
            case _:
                return value


def column_of(found: Any, *, as_text: bool) -> Column | None:
    """The column that a reflection tells of (one of ``Inspector.get_columns``); ``None`` for what is not offered."""
    kind = _base(found["type"])
    if isinstance(kind, sa.LargeBinary | sa.BINARY | sa.VARBINARY):
        return None
    name = _kind(kind)
    precision, scale = getattr(kind, "precision", None), getattr(kind, "scale", None)
    digits = (precision, scale or 0) if name == "numeric" and isinstance(precision, int) and scale is not None else None
    always = bool(found.get("computed")) or bool((found.get("identity") or {}).get("always"))
    length = kind.length if isinstance(kind, sa.String) and not isinstance(kind, sa.Enum) else None
    return Column(found["name"], name, bool(found["nullable"]), length, digits, as_text and name == "integer", always)


def _base(kind: Any) -> Any:
    """The type under a domain."""
    while hasattr(kind, "data_type"):
        kind = kind.data_type
    return kind


def _kind(kind: Any) -> str:
    flag = type(kind).__name__ == "TINYINT" and getattr(kind, "display_width", None) == 1
    order: tuple[tuple[Any, str], ...] = (
        (sa.Boolean, "boolean"),
        (sa.Integer, "integer"),
        (sa.Numeric, "numeric"),
        (sa.Float, "numeric"),
        (sa.DateTime, "moment"),
        (sa.Date, "date"),
        (sa.Uuid, "uuid"),
        (sa.JSON, "other"),
        (sa.String, "text"),
        (sa.types.NullType, "any"),
    )
    return "boolean" if flag else next((name for cls, name in order if isinstance(kind, cls)), "other")


def _number(value: float | Decimal) -> Any:
    """A number that JSON has a form for; what it has none for is told as a text."""
    return value if isinstance(value, int) or math.isfinite(value) else str(value)


def moment(text: str, zone: ZoneInfo) -> str:
    """A day or moment of a database's as it travels; a text that is none stays as it is."""
    found = _MOMENT.fullmatch(text.strip())
    if found is None:
        return text
    day, minutes, seconds, offset = found.groups()
    whole = f"{day}T{minutes or '00:00'}{seconds or ':00'}"
    if offset is None:
        return whole
    try:
        return datetime.fromisoformat(whole + offset).astimezone(zone).replace(tzinfo=None).isoformat()
    except (ValueError, OverflowError):
        return text


def _text(column: Column, value: Any) -> Any:
    text = str(value).lower() if isinstance(value, bool) else str(value)
    if column.length is not None and len(text) > column.length:
        raise Bad("sql_too_long", column.length)
    if "\0" in text:
        raise Bad("sql_value_unfit")
    return text if text or not column.nullable else None


def _integer(column: Column, value: Any) -> Any:
    text = str(int(value)) if isinstance(value, bool) or (isinstance(value, float) and value.is_integer()) else value
    if not _WHOLE.fullmatch(str(text)) or abs(int(text)) >= 2**63:
        raise Bad("sql_value_unfit")
    return str(int(text)) if column.as_text else int(text)


def _numeric(column: Column, value: Any) -> Any:
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        raise Bad("sql_value_unfit") from None
    if isinstance(value, bool) or not number.is_finite():
        raise Bad("sql_value_unfit")
    if column.digits is not None and number and number.adjusted() >= column.digits[0] - column.digits[1]:
        raise Bad("sql_too_large", column.digits[0] - column.digits[1])
    return value if isinstance(value, int | float) else float(number)


def _boolean(value: Any) -> bool:
    if value not in (0, 1):
        raise Bad("sql_value_unfit")
    return bool(value)


def _day(column: Column, value: Any, zone: ZoneInfo) -> str:
    text = moment(str(value), zone)
    try:
        when = datetime.fromisoformat(text).replace(tzinfo=None, microsecond=0)
    except ValueError:
        raise Bad("sql_value_unfit") from None
    return when.isoformat() if column.kind == "moment" else f"{text[:10]}T00:00:00"


def _uuid(value: Any) -> str:
    try:
        return str(UUID(str(value)))
    except ValueError:
        raise Bad("sql_value_unfit") from None
