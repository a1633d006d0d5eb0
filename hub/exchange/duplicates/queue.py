"""Pairs of clients that a person has to look at: drawn from the kept pairs, never a list of its own.

A pair is in it as long as it speaks for one client, hangs on two records, and nobody has said what it is. Pairs that a
person put off return when one of the two has changed since.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, func, select

from dedup.explain import part_text
from dedup.score import Edge, Part
from hub.exchange.duplicates import sql
from hub.exchange.duplicates.marks import ENTITY
from hub.exchange.duplicates.partition import edge_of
from hub.exchange.hub import Hub
from hub.exchange.merging.judgements import members
from hub.exchange.which import label_of
from hub.store import bulk, core, duplicates, tables

#: Documents that hang on a client.
DOCUMENTS = ("sales_order", "invoice", "shipment", "payment", "activity")


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which pairs: of these patterns, of these bands (``auto``, ``review``), with one of these records; all without."""

    patterns: tuple[str, ...] = ()
    bands: tuple[str, ...] = ()
    records: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Doubt:
    """Two records that may be one client. ``one``: the record that would stay. ``weight``: hundredths of a bit.

    ``pattern``: what agrees and what differs, as ``fact.level``. ``affects``: documents and events that hang on either.
    ``put_off``: who left it for later.
    """

    one: int
    other: int
    labels: tuple[str, str]
    systems: tuple[str, str]
    band: str
    weight: int
    pattern: str
    edge: Edge
    affects: int
    put_off: str | None = None

    @property
    def key(self) -> str:
        """Tells whether it still is what it was when somebody decided about it."""
        return f"{self.one}-{self.other}:{self.weight}"


@dataclass(frozen=True, slots=True)
class Pattern:
    """Pairs that agree and differ in the same. ``example``: one of them."""

    pattern: str
    number: int
    affects: int
    example: Doubt


def doubts(hub: Hub, wanted: Wanted | None = None, limit: int | None = None) -> list[Doubt]:
    """The queue: what most hangs on comes first, of that the likeliest."""
    with hub.store.read() as conn:
        found, late = _waiting(conn, wanted or Wanted())
        records = sorted({number for pair in found for number in pair})
        affects = documents(conn, records)
        order = sorted(found, key=lambda pair: (-affects[pair[0]] - affects[pair[1]], -found[pair].weight, pair))
        chosen = order[:limit] if limit is not None else order
        systems = _systems(conn, chosen)
        return [_doubt(conn, pair, found[pair], affects, systems, late) for pair in chosen]


def waiting(conn: Connection) -> Counter[str]:
    """How many pairs wait for a person, by band."""
    return Counter(edge.band for edge in _waiting(conn, Wanted())[0].values())


def patterns(found: Iterable[Doubt]) -> list[Pattern]:
    """The queue by what agrees and what differs, the most frequent first."""
    by: dict[str, list[Doubt]] = defaultdict(list)
    for one in found:
        by[one.pattern].append(one)
    made = [Pattern(name, len(pairs), sum(one.affects for one in pairs), pairs[0]) for name, pairs in by.items()]
    return sorted(made, key=lambda one: (-one.number, one.pattern))


def pattern_of(edge: Edge) -> str:
    """What agrees and what differs in a pair, one word each."""
    return " ".join(sorted(f"{part.fact}.{part.level}" for part in edge.parts if part.bits))


def pattern_told(pattern: str, lang: str) -> str:
    """A pattern in words."""
    parts = (one.partition(".") for one in pattern.split())
    return "; ".join(part_text(Part(fact, level, 0), lang) for fact, _, level in parts) or "—"


def _waiting(conn: Connection, wanted: Wanted) -> tuple[dict[tuple[int, int], Edge], Mapping[tuple[int, int], str]]:
    """Pairs that wait, and who put off those of them that have changed since."""
    found = _open(conn, wanted)
    late = _put_off(conn, found)
    return {pair: edge for pair, edge in found.items() if late.get(pair) != ""}, late


def _open(conn: Connection, wanted: Wanted) -> dict[tuple[int, int], Edge]:
    """The strongest pair of each two records about which nobody has said anything."""
    one, other, edge = core.link.alias("one"), core.link.alias("other"), duplicates.edge
    rows = conn.execute(
        select(one.c.record_id.label("a"), other.c.record_id.label("b"), edge.c.weight, edge.c.detail)
        .select_from(edge.join(one, one.c.id == edge.c.a).join(other, other.c.id == edge.c.b))
        .where(edge.c.band.in_(wanted.bands or ("auto", "review")), one.c.record_id != other.c.record_id)
        .order_by(edge.c.weight.desc(), edge.c.a, edge.c.b)
    )
    found: dict[tuple[int, int], Edge] = {}
    for row in rows:
        pair = (row.a, row.b) if row.a < row.b else (row.b, row.a)
        if pair in found or (wanted.records and not {*pair} & {*wanted.records}):
            continue
        told = edge_of(row.detail)
        if not wanted.patterns or pattern_of(told) in wanted.patterns:
            found[pair] = told
    different = _said(conn, found, "different")
    return {pair: edge for pair, edge in found.items() if pair not in different}


def _said(conn: Connection, pairs: Collection[tuple[int, int]], verdict: str) -> dict[tuple[int, int], Any]:
    """Pairs of which a person said this, with the row."""
    if not pairs:
        return {}
    table, home = core.judgement, dict[int, int]()
    for record in {number for pair in pairs for number in pair}:
        home[record] = record
    moved = sql.many(conn, "SELECT from_record_id, to_record_id FROM redirect WHERE to_record_id", list(home))
    home |= dict(moved)
    rows = conn.execute(
        select(table).where(table.c.entity == ENTITY, table.c.verdict == verdict, table.c.revoked_at.is_(None))
    ).mappings()
    found = {}
    for row in rows:
        ends = sorted(home[number] for number in (row["record_a"], row["record_b"]) if number in home)
        if len(ends) == 2 and (ends[0], ends[1]) in pairs:
            found[ends[0], ends[1]] = row
    return found


def _put_off(conn: Connection, pairs: Collection[tuple[int, int]]) -> dict[tuple[int, int], str]:
    """Pairs that a person put off: who, where one of the two has changed since; empty where none has."""
    log, found = core.change_log, {}
    newest = select(func.max(log.c.id)).where(log.c.entity == ENTITY)
    for pair, row in _said(conn, pairs, "unsure").items():
        mine = log.c.record_id.in_([number for one in pair for number in members(conn, one)])
        judged, changed = (
            conn.execute(newest.where(mine, told)).scalar() or 0 for told in (log.c.op == "judge", log.c.op != "judge")
        )
        found[pair] = row["judged_by"] if changed > judged else ""
    return found


def documents(conn: Connection, records: Sequence[int]) -> Counter[int]:
    """How many documents and events hang on each of these clients."""
    found: Counter[int] = Counter()
    link = core.link
    for entity in DOCUMENTS:
        table = tables.ROOTS[entity]
        for chunk in bulk.chunks(records):
            rows = conn.execute(
                select(link.c.record_id, func.count())
                .join(table, table.c.party_link_id == link.c.id)
                .where(link.c.record_id.in_(chunk))
                .group_by(link.c.record_id)
            )
            found.update({int(record): int(number) for record, number in rows})
    return found


def _systems(conn: Connection, pairs: Sequence[tuple[int, int]]) -> dict[int, list[str]]:
    """Codes of the systems that know each record."""
    link, stream, system = core.link, core.stream, core.system
    found: dict[int, list[str]] = defaultdict(list)
    ids = sorted({number for pair in pairs for number in pair})
    for chunk in bulk.chunks(ids):
        rows = conn.execute(
            select(link.c.record_id, system.c.code)
            .join(stream, stream.c.id == link.c.stream_id)
            .join(system, system.c.id == stream.c.system_id)
            .where(link.c.record_id.in_(chunk))
            .order_by(link.c.id)
        )
        for record, code in rows:
            found[record].append(code)
    return found


def _doubt(
    conn: Connection,
    pair: tuple[int, int],
    edge: Edge,
    affects: Mapping[int, int],
    systems: Mapping[int, Sequence[str]],
    late: Mapping[tuple[int, int], str],
) -> Doubt:
    one, other = sorted(pair, key=lambda number: (-affects[number], -len(systems[number]), number))
    return Doubt(
        one,
        other,
        (label_of(conn, ENTITY, one), label_of(conn, ENTITY, other)),
        (", ".join(dict.fromkeys(systems[one])), ", ".join(dict.fromkeys(systems[other]))),
        edge.band,
        edge.weight,
        pattern_of(edge),
        edge,
        affects[one] + affects[other],
        late.get(pair) or None,
    )
