"""How much is there: records of one route's system, and of the store as a whole."""

from __future__ import annotations

from sqlalchemy import Connection, func, select

from hub.exchange.hub import Hub, Route
from hub.model.entities import Entity
from hub.store import core
from hub.store.tables import ROOTS


def stream_ids(conn: Connection, route: Route) -> dict[str, int]:
    """Ids of the streams that feed the route, by the stream's name."""
    stream, route_row = core.stream, core.route
    rows = conn.execute(
        select(stream.c.name, stream.c.id)
        .join(route_row, route_row.c.system_id == stream.c.system_id)
        .where(route_row.c.id == route.id, stream.c.entity == route.entity.name)
    )
    return {str(name): int(number) for name, number in rows}


def route_rows(hub: Hub, route: Route) -> int:
    """How many of the system's records of this kind the store knows."""
    with hub.store.read() as conn:
        ids = list(stream_ids(conn, route).values())
        query = select(func.count()).where(core.link.c.stream_id.in_(ids), core.link.c.record_id.is_not(None))
        return int(conn.execute(query).scalar_one())


def table_rows(hub: Hub, entity: Entity) -> int:
    """How many canonical records of the entity there are, from all systems together; not those merged into others."""
    redirect = core.redirect
    with hub.store.read() as conn:
        there = int(conn.execute(select(func.count()).select_from(ROOTS[entity.name])).scalar_one())
        merged = select(func.count()).where(redirect.c.entity == entity.name)
        return there - int(conn.execute(merged).scalar_one())
