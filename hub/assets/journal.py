"""Exchanges that the command made, told to Dagster: its pages show the same as if Dagster had run them.

The journal in the store is the truth; this copies from it what Dagster has not seen, as materializations without a run.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from dagster import AssetKey, AssetMaterialization
from sqlalchemy import Connection, Row, select

from hub.assets import names
from hub.assets.request import Request
from hub.assets.sending import outgoing_told
from hub.assets.told import ROW_COUNT, route_metadata
from hub.exchange.hub import Hub, Route
from hub.exchange.sending import PushReport
from hub.exchange.service import RouteReport
from hub.model.records import OUTCOMES, Counters, Window
from hub.reconcile.history import ENDED_WELL
from hub.reconcile.rows import route_rows, table_rows
from hub.store import core, journal
from hub.store.journal import Deletions
from hub.store.outgoing import pushes

#: Runs looked at in one go; older ones of a long absence are passed over, the newest state is what counts.
MOST_RUNS = 50
#: Days of a backfill that are marked one by one.
MOST_DAYS = 400


@dataclass(frozen=True, slots=True)
class Untold:
    """``events``: what is new; ``position``: number of the last exchange that is dealt with."""

    events: tuple[AssetMaterialization, ...]
    position: int


def untold(hub: Hub, after: int) -> Untold:
    """Ended exchanges with a number above ``after`` that Dagster did not run itself. Waits for one that still runs."""
    run = core.exchange_run
    with hub.store.read() as conn:
        newest = conn.execute(select(run.c.id).order_by(run.c.id.desc()).limit(1)).scalar() or 0
        first = max(after, int(newest) - MOST_RUNS)
        rows = conn.execute(
            select(run.c.id, run.c.mode, run.c.state, run.c.dagster_run_id).where(run.c.id > first).order_by(run.c.id)
        ).all()
        position, found, runs = first, [], []
        for row in rows:
            if row.state == "running":
                break
            position = int(row.id)
            if row.dagster_run_id is None:
                runs.append(row)
                parts = _parts(conn, row.id)
                gone = journal.deletions(conn, row.id) if any(part.updated for part in parts) else {}
                found += [(row, part, gone.get(part.code, Deletions())) for part in parts]
    events = [event for told in found for event in _events(hub, *told)]
    events += [event for run in runs for event in _sent(hub, run)]
    return Untold(tuple(events), position)


def _sent(hub: Hub, run: Any) -> Iterator[AssetMaterialization]:
    """What a run sent, on the pages of the systems."""
    with hub.store.read() as conn:
        entries = pushes(conn, run.id)
    reports = [PushReport(one.route, one.state, one.counters, Counters(received=one.received)) for one in entries]
    yield from outgoing_told(hub, reports, run.id, Request(run.mode, None))


def _parts(conn: Connection, run_id: int) -> list[Row[Any]]:
    part = core.run_route
    return list(
        conn.execute(
            select(part, core.route.c.code)
            .join(core.route, core.route.c.id == part.c.route_id)
            .where(part.c.run_id == run_id, part.c.state.in_(ENDED_WELL))
            .order_by(part.c.route_id)
        )
    )


def _events(hub: Hub, run: Any, part: Row[Any], gone: Deletions) -> Iterator[AssetMaterialization]:
    route = hub.routes.get(part.code)
    if route is None:  # of a system that is gone, or what a feed brought for streams that no mapping reads
        return
    window = Window(part.window_start, part.window_end) if part.window_start else None
    rows, lang = route_rows(hub, route), hub.settings.locale
    metadata = route_metadata(_report(part, gone), Request(run.mode, window), run.id, rows, lang)
    key = names.route_key(route.system, route.entity.name)
    yield from _materializations(key, metadata, _days(route, window))
    yield AssetMaterialization(names.table_key(route.entity.name), metadata={ROW_COUNT: table_rows(hub, route.entity)})


def _materializations(key: AssetKey, metadata: dict[str, Any], days: list[date]) -> Iterator[AssetMaterialization]:
    for day in days:
        yield AssetMaterialization(key, partition=day.isoformat(), metadata=metadata)
    if not days:
        yield AssetMaterialization(key, metadata=metadata)


def _days(route: Route, window: Window | None) -> list[date]:
    """Days of a backfill, as partitions; an exchange without a period marks none."""
    if window is None or not route.entity.dated_by:
        return []
    length = (window.end - window.start).days
    return [window.start + timedelta(days=number) for number in range(length)] if length <= MOST_DAYS else []


def _report(part: Row[Any], gone: Deletions) -> RouteReport:
    outcomes = {name: getattr(part, name) for name in OUTCOMES}
    return RouteReport(
        part.code,
        part.state,
        Counters(received=part.received, skipped_by=dict(part.skipped_by or {}), **outcomes),
        released=part.released,
        absent=part.absent,
        pages=part.pages,
        requests=part.requests,
        bytes=part.bytes,
        seconds=(part.ended_at - part.started_at).total_seconds() if part.ended_at else 0.0,
        deleted=gone.deleted,
        restored=gone.restored,
    )
