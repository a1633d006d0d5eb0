"""How often what a record says is said by others: what rarity is counted from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Protocol

from dedup.normal.record import Record

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
    first, *others = COUNTED[what]
    value: str = getattr(record, first)
    for part in others:
        more = getattr(record, part)
        value = f"{value}|{more}" if value and more else ""
    return value


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
