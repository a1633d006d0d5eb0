"""The undo of a run in which a person said whose an activity is, or took such a word back."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, select

from hub.exchange.acting import acting
from hub.exchange.comms.hand import MANUAL, Act
from hub.exchange.hub import Hub
from hub.exchange.undo_log import Row, cancelled, rows_about
from hub.exchange.which import label_of, living
from hub.store import core
from hub.store.database import Store


@dataclass(slots=True)
class Unsaid:
    """What holds again of one activity. ``kind``: ``match_party`` (the client ``then``), ``match_ignored`` (nobody's,
    as a person said) or ``match_rules``; ``now``: the client that the run named. ``later``: who said otherwise since,
    so that it stays; ``already``: it is so without us.
    """

    activity_id: int
    label: str
    kind: str
    now: str | None
    then: str | None
    run_id: int = 0
    later: Row | None = None
    already: bool = False


def concerns(store: Store, run_id: int) -> bool:
    """Whether the run is such a one: it does nothing else."""
    log = core.change_log
    with store.read() as conn:
        return conn.execute(select(log.c.id).where(log.c.run_id == run_id, log.c.op == "match")).first() is not None


def take_back(hub: Hub, run_id: int, *, by: str, apply: bool, dagster_run_id: str | None = None) -> Unsaid:
    """Let hold again what held before the run, or, without ``apply``, tell what that would be."""
    with hub.store.read() as conn:
        found, row, party = _judged(conn, run_id)
    if not apply or found.later or found.already:
        return found
    with (
        acting(hub, "undo", by, undoes=run_id, dagster_run_id=dagster_run_id) as number,
        hub.store.begin() as conn,
    ):
        found, row, party = _judged(conn, run_id)
        if not found.later and not found.already:
            found.run_id = number
            act = Act(conn, hub, number, "undo", row.record_id, by)
            if found.kind == "match_rules":
                act.take_back()
            else:
                act.put((row.before or "").partition(" ")[0], party)
    return found


def _judged(conn: Connection, run_id: int) -> tuple[Unsaid, Row, int | None]:
    """What is to be done, the row of the run, and the client that was named before it."""
    log = core.change_log
    activity: int = conn.execute(
        select(log.c.record_id).where(log.c.run_id == run_id, log.c.op == "match")
    ).scalar_one()
    words, ignored = (
        [row for row in rows_about(conn, [activity])[activity] if row.op == "match"],
        cancelled(conn, run_id),
    )
    mine = next(row for row in words if row.run_id == run_id)
    later = next((row for row in words if row.id > mine.id and row.run_id not in ignored), None)
    was, party = _word(mine.before)
    client = _word(mine.after)[1]
    if party is not None:
        party = living(conn, party)
    kind = "match_rules" if not was else "match_party" if party else "match_ignored"
    last = _word(words[-1].after)
    already = last == (was, party) if was else not last[0]
    now, then = (label_of(conn, "party", number) if number else None for number in (client, party))
    who = (activity, label_of(conn, "activity", activity))
    found = Unsaid(*who, kind, now, then, later=None if already else later, already=already)
    return found, mine, party


def _word(told: str | None) -> tuple[bool, int | None]:
    """Whether a person's word held, and the client that it named."""
    state, _, rest = (told or "").partition(" ")
    rule, _, party = rest.partition(" ")
    return bool(state) and rule == MANUAL, int(party) if party else None
