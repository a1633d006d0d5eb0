"""Rows of the outbox: who may work on them, and how they end.

States: ``pending`` to be sent · ``sending`` a request may be under way · ``unknown`` no answer came, to be looked at ·
``waiting`` for something that passes by itself, or for another record · ``held`` for an admin's approval · ``failed``
for a person. A row that is settled is removed; what was sent stands in the change log.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, and_, delete, false, func, or_, select, update

from hub.exchange.cards.card import as_value
from hub.exchange.runs import LEASE, now
from hub.model.errors import HubError, RetryLater
from hub.store import core

#: How long a row waits after its first, second … failure; then a person is asked.
DELAYS = (60, 300, 900, 3600, 4 * 3600, 12 * 3600, 24 * 3600)
#: Why a row is held when two full cards met.
FIRST_CONTACT = "first_contact"
#: States in which a row may be taken up.
_DUE = ("pending", "sending", "unknown", "waiting")
#: Refusals of a record that end without anybody touching it or us: an accountant opens the period again.
PASSING = frozenset({"period_closed"})


@dataclass(slots=True)
class Row:
    """One leased row.

    ``meant``: golden values of a request that may have been done. ``approved``: by which admin and when, if so.
    """

    id: int
    link_id: int
    op: str
    state: str
    attempts: int
    meant: dict[str, Any] | None
    approved: Any

    @property
    def sent_before(self) -> bool:
        """Whether an earlier try may have written something."""
        return self.meant is not None


def lease(
    conn: Connection, run_id: int, route_id: int, done: Sequence[int], limit: int, only: Sequence[int] | None = None
) -> list[Row]:
    """Take up to ``limit`` rows of the route that are due, oldest first, without those of ``done``.

    ``only``: of these links alone, whose first contacts are approved by that.
    """
    box, at = core.outbox, now()
    run = core.exchange_run
    living = select(run.c.id).where(run.c.id == box.c.lease_run_id, run.c.state == "running").exists()
    met = and_(box.c.state == "held", box.c.last_error == FIRST_CONTACT) if only is not None else false()
    due = [
        box.c.route_id == route_id,
        or_(met, and_(box.c.state.in_(_DUE), or_(box.c.next_at.is_(None), box.c.next_at <= at))),
        or_(box.c.lease_run_id.is_(None), box.c.lease_run_id == run_id, box.c.lease_until < at, ~living),
    ]
    if done:
        due.append(box.c.id.not_in(done))
    if only is not None:
        due.append(box.c.link_id.in_(only))
    found = conn.execute(select(box).where(*due).order_by(box.c.id).limit(limit).with_for_update()).mappings().all()
    ids = [row["id"] for row in found]
    if ids:
        conn.execute(update(box).where(box.c.id.in_(ids)).values(lease_run_id=run_id, lease_until=at + LEASE))
    return [
        Row(
            row["id"],
            row["link_id"],
            row["op"],
            row["state"],
            row["attempts"],
            {path: as_value(value) for path, value in row["meant"].items()} if row["meant"] is not None else None,
            (row["error_params"] or {}).get("approved") or row["state"] == "held",
        )
        for row in found
    ]


def sending(
    conn: Connection,
    row: Row,
    meant: dict[str, Any],
    fields: dict[str, Any],
    version: str | None,
    run_id: int,
    unsaid: dict[str, Any] | None = None,
) -> None:
    """A request is about to leave: what it means is known from here on, whatever happens to us.

    ``unsaid``: values of a record to be made that the request cannot tell; what the system puts there stands for them.
    """
    _set(
        conn,
        row.id,
        run_id,
        state="sending",
        meant=meant,
        unsaid=unsaid or None,
        fields=fields,
        version=version,
        sent_at=now(),
        attempts=row.attempts + 1,
    )


def settled(conn: Connection, row: Row) -> None:
    """Nothing is owed any more."""
    conn.execute(delete(core.outbox).where(core.outbox.c.id == row.id))


def again(conn: Connection, row: Row, *, op: str | None = None) -> None:
    """More is owed by now, or the record was another one: to be sent in the next round."""
    more = {"op": op} if op else {}
    told = _told(row, {}) or None
    _set(conn, row.id, None, state="pending", meant=None, next_at=None, last_error=None, error_params=told, **more)


def wait(conn: Connection, row: Row, code: str, *, keep: bool = False, for_ever: bool = False, **params: Any) -> str:
    """Come back later, after a growing delay; the state it has then, ``failed`` once patience is over.

    ``keep``: the last request may have been done. ``for_ever``: patience is never over.
    """
    if row.attempts >= len(DELAYS) and not for_ever:
        fail(conn, row, code, **params)
        return "failed"
    due = now() + timedelta(seconds=DELAYS[min(row.attempts, len(DELAYS) - 1)])
    told = {"next_at": due, "last_error": code, "error_params": _told(row, params), "attempts": row.attempts + 1}
    _set(conn, row.id, None, state="unknown" if keep else "waiting", **told, **({} if keep else {"meant": None}))
    return "unknown" if keep else "waiting"


def not_sent(conn: Connection, row: Row, code: str, *, sent_before: bool) -> None:
    """The system stopped us before this row's turn; an earlier request of it may still have been done."""
    if sent_before:
        _set(conn, row.id, None, state="unknown", next_at=None, last_error=code)
    else:
        wait_for(conn, row, code)


def wait_for(conn: Connection, row: Row, code: str, **params: Any) -> None:
    """Wait for something that is no fault of anybody's (another record, an admin): each run looks again."""
    told = _told(row, params)
    _set(conn, row.id, None, state="waiting", meant=None, next_at=None, last_error=code, error_params=told)


def fail(conn: Connection, row: Row, code: str, **params: Any) -> None:
    """Only a person can tell what is to be done; the row waits for one, or for its record to change."""
    _set(conn, row.id, None, state="failed", meant=None, next_at=None, last_error=code, error_params=params)


def hold(conn: Connection, row: Row, code: str, **params: Any) -> None:
    """Wait for an admin's approval."""
    _set(conn, row.id, None, state="held", meant=None, next_at=None, last_error=code, error_params=params)


def give_back(conn: Connection, run_id: int, route_id: int) -> None:
    """Let others take what this run leased and did not send."""
    box = core.outbox
    conn.execute(
        update(box)
        .where(box.c.route_id == route_id, box.c.lease_run_id == run_id)
        .values(lease_run_id=None, lease_until=None)
    )


def standing(conn: Connection, route_id: int, done: Sequence[int]) -> list[tuple[str, str | None, int]]:
    """State, reason and number of the route's rows that are not among ``done``."""
    box = core.outbox
    where = [box.c.route_id == route_id] + ([box.c.id.not_in(done)] if done else [])
    rows = conn.execute(
        select(box.c.state, box.c.last_error, func.count()).where(and_(*where)).group_by(box.c.state, box.c.last_error)
    )
    return [(str(state), reason, int(number)) for state, reason, number in rows]


def _told(row: Row, params: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters of a reason; what an admin has approved stays approved while it waits for something else."""
    return {**params, **({"approved": row.approved} if row.approved else {})}


def passing(error: HubError) -> bool:
    """Whether a refusal passes by itself: waiting helps."""
    return isinstance(error, RetryLater)


def _set(conn: Connection, row_id: int, lease_run_id: int | None, **values: Any) -> None:
    lease: dict[str, Any] = {} if lease_run_id else {"lease_run_id": None, "lease_until": None}
    conn.execute(update(core.outbox).where(core.outbox.c.id == row_id).values(**lease, **values))
