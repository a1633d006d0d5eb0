"""What persons say of pairs of records: the same, different, unsure. It holds until taken back.

A judgement names records by their numbers. Readers follow redirects: what was said of a record holds for the one that
it was merged into. A record that is taken out of another one takes along what was said of the whole.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, get_args

from sqlalchemy import Connection, Select, or_, select, update

from hub.exchange.acting import acting
from hub.exchange.cards.card import lock_records
from hub.exchange.hub import Hub
from hub.exchange.runs import now
from hub.exchange.which import label_of, living, the_one
from hub.exchange.write import write_log
from hub.model.errors import NeedsPerson
from hub.store import bulk, core

Verdict = Literal["same", "different", "unsure"]
VERDICTS: tuple[Verdict, ...] = get_args(Verdict)


@dataclass(frozen=True, slots=True)
class Judgement:
    """``one``, ``other``: the records as they were named; ``revoked_by``, ``revoked_at``: if it was taken back."""

    id: int
    entity: str
    one: int
    other: int
    verdict: Verdict
    note: str | None
    by: str
    at: datetime
    revoked_by: str | None = None
    revoked_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Judged:
    """A judgement as it is shown. ``run_id``: 0 when nothing was to be done; ``before``: what stood there."""

    run_id: int
    judgement: Judgement
    labels: tuple[str, str]
    before: Verdict | None = None


def judge(
    hub: Hub,
    entity: str,
    one: str,
    other: str,
    verdict: Verdict,
    *,
    by: str,
    note: str | None = None,
    dagster_run_id: str | None = None,
) -> Judged:
    """Say what the two records are to each other; it takes the place of what was said before.

    ``NeedsPerson``: ``judge_same_record``, and what finding the records may raise.
    """
    with hub.store.read() as conn:
        pair = _pair(conn, hub, entity, one, other)
        there = between(conn, *pair)
        labels = _labels(conn, entity, pair)
    if there is not None and (there.verdict, there.note or None) == (verdict, note or None):
        return Judged(0, there, labels, there.verdict)
    with acting(hub, "decide", by, dagster_run_id=dagster_run_id) as run_id, hub.store.begin() as conn:
        lock_records(conn, entity, pair)
        before = between(conn, *pair)
        made = put(conn, entity, *pair, verdict, by=by, note=note, run_id=run_id)
    return Judged(run_id, made, labels, before.verdict if before else None)


def revoke(hub: Hub, entity: str, one: str, other: str, *, by: str, dagster_run_id: str | None = None) -> Judged:
    """Take back what was said of the two; ``NeedsPerson(judge_nothing)`` where nothing was."""
    with hub.store.read() as conn:
        pair = _pair(conn, hub, entity, one, other)
        labels = _labels(conn, entity, pair)
        there = between(conn, *pair)
    if there is None:
        raise NeedsPerson("judge_nothing", one=pair[0], other=pair[1])
    with acting(hub, "decide", by, dagster_run_id=dagster_run_id) as run_id, hub.store.begin() as conn:
        lock_records(conn, entity, pair)
        take_back(conn, standing(conn, *pair), by=by, run_id=run_id)
    return Judged(run_id, there, labels, there.verdict)


def judgements(hub: Hub, entity: str, ident: str | None = None, *, every: bool = False) -> list[Judged]:
    """What was said, the newest first: of all records or of one. ``every``: what was taken back as well."""
    table = core.judgement
    with hub.store.read() as conn:
        query = select(table).where(table.c.entity == entity).order_by(table.c.id.desc())
        if not every:
            query = query.where(table.c.revoked_at.is_(None))
        if ident is not None:
            ids = members(conn, living(conn, the_one(conn, hub, entity, ident)))
            query = query.where(or_(table.c.record_a.in_(ids), table.c.record_b.in_(ids)))
        found = _read(conn, query)
        return [Judged(0, one, _labels(conn, entity, (one.one, one.other))) for one in found]


def between(conn: Connection, one: int, other: int) -> Judgement | None:
    """What holds between two records and all that was merged into them; "different" before anything else."""
    found = sorted(standing(conn, one, other), key=lambda said: (said.verdict != "different", -said.id))
    return found[0] if found else None


def standing(conn: Connection, one: int, other: int) -> list[Judgement]:
    """All that was said of the two and was not taken back."""
    table, mine, theirs = core.judgement, members(conn, one), members(conn, other)
    pairs = or_(
        table.c.record_a.in_(mine) & table.c.record_b.in_(theirs),
        table.c.record_a.in_(theirs) & table.c.record_b.in_(mine),
    )
    return _read(conn, select(table).where(pairs, table.c.revoked_at.is_(None)).order_by(table.c.id))


def members(conn: Connection, record_id: int) -> list[int]:
    """The record, and all that were merged into it."""
    table, found, new = core.redirect, {record_id}, {record_id}
    while new:
        rows = conn.execute(select(table.c.from_record_id).where(table.c.to_record_id.in_(sorted(new))))
        new = set(rows.scalars()) - found
        found |= new
    return sorted(found)


def put(
    conn: Connection,
    entity: str,
    one: int,
    other: int,
    verdict: Verdict,
    *,
    by: str,
    note: str | None,
    run_id: int,
) -> Judgement:
    """Write a judgement down in place of what stands there."""
    before = standing(conn, one, other)
    _end(conn, before, by)
    at, (first, second) = now(), sorted((one, other))
    table = core.judgement
    values = {"entity": entity, "record_a": first, "record_b": second, "verdict": verdict, "note": note or None}
    number = conn.execute(table.insert().returning(table.c.id).values(**values, judged_by=by, at=at)).scalar_one()
    _note(conn, entity, (one, other), before[-1].verdict if before else None, verdict, run_id)
    return Judgement(int(number), entity, first, second, verdict, note or None, by, at)


def take_back(conn: Connection, said: Sequence[Judgement], *, by: str, run_id: int) -> None:
    """These hold no more."""
    _end(conn, said, by)
    for one in said:
        _note(conn, one.entity, (one.one, one.other), one.verdict, None, run_id)


def put_back(conn: Connection, ids: Iterable[int]) -> None:
    """What a merge took back holds again, unless something else was said since."""
    table = core.judgement
    for said in _read(conn, select(table).where(table.c.id.in_(list(ids)), table.c.revoked_at.is_not(None))):
        if not standing(conn, said.one, said.other):
            conn.execute(update(table).where(table.c.id == said.id).values(revoked_by=None, revoked_at=None))


def take_along(conn: Connection, entity: str, whole: int, part: int, since: datetime | None) -> None:
    """What was said of the whole (``since`` then) holds for the part that leaves it too."""
    table, ids = core.judgement, members(conn, whole)
    query = select(table).where(or_(table.c.record_a.in_(ids), table.c.record_b.in_(ids)), table.c.revoked_at.is_(None))
    for said in _read(conn, query if since is None else query.where(table.c.at >= since)):
        other = said.other if said.one in ids else said.one
        if other in ids or other == part or standing(conn, part, other):
            continue
        first, second = sorted((part, other))
        values = {"entity": entity, "record_a": first, "record_b": second, "verdict": said.verdict}
        conn.execute(table.insert().values(**values, note=said.note, judged_by=said.by, at=said.at))


def _end(conn: Connection, said: Sequence[Judgement], by: str) -> None:
    table = core.judgement
    ids = [one.id for one in said]
    conn.execute(update(table).where(table.c.id.in_(ids)).values(revoked_by=by, revoked_at=now()))


def _note(
    conn: Connection, entity: str, pair: tuple[int, int], before: str | None, after: str | None, run_id: int
) -> None:
    """A row in the change log of both; the other record's number stands in it."""
    at = now().strftime("%Y-%m-%d %H:%M:%S")
    rows: list[tuple[Any, ...]] = []
    for one, other in (pair, pair[::-1]):
        told = (f"{word} {other}" if word else None for word in (before, after))
        rows.append((run_id, entity, one, None, "judge", None, *told, at))
    write_log(conn, rows)


def _pair(conn: Connection, hub: Hub, entity: str, one: str, other: str) -> tuple[int, int]:
    first, second = (living(conn, the_one(conn, hub, entity, ident)) for ident in (one, other))
    if first == second:
        raise NeedsPerson("judge_same_record", record=first)
    return (first, second) if first < second else (second, first)


def _labels(conn: Connection, entity: str, pair: tuple[int, int]) -> tuple[str, str]:
    return label_of(conn, entity, pair[0]), label_of(conn, entity, pair[1])


def _read(conn: Connection, query: Select[Any]) -> list[Judgement]:
    return [
        Judgement(
            row["id"],
            row["entity"],
            row["record_a"],
            row["record_b"],
            row["verdict"],
            row["note"],
            row["judged_by"],
            row["at"],
            row["revoked_by"],
            row["revoked_at"],
        )
        for row in conn.execute(query).mappings()
    ]


def blocked_pairs(conn: Connection, entity: str, record_ids: Sequence[int]) -> set[tuple[int, int]]:
    """Pairs among these living records that a person called different; the smaller number first.

    For whoever looks for duplicates in bulk: nobody merges these unasked.
    """
    table, found, home = core.judgement, set[tuple[int, int]](), dict[int, int]()
    for number in record_ids:
        home[number] = number
    for chunk in bulk.chunks(record_ids):
        rows = bulk.fetch_rows(conn, core.redirect, ("from_record_id", "to_record_id"), "to_record_id", chunk)
        home.update((came, to) for came, to in rows)
    query = select(table.c.record_a, table.c.record_b).where(
        table.c.entity == entity, table.c.verdict == "different", table.c.revoked_at.is_(None)
    )
    for one, other in conn.execute(query):
        if one in home and other in home and home[one] != home[other]:
            first, second = sorted((home[one], home[other]))
            found.add((first, second))
    return found
