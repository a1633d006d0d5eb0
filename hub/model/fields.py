"""Types of canonical fields and how their values travel.

A value *travels* (from mapping to store, and in comparisons) in one cheap form per kind, so that
the bulk path makes no UUID, datetime or Decimal objects:

========== ============================== ======================= ======================
kind       travels as                     PostgreSQL column       SQLite column
========== ============================== ======================= ======================
TEXT/ENUM  ``str``                        text                    TEXT
INT        ``int``                        bigint                  INTEGER
BOOL       ``int`` 0 or 1                 boolean                 INTEGER
MONEY      ``int``, hundredths            numeric(18,2)           INTEGER, hundredths
QTY        ``int``, millionths            numeric(18,6)           INTEGER, millionths
PERCENT    ``int``, ten-thousandths       numeric(9,4)            INTEGER, ten-thousandths
TIMESTAMP  ``str`` ``YYYY-MM-DD HH:MM:SS`` timestamptz            TEXT, the same form
           in UTC
DATE       ``str`` ``YYYY-MM-DD``         date                    TEXT
REF        ``int``, id of a link          bigint                  INTEGER
JSON       ``str``, JSON text             jsonb                   TEXT
========== ============================== ======================= ======================

``None`` is NULL for each of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Kind(Enum):
    """What a field holds; the value is the word used in mapping files."""

    TEXT = "text"
    INT = "int"
    BOOL = "bool"
    MONEY = "money"
    QTY = "qty"
    PERCENT = "percent"
    TIMESTAMP = "timestamp"
    DATE = "date"
    ENUM = "enum"
    REF = "ref"
    JSON = "json"


#: Decimal places of the kinds that travel as scaled integers.
SCALE: dict[Kind, int] = {Kind.MONEY: 2, Kind.QTY: 6, Kind.PERCENT: 4}


@dataclass(frozen=True, slots=True)
class Field:
    """One canonical field.

    ``clearable``: an empty value from a system may erase a filled one.
    ``personal``: masked in logs and in Dagster, whole in the store.
    ``target``: for a REF, the entity it names; its column holds the id of a *link* (not of a record), so that a
    merge or split of the target rewrites nothing.
    ``spelling``: of a row in a set, only another way to write its key, or drawn from it: no difference by itself.
    """

    name: str
    kind: Kind
    ru: str
    required: bool = False
    clearable: bool = False
    personal: bool = False
    choices: tuple[str, ...] = ()
    target: str = ""
    spelling: bool = False

    @property
    def column(self) -> str:
        """Name of the physical column: ``<name>_link_id`` for a reference, else the name itself."""
        return f"{self.name}_link_id" if self.kind is Kind.REF else self.name


def text(name: str, ru: str, *, required: bool = False, clearable: bool = False, personal: bool = False) -> Field:
    """A text of any length (1C's ``$metadata`` does not tell lengths)."""
    return Field(name, Kind.TEXT, ru, required, clearable, personal)


def enum(name: str, ru: str, *choices: str, required: bool = False) -> Field:
    """A text that must be one of ``choices``."""
    return Field(name, Kind.ENUM, ru, required, choices=choices)


def ref(name: str, ru: str, target: str, *, required: bool = False) -> Field:
    """A reference to another record; a required one parks its record until the target is there."""
    return Field(name, Kind.REF, ru, required, clearable=True, target=target)


def field(name: str, kind: Kind, ru: str, *, required: bool = False, clearable: bool = False) -> Field:
    """A number, flag, date or timestamp."""
    return Field(name, kind, ru, required, clearable)


def show(kind: Kind, value: object) -> str | None:
    """A travelling value as a person reads it: scaled integers as decimals, flags as words; ``None`` stays ``None``."""
    if value is None:
        return None
    if kind in SCALE and isinstance(value, int):
        sign, digits = ("-" if value < 0 else ""), str(abs(value)).rjust(SCALE[kind] + 1, "0")
        return f"{sign}{digits[: -SCALE[kind]]}.{digits[-SCALE[kind] :]}"
    if kind is Kind.BOOL:
        return "true" if value else "false"
    return str(value)
