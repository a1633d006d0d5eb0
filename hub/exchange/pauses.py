"""Routes that an admin has stopped for a while, with a reason: one switch for each direction."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from sqlalchemy import update

from hub.exchange.hub import Hub, Route
from hub.exchange.runs import now
from hub.store import core, outgoing
from hub.store.outgoing import Pause

Direction = Literal["pull", "push", "both"]


def paused(hub: Hub, route: Route) -> Pause | None:
    """The pause of a route (of one direction) that holds now; one whose time is over ends by itself."""
    return next((one for one in pauses(hub) if one.route == route.code), None)


def pauses(hub: Hub) -> list[Pause]:
    """Every pause that holds now."""
    with hub.store.read() as conn:
        return outgoing.pauses(conn, now())


def pause(hub: Hub, code: str, reason: str, by: str, *, until: datetime | None, direction: Direction = "both") -> None:
    """Stop a route (``system.entity``): from its next page, or its next batch, on nothing of it is exchanged."""
    _set(hub, code, direction, pause_reason=reason, paused_by=by, paused_at=now(), paused_until=until)


def resume(hub: Hub, code: str, *, direction: Direction = "both") -> None:
    """Let a route go on."""
    _set(hub, code, direction, pause_reason=None, paused_by=None, paused_at=None, paused_until=None)


def _set(hub: Hub, code: str, direction: Direction, **values: object) -> None:
    pull = hub.route(code)
    ids = {"pull": [pull.id], "push": [hub.push_routes[code].id]}
    ids["both"] = ids["pull"] + ids["push"]
    with hub.store.begin() as conn:
        conn.execute(update(core.route).where(core.route.c.id.in_(ids[direction])).values(**values))
