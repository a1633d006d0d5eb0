"""Blocking keys: what two records must share at least once to be compared at all.

A key that more than ``cap`` records have is shared by a switchboard, an accountant or nobody, and blocks nothing.
Names and cities have low caps: where many bear one, a pair that shares nothing else is not likely enough to be worth
a look.
"""

from __future__ import annotations

from typing import NamedTuple

from dedup.normal.record import Record
from dedup.weights import Weights, weights

#: Version of the code that makes a record of what a source says, and keys of a record. It counts on when either gives
#: something else than before for anything (a test tells): a store filled by another version compares everything anew.
VERSION = 1


class Key(NamedTuple):
    """One kind of key. ``parts``: columns of the record, all of them filled; ``column[n]`` is its first n letters."""

    kind: str
    parts: tuple[str, ...]


#: Keys made of the record's columns. A kind that stands twice meets itself: a surname may have got into the other
#: field. How many records may share one is told by the weights; 0: the key is not used.
KEYS = (
    Key("inn", ("inn",)),
    Key("ogrn", ("ogrn",)),
    Key("name_city", ("name", "city")),
    Key("name", ("name",)),
    Key("flat_city", ("flat", "city")),
    Key("person_city", ("last", "first", "city")),
    Key("person", ("last", "first")),
    Key("initial_city", ("last", "first[1]", "city")),
    Key("last_house", ("last", "street", "house")),
    Key("name_house", ("name[4]", "street", "house")),
    Key("unit", ("street", "house", "unit")),
    Key("born", ("birthday",)),
    Key("word_postcode", ("last[4]", "postcode")),
    Key("word_postcode", ("first[4]", "postcode")),
    Key("word_city", ("last", "city")),
    Key("word_city", ("first", "city")),
    Key("street_city", ("street", "city")),
    Key("city_postcode", ("city", "postcode")),
    Key("street_house", ("street", "house")),
    Key("house_postcode", ("house", "postcode")),
)
#: Keys made of contacts: the field of the record → the kind.
CONTACT_KEYS = {"phones": "phone", "emails": "email"}


def keys_of(record: Record, table: Weights | None = None) -> list[tuple[str, str]]:
    """The keys of a record that are in use, as (kind, value), each once; the parts of a value stand between bars."""
    caps = (table or weights()).caps
    found = [
        (kind, "|".join(said))
        for kind, parts in _SPLIT
        if caps[kind] and all(said := [_said(record, *part) for part in parts])
    ]
    for field, kind in CONTACT_KEYS.items():
        found += [(kind, value) for value in getattr(record, field) if caps[kind]]
    return list(dict.fromkeys(found))


def split(part: str) -> tuple[str, int]:
    """A part as (column, how many first letters, 0 for all)."""
    column, _, letters = part.partition("[")
    return column, int(letters.rstrip("]")) if letters else 0


#: The kinds with their parts taken apart once.
_SPLIT = tuple((key.kind, tuple(split(part) for part in key.parts)) for key in KEYS)


def _said(record: Record, column: str, letters: int) -> str:
    value = str(getattr(record, column))
    return value[:letters] if letters else value
