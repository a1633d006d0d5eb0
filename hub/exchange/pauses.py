"""Routes that an admin has stopped for a while, with a reason: one switch for each direction."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from sqlalchemy import update

from hub.exchange.hub import Hub, Route
from hub.exchange.runs import now
from hub.model.errors import NeedsPerson
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


def until_of(hub: Hub, text: str | None) -> datetime | None:
    """A moment of the company's clock, as a person writes it, in UTC; ``NeedsPerson`` for one that is none, or is over.

    ``2026-03-14 09:00``, ``14.03.2026 09:00``, a day (its first minute), or a time of today or tomorrow: ``09:00``.
    """
    if not text:
        return None
    zone = ZoneInfo(hub.settings.company_timezone)
    told = _moment(text.strip(), datetime.now(zone))
    if told is None or told <= now():
        raise NeedsPerson("pause_bad_time", value=text)
    return told.astimezone(UTC)


def _moment(text: str, today: datetime) -> datetime | None:
    for form in ("%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M", "%d.%m.%Y %H:%M", "%Y-%m-%d", "%d.%m.%Y"):
        with suppress(ValueError):
            return datetime.strptime(text, form).replace(tzinfo=today.tzinfo)
    with suppress(ValueError):
        clock = datetime.strptime(text, "%H:%M").replace(tzinfo=today.tzinfo).time()
        next_one = datetime.combine(today.date(), clock, today.tzinfo)
        return next_one if next_one > today else next_one + timedelta(days=1)
    return None
