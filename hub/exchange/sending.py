"""The second half of an exchange: what is owed is sent, route by route, references first."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from sqlalchemy import func, or_, select

from hub.exchange import runs, went_back
from hub.exchange.caught import caught
from hub.exchange.hub import Hub, Route
from hub.exchange.pauses import paused
from hub.exchange.push.decide import Gate
from hub.exchange.push.push import Push
from hub.exchange.resettle import resettle
from hub.exchange.subscribing import subscribe
from hub.model.errors import Fenced, HubError, RetryLater, StopSystem
from hub.model.records import Counters, PushCounters
from hub.store import core

#: What is sent may bring in what is then owed to another system: so often at most, the rest is the next run's.
ROUNDS = 3


@dataclass(slots=True)
class PushReport:
    """What one route sent in one run. ``received``: what the looks before and after writing brought in."""

    route: str
    state: str
    counters: PushCounters = field(default_factory=PushCounters)
    received: Counters = field(default_factory=Counters)
    error: HubError | None = None


def owing(hub: Hub, systems: Iterable[str] | None = None) -> list[Route]:
    """Routes that write and have anything in the outbox, in the order of their references."""
    wanted = set(systems) if systems is not None else set(hub.settings.systems)
    with hub.store.read() as conn:
        found = set(conn.execute(select(core.outbox.c.route_id).distinct()).scalars())
    return [route for route in _in_order(hub) if route.id in found and route.system in wanted]


def push_route(
    hub: Hub,
    run_id: int,
    code: str,
    *,
    should_stop: Callable[[], bool] | None = None,
    only: list[int] | None = None,
    gate: Gate | None = None,
) -> PushReport:
    """Send what the route (``system.entity``) owes, within an open run; faults are in the report.

    ``only``: to these links alone, first contacts too. ``gate``: asked before anything is sent.
    """
    hub.route(code)
    route = hub.push_routes[code]
    why = paused(hub, route)
    if why is not None or not route.settings.enabled:
        return _closed(hub, run_id, route, "paused" if why is not None else "disabled")
    work = Push(hub, run_id, route, should_stop, only, gate)

    def act() -> None:
        went_back.guard(hub, run_id, route.system)
        mapping_hash = hub.profile_hash(route.system)
        with hub.store.begin() as conn:
            runs.take_route(conn, run_id, route.id, route.code)
            runs.start_route(conn, run_id, route.id, mapping_hash, None)
        work.run()

    error = caught(act, route.code)
    report = PushReport(route.code, _state(work.counters, error), work.counters, work.received, error)
    runs.end_route(hub.store, run_id, route.id, report.state, error)
    return report


def push_all(
    hub: Hub,
    run_id: int,
    systems: Iterable[str] | None = None,
    *,
    down: Iterable[str] = (),
    should_stop: Callable[[], bool] | None = None,
) -> list[PushReport]:
    """Send all that is owed to ``systems`` (all when None) but those that are ``down``; a report per route."""
    resettle(hub, run_id)
    reports: dict[str, PushReport] = {}
    unreachable = set(down)
    wanted = list(systems) if systems is not None else list(hub.settings.systems)
    subscribe(hub, run_id, [code for code in wanted if code not in unreachable])
    for _ in range(ROUNDS):
        due = [route for route in owing(hub, wanted) if route.system not in unreachable and _due(hub, route)]
        due = [route for route in due if route.code not in reports or reports[route.code].error is None]
        if not due:
            break
        for route in due:
            if route.system in unreachable:
                continue
            report = push_route(hub, run_id, route.settings.code, should_stop=should_stop)
            before = reports.get(route.code)
            reports[route.code] = report if before is None else _joined(before, report)
            if report.error is not None and isinstance(report.error, (RetryLater, StopSystem)):
                unreachable.add(route.system)
    for route in writing(hub, wanted):
        if route.code not in reports:
            reports[route.code] = _closed(hub, run_id, route, "waiting" if route.system in unreachable else "completed")
    return list(reports.values())


def writing(hub: Hub, systems: Iterable[str] | None = None) -> list[Route]:
    """Routes to ``systems`` (all when None) that may write anything, in the order of their references."""
    wanted = set(systems) if systems is not None else set(hub.settings.systems)
    return [
        route
        for route in _in_order(hub)
        if route.system in wanted and hub.rules.way(route.system, route.entity.name).writes
    ]


def _in_order(hub: Hub) -> list[Route]:
    """Routes of all systems, those of referenced entities first."""
    order = {name: at for at, name in enumerate(dict.fromkeys(route.entity.name for route in hub.routes.values()))}
    return sorted(hub.push_routes.values(), key=lambda route: order[route.entity.name])


def _due(hub: Hub, route: Route) -> bool:
    box, now = core.outbox, runs.now()
    due = or_(box.c.next_at.is_(None), box.c.next_at <= now)
    with hub.store.read() as conn:
        found = conn.execute(
            select(func.count())
            .select_from(box)
            .where(box.c.route_id == route.id, box.c.state.in_(("pending", "sending", "unknown", "waiting")), due)
        ).scalar_one()
    return bool(found)


def _state(counters: PushCounters, error: HubError | None) -> str:
    if error is not None:
        return "fenced" if isinstance(error, Fenced) else "waiting" if error.code == "quiet_hours" else "failed"
    return "warnings" if counters.failed or counters.held or counters.unknown else "completed"


def _closed(hub: Hub, run_id: int, route: Route, state: str) -> PushReport:
    """A route that sends nothing now, told with what it owes."""
    from hub.exchange.push import box
    from hub.model.records import PUSHED

    counters = PushCounters()
    with hub.store.begin() as conn:
        runs.start_route(conn, run_id, route.id, "", None)
        for standing, reason, number in box.standing(conn, route.id, ()):
            counters.add(standing if standing in PUSHED else "waiting", reason or state, number)
        runs.account_push(conn, run_id, route.id, counters, 0)
    if state == "completed":  # nothing is due; what waits for a person does so all the same
        state = _state(counters, None)
    runs.end_route(hub.store, run_id, route.id, state)
    return PushReport(route.code, state, counters)


def _joined(before: PushReport, after: PushReport) -> PushReport:
    """Two rounds of one route as one: what was settled adds up, what stands is as the last round left it."""
    counters = after.counters
    for outcome in ("confirmed", "superseded"):
        setattr(counters, outcome, getattr(counters, outcome) + getattr(before.counters, outcome))
    after.received.add(before.received)
    return after
