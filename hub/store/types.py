"""Column types: one Python value, two physical forms.

=========== ================== =================================== ====================
type        Python (Core)      SQLite                              PostgreSQL
=========== ================== =================================== ====================
Scaled      ``Decimal``        integer, hundredths (…) by kind     numeric(18,2) (…)
Timestamp   aware ``datetime`` text, UTC, ``YYYY-MM-DD HH:MM:SS``  timestamptz
Day         ``date``           text, ``YYYY-MM-DD``                date
Json        JSON-able          text                                jsonb
CleanText   ``str``            text                                text
=========== ================== =================================== ====================

The SQLite forms are exactly the travelling forms of ``hub.model.fields``, so that the bulk path binds them as they
are. A fraction of a second is written only when there is one: the texts still sort by time.
"""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from sqlalchemy import BigInteger, Boolean, Column, Date, Dialect, Integer, Numeric, Text
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP
from sqlalchemy.types import TypeDecorator, TypeEngine

from hub.model.fields import SCALE, Kind

#: Digits in all of the kinds that travel as scaled integers.
PRECISION: dict[Kind, int] = {Kind.MONEY: 18, Kind.QTY: 18, Kind.PERCENT: 9}

#: JSON's escape of the character that no PostgreSQL text may hold.
_NUL_ESCAPE = "\\u0000"


def surrogate() -> TypeEngine[int]:
    """A surrogate key: ``bigint``, and SQLite's own row id where it is the whole primary key."""
    return BigInteger().with_variant(Integer(), "sqlite")


def dump_json(value: Any) -> str:
    """``value`` as compact JSON text with sorted keys, Cyrillic as it is: equal values give equal texts."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True)


def without_nul(value: Any) -> Any:
    """``value`` with U+0000 taken out of each text in it, however deep."""
    if isinstance(value, str):
        return value.replace("\0", "")
    if isinstance(value, dict):
        return {without_nul(key): without_nul(item) for key, item in value.items()}
    return [without_nul(item) for item in value] if isinstance(value, list | tuple) else value


def clean_json(text: str) -> str:
    """JSON text that both databases take: without escaped U+0000, else as it came."""
    return dump_json(without_nul(json.loads(text))) if _NUL_ESCAPE in text else text


def canonical_json(text: str) -> str:
    """JSON text in the one form that is compared (``jsonb`` reorders keys and adds blanks)."""
    return dump_json(json.loads(text))


class Scaled(TypeDecorator[Decimal]):
    """An exact number with the decimal places of its kind; more places are rounded half away from zero."""

    impl = Numeric
    cache_ok = True

    def __init__(self, kind: Kind) -> None:
        super().__init__(PRECISION[kind], SCALE[kind])
        self.kind = kind

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Integer on SQLite, numeric elsewhere."""
        own: TypeEngine[Any] = BigInteger() if dialect.name == "sqlite" else self.impl_instance
        return dialect.type_descriptor(own)

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> Any:
        """Decimal to the physical form."""
        if value is None or dialect.name != "sqlite":
            return value
        return int(Decimal(value).scaleb(SCALE[self.kind]).to_integral_value(ROUND_HALF_UP))

    def process_result_value(self, value: Any, dialect: Dialect) -> Decimal | None:
        """The physical form to Decimal."""
        if value is None or dialect.name != "sqlite":
            return None if value is None else Decimal(value)
        return Decimal(value).scaleb(-SCALE[self.kind])


class Timestamp(TypeDecorator[datetime]):
    """A moment; takes and gives aware datetimes only (``ValueError`` for a naive one), gives them in UTC."""

    impl = TIMESTAMP
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Text on SQLite, timestamptz elsewhere."""
        own: TypeEngine[Any] = Text() if dialect.name == "sqlite" else TIMESTAMP(timezone=True)
        return dialect.type_descriptor(own)

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        """Aware datetime to the physical form."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"a moment without a time zone: {value!r}")
        moment = value.astimezone(UTC)
        return moment.replace(tzinfo=None).isoformat(" ") if dialect.name == "sqlite" else moment

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        """The physical form to a datetime in UTC."""
        if value is None:
            return None
        moment: datetime = datetime.fromisoformat(value).replace(tzinfo=UTC) if isinstance(value, str) else value
        return moment.astimezone(UTC)


class Day(TypeDecorator[date]):
    """A calendar day."""

    impl = Date
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Text on SQLite, date elsewhere."""
        own: TypeEngine[Any] = Text() if dialect.name == "sqlite" else Date()
        return dialect.type_descriptor(own)

    def process_bind_param(self, value: date | None, dialect: Dialect) -> Any:
        """Date to the physical form."""
        return value.isoformat() if value is not None and dialect.name == "sqlite" else value

    def process_result_value(self, value: Any, dialect: Dialect) -> date | None:
        """The physical form to a date."""
        return date.fromisoformat(value) if isinstance(value, str) else value


class Json(TypeDecorator[Any]):
    """Any JSON-able value; ``None`` is NULL, never JSON's ``null``."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Text on SQLite, jsonb elsewhere."""
        own: TypeEngine[Any] = Text() if dialect.name == "sqlite" else JSONB(none_as_null=True)
        return dialect.type_descriptor(own)

    def process_bind_param(self, value: Any, dialect: Dialect) -> Any:
        """A value to the physical form."""
        if value is None:
            return None
        clean = without_nul(value)
        return dump_json(clean) if dialect.name == "sqlite" else clean

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:
        """The physical form to a value."""
        return json.loads(value) if value is not None and dialect.name == "sqlite" else value


class CleanText(TypeDecorator[str]):
    """Text without U+0000, which PostgreSQL cannot hold: both databases keep the same."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """Take U+0000 out."""
        return value.replace("\0", "") if value is not None and "\0" in value else value


def column_type(kind: Kind) -> TypeEngine[Any]:
    """The type of a column that holds values of ``kind``."""
    if kind in SCALE:
        return Scaled(kind)
    plain: dict[Kind, TypeEngine[Any]] = {
        Kind.INT: BigInteger(),
        Kind.REF: BigInteger(),
        Kind.BOOL: Boolean(),
        Kind.TIMESTAMP: Timestamp(),
        Kind.DATE: Day(),
        Kind.JSON: Json(),
    }
    return plain.get(kind, CleanText())


def kind_of(column: Column[Any]) -> Kind:
    """What travels in ``column`` (references and enumerations count as INT and TEXT)."""
    kind = column.type
    if isinstance(kind, Scaled):
        return kind.kind
    for known, answer in (
        (Timestamp, Kind.TIMESTAMP),
        (Day, Kind.DATE),
        (Json, Kind.JSON),
        (Boolean, Kind.BOOL),
        (Integer, Kind.INT),
    ):
        if isinstance(kind, known):
            return answer
    return Kind.TEXT
