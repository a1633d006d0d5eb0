"""Routes that an admin has stopped for a while, with a reason: one switch for each direction."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import or_, select, update

from hub.exchange.hub import Hub, Route
from hub.exchange.runs import now
from hub.store import core

Direction = Literal["pull", "push", "both"]


@dataclass(frozen=True, slots=True)
class Pause:
    """``until``: ``None`` for until somebody resumes it. ``owed``: rows of the outbox that wait because of it."""

    route: str
    reason: str
    by: str
    since: datetime
    until: datetime | None


def paused(hub: Hub, route: Route) -> Pause | None:
    """The pause of a route (of one direction) that holds now; one whose time is over ends by itself."""
    return next((one for one in pauses(hub) if one.route == route.code), None)


def pauses(hub: Hub) -> list[Pause]:
    """Every pause that holds now."""
    table, at = core.route, now()
    holds = or_(table.c.paused_until.is_(None), table.c.paused_until > at)
    with hub.store.read() as conn:
        rows = conn.execute(select(table).where(table.c.paused_at.is_not(None), holds).order_by(table.c.id)).mappings()
        return [
            Pause(row["code"], row["pause_reason"] or "", row["paused_by"] or "", row["paused_at"], row["paused_until"])
            for row in rows
        ]


def pause(hub: Hub, code: str, reason: str, by: str, *, until: datetime | None, direction: Direction = "both") -> None:
    """Stop a route (``system.entity``): from its next page, or its next batch, on nothing of it is exchanged."""
    _set(hub, code, direction, pause_reason=reason, paused_by=by, paused_at=now(), paused_until=until)


def resume(hub: Hub, code: str, *, direction: Direction = "both") -> None:
    """Let a route go on."""
    _set(hub, code, direction, pause_reason=None, paused_by=None, paused_at=None, paused_until=None)


def _set(hub: Hub, code: str, direction: Direction, **values: object) -> None:
    routes = {"pull": [hub.route(code).id], "push": [hub.push_routes[hub.route(code).code].id]}
    ids = [number for name, numbers in routes.items() if direction in {name, "both"} for number in numbers]
    with hub.store.begin() as conn:
        conn.execute(update(core.route).where(core.route.c.id.in_(ids)).values(**values))
