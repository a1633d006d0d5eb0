"""Grouped queries that only a report needs, beside those of ``hub.store.journal``."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Row, distinct, func, select

from hub.model.process import alive
from hub.store import core

#: How many earlier runs tell what a route usually receives.
USUAL_OF = 14


def now() -> datetime:
    """The current time, UTC."""
    return datetime.now(UTC)


def broken_off(conn: Connection, run_id: int) -> bool:
    """True for a run that calls itself running although its process on this machine is gone.

    The next exchange closes such a run; until then nobody should be told that it goes on.
    """
    runs = core.exchange_run
    columns = (runs.c.state, runs.c.host, runs.c.pid, runs.c.process_started)
    row = conn.execute(select(*columns).where(runs.c.id == run_id)).one()
    if row.state != "running" or row.pid is None or row.host != socket.gethostname():
        return False
    return not alive(row.pid, row.process_started or "")


def received_before(conn: Connection, run_id: int, mode: str, routes: int) -> dict[str, list[int]]:
    """What each route (by code; about ``routes`` of them) received in its last runs of that mode, newest first."""
    table, runs = core.run_route, core.exchange_run
    query = (
        select(core.route.c.code, table.c.received)
        .join(runs, runs.c.id == table.c.run_id)
        .join(core.route, core.route.c.id == table.c.route_id)
        .where(runs.c.mode == mode, table.c.run_id < run_id, table.c.state.in_(("completed", "warnings")))
        .order_by(table.c.run_id.desc())
        .limit(USUAL_OF * max(routes, 1))
    )
    found: dict[str, list[int]] = {}
    for row in conn.execute(query):
        found.setdefault(row.code, []).append(row.received)
    return {code: values[:USUAL_OF] for code, values in found.items()}


def read_last(conn: Connection) -> dict[str, datetime]:
    """When a route of each system was last read and ended well, by system code; systems never read are not in it."""
    table, runs = core.run_route, core.exchange_run
    query = (
        select(core.system.c.code, func.max(table.c.ended_at).label("at"))
        .join(core.route, core.route.c.system_id == core.system.c.id)
        .join(table, table.c.route_id == core.route.c.id)
        .join(runs, runs.c.id == table.c.run_id)
        .where(table.c.state.in_(("completed", "warnings")), runs.c.mode != "replay")  # a replay reads nothing
        .where(core.route.c.direction == "pull")  # and a push looks at what it writes only
        .group_by(core.system.c.code)
    )
    return {row.code: row.at for row in conn.execute(query) if row.at is not None}


def quarantine_rows(conn: Connection) -> Sequence[Row[Any]]:
    """Open quarantine by route and reason: ``number``, ``oldest``, ``attempts``."""
    table = core.quarantine
    query = (
        select(
            core.route.c.code,
            core.route.c.entity,
            table.c.reason_code,
            func.count().label("number"),
            func.min(table.c.first_at).label("oldest"),
            func.max(table.c.attempts).label("attempts"),
        )
        .join(core.route, core.route.c.id == table.c.route_id)
        .where(table.c.state == "open")
        .group_by(core.route.c.code, core.route.c.entity, table.c.reason_code)
        .order_by(func.count().desc(), core.route.c.code, table.c.reason_code)
    )
    return conn.execute(query).all()


def quarantine_fields(conn: Connection) -> dict[tuple[str, str], list[str]]:
    """Names of the fields that open quarantine is about, by route code and reason."""
    table = core.quarantine
    query = (
        select(core.route.c.code, table.c.reason_code, table.c.field)
        .distinct()
        .join(core.route, core.route.c.id == table.c.route_id)
        .where(table.c.state == "open", table.c.field.is_not(None))
        .order_by(table.c.field)
    )
    found: dict[tuple[str, str], list[str]] = {}
    for row in conn.execute(query):
        found.setdefault((row.code, row.reason_code), []).append(row.field)
    return found


def parked_rows(conn: Connection) -> Sequence[Row[Any]]:
    """Parked records by route and awaited stream: ``number``, ``oldest``, ``system`` and ``stream`` of the awaited."""
    query = (
        select(
            core.route.c.code,
            core.route.c.entity,
            core.system.c.code.label("system"),
            core.stream.c.name.label("stream"),
            func.count(distinct(core.parked.c.id)).label("number"),
            func.min(core.parked.c.at).label("oldest"),
        )
        .join(core.route, core.route.c.id == core.parked.c.route_id)
        .join(core.parked_wait, core.parked_wait.c.parked_id == core.parked.c.id)
        .join(core.link, core.link.c.id == core.parked_wait.c.link_id)
        .join(core.stream, core.stream.c.id == core.link.c.stream_id)
        .join(core.system, core.system.c.id == core.stream.c.system_id)
        .where(core.parked.c.state == "waiting")
        .group_by(core.route.c.code, core.route.c.entity, core.system.c.code, core.stream.c.name)
        .order_by(core.route.c.code, core.stream.c.name)
    )
    return conn.execute(query).all()


def open_number(conn: Connection, table_name: str) -> int:
    """How many rows of ``held`` or ``conflict`` stand open."""
    table = {"held": core.held, "conflict": core.conflict}[table_name]
    return int(conn.execute(select(func.count()).select_from(table).where(table.c.state == "open")).scalar_one())
