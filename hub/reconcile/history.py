"""What the journal tells of a route's last exchanges: do the counters balance, is it fresh, is it as much as usual."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from statistics import median
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Row, func, select

from hub.exchange.hub import Hub, Route
from hub.model.records import OUTCOMES
from hub.reconcile.finding import Finding
from hub.reconcile.rows import stream_ids
from hub.store import core

ENDED_WELL = ("completed", "warnings")
#: A night and some slack.
FRESH_FOR = timedelta(hours=26)
USUAL_RUNS = 14
#: Fewer runs than these say nothing about what is usual.
_ENOUGH = 3
#: A difference of so few records is never news.
_SMALL = 20


def last_runs(conn: Connection, route: Route, limit: int) -> Sequence[Row[Any]]:
    """The route's rows in the journal, newest first, with mode and start of their runs."""
    part, run = core.run_route, core.exchange_run
    return conn.execute(
        select(part, run.c.mode, run.c.started_at.label("run_started"))
        .join(run, run.c.id == part.c.run_id)
        .where(part.c.route_id == route.id)
        .order_by(part.c.run_id.desc())
        .limit(limit)
    ).all()


def local(hub: Hub, moment: datetime) -> str:
    """A moment as the clocks of the company show it."""
    return moment.astimezone(ZoneInfo(hub.settings.company_timezone)).strftime("%d.%m.%Y %H:%M")


def counters_balance(hub: Hub, route: Route) -> Finding:
    """Each received record has one outcome, and the change log holds an insertion for each one said to be created.

    Records released from parking during the run are inserted too; they are counted at the route that released them.
    """
    with hub.store.read() as conn:
        rows = last_runs(conn, route, 30)
        if not rows:
            return Finding(passed=True, code="rc_no_runs", params={"route": route.code})
        newest = rows[0]
        inserted, released = _inserted(conn, route, newest.run_id), _released(conn, newest.run_id)
    torn = [row for row in rows if _difference(row)]
    unlogged = max(newest.created - inserted, inserted - newest.created - released, 0)
    numbers = {
        "rc_received": newest.received,
        "rc_created": newest.created,
        "rc_inserted": inserted,
        "rc_difference": sum(_difference(row) for row in torn) + unlogged,
    }
    if not torn and not unlogged:
        params = {"received": newest.received, "runs": len(rows)}
        return Finding(passed=True, code="rc_counters_balance_good", params=params, numbers=numbers)
    first = torn[-1] if torn else newest
    params = {"number": numbers["rc_difference"], "run": first.run_id, "since": local(hub, first.run_started)}
    return Finding(passed=False, code="rc_counters_balance_bad", params=params, numbers=numbers)


def _difference(row: Row[Any]) -> int:
    outcomes = sum(getattr(row, name) for name in OUTCOMES)
    return int(abs(row.received - outcomes) + abs(row.skipped - sum((row.skipped_by or {}).values())))


def _inserted(conn: Connection, route: Route, run_id: int) -> int:
    log, link = core.change_log, core.link
    ids = list(stream_ids(conn, route).values())
    query = (
        select(func.count())
        .select_from(log.join(link, link.c.id == log.c.link_id))
        .where(log.c.run_id == run_id, log.c.op == "insert", link.c.stream_id.in_(ids))
    )
    return int(conn.execute(query).scalar_one())


def _released(conn: Connection, run_id: int) -> int:
    part = core.run_route
    query = select(func.coalesce(func.sum(part.c.released), 0)).where(part.c.run_id == run_id)
    return int(conn.execute(query).scalar_one())


def freshness(hub: Hub, route: Route, now: datetime) -> Finding:
    """The last exchange of the route that ended well is not older than ``FRESH_FOR``; a replay reads nothing."""
    part, run = core.run_route, core.exchange_run
    with hub.store.read() as conn:
        last = conn.execute(
            select(func.max(part.c.ended_at))
            .join(run, run.c.id == part.c.run_id)
            .where(part.c.route_id == route.id, part.c.state.in_(ENDED_WELL), run.c.mode != "replay")
        ).scalar()
    if not route.settings.enabled:
        return Finding(passed=True, code="rc_freshness_off", params={"route": route.code})
    if last is None:
        return Finding(passed=False, code="rc_freshness_never", params={"route": route.code})
    hours = round((now - last).total_seconds() / 3600, 1)
    params = {"route": route.code, "hours": hours, "since": local(hub, last)}
    good = now - last <= FRESH_FOR
    code = "rc_freshness_good" if good else "rc_freshness_bad"
    return Finding(passed=good, code=code, params=params, numbers={"rc_hours": hours})


def volume_as_usual(hub: Hub, route: Route) -> Finding:
    """The last whole exchange received between half and double the median of those before it.

    Backfills and reads that did not end well are not compared: they bring what they were asked for.
    """
    with hub.store.read() as conn:
        rows = [row for row in last_runs(conn, route, 10 * USUAL_RUNS) if _whole(row)]
    if len(rows) <= _ENOUGH:
        few = {"runs": max(len(rows) - 1, 0), "enough": _ENOUGH}
        return Finding(passed=True, code="rc_volume_few", params=few, severity="warn", numbers=_volume(rows))
    newest, before = rows[0], rows[1 : USUAL_RUNS + 1]
    usual = median(row.received for row in before)
    good = usual / 2 <= newest.received <= usual * 2 or abs(newest.received - usual) <= _SMALL
    params: dict[str, Any] = {
        "received": newest.received,
        "usual": int(usual),
        "runs": len(before),
        "run": newest.run_id,
        "since": local(hub, newest.run_started),
    }
    code = "rc_volume_good" if good else "rc_volume_bad"
    return Finding(good, code, params, "warn", _volume(rows) | {"rc_usual": float(usual)})


def _whole(row: Row[Any]) -> bool:
    return row.state in ENDED_WELL and row.mode in {"nightly", "manual"} and row.window_start is None


def _volume(rows: Sequence[Row[Any]]) -> dict[str, int | float]:
    return {"rc_received": rows[0].received} if rows else {}
