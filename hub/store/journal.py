"""What the store can tell about its exchanges: queries shared by the command, Dagster and the reports.

Each takes an open connection (``store.read()``) and returns plain values; moments are aware, in UTC.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, case, distinct, func, or_, select

from hub.model.records import OUTCOMES, Counters
from hub.store.content import content_hash
from hub.store.core import (
    change_log,
    cursor,
    exchange_run,
    link,
    parked,
    parked_wait,
    quarantine,
    route,
    run_route,
    stream,
    system,
)
from hub.store.tables import CHILDREN, ROOTS

__all__ = [
    "CursorEntry",
    "Deletions",
    "ParkedRecord",
    "QuarantineGroup",
    "RouteEntry",
    "RunEntry",
    "SystemEntry",
    "content_hash",
    "cursors",
    "deletions",
    "last_of_routes",
    "last_runs",
    "open_counts",
    "parked_records",
    "quarantine_groups",
    "route_history",
    "run",
    "run_routes",
    "systems",
    "table_counts",
]


@dataclass(frozen=True, slots=True)
class RunEntry:
    """One exchange. ``seconds``: how long it took, ``None`` while it runs."""

    id: int
    mode: str
    initiator: str
    state: str
    started_at: datetime
    ended_at: datetime | None
    silent: bool
    dagster_run_id: str | None
    planned: list[str]

    @property
    def seconds(self) -> float | None:
        """Duration; ``None`` while it runs."""
        return None if self.ended_at is None else (self.ended_at - self.started_at).total_seconds()


@dataclass(frozen=True, slots=True)
class RouteEntry:
    """One route in one exchange, with the counters of DESIGN's first rule.

    ``released``: parked records that another record's arrival let in. ``absent``: rows that a complete read of a
    virtual table no longer showed. Neither is among ``received``. ``error_params``: what fills the texts of
    ``error_code``. ``paused``: mappings that did not fit, each with its reasons as ``{"code", "params"}``.
    """

    run_id: int
    route: str
    entity: str
    state: str
    counters: Counters
    released: int
    absent: int
    pages: int
    requests: int
    bytes: int
    started_at: datetime
    ended_at: datetime | None
    error_code: str | None
    error_text: str | None
    error_params: dict[str, Any] | None
    paused: dict[str, list[dict[str, Any]]]


@dataclass(frozen=True, slots=True)
class SystemEntry:
    """A system as it stands. ``state``: ``live``, ``went_back`` or ``copy``; ``why``: evidence and its parameters."""

    code: str
    state: str
    why: dict[str, Any]
    at: datetime | None
    by: str | None


@dataclass(frozen=True, slots=True)
class QuarantineGroup:
    """Open quarantine of one route for one reason. ``example``: one of the external ids, no payload."""

    route: str
    reason_code: str
    field: str | None
    number: int
    first_at: datetime
    last_at: datetime
    example: str


@dataclass(frozen=True, slots=True)
class ParkedRecord:
    """A record that waits. ``waits_for``: (stream, external id) of each record that has not come yet."""

    route: str
    stream: str
    external_id: str
    at: datetime
    waits_for: list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Deletions:
    """Records of one route that turned out to be gone from the source in one exchange, and those that came back.

    Both are among the updated ones.
    """

    deleted: int = 0
    restored: int = 0


@dataclass(frozen=True, slots=True)
class CursorEntry:
    """Where reading one stream of one route goes on."""

    route: str
    stream: str
    name: str
    position: Any
    done: bool
    updated_at: datetime


def _run(row: Row[Any]) -> RunEntry:
    return RunEntry(
        row.id,
        row.mode,
        row.initiator,
        row.state,
        row.started_at,
        row.ended_at,
        row.silent,
        row.dagster_run_id,
        list(row.planned or ()),
    )


def last_runs(conn: Connection, limit: int = 10, mode: str | None = None) -> list[RunEntry]:
    """The newest exchanges first."""
    query = select(exchange_run).order_by(exchange_run.c.id.desc()).limit(limit)
    if mode is not None:
        query = query.where(exchange_run.c.mode == mode)
    return [_run(row) for row in conn.execute(query)]


def run(conn: Connection, run_id: int) -> RunEntry | None:
    """One exchange; ``None`` when there is no such run."""
    row = conn.execute(select(exchange_run).where(exchange_run.c.id == run_id)).first()
    return None if row is None else _run(row)


def _routes() -> Select[Any]:
    return select(run_route, route.c.code, route.c.entity).join(route, route.c.id == run_route.c.route_id)


def _route(row: Row[Any]) -> RouteEntry:
    outcomes = {name: getattr(row, name) for name in OUTCOMES}
    return RouteEntry(
        row.run_id,
        row.code,
        row.entity,
        row.state,
        Counters(received=row.received, skipped_by=dict(row.skipped_by or {}), **outcomes),
        row.released,
        row.absent,
        row.pages,
        row.requests,
        row.bytes,
        row.started_at,
        row.ended_at,
        row.error_code,
        row.error_text,
        row.error_params,
        dict(row.paused or {}),
    )


def systems(conn: Connection) -> list[SystemEntry]:
    """Every system that was ever opened, in that order."""
    rows = conn.execute(select(system).order_by(system.c.id))
    return [SystemEntry(row.code, row.state, dict(row.state_why or {}), row.state_at, row.state_by) for row in rows]


def run_routes(conn: Connection, run_id: int) -> list[RouteEntry]:
    """The routes of one exchange, in the order they were begun."""
    query = _routes().where(run_route.c.run_id == run_id).order_by(run_route.c.started_at, run_route.c.route_id)
    return [_route(row) for row in conn.execute(query)]


def deletions(conn: Connection, run_id: int) -> dict[str, Deletions]:
    """What one exchange found deleted and restored, by route code; routes without either are not there."""
    log = change_log
    before, after = log.c.before == "deleted", log.c.after == "deleted"
    of_route = (route.c.system_id == stream.c.system_id) & (route.c.entity == log.c.entity)
    query = (
        select(
            route.c.code,
            func.count(distinct(case((after, log.c.record_id)))),
            func.count(distinct(case((before, log.c.record_id)))),
        )
        .select_from(
            log.join(link, link.c.id == log.c.link_id)
            .join(stream, stream.c.id == link.c.stream_id)
            .join(route, of_route)
        )
        .where(log.c.run_id == run_id, log.c.field == "record_state", or_(before, after))
        .where(route.c.direction == "pull")
        .group_by(route.c.code)
    )
    return {code: Deletions(gone, back) for code, gone, back in conn.execute(query)}


def last_of_routes(conn: Connection) -> dict[str, RouteEntry]:
    """The newest exchange of each route, by route code; a route that never ran is not there."""
    newest = select(run_route.c.route_id, func.max(run_route.c.run_id).label("run_id")).group_by(run_route.c.route_id)
    last = newest.subquery()
    query = _routes().join(last, (last.c.route_id == run_route.c.route_id) & (last.c.run_id == run_route.c.run_id))
    return {row.code: _route(row) for row in conn.execute(query.order_by(route.c.id))}


def route_history(conn: Connection, code: str, limit: int = 30) -> list[RouteEntry]:
    """The newest exchanges of one route first: its volume as usual."""
    query = _routes().where(route.c.code == code).order_by(run_route.c.run_id.desc()).limit(limit)
    return [_route(row) for row in conn.execute(query)]


def quarantine_groups(conn: Connection, route_code: str | None = None) -> list[QuarantineGroup]:
    """Open quarantine by route, reason and field, the largest group first."""
    by = (route.c.code, quarantine.c.reason_code, quarantine.c.field)
    number = func.count()
    query = (
        select(
            *by,
            number,
            func.min(quarantine.c.first_at),
            func.max(quarantine.c.last_at),
            func.min(quarantine.c.external_id),
        )
        .join(route, route.c.id == quarantine.c.route_id)
        .where(quarantine.c.state == "open")
        .group_by(*by)
        .order_by(number.desc(), *by)
    )
    if route_code is not None:
        query = query.where(route.c.code == route_code)
    return [QuarantineGroup(*row) for row in conn.execute(query)]


def parked_records(conn: Connection, limit: int = 100, route_code: str | None = None) -> list[ParkedRecord]:
    """What waits, the longest first, each with what it waits for."""
    query = (
        select(parked.c.id, route.c.code, stream.c.name, parked.c.external_id, parked.c.at)
        .join(route, route.c.id == parked.c.route_id)
        .join(stream, stream.c.id == parked.c.stream_id)
        .where(parked.c.state == "waiting")
        .order_by(parked.c.id)
        .limit(limit)
    )
    if route_code is not None:
        query = query.where(route.c.code == route_code)
    rows = conn.execute(query).all()
    waits = _waits(conn, [row.id for row in rows])
    return [ParkedRecord(row.code, row.name, row.external_id, row.at, waits.get(row.id, [])) for row in rows]


def _waits(conn: Connection, ids: list[int]) -> dict[int, list[tuple[str, str]]]:
    query = (
        select(parked_wait.c.parked_id, stream.c.name, link.c.external_id)
        .join(link, link.c.id == parked_wait.c.link_id)
        .join(stream, stream.c.id == link.c.stream_id)
        .where(parked_wait.c.parked_id.in_(ids))
        .order_by(parked_wait.c.parked_id, stream.c.name, link.c.external_id)
    )
    waits: dict[int, list[tuple[str, str]]] = {}
    for parked_id, name, external_id in conn.execute(query):
        waits.setdefault(parked_id, []).append((name, external_id))
    return waits


def open_counts(conn: Connection) -> dict[str, dict[str, int]]:
    """What waits, by kind (``quarantine``, ``parked``) and route code; routes with nothing are not there."""
    return {
        "quarantine": _by_route(conn, quarantine.c.route_id, quarantine.c.state == "open"),
        "parked": _by_route(conn, parked.c.route_id, parked.c.state == "waiting"),
    }


def _by_route(conn: Connection, route_id: ColumnElement[int], condition: ColumnElement[bool]) -> dict[str, int]:
    query = select(route.c.code, func.count()).join(route, route.c.id == route_id).where(condition)
    return {row[0]: row[1] for row in conn.execute(query.group_by(route.c.code).order_by(route.c.code))}


def cursors(conn: Connection) -> list[CursorEntry]:
    """All cursors, by route and stream."""
    query = (
        select(route.c.code, stream.c.name, cursor.c.name, cursor.c.position, cursor.c.done, cursor.c.updated_at)
        .join(route, route.c.id == cursor.c.route_id)
        .join(stream, stream.c.id == cursor.c.stream_id)
        .order_by(route.c.code, stream.c.name, cursor.c.name)
    )
    return [CursorEntry(*row) for row in conn.execute(query)]


def table_counts(conn: Connection) -> dict[str, int]:
    """Rows of every business table, root and child, by table name."""
    tables = {**ROOTS, **CHILDREN}
    return {name: conn.execute(select(func.count()).select_from(table)).scalar_one() for name, table in tables.items()}
