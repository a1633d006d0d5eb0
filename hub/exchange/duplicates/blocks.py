"""Which units share a key that few have: the candidates of a unit, and what a change of keys does to those of others.

A key blocks as long as no more units have it than its cap lets (``dedup.keys``). Nobody is asked how many have a key:
one more than the cap is as far as anybody has to count. What keys a unit has is told by its record.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from typing import TypeAlias

from sqlalchemy import Connection

from dedup.keys import keys_of
from dedup.normal.record import Record
from dedup.weights import Weights
from hub.exchange.duplicates import sql
from hub.exchange.duplicates.statistics import hashed

#: Keys of a unit, each with its cap.
Keys: TypeAlias = Mapping[int, int]

_NOBODY: frozenset[int] = frozenset()


def keys_with_caps(record: Record, table: Weights) -> Keys:
    """The keys of a record as they are stored."""
    return {hashed(f"key:{kind}", value): table.caps[kind] for kind, value in keys_of(record, table)}


class Blocks:
    """The keys of the store, read as far as they are needed; a change is ``written`` when it is told to be."""

    def __init__(self, conn: Connection) -> None:
        self.conn = conn
        self._units: dict[int, Collection[int]] = {}
        self._new: list[tuple[int, int]] = []
        self._old: list[tuple[int, int]] = []

    def move(self, had: Mapping[int, Keys], has: Mapping[int, Keys]) -> set[int]:
        """Units have other keys now; all that have a key that blocks from now on, or does so no more."""
        entering, leaving = _more(has, had), _more(had, has)
        self._new += [(k, number) for k, numbers in entering.items() for number in numbers]
        self._old += [(k, number) for k, numbers in leaving.items() for number in numbers]
        caps = {k: cap for keys in (*has.values(), *had.values()) for k, cap in keys.items()}
        # So many that whoever leaves does not matter any more: what has that many is crowded before and after.
        enough = {k: cap + 1 + len(leaving.get(k, ())) for k, cap in caps.items()}
        crossed: set[int] = set()
        for k, before in sql.first_units(self.conn, enough).items():
            if len(before) == enough[k]:
                self._units[k] = _NOBODY
                continue
            after = before.difference(leaving.get(k, ())).union(entering.get(k, ()))
            self._units[k] = after if len(after) <= caps[k] else _NOBODY
            if (len(before) > caps[k]) != (len(after) > caps[k]):
                crossed |= before
        return crossed

    def candidates(self, keys: Mapping[int, Keys]) -> set[tuple[int, int]]:
        """Pairs of these units with those that they share a blocking key with, the lesser first."""
        unknown = {k: cap for mine in keys.values() for k, cap in mine.items() if k not in self._units}
        for k, found in sql.first_units(self.conn, {k: cap + 1 for k, cap in unknown.items()}).items():
            self._units[k] = found if len(found) <= unknown[k] else _NOBODY
        return {
            (number, other) if number < other else (other, number)
            for number, mine in keys.items()
            for k in mine
            for other in self._units[k]
            if other != number
        }

    def write(self) -> None:
        """Put what has moved into the store."""
        sql.put(self.conn, "DELETE FROM dedup_key WHERE k = ? AND link_id = ?", self._old)
        sql.put(self.conn, "INSERT INTO dedup_key (k, link_id) VALUES (?, ?)", self._new)
        self._old, self._new = [], []


def _more(one: Mapping[int, Keys], other: Mapping[int, Keys]) -> dict[int, list[int]]:
    """Keys that units have in ``one`` and not in ``other``, with these units."""
    found: dict[int, list[int]] = defaultdict(list)
    for number, keys in one.items():
        rest: Iterable[int] = other.get(number, ())
        for k in keys:
            if k not in rest:
                found[k].append(number)
    return found
