"""How often what a record says is said by others: what rarity is counted from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import fields
from typing import Any, Protocol

from dedup.normal.record import Record
from dedup.terms import Pair, Side
from dedup.weights import Weights, rarity

#: What is counted, and how its value is made of a record; an empty value is not counted.
COUNTED: dict[str, tuple[str, ...]] = {
    "name": ("name",),
    "last": ("last",),
    "first": ("first",),
    "middle": ("middle",),
    "city": ("city",),
    "kpp": ("kpp",),
    "house": ("street", "house"),
    "unit": ("street", "house", "unit"),
    "birthday": ("birthday",),
    "postcode": ("postcode",),
}
_FIELDS = tuple(field.name for field in fields(Record))
#: Kinds of contacts: the name in ``Pair.p`` → the field of the record.
CONTACTS = {"phone": "phones", "email": "emails", "domain": "domains"}


class Frequencies(Protocol):
    """What a score has to know of the other records."""

    @property
    def records(self) -> int:
        """How many there are."""

    def count(self, what: str, value: str) -> int:
        """How many say this; ``what`` is a key of ``COUNTED``, parts of a value stand between bars."""

    def names(self, what: str, value: str) -> int:
        """How many different names (see ``who``) are on a contact; ``what`` is a key of ``CONTACTS``."""


def value_of(record: Record, what: str) -> str:
    """The counted value, or empty where a part of it is missing."""
    parts = [getattr(record, part) for part in COUNTED[what]]
    return "|".join(parts) if all(parts) else ""


def who(record: Record) -> str:
    """Whom a contact belongs to, so far that initials and short names are no other person."""
    return f"{record.last} {record.first[:1]}" if record.last else record.name


def contacts_of(record: Record) -> Iterator[tuple[str, str]]:
    """The contacts of a record as (kind, value)."""
    for what, field in CONTACTS.items():
        for value in getattr(record, field):
            yield what, value


class Counted:
    """Frequencies of records that are all here."""

    def __init__(self, records: Iterable[Record]) -> None:
        self._counts: Counter[tuple[str, str]] = Counter()
        self._who: dict[tuple[str, str], set[str]] = {}
        self.records = 0
        for record in records:
            self.records += 1
            self._counts.update((what, value) for what in COUNTED if (value := value_of(record, what)))
            for contact in contacts_of(record):
                self._who.setdefault(contact, set()).add(who(record))

    def count(self, what: str, value: str) -> int:
        """See ``Frequencies``."""
        return self._counts[what, value]

    def names(self, what: str, value: str) -> int:
        """See ``Frequencies``."""
        return len(self._who.get((what, value), ()))

    def items(self) -> Iterator[tuple[str, str, int]]:
        """All that was counted: kind, value, how many."""
        return ((what, value, n) for (what, value), n in self._counts.items())

    def contacts(self) -> Iterator[tuple[str, str, int]]:
        """All contacts: kind, value, how many different names."""
        return ((what, value, len(names)) for (what, value), names in self._who.items())


def rated(record: Record, frequencies: Frequencies) -> Side:
    """The columns of a record that facts read: its own, and the rarity of what it says in ``…_b``."""
    columns: dict[str, Any] = {name: getattr(record, name) for name in _FIELDS}
    columns["inn_any"] = record.inn or record.inn_bad
    columns["has_phone"] = bool(record.phones)
    columns["has_email"] = bool(record.emails)
    for what in COUNTED:
        value = value_of(record, what)
        columns[f"{what}_b"] = rarity(frequencies.records, frequencies.count(what, value)) if value else 0
    return columns


def shared(one: Record, other: Record, frequencies: Frequencies, weights: Weights) -> dict[str, int]:
    """What two records share: for each kind of contact the bits of the rarest that both have, or 0."""
    found = {}
    for what, field in CONTACTS.items():
        spec: Callable[[int, int], int] = (weights.domain if what == "domain" else weights.contact).of
        common = set(getattr(one, field)).intersection(getattr(other, field))
        found[what] = max((spec(frequencies.records, frequencies.names(what, value)) for value in common), default=0)
    return found


def pair(one: Record, other: Record, frequencies: Frequencies, weights: Weights) -> Pair:
    """Two records as a pair that tests can be put to."""
    return Pair(rated(one, frequencies), rated(other, frequencies), shared(one, other, frequencies, weights))
