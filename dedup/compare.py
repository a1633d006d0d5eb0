"""Two records side by side: how far each fact agrees, before it is asked how often what they say is said by others.

So only what the two have in common has to be looked up, which is little: most facts of most pairs differ.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from operator import attrgetter
from typing import Any, NamedTuple

from dedup.facts import FACTS, LATE, Level
from dedup.frequencies import CONTACTS, value_of
from dedup.normal.record import Record
from dedup.terms import Pair, Side, first_of

_FIELDS = tuple(field.name for field in fields(Record))
_all_of = attrgetter(*_FIELDS)
#: The functions that tell the level of a fact, in the order in which they are to be asked.
_LEVELS = [(f"{fact.name}_l", fact, first_of([level.test for level in fact.levels])) for fact in (*FACTS, *LATE)]


class Compared(NamedTuple):
    """``a`` has the lesser id. ``both``: what tests are put to, with the level of each fact (``…_l``), and 1 for a kind
    of contact that is shared. ``common``: the shared contacts by kind. ``levels``: of facts that tell something.
    """

    a: Record
    b: Record
    both: Pair
    common: dict[str, set[str]]
    levels: list[tuple[str, Level]]

    def counted(self) -> Iterator[tuple[str, str]]:
        """What is to be known before they are weighed: kind and value, see ``Frequencies.count``."""
        for _, level in self.levels:
            if level.bits and not level.bits.startswith("p."):
                for record in (self.a, self.b):
                    value = value_of(record, level.bits)
                    if value:
                        yield level.bits, value

    def contacts(self) -> Iterator[tuple[str, str]]:
        """The same of contacts: see ``Frequencies.names``."""
        return ((what, value) for what, values in self.common.items() for value in values)


def compare(a: Record, b: Record) -> Compared:
    """Compare two records."""
    if (b.rec, "") < (a.rec, ""):
        a, b = b, a
    common = {what: set(getattr(a, field)).intersection(getattr(b, field)) for what, field in CONTACTS.items()}
    both = Pair(columns(a), columns(b), {what: int(bool(values)) for what, values in common.items()})
    levels = []
    for column, fact, level_of in _LEVELS:
        number = both.p[column] = level_of(*both)
        if number:
            levels.append((fact.name, fact.levels[number - 1]))
    return Compared(a, b, both, common, levels)


def columns(record: Record) -> Side:
    """The columns of a record that facts read."""
    found: dict[str, Any] = dict(zip(_FIELDS, _all_of(record), strict=True))
    found["inn_any"] = record.inn or record.inn_bad
    found["has_phone"] = bool(record.phones)
    found["has_email"] = bool(record.emails)
    return found
