"""What was merged and split, from the store: who, when, why, and what stands on what."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Connection, or_, select, update

from hub.exchange.runs import now
from hub.store import bulk, core, duplicates


@dataclass(frozen=True, slots=True)
class Entry:
    """One merge of ``other_id`` into ``record_id``, or one split of ``other_id`` out of it. ``undone_run``: if it was.

    ``told_run``: the first one after it that wrote something of the record to a system, or is to be taken for that.
    ``before``: what was (``moves`` says what stands in it). ``mode``: ``auto`` by a rule, ``manual`` by a person.
    """

    id: int
    run_id: int
    entity: str
    op: Literal["merge", "split"]
    record_id: int
    other_id: int
    mode: str
    rule: str | None
    reason: str | None
    by: str
    at: datetime
    before: dict[str, Any]
    told_run: int | None
    undone_run: int | None
    undone_by: str | None
    undone_at: datetime | None

    @property
    def links(self) -> set[int]:
        """Links that it moved."""
        return {int(number) for number in self.before["links"]}


def entries(
    conn: Connection,
    *,
    run_id: int | None = None,
    undone_run: int | None = None,
    record_id: int | None = None,
    standing: bool = False,
    limit: int | None = None,
) -> list[Entry]:
    """Entries in order, or the newest ``limit`` of them, the newest first. ``standing``: those that are not undone."""
    table = core.merge_log
    query = select(table).order_by(table.c.id.desc() if limit else table.c.id)
    if run_id is not None:
        query = query.where(table.c.run_id == run_id)
    if undone_run is not None:
        query = query.where(table.c.undone_run == undone_run)
    if record_id is not None:
        query = query.where(or_(table.c.record_id == record_id, table.c.other_id == record_id))
    if standing:
        query = query.where(table.c.undone_run.is_(None))
    return [_entry(row) for row in conn.execute(query.limit(limit) if limit else query).mappings()]


def _entry(row: Any) -> Entry:
    return Entry(
        row["id"],
        row["run_id"],
        row["entity"],
        row["op"],
        row["record_id"],
        row["other_id"],
        row["mode"],
        row["rule"],
        row["reason"],
        row["done_by"],
        row["at"],
        row["before"],
        row["told_run"],
        row["undone_run"],
        row["undone_by"],
        row["undone_at"],
    )


def standing_on(conn: Connection, chosen: Sequence[Entry]) -> list[Entry]:
    """Later merges and splits that moved what these moved, or what those did: they are to be undone first."""
    table = core.merge_log
    known, links = {entry.id for entry in chosen}, set[int]()
    since = select(table).where(
        table.c.id >= min(known), table.c.undone_run.is_(None), table.c.entity == chosen[0].entity
    )
    found = []
    for entry in map(_entry, conn.execute(since.order_by(table.c.id)).mappings()):
        if entry.id in known or entry.links & links:
            links |= entry.links
            found += [entry] if entry.id not in known else []
    return found


def loose(conn: Connection, entity: str, record_ids: Collection[int]) -> dict[int, list[Entry]]:
    """Merges into these records, by record, that a rule made, no person agreed to and no system was told of."""
    table, made, found = core.merge_log, list[Entry](), defaultdict[int, list[Entry]](list)
    query = select(table).where(
        table.c.entity == entity,
        table.c.op == "merge",
        table.c.mode == "auto",
        table.c.told_run.is_(None),
        table.c.undone_run.is_(None),
    )
    for some in bulk.chunks(sorted(record_ids)):
        made += map(_entry, conn.execute(query.where(table.c.record_id.in_(some)).order_by(table.c.id)).mappings())
    meant = agreed(conn, made)
    for entry in made:
        if entry.id not in meant:
            found[entry.record_id].append(entry)
    return found


def agreed(conn: Connection, merges: Collection[Entry]) -> set[int]:
    """Which of these a person stands behind: made it, called it right in a sample, or said "same" of its two sides."""
    meant = {entry.id for entry in merges if entry.mode == "manual"}
    seen, said, away = duplicates.sample, core.judgement, core.redirect
    theirs = {entry.id: {entry.other_id, *entry.before["redirects"]} for entry in merges}
    for ids in bulk.chunks(sorted(theirs)):
        meant.update(conn.execute(select(seen.c.merge_id).where(seen.c.merge_id.in_(ids), seen.c.right)).scalars())
    pairs: set[tuple[int, int]] = set()
    standing = select(said.c.record_a, said.c.record_b).where(said.c.verdict == "same", said.c.revoked_at.is_(None))
    for ids in bulk.chunks(sorted(set[int]().union(*theirs.values()))):
        named = or_(said.c.record_a.in_(ids), said.c.record_b.in_(ids))
        pairs.update((one, other) for one, other in conn.execute(standing.where(named)))
    ends: dict[int, int] = {}
    for ids in bulk.chunks(sorted({number for pair in pairs for number in pair} | {one.record_id for one in merges})):
        ends.update(
            (gone, into)
            for gone, into in conn.execute(
                select(away.c.from_record_id, away.c.to_record_id).where(away.c.from_record_id.in_(ids))
            )
        )
    for entry in merges:
        inside, home = theirs[entry.id], ends.get(entry.record_id, entry.record_id)
        crossing = (pair for pair in pairs if len(inside & {*pair}) == 1)
        if any(ends.get(one, one) == home for pair in crossing for one in {*pair} - inside):
            meant.add(entry.id)
    return meant


def tell(conn: Connection, entity: str, record_ids: Collection[int], run_id: int) -> None:
    """Something of these records is about to be written to a system: what was merged into them is known outside."""
    table = core.merge_log
    open_ = (table.c.entity == entity, table.c.told_run.is_(None), table.c.undone_run.is_(None))
    for some in bulk.chunks(sorted(record_ids)):
        conn.execute(update(table).where(*open_, table.c.record_id.in_(some)).values(told_run=run_id))


def write(conn: Connection, entry: dict[str, Any]) -> None:
    """A new entry."""
    conn.execute(core.merge_log.insert().values(**entry))


def close(conn: Connection, done: Iterable[Entry], run_id: int, by: str) -> None:
    """These are undone."""
    table = core.merge_log
    ids = [entry.id for entry in done]
    conn.execute(update(table).where(table.c.id.in_(ids)).values(undone_run=run_id, undone_by=by, undone_at=now()))
