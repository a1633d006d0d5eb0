"""Weights are fitted to what persons here said of pairs, and put in force only when somebody asks for it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice, product

import msgspec
from sqlalchemy import Connection, select

from dedup.compare import compare
from dedup.normal.record import Record
from dedup.refit import LEAST, LEAST_EACH, Fit, Judged, enough, fit, moved
from dedup.score import weigh
from dedup.weights import CURRENT, weights
from hub.exchange.acting import acting
from hub.exchange.duplicates import sql, statistics
from hub.exchange.duplicates.marks import ENTITY
from hub.exchange.duplicates.rebuild import Rebuilt, rebuild
from hub.exchange.duplicates.weighing import encoded
from hub.exchange.hub import Hub
from hub.exchange.merging import log
from hub.exchange.runs import now
from hub.model.errors import NeedsPerson
from hub.store import core, duplicates

#: Pairs of links of two records that are looked at for the one that speaks most for them.
_MOST = 64
_decode = msgspec.json.Decoder(Record).decode


@dataclass(frozen=True, slots=True)
class Refitted:
    """``version``, ``rebuilt``: where it was put in force, the new table's name and what comparing with it came to."""

    fit: Fit
    version: str | None = None
    rebuilt: Rebuilt | None = None


def refit(hub: Hub, *, by: str, apply: bool = False, dagster_run_id: str | None = None) -> Refitted:
    """Fit the shipped table to all judgements; ``apply``: compare everything anew with what comes of it.

    ``NeedsPerson``: ``dedup_refit_few``; with ``apply`` also ``dedup_refit_worse``, where it would foretell judgements
    no better than the shipped table. What it was before comes back with ``compare_all(weights=...)``.
    """
    with hub.store.read() as conn:
        pairs = list(judged(conn))
    if not enough(pairs):
        same = sum(pair.one for pair in pairs)
        told = {"same": same, "different": len(pairs) - same, "least": LEAST, "each": LEAST_EACH}
        raise NeedsPerson("dedup_refit_few", pairs=len(pairs), **told)
    found = fit(pairs)
    if not apply:
        return Refitted(found)
    if not found.better:
        raise NeedsPerson("dedup_refit_worse", before=f"{found.before:.3f}", after=f"{found.after:.3f}")
    with acting(hub, "compare", by, dagster_run_id=dagster_run_id) as run_id, hub.store.begin() as conn:
        table = moved(weights(), found, f"{CURRENT}+{run_id}")
        conn.execute(
            duplicates.weights.insert().values(
                version=table.version, body=encoded(table), pairs=found.pairs, run_id=run_id, made_by=by, at=now()
            )
        )
        return Refitted(found, table.version, rebuild(conn, run_id, table))


def judged(conn: Connection) -> Iterator[Judged]:
    """Pairs of which a person said what they are: merges by hand or looked at, and words on two cards.

    What cards show has changed since some of them were judged; they are weighed as they are now, by the shipped table
    and the statistics in force. Of the links of two cards the pair that speaks most for them counts, as in the queue.
    """
    _, known = statistics.current(conn)
    for theirs, others, one in _sides(conn):
        pairs = list(islice(product(theirs, others), _MOST))
        wanted = {number for pair in pairs for number in pair}
        rows = sql.many(conn, "SELECT link_id, record FROM dedup_unit WHERE link_id", wanted)
        units = {number: _decode(record) for number, record in rows}
        found = [compare(units[a], units[b]) for a, b in pairs if a in units and b in units]
        known.learn(conn, found)
        edges = [weigh(one, known, weights()) for one in found]
        if edges:
            best = max(edges, key=lambda edge: (edge.weight, -int(edge.a), -int(edge.b)))
            yield Judged(best.parts, best.weight, one)


def _sides(conn: Connection) -> Iterator[tuple[list[int], list[int], bool]]:
    """Links of either side of each judged pair, and whether it is one client."""
    said = core.judgement
    merges = [entry for entry in log.entries(conn, standing=True) if (entry.entity, entry.op) == (ENTITY, "merge")]
    meant = log.agreed(conn, merges)
    for entry in merges:
        theirs = sorted(entry.links)
        home = {record for _, record in sql.many(conn, "SELECT id, record_id FROM link WHERE id", theirs)}
        if entry.id in meant and len(home) == 1:
            yield theirs, [number for number in _links(conn, home.pop()) if number not in theirs], True
    rows = conn.execute(
        select(said.c.record_a, said.c.record_b, said.c.verdict)
        .where(said.c.entity == ENTITY, said.c.revoked_at.is_(None), said.c.verdict.in_(["same", "different"]))
        .order_by(said.c.id)
    )
    for one, other, verdict in rows:
        yield _links(conn, one), _links(conn, other), verdict == "same"


def _links(conn: Connection, record: int | None) -> list[int]:
    """Links that hang on a record; none on one that was merged away."""
    found = sql.many(conn, "SELECT id FROM link WHERE record_id", [record] if record is not None else [])
    return sorted(number for (number,) in found)
