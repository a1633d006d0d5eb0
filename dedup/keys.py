"""Blocking keys: what two records must share at least once to be compared at all.

A key that more than ``cap`` records have is shared by a switchboard, an accountant or nobody, and blocks nothing. Names and
cities have low caps: where many bear one, a pair that shares nothing else is not likely enough to be worth a look.
"""

from __future__ import annotations

from typing import NamedTuple

from dedup.normal.record import Record


class Key(NamedTuple):
    """One kind of key. ``parts``: columns of the record, all of them filled; ``column[n]`` is its first n letters."""

    kind: str
    parts: tuple[str, ...]
    cap: int = 0  # 0: the weights' own


#: Keys made of the record's columns.
KEYS = (
    Key("inn", ("inn",)),
    Key("ogrn", ("ogrn",)),
    Key("name_city", ("name", "city"), 6),
    Key("name", ("name",), 3),
    Key("flat_city", ("flat", "city"), 6),
    Key("person_city", ("last", "first", "city"), 6),
    Key("person", ("last", "first"), 3),
    Key("initial_city", ("last", "first[1]", "city"), 5),
    Key("last_house", ("last", "street", "house"), 12),
    Key("name_house", ("name[4]", "street", "house"), 12),
    Key("unit", ("street", "house", "unit"), 12),
    Key("born", ("birthday",), 20),
    Key("last_postcode", ("last[4]", "postcode"), 20),
)
#: Keys made of contacts: the field of the record → the kind.
CONTACT_KEYS = {"phones": "phone", "emails": "email"}


def keys_of(record: Record) -> list[tuple[str, str]]:
    """The keys of a record as (kind, value), each once; the parts of a value stand between bars."""
    found = [(key.kind, "|".join(parts)) for key in KEYS if all(parts := [_part(record, part) for part in key.parts])]
    for field, kind in CONTACT_KEYS.items():
        found += [(kind, value) for value in getattr(record, field)]
    return found


def cap_of(kind: str, default: int) -> int:
    """How many records may share a key of that kind."""
    return next((key.cap for key in KEYS if key.kind == kind), 0) or default


def split(part: str) -> tuple[str, int]:
    """A part as (column, how many first letters, 0 for all)."""
    column, _, letters = part.partition("[")
    return column, int(letters.rstrip("]")) if letters else 0


def _part(record: Record, part: str) -> str:
    column, letters = split(part)
    value = str(getattr(record, column))
    return value[:letters] if letters else value
