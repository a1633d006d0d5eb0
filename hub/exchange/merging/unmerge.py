"""A merge, or a split, is taken back: links go to where they were, and what we wrote elsewhere because of it is undone.

What anybody edited in the meantime stays with the link that it was edited by. Later merges and splits that moved the
same links stand on it: they are undone first, newest before oldest, or nothing is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from hub.exchange.acting import acting
from hub.exchange.cards.card import Card, load
from hub.exchange.cards.desk import CardDesk
from hub.exchange.hub import Hub
from hub.exchange.merging import log
from hub.exchange.merging.finish import desk_of, finish, rehearsing
from hub.exchange.merging.judgements import between, put, put_back, take_along, take_back
from hub.exchange.merging.log import Entry
from hub.exchange.merging.moves import even_primaries, join, part, refuse_busy, set_state, with_marks, without_hub_words
from hub.exchange.merging.told import Moved, Stays
from hub.exchange.which import label_of, the_one
from hub.model.errors import NeedsPerson
from hub.store import core


@dataclass(frozen=True, slots=True)
class Chosen:
    """What is to be undone, newest first, and by whom. ``already``: the run that has done it before.

    ``judge``: the records are said to be different from now on. ``run``: the run that is undone as a whole, if one is.
    """

    entries: tuple[Entry, ...]
    by: str
    run: int | None = None
    already: int | None = None
    judge: bool = True
    reason: str | None = None


def of_run(
    hub: Hub, run_id: int, *, by: str, cascade: bool = False, judge: bool = True, reason: str | None = None
) -> Chosen:
    """The merges or splits of a run. ``NeedsPerson``: ``unmerge_no_merge``, ``unmerge_blocked``."""
    with hub.store.read() as conn:
        found = log.entries(conn, run_id=run_id)
        standing = [entry for entry in found if entry.undone_run is None]
        if not found:
            raise NeedsPerson("unmerge_no_merge", run=run_id)
        if not standing:
            return Chosen(tuple(found), by, run_id, found[-1].undone_run)
        return Chosen(_with_later(conn, standing, cascade=cascade), by, run_id, None, judge, reason)


def of_record(
    hub: Hub, entity: str, ident: str, *, by: str, cascade: bool = False, judge: bool = True, reason: str | None = None
) -> Chosen:
    """The merge by which that record is gone. ``NeedsPerson``: ``unmerge_survivor`` names the merges into it,
    ``unmerge_not_merged``, ``unmerge_blocked``.
    """
    with hub.store.read() as conn:
        number = the_one(conn, hub, entity, ident)
        found = [entry for entry in log.entries(conn, record_id=number) if entry.op == "merge"]
        mine = [entry for entry in found if entry.other_id == number]
        standing = [entry for entry in mine if entry.undone_run is None]
        if standing:
            return Chosen(_with_later(conn, standing, cascade=cascade), by, None, None, judge, reason)
        runs = sorted({entry.run_id for entry in found if entry.undone_run is None})
        if runs:
            raise NeedsPerson("unmerge_survivor", record=number, runs=", ".join(map(str, runs)))
        if mine:
            return Chosen((mine[-1],), by, None, mine[-1].undone_run)
        raise NeedsPerson("unmerge_not_merged", record=number)


def plan(hub: Hub, chosen: Chosen) -> Moved:
    """What the undo would do: it is done, and rolled back."""
    report = _report(chosen)
    if chosen.already is None:
        with rehearsing(hub.store) as conn:
            unmerge_in(conn, hub, chosen, report)
    return report


def unmerge(hub: Hub, chosen: Chosen, *, dagster_run_id: str | None = None) -> Moved:
    """Undo it in a run of its own, in one transaction. What has been undone before is said to be, and nothing is done.

    ``NeedsPerson``: ``unmerge_nothing_left``, ``unmerge_moved_on``. ``RetryLater(merge_busy)``.
    """
    report = _report(chosen)
    if chosen.already is not None:
        return report
    plan(hub, chosen)  # what cannot be leaves no run behind
    whole = chosen.run
    run = acting(hub, "unmerge", chosen.by, undoes=whole, dagster_run_id=dagster_run_id)
    with run as run_id, hub.store.begin() as conn:
        report.run_id = run_id
        unmerge_in(conn, hub, chosen, report)
    return report


def unmerge_in(conn: Connection, hub: Hub, chosen: Chosen, report: Moved) -> None:
    """All of it inside the caller's transaction."""
    ids = {number for entry in chosen.entries for number in (entry.record_id, entry.other_id)}
    entity = chosen.entries[0].entity
    cards = load(conn, entity, ids, desk_of(hub, report.run_id).refs)
    refuse_busy(conn, cards.values())
    report.labels = {number: label_of(conn, entity, number) for number in cards}
    _still_stand(conn, chosen)
    for entry in chosen.entries:
        undo = _unjoin if entry.op == "merge" else _rejoin
        undo(conn, hub, chosen, entry, report)
    log.close(conn, chosen.entries, report.run_id, chosen.by)


def _report(chosen: Chosen) -> Moved:
    last = chosen.entries[-1]
    others = list(dict.fromkeys(entry.other_id for entry in chosen.entries))
    runs = list(dict.fromkeys(entry.run_id for entry in chosen.entries))
    return Moved("unmerge", last.entity, last.record_id, others, already=chosen.already, undone=runs)


def _with_later(conn: Connection, standing: Sequence[Entry], *, cascade: bool) -> tuple[Entry, ...]:
    """The entries with what stands on them, newest first."""
    later = log.standing_on(conn, standing)
    if later and not cascade:
        runs = ", ".join(f"№ {entry.run_id}" for entry in later)
        raise NeedsPerson("unmerge_blocked", run=standing[-1].run_id, later=runs, last=later[-1].run_id)
    return tuple(sorted((*standing, *later), key=lambda entry: -entry.id))


def _still_stand(conn: Connection, chosen: Chosen) -> None:
    """Nobody was faster."""
    table, ids = core.merge_log, [entry.id for entry in chosen.entries]
    gone = conn.execute(select(func.count()).where(table.c.id.in_(ids), table.c.undone_run.is_not(None))).scalar_one()
    if gone or {entry.id for entry in log.standing_on(conn, chosen.entries)} - set(ids):
        raise NeedsPerson("unmerge_moved_on", run=chosen.entries[-1].run_id)


def _unjoin(conn: Connection, hub: Hub, chosen: Chosen, entry: Entry, report: Moved) -> None:
    whole, other, before = entry.record_id, entry.other_id, entry.before
    desk = desk_of(hub, report.run_id)
    cards = load(conn, entry.entity, [whole, other], desk.refs)
    there = [number for number in sorted(entry.links) if number in cards[whole].links]
    if entry.links and not there:
        raise NeedsPerson("unmerge_nothing_left", run=entry.run_id, record=other)
    report.stays += _stays(conn, entry, there)
    part(conn, whole, other, before, there)
    set_state(conn, desk, entry.entity, other, before["state"])

    def mend(_: CardDesk, now: Mapping[int, Card]) -> None:
        without_hub_words(conn, now[whole], other, before["hub"])
        for card in now.values():
            with_marks(card, before["marks"], first_met=False)
            even_primaries(conn, card)

    finish(conn, hub, report, cards, dict.fromkeys(there, (whole, other)), mend)
    _judge(conn, chosen, entry, report)


def _judge(conn: Connection, chosen: Chosen, entry: Entry, report: Moved) -> None:
    """What was said of them while they were one goes along, and whoever merged them unasked is told not to."""
    pair = (entry.record_id, entry.other_id)
    take_along(conn, entry.entity, *pair, since=entry.at)
    if not chosen.judge:
        put_back(conn, entry.before["judgements"])
        return
    said = between(conn, *pair)
    if said is None or said.verdict != "different":
        note = chosen.reason or f"unmerge {entry.run_id}"
        put(conn, entry.entity, *pair, "different", by=chosen.by, note=note, run_id=report.run_id)
    report.judged.append(pair)


def _rejoin(conn: Connection, hub: Hub, chosen: Chosen, entry: Entry, report: Moved) -> None:
    """A split is taken back: what was taken out is put in again."""
    desk = desk_of(hub, report.run_id)
    cards = load(conn, entry.entity, [entry.record_id, entry.other_id], desk.refs)
    whole, other = cards[entry.record_id], cards[entry.other_id]
    before = join(conn, desk, whole, other)
    said = between(conn, whole.record_id, other.record_id)
    if said is not None and said.verdict == "different":
        take_back(conn, [said], by=chosen.by, run_id=report.run_id)
    moved = {int(number): (other.record_id, whole.record_id) for number in before["links"]}

    def mend(_: CardDesk, now: Mapping[int, Card]) -> None:
        with_marks(now[whole.record_id], before["marks"], first_met=True)

    finish(conn, hub, report, cards, moved, mend)


def _stays(conn: Connection, entry: Entry, there: Sequence[int]) -> list[Stays]:
    """Links that somebody moved on since, links that came since and stay, pins that were taken back or replaced."""
    link, logged, pin = core.link, core.change_log, core.pin
    found = []
    for number in sorted(entry.links - set(there)):
        run = conn.execute(
            select(func.max(logged.c.run_id)).where(logged.c.link_id == number, logged.c.op == "link")
        ).scalar()
        key = conn.execute(select(link.c.external_id).where(link.c.id == number)).scalar()
        found.append(Stays("link_moved", entry.other_id, str(key or number), run))
    new = select(link.c.external_id, link.c.first_run).where(
        link.c.record_id == entry.record_id, link.c.first_run >= entry.run_id, link.c.id.not_in(entry.links)
    )
    found += [Stays("link_new", entry.record_id, str(key), run) for key, run in conn.execute(new)]
    gone = select(pin.c.field).where(pin.c.id.in_(entry.before["pins"]), pin.c.revoked_at.is_not(None))
    return found + [Stays("pin_gone", entry.other_id, str(path)) for path in conn.execute(gone).scalars()]
