"""Units change, and only what hangs together with them is judged anew.

Which pairs are looked at, what they weigh and which of them are one depends on the units that are there, on the
statistics in force and on what persons said; never on the order in which units came. So every path to the same units
leads to the same groups, and the partition of everything is only the quickest of them.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import TypeAlias

import msgspec
from sqlalchemy import Connection

from dedup.cluster import Link, cluster
from dedup.compare import compare
from dedup.component import WHOLE, link
from dedup.normal.record import Record
from dedup.score import Edge, weigh
from dedup.weights import Weights
from hub.exchange.duplicates import sql, statistics
from hub.exchange.duplicates.blocks import Blocks, keys_with_caps
from hub.exchange.duplicates.weighing import named

#: What persons, and the records that links hang on already, say of pairs of these links: ``same`` or ``different``.
Words: TypeAlias = Callable[[Connection, Collection[int]], Mapping[tuple[int, int], str]]

_decode = msgspec.json.Decoder(Record).decode
_edge = msgspec.json.Decoder(Edge).decode


def encoded(what: Record | Edge) -> str:
    """A record or a pair as it is kept."""
    return msgspec.json.encode(what).decode()


def nothing_said(_conn: Connection, _ids: Collection[int]) -> Mapping[tuple[int, int], str]:
    """No word on any pair."""
    return {}


@dataclass(slots=True)
class Change:
    """What a change of units led to. ``groups``: the group of each unit that was looked at, ``before`` where it was;
    ``edges``: pairs of the changed units that are worth keeping.
    """

    groups: dict[int, int] = field(default_factory=dict)
    before: dict[int, int] = field(default_factory=dict)
    edges: dict[tuple[int, int], Edge] = field(default_factory=dict)


class Live:
    """The path of one record, inside the caller's transaction."""

    def __init__(self, conn: Connection, words: Words = nothing_said, table: Weights | None = None) -> None:
        self.conn, self.words = conn, words
        version, self.statistics = statistics.current(conn)
        self.table = table or named(conn, version)
        self.records: dict[int, Record] = {}
        self._scored: dict[tuple[int, int], Edge] = {}

    def change(self, units: Sequence[Record], gone: Iterable[int] = ()) -> Change:
        """Put these units in the place of what their links said before; take ``gone`` links out."""
        fresh = {int(unit.rec): unit for unit in units}
        left = set(gone) - fresh.keys()
        stood = sql.many(self.conn, "SELECT link_id, grp, record FROM dedup_unit WHERE link_id", [*fresh, *left])
        result = Change(before={number: group for number, group, _ in stood})
        had = {number: keys_with_caps(_decode(record), self.table) for number, _, record in stood}
        has = {number: keys_with_caps(unit, self.table) for number, unit in fresh.items()}
        self._scored.clear()
        for number in left:
            self.records.pop(number, None)
        self.records |= fresh
        blocks = Blocks(self.conn)
        others = blocks.move(had, has) - fresh.keys() - left
        dirty = fresh.keys() | others
        self._load(others)
        has |= {number: keys_with_caps(self.records[number], self.table) for number in others}
        neighbours = self._joined(dirty | left)
        candidates = blocks.candidates(has)
        self._load({*neighbours, *(one for pair in candidates for one in pair)} - left)
        said = self.words(self.conn, {*dirty, *(one for pair in candidates for one in pair)})
        candidates |= {pair for pair in said if pair[0] in dirty or pair[1] in dirty}
        result.edges = self._score(candidates, said)
        with sql.together(self.conn):
            blocks.write()
            self._store(fresh, left, result.before)
            joined = self._replace(dirty | left, result.edges)
        result.before |= {number: number for number in fresh if number not in result.before}
        self._regroup((dirty | neighbours) - left, result, alone=dirty - joined)
        return result

    def _store(self, fresh: Mapping[int, Record], left: Collection[int], before: Mapping[int, int]) -> None:
        rows = [(n, encoded(unit), before.get(n, n)) for n, unit in fresh.items()]
        sql.put(
            self.conn,
            "INSERT INTO dedup_unit (link_id, record, grp) VALUES (?, ?, ?)"
            " ON CONFLICT (link_id) DO UPDATE SET record = excluded.record",
            rows,
        )
        sql.gone(self.conn, "dedup_unit", ("link_id",), left)

    def _load(self, ids: Collection[int]) -> None:
        wanted = [number for number in ids if number not in self.records]
        for number, record in sql.many(self.conn, "SELECT link_id, record FROM dedup_unit WHERE link_id", wanted):
            self.records[number] = _decode(record)

    def _joined(self, ids: Collection[int]) -> set[int]:
        """Units that pairs join to any of these, those of these among them."""
        return {one for pair in sql.touching(self.conn, ids) for one in pair}

    def _score(
        self, pairs: Collection[tuple[int, int]], said: Mapping[tuple[int, int], str]
    ) -> dict[tuple[int, int], Edge]:
        """Pairs that are worth keeping."""
        self._load({one for pair in pairs for one in pair})
        known = [pair for pair in pairs if pair[0] in self.records and pair[1] in self.records]
        self._scored = self._weighed(known, said)
        return {pair: edge for pair, edge in self._scored.items() if worth(edge, self.table)}

    def _weighed(
        self, pairs: Iterable[tuple[int, int]], said: Mapping[tuple[int, int], str]
    ) -> dict[tuple[int, int], Edge]:
        found = {(a, b): compare(self.records[a], self.records[b]) for a, b in pairs}
        self.statistics.learn(self.conn, found.values())
        return {pair: weigh(one, self.statistics, self.table, said.get(pair, "")) for pair, one in found.items()}

    def _replace(self, dirty: Collection[int], edges: Mapping[tuple[int, int], Edge]) -> set[int]:
        """Put these pairs in the place of all that the dirty units were in; the units that they join."""
        sql.gone(self.conn, "dedup_edge", ("a", "b"), dirty)
        rows = [row_of(edge, self.table) for edge in edges.values()]
        sql.put(self.conn, INSERT_EDGE, rows)
        return {one for a, b, _, joins, *_ in rows if joins for one in (a, b)}

    def _regroup(self, seeds: set[int], result: Change, alone: Collection[int]) -> None:
        """Judge every component anew that a seed is in. ``alone``: units that nothing joins to any other now."""
        met: set[int] = set()
        changed: list[tuple[int, int]] = []
        for seed in sorted(seeds):
            if seed in met:
                continue
            part = {seed} if seed in alone else self._component(seed)
            met |= part
            groups = self.groups_of(part)
            unknown = part - result.before.keys()
            result.before |= sql.many(self.conn, "SELECT link_id, grp FROM dedup_unit WHERE link_id", unknown)
            result.groups.update(groups)
            changed += [(group, number) for number, group in groups.items() if result.before.get(number) != group]
        sql.put(self.conn, "UPDATE dedup_unit SET grp = ? WHERE link_id = ?", changed)

    def _component(self, seed: int) -> set[int]:
        part, border = {seed}, {seed}
        while border:
            border = self._joined(border) - part
            part |= border
        return part

    def groups_of(self, part: Collection[int]) -> dict[int, int]:
        """The group of each unit of one component."""
        groups = {number: number for number in part}
        if len(part) == 1:
            return groups
        self._load(part)
        said = self.words(self.conn, part)
        pairs = list(combinations(sorted(part), 2)) if len(part) <= WHOLE else self._inner(part)
        known = {pair: self._scored[pair] for pair in pairs if pair in self._scored}
        edges = [*known.values(), *self._weighed([pair for pair in pairs if pair not in known], said).values()]
        links: list[Link] = [found for edge in edges if (found := link(edge, self.table))]
        cannot = {(edge.a, edge.b) for edge in edges if edge.vetoes}
        for group in cluster(links, cannot).groups:
            groups.update({int(number): int(group[0]) for number in group})
        return groups

    def _inner(self, part: Collection[int]) -> list[tuple[int, int]]:
        found = sql.many(self.conn, "SELECT a, b FROM dedup_edge WHERE a", part)
        return sorted((a, b) for a, b in found if b in part)


#: A pair, as ``row_of`` makes it.
INSERT_EDGE = "INSERT INTO dedup_edge (a, b, weight, joins, band, detail) VALUES (?, ?, ?, ?, ?, ?)"


def row_of(edge: Edge, table: Weights) -> tuple[int, int, int, bool, str, str]:
    """A pair as it is kept."""
    found = link(edge, table)
    joins = found is not None and found.joins
    return (int(edge.a), int(edge.b), edge.weight, joins, edge.band, encoded(edge))


def edge_of(detail: str) -> Edge:
    """A kept pair again."""
    return _edge(detail)


def worth(edge: Edge, table: Weights) -> bool:
    """Whether a pair is kept: it may join, waits for a person, or is related."""
    return bool(edge.rule or edge.relation) or (not edge.vetoes and edge.weight >= table.review)
