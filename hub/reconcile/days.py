"""Which days a check looks at, and where they lie in UTC."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, func, select

from hub.exchange.hub import Hub, Route
from hub.model.records import Window
from hub.reconcile.rows import stream_ids
from hub.store import core
from hub.store.tables import ROOTS


@dataclass(frozen=True, slots=True)
class Days:
    """A range of days in the system's own zone, ends included."""

    start: date
    last: date

    @property
    def window(self) -> Window:
        """The same range as connectors take it."""
        return Window(self.start, self.last + timedelta(days=1))


def shown(day: date) -> str:
    """A day as an admin reads it."""
    return day.strftime("%d.%m.%Y")


def zone_of(hub: Hub, route: Route) -> ZoneInfo:
    """Time zone of the route's system."""
    return ZoneInfo(hub.system(route.system).timezone)


def days_to_check(hub: Hub, route: Route, conn: Connection) -> Days:
    """The days that the route's last exchange was asked for; else the last ``window_days`` that hold documents.

    A bounded range, so that a check costs the same however long a base has been in use. It ends with the newest
    document, which may be dated in the future.
    """
    part = core.run_route
    asked = conn.execute(
        select(part.c.window_start, part.c.window_end)
        .where(part.c.route_id == route.id)
        .order_by(part.c.run_id.desc())
        .limit(1)
    ).first()
    if asked is not None and asked.window_start is not None:
        return Days(asked.window_start, asked.window_end - timedelta(days=1))
    zone = zone_of(hub, route)
    today = datetime.now(zone).date()
    newest = _newest(conn, route)
    newest_day = newest.astimezone(zone).date() if newest is not None else today
    start = min(today, newest_day) - timedelta(days=route.settings.window_days)
    return Days(max(start, route.settings.not_before or start), max(today, newest_day) + timedelta(days=1))


def _newest(conn: Connection, route: Route) -> datetime | None:
    root, link = ROOTS[route.entity.name], core.link
    ids = list(stream_ids(conn, route).values())
    query = select(func.max(root.c.date)).join(link, link.c.record_id == root.c.id).where(link.c.stream_id.in_(ids))
    newest: datetime | None = conn.execute(query).scalar()
    return newest


def utc_range(hub: Hub, route: Route, days: Days) -> tuple[datetime, datetime]:
    """First moment of the range and first moment after it."""
    zone = zone_of(hub, route)
    ends = (days.start, days.window.end)
    start, end = (datetime.combine(day, time(), zone).astimezone(UTC) for day in ends)
    return start, end
