"""What the command and Dagster call alike: open a run, pull its routes, report."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import select

from hub.exchange import runs, went_back
from hub.exchange.acting import acting
from hub.exchange.caught import caught
from hub.exchange.duplicates.marks import ENTITY
from hub.exchange.duplicates.settle import Settled, settle
from hub.exchange.feed import FeedPull
from hub.exchange.hub import Hub
from hub.exchange.pauses import paused
from hub.exchange.pull import Progress, Pull, open_quarantine, timed
from hub.exchange.sending import PushReport, push_all, writing
from hub.model.errors import Fenced, HubError, RetryLater, StopSystem, exit_code
from hub.model.records import Counters, Window
from hub.store import core, journal

__all__ = [
    "Progress",
    "RouteReport",
    "RunReport",
    "backfill",
    "close_route",
    "exchange_changes",
    "open_run",
    "pull_feed",
    "pull_route",
    "refuse_route",
    "run_exchange",
    "stops_system",
]

#: A night reads the schema anew; in between, a name that is not published any more is noticed when it is asked for.
SCHEMA_SECONDS = 26 * 3600.0


@dataclass(slots=True)
class RouteReport:
    """What one route did in one run.

    ``seconds``: wall time. ``writes``: write requests sent to the source. ``quarantine``: open quarantine of the route
    by reason code, whatever run put it there. ``paused``: mappings that do not fit what the base publishes now.
    ``later``: mappings that a run of changes left to the next whole exchange; with state ``later`` they are all.
    ``deleted``/``restored``: how many of the updated ones turned out to be gone from the source, or came back.
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
    later: list[str] = field(default_factory=list)
    deleted: int = 0
    restored: int = 0


@dataclass(slots=True)
class RunReport:
    """What one run did. ``duplicates``: what became of clients that had changed, ``None`` where none are compared."""

    run_id: int
    mode: str
    routes: list[RouteReport] = field(default_factory=list)
    pushes: list[PushReport] = field(default_factory=list)
    duplicates: Settled | None = None
    duplicates_error: HubError | None = None

    @property
    def state(self) -> str:
        """As good as the worst route."""
        return runs.worst(report.state for report in self._parts)

    @property
    def exit_code(self) -> int:
        """0 done · 1 something waits for a person · 2 settings are wrong · 3 a system could not be reached."""
        return max((_exit_code(report) for report in self._parts), default=0)

    @property
    def _parts(self) -> list[RouteReport | PushReport]:
        return [*self.routes, *self.pushes]


def _exit_code(report: RouteReport | PushReport) -> int:
    error = report.error
    if error is None:
        return 1 if report.state == "warnings" else 0
    return exit_code(error)


def open_run(
    hub: Hub,
    routes: list[str],
    *,
    sends_to: Sequence[str] = (),
    mode: str,
    initiator: str,
    dagster_run_id: str | None = None,
    supersedes: str | None = None,
    silent: bool = False,
) -> int:
    """Id of the running exchange run that ``routes`` (codes, in order) will be pulled in.

    ``sends_to``: systems that are then sent what they are owed; the run is over when that is done too. ``mode``:
    nightly, manual, backfill, initial, feed or push. ``supersedes``: Dagster id of a run that this one replaces;
    if it still lives somewhere, it writes nothing from now on.
    """
    for code in routes:
        hub.route(code)
    return runs.open_run(
        hub.store,
        [*routes, *(route.code for route in writing(hub, sends_to))],
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
    changes: bool = False,
    so_far: Pull | None = None,
) -> RouteReport:
    """Pull one route within an open run; faults are in the report, nothing is raised for them.

    ``changes``: read as little as the base allows. ``so_far``: what its system's feed has brought in this run.
    """
    route = hub.route(code)
    stopped = "disabled" if not route.settings.enabled else "paused" if paused(hub, route) else ""
    if stopped:
        with hub.store.begin() as conn:
            runs.start_route(conn, run_id, route.id, "", window)
        runs.end_route(hub.store, run_id, route.id, stopped)
        return RouteReport(code, stopped)
    work = Pull(hub, run_id, route, on_progress, should_stop, changes)
    if so_far is not None:
        work.take_over(so_far)
    before = _traffic(hub, route.system)
    seconds = [0.0]

    def act() -> None:
        went_back.guard(hub, run_id, route.system)
        if not changes and window is None and route.settings.read == "feed":
            _feed_first(hub, route.system)
        error, seconds[0] = timed(work, window)
        if error is not None:
            raise error

    error = caught(act, code)
    report = _report(hub, work, error, seconds[0])
    requests, writes = (after - then for after, then in zip(_traffic(hub, route.system), before, strict=True))
    report.requests, report.writes = requests, writes
    close_route(hub, run_id, route.id, report, work.paused)
    return report


def _feed_first(hub: Hub, system: str) -> None:
    """A route that is read by the feed gets it taken in an exchange too: in a run of its own, for all routes."""
    for one in pull_feed(hub, system, "", initiator="exchange").routes:
        if one.error is not None:
            raise one.error


def _traffic(hub: Hub, system: str) -> tuple[int, int]:
    traffic = hub.traffic(system)
    return (traffic.requests, traffic.writes) if traffic else (0, 0)


def _report(hub: Hub, work: Pull, error: HubError | None, seconds: float) -> RouteReport:
    counters = work.counters
    with hub.store.read() as conn:
        waiting = open_quarantine(conn, work.route.id)
        gone = journal.deletions(conn, work.run_id).get(work.route.code) if counters.updated else None
    troubled = counters.quarantined or counters.parked or counters.held or work.paused
    unread = bool(work.later) and len(work.later) == len(work.route.mappings)
    state = "warnings" if troubled else "later" if unread else "completed"
    if error is not None:
        state = "fenced" if isinstance(error, Fenced) else "waiting" if error.code == "quiet_hours" else "failed"
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
        later=list(work.later),
        deleted=gone.deleted if gone else 0,
        restored=gone.restored if gone else 0,
    )


def close_route(
    hub: Hub,
    run_id: int,
    route_id: int,
    report: RouteReport,
    paused: Mapping[str, Sequence[HubError]] | None = None,
) -> None:
    """Write the end of the route; a route that never started (its system was down) gets its row here.

    What another run has taken over is closed already and stays as that run left it. ``paused``: mappings that do not
    fit, each with its reasons.
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
    runs.end_route(hub.store, run_id, route_id, report.state, report.error, paused)


def stops_system(error: HubError) -> bool:
    """Whether an error of one route means that the other routes of its system need not be tried in this run."""
    return isinstance(error, (RetryLater, StopSystem)) and error.code != "route_busy"


def refuse_route(hub: Hub, run_id: int, code: str, error: HubError) -> RouteReport:
    """Journal a route as failed for the reason that another route of its system has just met, without asking again."""
    report = RouteReport(code, "waiting" if error.code == "quiet_hours" else "failed", error=error)
    close_route(hub, run_id, hub.route(code).id, report)
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
    should_stop: Callable[[], bool] | None = None,
    after_reading: Callable[[int], None] | None = None,
) -> RunReport:
    """Pull ``routes`` (all when None) in order, then send what is owed, in one run.

    A system that fails as a whole is not asked again. ``after_reading``: is told the run's number between the two.
    """
    wanted = routes or list(hub.routes)
    ordered = [code for code in hub.routes if code in {hub.route(code).code for code in wanted}]
    sending = [route.code for route in writing(hub)]
    run_id = runs.open_run(hub.store, [*ordered, *sending], mode=mode, initiator=initiator, silent=silent)
    report = RunReport(run_id, mode)
    down: dict[str, HubError] = {}
    for code in ordered:
        route = hub.route(code)
        if route.system in down:
            report.routes.append(refuse_route(hub, run_id, code, down[route.system]))
            continue
        one = pull_route(hub, run_id, code, window=window, on_progress=on_progress, should_stop=should_stop)
        report.routes.append(one)
        if one.error is not None and stops_system(one.error):
            down[route.system] = one.error
    if after_reading is not None:
        after_reading(run_id)
    compare_clients(hub, report, silent=silent)
    report.pushes = push_all(hub, run_id, down=down, should_stop=should_stop)
    return report


def compare_clients(hub: Hub, report: RunReport, *, silent: bool = False) -> None:
    """Find duplicates among what has changed, and merge those beyond doubt unless the run is silent.

    A fault of it stops nothing: it is in the report, and what was not compared is compared the next time.
    """
    if hub.settings.duplicates == "off" or not any(route.entity.name == ENTITY for route in hub.routes.values()):
        return

    def act() -> None:
        merges = hub.settings.duplicates == "merge" and not silent
        report.duplicates = settle(hub, report.run_id, merges=merges)

    report.duplicates_error = caught(act, "duplicates")


def run_of(hub: Hub, dagster_run_id: str) -> int:
    """The newest exchange run of a Dagster run, ended or not; a run of its own where it has none."""
    table = core.exchange_run
    with hub.store.read() as conn:
        query = select(table.c.id).where(table.c.dagster_run_id == dagster_run_id).order_by(table.c.id.desc())
        found = conn.execute(query).scalar()
    if found is not None:
        return int(found)
    with acting(hub, "compare", "dagster", dagster_run_id=dagster_run_id) as run_id:
        return run_id


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
    """Take the change feed of a base's exchange-plan node until it is empty, acknowledging only what is committed.

    ``node``: ``""`` is the one of the settings.
    """
    routes = [route.code for route in hub.routes.values() if route.system == system]
    other = hub.other_route(system).code
    run_id = runs.open_run(hub.store, [*routes, other], mode="feed", initiator=initiator)
    parts, error = _take_feed(hub, run_id, system, node)
    report = RunReport(run_id, "feed")
    for code in [*routes, other]:
        report.routes.append(_end_of_feed(hub, run_id, code, parts.get(code), error))
    return report


def _take_feed(hub: Hub, run_id: int, system: str, node: str) -> tuple[dict[str, Pull], HubError | None]:
    """What the feed brought by route code, and what ended it."""
    parts: dict[str, Pull] = {}

    def act() -> None:
        went_back.guard(hub, run_id, system)
        work = FeedPull(hub, run_id, system)
        parts.update(work.parts)
        work.run(node)

    return parts, caught(act, f"feed of {system}")


def _end_of_feed(hub: Hub, run_id: int, code: str, part: Pull | None, error: HubError | None) -> RouteReport:
    """Close a route that only the feed was taken for."""
    route = hub.routes.get(code)
    if part is None and error is None:
        report = RouteReport(code, "disabled")
    elif part is None and error is not None:
        report = RouteReport(code, "waiting" if error.code == "quiet_hours" else "failed", error=error)
    elif part is not None:
        report = _report(hub, part, error, 0.0)
    route_id = (route or hub.other_route(code.partition(".")[0])).id
    close_route(hub, run_id, route_id, report, part.paused if part is not None else None)
    return report


def exchange_changes(
    hub: Hub,
    systems: list[str] | None = None,
    *,
    initiator: str = "cli",
    dagster_run_id: str | None = None,
    supersedes: str | None = None,
    on_progress: Callable[[Progress], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> RunReport:
    """Take what changed in ``systems`` (all when None), then send what is owed, in one run.

    Each stream is read in the cheapest way its base offers.

    The schema is not read again when a run or a check has done so lately: it would be most of what is transferred.
    """
    hub.believe_schemas(SCHEMA_SECONDS)
    wanted = [code for code in hub.settings.systems if code in {hub.system(name).code for name in systems or []}]
    wanted = wanted or list(hub.settings.systems)
    fed = [system for system in wanted if _has_feed(hub, system)]
    routes = [route.code for route in hub.routes.values() if route.system in wanted]
    routes += [hub.other_route(system).code for system in fed]
    run_id = runs.open_run(
        hub.store,
        [*routes, *(route.code for route in writing(hub))],
        mode="changes",
        initiator=initiator,
        dagster_run_id=dagster_run_id,
        supersedes=supersedes,
    )
    report = RunReport(run_id, "changes")
    for system in wanted:
        report.routes += _changes_of(hub, run_id, system, system in fed, on_progress, should_stop)
    errors = ((hub.routes.get(one.route), one.error) for one in report.routes)
    down = {route.system for route, error in errors if route and error is not None and stops_system(error)}
    compare_clients(hub, report)
    report.pushes = push_all(hub, run_id, down=down, should_stop=should_stop)
    return report


def _has_feed(hub: Hub, system: str) -> bool:
    """Whether changes of this system come by its feed: it has a node of ours, and a route that may be read so."""
    routes = [route for route in hub.routes.values() if route.system == system and route.settings.enabled]
    return bool(hub.system(system).node) and any(route.settings.read in {"auto", "feed"} for route in routes)


def _changes_of(
    hub: Hub,
    run_id: int,
    system: str,
    fed: bool,
    on_progress: Callable[[Progress], None] | None,
    should_stop: Callable[[], bool] | None,
) -> list[RouteReport]:
    codes = [route.code for route in hub.routes.values() if route.system == system]
    parts, error = _take_feed(hub, run_id, system, "") if fed else ({}, None)
    reports = []
    for code in codes:
        if error is not None:
            reports.append(_end_of_feed(hub, run_id, code, parts.get(code), error))
            continue
        one = pull_route(
            hub, run_id, code, on_progress=on_progress, should_stop=should_stop, changes=True, so_far=parts.get(code)
        )
        reports.append(one)
        error = one.error if one.error is not None and stops_system(one.error) else None
    if fed:
        other = hub.other_route(system).code
        reports.append(_end_of_feed(hub, run_id, other, parts.get(other), error))
    return reports
