"""The transforms a mapping file may name: which source value each takes, which kinds of field it fits.

What a transform does to a value is generated code (``mappings.generate``); how it is turned round is in
``mappings.reverse``. This table is what files are validated against and what the documentation is made from.
"""

from __future__ import annotations

from dataclasses import dataclass

from hub.model.fields import Kind


@dataclass(frozen=True, slots=True)
class Transform:
    """``wire``: what the source value must be (see ``mappings.spec.WIRES``); ``back``: it can be turned round."""

    name: str
    wire: str
    kinds: tuple[Kind, ...]
    doc: str
    back: bool = False


TRANSFORMS: dict[str, Transform] = {
    item.name: item
    for item in (
        Transform("text", "text", (Kind.TEXT,), "blanks at both ends and NUL characters dropped; empty is NULL", True),
        Transform("bool", "bool", (Kind.BOOL,), "true or false", True),
        Transform("int", "int", (Kind.INT,), "a whole number, also one that stands as a text", True),
        Transform("money", "number", (Kind.MONEY,), "to hundredths; more decimals are rounded half to even", True),
        Transform("above_zero", "number", (Kind.MONEY, Kind.QTY), "the number if it is above zero, else 0"),
        Transform("below_zero", "number", (Kind.MONEY, Kind.QTY), "the number without its minus if it has one, else 0"),
        Transform("qty", "number", (Kind.QTY,), "to millionths; more decimals are rounded half to even", True),
        Transform("percent", "number", (Kind.PERCENT,), "to ten-thousandths of a per cent", True),
        Transform(
            "timestamp", "date", (Kind.TIMESTAMP,), "local time of the base to UTC; the empty date is NULL", True
        ),
        Transform("utc", "date", (Kind.TIMESTAMP,), "a moment told in UTC (`2026-01-31T10:00:00Z`)", True),
        Transform("date", "date", (Kind.DATE,), "the day as it stands, no time zone; the empty date is NULL", True),
        Transform("int_text", "int", (Kind.TEXT,), "a whole number written as a text"),
        Transform("digits", "text", (Kind.TEXT,), "only the digits of a text"),
        Transform("phone", "text", (Kind.TEXT,), "a phone as E.164 where it is one, else its digits"),
        Transform("email", "text", (Kind.TEXT,), "an e-mail address in lower case"),
        Transform("last_name", "text", (Kind.TEXT,), "the surname of a full name"),
        Transform("first_name", "text", (Kind.TEXT,), "the first name of a full name"),
        Transform("middle_name", "text", (Kind.TEXT,), "the patronymic of a full name"),
        Transform("gender", "text", (Kind.ENUM,), "male or female by the patronymic of a full name, else NULL"),
    )
}

#: The transform a field gets when its file names none; a kind that is not here needs ``ref``, ``map``, ``const`` …
DEFAULT: dict[Kind, str] = {
    Kind.TEXT: "text",
    Kind.BOOL: "bool",
    Kind.INT: "int",
    Kind.MONEY: "money",
    Kind.QTY: "qty",
    Kind.PERCENT: "percent",
    Kind.TIMESTAMP: "timestamp",
    Kind.DATE: "date",
}
