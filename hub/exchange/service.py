"""What the command and Dagster call alike: open a run, pull its routes, report."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field

from sqlalchemy.exc import DBAPIError, OperationalError

from hub.exchange import runs
from hub.exchange.feed import FeedPull
from hub.exchange.hub import Hub
from hub.exchange.pull import Progress, Pull, open_quarantine, timed
from hub.model.errors import Fenced, HubError, NeedsPerson, RetryLater, StopRoute, StopSystem
from hub.model.records import Counters, Window
from hub.store import core

__all__ = [
    "Progress",
    "RouteReport",
    "RunReport",
    "backfill",
    "open_run",
    "pull_feed",
    "pull_route",
    "refuse_route",
    "run_exchange",
    "stops_system",
]

log = logging.getLogger("obmen.exchange")

#: Refusals that only the settings can mend; other stops of a system count as "could not be reached".
_SETTINGS = frozenset({"auth_failed", "forbidden", "nothing_published"})


@dataclass(slots=True)
class RouteReport:
    """What one route did in one run.

    ``seconds``: wall time. ``writes``: write requests sent to the source. ``quarantine``: open quarantine of the route
    by reason code, whatever run put it there. ``paused``: mappings that do not fit what the base publishes now.
    """

    route: str
    state: str
    counters: Counters = field(default_factory=Counters)
    released: int = 0
    absent: int = 0
    pages: int = 0
    requests: int = 0
    writes: int = 0
    bytes: int = 0
    seconds: float = 0.0
    error: HubError | None = None
    paused: list[str] = field(default_factory=list)
    quarantine: dict[str, int] = field(default_factory=dict)
    resumed: bool = False


@dataclass(slots=True)
class RunReport:
    """What one run did."""

    run_id: int
    mode: str
    routes: list[RouteReport] = field(default_factory=list)

    @property
    def state(self) -> str:
        """As good as the worst route."""
        return runs.worst(report.state for report in self.routes)

    @property
    def exit_code(self) -> int:
        """0 done · 1 something waits for a person · 2 settings are wrong · 3 a system could not be reached."""
        return max((_exit_code(report) for report in self.routes), default=0)


def _exit_code(report: RouteReport) -> int:
    error = report.error
    if error is None:
        return 1 if report.state == "warnings" else 0
    if isinstance(error, NeedsPerson) or error.code in _SETTINGS:
        return 2
    return 3 if isinstance(error, (RetryLater, StopSystem)) else 1


def open_run(
    hub: Hub,
    routes: list[str],
    *,
    mode: str,
    initiator: str,
    dagster_run_id: str | None = None,
    supersedes: str | None = None,
    silent: bool = False,
) -> int:
    """Id of the running exchange run that ``routes`` (codes, in order) will be pulled in.

    ``mode``: nightly, manual, backfill, initial or feed. ``supersedes``: Dagster id of a run that this one replaces;
    if it still lives somewhere, it writes nothing from now on.
    """
    for code in routes:
        hub.route(code)
    return runs.open_run(
        hub.store,
        routes,
        mode=mode,
        initiator=initiator,
        dagster_run_id=dagster_run_id,
        supersedes=supersedes,
        silent=silent,
    )


def pull_route(
    hub: Hub,
    run_id: int,
    code: str,
    *,
    window: Window | None = None,
    on_progress: Callable[[Progress], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> RouteReport:
    """Pull one route within an open run; faults are in the report, nothing is raised for them."""
    route = hub.route(code)
    if not route.settings.enabled:
        with hub.store.begin() as conn:
            runs.start_route(conn, run_id, route.id, "", window)
        runs.end_route(hub.store, run_id, route.id, "disabled")
        return RouteReport(code, "disabled")
    work = Pull(hub, run_id, route, on_progress, should_stop)
    before = _traffic(hub, route.system)
    try:
        error, seconds = timed(work, window)
    except OperationalError as caught:
        error, seconds = RetryLater("store_busy", detail=_first_line(caught)), 0.0
    except DBAPIError as caught:
        error, seconds = StopRoute("store_refuses", detail=_first_line(caught)), 0.0
    except Exception as caught:
        log.exception("route %s failed", code)
        error, seconds = StopRoute("internal", detail=type(caught).__name__), 0.0
    report = _report(hub, work, error, seconds)
    requests, writes = (after - then for after, then in zip(_traffic(hub, route.system), before, strict=True))
    report.requests, report.writes = requests, writes
    _close(hub, run_id, route.id, report)
    return report


def _traffic(hub: Hub, system: str) -> tuple[int, int]:
    traffic = hub.traffic(system)
    return (traffic.requests, traffic.writes) if traffic else (0, 0)


def _first_line(error: DBAPIError) -> str:
    return str(error.orig).splitlines()[0][:200] if str(error.orig) else type(error.orig).__name__


def _report(hub: Hub, work: Pull, error: HubError | None, seconds: float) -> RouteReport:
    with hub.store.read() as conn:
        waiting = open_quarantine(conn, work.route.id)
    counters = work.counters
    troubled = counters.quarantined or counters.parked or counters.held or work.paused
    state = "warnings" if troubled else "completed"
    if error is not None:
        state = "fenced" if isinstance(error, Fenced) else "failed"
    return RouteReport(
        work.route.code,
        state,
        counters,
        work.released,
        work.absent,
        work.pages,
        bytes=work.nbytes,
        seconds=seconds,
        error=error,
        paused=list(work.paused),
        quarantine=waiting,
        resumed=work.resumed,
    )


def _close(hub: Hub, run_id: int, route_id: int, report: RouteReport) -> None:
    """Write the end of the route; a route that never started (its system was down) gets its row here.

    What another run has taken over is closed already and stays as that run left it.
    """
    table = core.run_route
    with hub.store.begin() as conn:
        there = conn.execute(table.select().where(table.c.run_id == run_id, table.c.route_id == route_id)).first()
        if there is None:
            runs.start_route(conn, run_id, route_id, "", None)
        conn.execute(
            table.update()
            .where(table.c.run_id == run_id, table.c.route_id == route_id, table.c.state == "running")
            .values(requests=table.c.requests + report.requests)
        )
    runs.end_route(hub.store, run_id, route_id, report.state, report.error)


def stops_system(error: HubError) -> bool:
    """Whether an error of one route means that the other routes of its system need not be tried in this run."""
    return isinstance(error, (RetryLater, StopSystem)) and error.code != "route_busy"


def refuse_route(hub: Hub, run_id: int, code: str, error: HubError) -> RouteReport:
    """Journal a route as failed for the reason that another route of its system has just met, without asking again."""
    report = RouteReport(code, "failed", error=error)
    _close(hub, run_id, hub.route(code).id, report)
    return report


def run_exchange(
    hub: Hub,
    routes: list[str] | None = None,
    *,
    mode: str = "manual",
    initiator: str = "cli",
    window: Window | None = None,
    silent: bool = False,
    on_progress: Callable[[Progress], None] | None = None,
) -> RunReport:
    """Pull ``routes`` (all when None) in order, in one run. A system that fails as a whole is not asked again."""
    wanted = routes or list(hub.routes)
    ordered = [code for code in hub.routes if code in {hub.route(code).code for code in wanted}]
    run_id = open_run(hub, ordered, mode=mode, initiator=initiator, silent=silent)
    report = RunReport(run_id, mode)
    down: dict[str, HubError] = {}
    for code in ordered:
        route = hub.route(code)
        if route.system in down:
            report.routes.append(refuse_route(hub, run_id, code, down[route.system]))
            continue
        one = pull_route(hub, run_id, code, window=window, on_progress=on_progress)
        report.routes.append(one)
        if one.error is not None and stops_system(one.error):
            down[route.system] = one.error
    return report


def backfill(
    hub: Hub,
    routes: list[str],
    window: Window,
    *,
    initiator: str = "cli",
    on_progress: Callable[[Progress], None] | None = None,
) -> RunReport:
    """Re-read a period of the given routes, day by day and silently; a broken one goes on where it stopped."""
    return run_exchange(
        hub, routes, mode="backfill", initiator=initiator, window=window, silent=True, on_progress=on_progress
    )


def pull_feed(hub: Hub, system: str, node: str, *, initiator: str = "cli") -> RunReport:
    """Take the change feed of a base's exchange-plan node until it is empty, acknowledging only what is committed."""
    routes = [route.code for route in hub.routes.values() if route.system == system]
    routes.append(hub.other_route(system).code)
    run_id = runs.open_run(hub.store, routes, mode="feed", initiator=initiator)
    work = FeedPull(hub, run_id, system)
    error: HubError | None = None
    try:
        work.run(node)
    except HubError as caught:
        error = caught
    report = RunReport(run_id, "feed")
    for pull in work.parts.values():
        one = _report(hub, pull, error, 0.0)
        report.routes.append(one)
        _close(hub, run_id, pull.route.id, one)
    return report
