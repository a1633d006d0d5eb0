"""What is owed to the systems, and what became of it: queries shared by the command, Dagster and the reports."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, or_, select

from hub.model.records import PUSHED, PushCounters
from hub.store import core


@dataclass(frozen=True, slots=True)
class PushEntry:
    """One route that sends, in one exchange. ``route``: ``system.entity``; ``received``: what its looks brought in.

    ``counters.by`` has the reasons of what failed and of what waits; those of the rest stand in the outbox.
    """

    run_id: int
    route: str
    entity: str
    state: str
    counters: PushCounters
    received: int
    writes: int
    seconds: float
    error_code: str | None
    error_text: str | None
    error_params: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class Standing:
    """Rows of the outbox of one route in one state for one reason (a code; empty before anything was tried).

    ``params``: what fills the texts of the reason, of one of the rows; they may hold a value of somebody's card.
    """

    system: str
    route: str
    entity: str
    state: str
    reason: str
    number: int
    oldest: datetime
    params: dict[str, Any]


def pull_code(code: str) -> str:
    """``ut.party`` of the route that sends, ``ut.party.push``."""
    return code.removesuffix(".push")


def pushes(conn: Connection, run_id: int) -> list[PushEntry]:
    """What each route sent in one exchange, in the order they were begun."""
    part, push, route = core.run_route, core.run_push, core.route
    rows = conn.execute(
        select(part, route.c.code, route.c.entity, push.c.failed_by, push.c.waiting_by, push.c.writes)
        .add_columns(*(push.c[name].label(f"push_{name}") for name in PUSHED))
        .join(route, route.c.id == part.c.route_id)
        .outerjoin(push, (push.c.run_id == part.c.run_id) & (push.c.route_id == part.c.route_id))
        .where(part.c.run_id == run_id, route.c.direction == "push")
        .order_by(part.c.started_at, part.c.route_id)
    )
    return [_push(row) for row in rows]


def _push(row: Any) -> PushEntry:
    counters = PushCounters(
        **{name: getattr(row, f"push_{name}") or 0 for name in PUSHED},
        by={name: dict(told) for name, told in (("failed", row.failed_by), ("waiting", row.waiting_by)) if told},
    )
    seconds = (row.ended_at - row.started_at).total_seconds() if row.ended_at else 0.0
    error = (row.error_code, row.error_text, row.error_params)
    code = pull_code(row.code)
    return PushEntry(row.run_id, code, row.entity, row.state, counters, row.received, row.writes or 0, seconds, *error)


def standing(conn: Connection, systems: Sequence[str] | None = None) -> list[Standing]:
    """What is owed now, by route, state and reason; of ``systems``, or of all."""
    box, route, system = core.outbox, core.route, core.system
    query = (
        select(
            system.c.code.label("system"),
            route.c.code,
            route.c.entity,
            box.c.state,
            box.c.last_error,
            func.count().label("number"),
            func.min(box.c.created_at).label("oldest"),
            func.min(box.c.id).label("example"),
        )
        .join(route, route.c.id == box.c.route_id)
        .join(system, system.c.id == route.c.system_id)
        .group_by(system.c.code, route.c.code, route.c.entity, box.c.state, box.c.last_error)
        .order_by(route.c.code, func.count().desc(), box.c.state)
    )
    if systems is not None:
        query = query.where(system.c.code.in_(list(systems)))
    rows = conn.execute(query).all()
    found = select(box.c.id, box.c.error_params).where(box.c.id.in_([row.example for row in rows]))
    params = {row.id: row.error_params or {} for row in conn.execute(found)} if rows else {}
    return [
        Standing(
            row.system,
            pull_code(row.code),
            row.entity,
            row.state,
            row.last_error or "",
            row.number,
            row.oldest,
            dict(params[row.example]),
        )
        for row in rows
    ]


@dataclass(frozen=True, slots=True)
class Pause:
    """One direction of a route that an admin has stopped. ``until``: ``None`` until somebody resumes it.

    ``route``: its own code, ``ut.party.push`` of the one that sends.
    """

    route: str
    reason: str
    by: str
    since: datetime
    until: datetime | None


def pauses(conn: Connection, at: datetime) -> list[Pause]:
    """Every pause that holds at that moment: one whose time is over ends by itself."""
    table = core.route
    holds = or_(table.c.paused_until.is_(None), table.c.paused_until > at)
    rows = conn.execute(select(table).where(table.c.paused_at.is_not(None), holds).order_by(table.c.id)).mappings()
    return [
        Pause(row["code"], row["pause_reason"] or "", row["paused_by"] or "", row["paused_at"], row["paused_until"])
        for row in rows
    ]
