"""Runs and leases: who may write a route, and how a run that died gives way.

The story the lease tells: worker A exchanges a route and its code server dies. A lives on as an orphan, Dagster fails
its run and starts worker B. B takes the lease of the route over (A's run is named as superseded, or A's process is
gone, or its lease ran out). When A comes to its next page it must renew the lease *inside the transaction of that
page*; the row is no longer A's, so A's whole page is rolled back and A stops. No page is ever written by two runs.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, and_, or_, select, update

from hub import __version__
from hub.model.errors import Fenced, HubError, RetryLater
from hub.model.process import alive, process_mark
from hub.model.records import OUTCOMES, PUSHED, Counters, PushCounters, Window
from hub.store import core
from hub.store.database import Store

#: A live run renews at every page; a page may wait for a slow source as long as this.
LEASE = timedelta(minutes=10)
#: ``later``: nothing of the route was asked for, since nothing cheap shows what changed; a whole exchange will read it.
ENDED = ("completed", "warnings", "failed", "fenced", "disabled", "waiting", "later", "paused")
#: From best to worst: a run is as good as its worst route.
_SEVERITY = {
    state: rank
    for rank, state in enumerate(
        ("disabled", "later", "completed", "paused", "waiting", "warnings", "failed", "fenced")
    )
}


def now() -> datetime:
    """The current time, UTC, whole seconds (what the store keeps)."""
    return datetime.now(UTC).replace(microsecond=0)


def open_run(
    store: Store,
    routes: list[str],
    *,
    mode: str,
    initiator: str,
    dagster_run_id: str | None = None,
    supersedes: str | None = None,
    silent: bool = False,
) -> int:
    """Id of a running exchange run; for a Dagster run that has one already (another asset opened it), that one."""
    with store.begin() as conn:
        close_dead_runs(conn)
        if supersedes:
            # Its process lives, else it would be closed by now: an orphan, to be kept from writing.
            _fail(conn, core.exchange_run.c.dagster_run_id == supersedes, "fenced")
        if dagster_run_id:
            there = _reopen(conn, dagster_run_id)
            if there is not None:
                return there
        number = conn.execute(
            core.exchange_run.insert()
            .returning(core.exchange_run.c.id)
            .values(
                mode=mode,
                initiator=initiator,
                dagster_run_id=dagster_run_id,
                state="running",
                started_at=now(),
                silent=silent,
                host=socket.gethostname(),
                pid=os.getpid(),
                process_started=process_mark(os.getpid()),
                code_version=__version__,
                planned=routes,
            )
        )
        return int(number.scalar_one())


def _reopen(conn: Connection, dagster_run_id: str) -> int | None:
    """The exchange run of a Dagster run, running again (a step was retried); ``Fenced`` if a newer run replaced it."""
    runs = core.exchange_run
    row = conn.execute(select(runs.c.id, runs.c.state).where(runs.c.dagster_run_id == dagster_run_id)).first()
    if row is None:
        return None
    if row.state == "fenced":
        raise Fenced("run_replaced", run=row.id)
    conn.execute(
        update(runs)
        .where(runs.c.id == row.id)
        .values(
            state="running",
            ended_at=None,
            host=socket.gethostname(),
            pid=os.getpid(),
            process_started=process_mark(os.getpid()),
        )
    )
    return int(row.id)


def _fail(conn: Connection, condition: Any, state: str = "failed") -> list[int]:
    """End the running runs that meet ``condition`` and free their routes; their ids."""
    runs = core.exchange_run
    ids = [int(row.id) for row in conn.execute(select(runs.c.id).where(runs.c.state == "running", condition))]
    if ids:
        # Always route, then run_route, then exchange_run: a page takes them in this order, and so nobody deadlocks.
        conn.execute(
            update(core.route).where(core.route.c.lease_run_id.in_(ids)).values(lease_run_id=None, lease_until=None)
        )
        conn.execute(
            update(core.run_route)
            .where(core.run_route.c.run_id.in_(ids), core.run_route.c.state == "running")
            .values(state=state, ended_at=now())
        )
        conn.execute(update(runs).where(runs.c.id.in_(ids)).values(state=state, ended_at=now()))
    return ids


def close_dead_runs(conn: Connection) -> list[int]:
    """Fail the runs of this machine whose process is gone; their ids."""
    runs = core.exchange_run
    host = socket.gethostname()
    rows = conn.execute(
        select(runs.c.id, runs.c.pid, runs.c.process_started).where(runs.c.state == "running", runs.c.host == host)
    ).all()
    dead = [row.id for row in rows if not alive(int(row.pid), row.process_started or "")]
    return _fail(conn, runs.c.id.in_(dead)) if dead else []


def take_route(conn: Connection, run_id: int, route_id: int, code: str) -> None:
    """Lease the route to the run; ``RetryLater(route_busy)`` while a live run holds it."""
    route = core.route
    taken = conn.execute(
        update(route)
        .where(
            route.c.id == route_id,
            or_(route.c.lease_run_id.is_(None), route.c.lease_run_id == run_id, route.c.lease_until < now()),
        )
        .values(lease_run_id=run_id, lease_until=now() + LEASE)
    )
    if taken.rowcount == 1:
        return
    runs = core.exchange_run
    owner = conn.execute(
        select(runs.c.id, runs.c.pid, runs.c.host, runs.c.started_at, runs.c.state)
        .join(route, route.c.lease_run_id == runs.c.id)
        .where(route.c.id == route_id)
    ).first()
    if owner is None or owner.state != "running":
        conn.execute(update(route).where(route.c.id == route_id).values(lease_run_id=run_id, lease_until=now() + LEASE))
        return
    raise RetryLater(
        "route_busy", route=code, run=owner.id, since=str(owner.started_at), pid=owner.pid, host=owner.host
    )


def start_route(conn: Connection, run_id: int, route_id: int, mapping_hash: str, window: Window | None) -> None:
    """A running row for the route in the run; a retry within the same run goes on with the row it has."""
    table = core.run_route
    there = conn.execute(
        update(table)
        .where(table.c.run_id == run_id, table.c.route_id == route_id)
        .values(
            state="running",
            ended_at=None,
            error_code=None,
            error_text=None,
            error_params=None,
            mapping_hash=mapping_hash,
        )
    )
    if there.rowcount == 0:
        conn.execute(
            table.insert().values(
                run_id=run_id,
                route_id=route_id,
                state="running",
                started_at=now(),
                mapping_hash=mapping_hash,
                skipped_by={},
                window_start=window.start if window else None,
                window_end=window.end if window else None,
            )
        )


def hold(conn: Connection, run_id: int, route_id: int, code: str) -> None:
    """Prove inside the transaction that the route is still this run's, and renew; ``Fenced`` if it is not."""
    kept = conn.execute(
        update(core.route)
        .where(and_(core.route.c.id == route_id, core.route.c.lease_run_id == run_id))
        .values(lease_until=now() + LEASE)
    )
    if kept.rowcount != 1:
        owner = conn.execute(select(core.route.c.lease_run_id).where(core.route.c.id == route_id)).scalar()
        raise Fenced("fenced", route=code, run=owner)


def account(conn: Connection, run_id: int, route_id: int, counters: Counters, **more: int) -> None:
    """Add one page's counters to the run's row; the database itself refuses counters that do not balance."""
    table = core.run_route
    values: dict[str, Any] = {name: table.c[name] + getattr(counters, name) for name in ("received", *OUTCOMES)}
    values |= {name: table.c[name] + number for name, number in more.items()}
    key = and_(table.c.run_id == run_id, table.c.route_id == route_id)
    if counters.skipped_by:
        known = conn.execute(select(table.c.skipped_by).where(key)).scalar() or {}
        total = {**known}
        for reason, number in counters.skipped_by.items():
            total[reason] = total.get(reason, 0) + number
        values["skipped_by"] = total
    conn.execute(update(table).where(key).values(**values))


def account_push(conn: Connection, run_id: int, route_id: int, counters: PushCounters, writes: int) -> None:
    """Write what became of what a route owed. ``writes``: requests that wrote.

    A route may send more than once in a run: what was settled adds up, what stands is as it was left the last time.
    """
    table = core.run_push
    values: dict[str, Any] = {name: getattr(counters, name) for name in PUSHED}
    values |= {"failed_by": counters.by.get("failed"), "waiting_by": counters.by.get("waiting"), "writes": writes}
    key = and_(table.c.run_id == run_id, table.c.route_id == route_id)
    before = conn.execute(select(table).where(key)).mappings().first()
    if before is None:
        conn.execute(table.insert().values(run_id=run_id, route_id=route_id, owed=counters.owed, **values))
        return
    for name in ("confirmed", "superseded", "writes"):
        values[name] += before[name]
    values["owed"] = sum(values[name] for name in PUSHED)
    conn.execute(update(table).where(key).values(**values))


def end_route(
    store: Store,
    run_id: int,
    route_id: int,
    state: str,
    error: HubError | None = None,
    paused: Mapping[str, Sequence[HubError]] | None = None,
) -> None:
    """Close the route's row and give the lease back; with the last planned route the run itself ends.

    ``paused``: mappings that do not fit what the base publishes, each with its reasons.
    """
    table = core.run_route
    with store.begin() as conn:
        conn.execute(
            update(core.route)
            .where(core.route.c.id == route_id, core.route.c.lease_run_id == run_id)
            .values(lease_run_id=None, lease_until=None)
        )
        conn.execute(
            update(table)
            .where(table.c.run_id == run_id, table.c.route_id == route_id, table.c.state == "running")
            .values(
                state=state,
                ended_at=now(),
                error_code=error.code if error else None,
                error_text=str(error) if error else None,
                error_params=_plain(error.params) if error else None,
                paused={name: [told(one) for one in reasons] for name, reasons in (paused or {}).items()} or None,
            )
        )
        end_run_if_done(conn, run_id)


def told(error: HubError) -> dict[str, Any]:
    """An error as the journal keeps it: code and parameters, so that it can be told in any language later."""
    return {"code": error.code, "params": _plain(error.params)}


def _plain(params: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters as JSON has them; anything else as its text."""
    return {name: value if isinstance(value, (str, int, float, bool)) else str(value) for name, value in params.items()}


def end_run_if_done(conn: Connection, run_id: int) -> None:
    """End the run when every planned route has ended; it is as good as its worst route."""
    runs = core.exchange_run
    planned = conn.execute(select(runs.c.planned).where(runs.c.id == run_id)).scalar() or []
    rows = conn.execute(
        select(core.route.c.code, core.run_route.c.state)
        .join(core.route, core.route.c.id == core.run_route.c.route_id)
        .where(core.run_route.c.run_id == run_id)
    ).all()
    states = {row.code: row.state for row in rows}
    if any(states.get(code) not in ENDED for code in planned):
        return
    conn.execute(
        update(runs)
        .where(runs.c.id == run_id, runs.c.state == "running")
        .values(state=worst(states.values()), ended_at=now())
    )


def worst(states: Iterable[str]) -> str:
    """State of a run whose routes ended in ``states``."""
    found = max(states, key=lambda state: _SEVERITY[state], default="completed")
    return "completed" if found in {"disabled", "later"} else found
