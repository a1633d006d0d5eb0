"""Carrying a plan out: record by record what is still true of it; the rest is listed with the reason."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import groupby, islice

from hub.exchange import runs, went_back
from hub.exchange.caught import caught
from hub.exchange.hub import Hub, Route
from hub.exchange.pauses import paused
from hub.exchange.plan import file
from hub.exchange.plan.batch import Batches
from hub.exchange.plan.parts import Item, Outgoing
from hub.exchange.plan.sending import Sending
from hub.exchange.service import RouteReport, RunReport, stops_system
from hub.model.errors import Fenced, HubError

_BATCH = 100


@dataclass(frozen=True, slots=True)
class Moved:
    """A part of a plan that was not carried out. ``reason``: a code; ``key``: its record in words."""

    section: str
    route: str
    key: str
    label: str
    reason: str


@dataclass(slots=True)
class ApplyReport:
    """What became of a plan. ``already``: records that an earlier try had applied; ``whole``: all could be reached."""

    code: str
    run: RunReport
    applied: int = 0
    already: int = 0
    sent: int = 0
    moved: list[Moved] = field(default_factory=list)
    whole: bool = True

    @property
    def exit_code(self) -> int:
        """As of any run; what has moved waits for a person."""
        return max(self.run.exit_code, 1 if self.moved else 0)


def apply_plan(
    hub: Hub,
    name: str,
    *,
    initiator: str = "cli",
    dagster_run_id: str | None = None,
    supersedes: str | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> ApplyReport:
    """Carry out the plan of that code, or at that path: once, and only what is still as it was planned.

    ``NeedsPerson``: see ``file.find``. First contacts that the plan shows are approved by it.
    """
    plan = file.find(hub, name)
    pulls = [code for code in hub.routes if code in plan.counts.get("items", {})]
    pushes = [code for code in hub.push_routes if code in plan.counts.get("outgoing", {})]
    run_id = runs.open_run(
        hub.store,
        [*pulls, *(hub.push_routes[code].code for code in pushes)],
        mode="apply",
        initiator=initiator,
        dagster_run_id=dagster_run_id,
        supersedes=supersedes,
    )
    work = _Apply(hub, plan, run_id, should_stop)
    try:
        file.claim(hub, plan, run_id)
        work.items()
        work.send(pushes)
    finally:
        work.close(pulls, pushes)
    file.close(hub, plan, run_id, whole=work.report.whole)
    return work.report


class _Apply:
    """One plan at work."""

    def __init__(self, hub: Hub, plan: file.Plan, run_id: int, should_stop: Callable[[], bool] | None) -> None:
        self.hub, self.plan, self.run_id, self.should_stop = hub, plan, run_id, should_stop
        self.report = ApplyReport(plan.code, RunReport(run_id, "apply"))
        self.blocked: dict[str, str] = {}
        self.started: set[str] = set()
        self.errors: dict[str, HubError] = {}
        expected = {item.key: item.mark for item in file.read(hub, plan.code, Item) if item.kind != "sent"}
        self.batches = Batches(hub, run_id, expected, plan.run, self._moved, should_stop)

    def _moved(self, part: Item | Outgoing, reason: str) -> None:
        section = "items" if isinstance(part, Item) else "outgoing"
        self.report.moved.append(Moved(section, part.route, part.key, part.label, reason))

    def items(self) -> None:
        """What systems told."""
        for kind, route, some in self._groups():
            if kind == "sent":
                continue  # comes by itself when what causes it is sent
            if kind == "rules":
                self.batches.rules(some)
            elif self._open(route):
                self._records(route, some)
            else:
                for item in some:
                    self._moved(item, self.blocked[route])
        self.report.already = self.batches.already
        self.report.applied = len(self.batches.done) - self.batches.already

    def _groups(self) -> Iterator[tuple[str, str, list[Item]]]:
        """Neighbours of one kind, route, stream and entity, so many at once as are fetched together."""

        def of(item: Item) -> tuple[str, str, str, str]:
            return item.kind, item.route, item.stream, item.entity

        for (kind, route, *_), found in groupby(file.read(self.hub, self.plan.code, Item), of):
            while some := list(islice(found, _BATCH)):
                yield kind, route, some

    def _records(self, code: str, some: list[Item]) -> None:
        known = len(self.report.moved)
        error = caught(lambda: self.batches.records(self.hub.route(code), some), code)
        if error is None:
            return
        self._stop(code, error)
        told = {one.key for one in self.report.moved[known:]}
        for item in some:
            if item.key not in told and item.key not in self.batches.done:
                self._moved(item, error.code)

    def _stop(self, code: str, error: HubError) -> None:
        """The route goes on no more; nor do the others of its system, when that is down."""
        self.errors[code], self.blocked[code] = error, error.code
        self.report.whole = False
        if isinstance(error, Fenced):
            self.blocked.update(dict.fromkeys(self.hub.routes, error.code))
        elif stops_system(error):
            system = self.hub.route(code).system
            self.blocked.update(
                {other.code: error.code for other in self.hub.routes.values() if other.system == system}
            )

    def _open(self, code: str) -> bool:
        """Whether the route may be worked on; leased to this run at its first item."""
        if code in self.blocked or code in self.started:
            return code not in self.blocked
        route = self.hub.routes.get(code)
        if route is None or not route.settings.enabled or paused(self.hub, route):
            self.blocked[code] = "plan_route_stands"
            return False
        error = caught(lambda: self._lease(route), code)
        self.started.add(code)
        if error is not None:
            self._stop(code, error)
        return error is None

    def _lease(self, route: Route) -> None:
        went_back.guard(self.hub, self.run_id, route.system)
        mapping_hash = self.hub.profile_hash(route.system)
        with self.hub.store.begin() as conn:
            runs.take_route(conn, self.run_id, route.id, route.code)
            runs.start_route(conn, self.run_id, route.id, mapping_hash, None)

    def send(self, codes: list[str]) -> None:
        """What systems are told."""
        sending = Sending(self.hub, self.run_id, self.batches, self._moved, self.should_stop)
        for code in codes:
            planned = [part for part in file.read(self.hub, self.plan.code, Outgoing) if part.route == code]
            report = sending.route(code, planned, self.blocked.get(code))
            self.report.run.pushes.append(report)
            if report.error is not None:
                self._stop(code, report.error)
        self.report.sent = sending.sent

    def close(self, pulls: list[str], pushes: list[str]) -> None:
        """End every route that was planned, and with them the run."""
        troubled = {one.route for one in self.report.moved if one.section == "items"}
        for code in pulls:
            route, error = self.hub.route(code), self.errors.get(code)
            state = "warnings" if code in troubled else "completed"
            if error is not None:
                state = (
                    "fenced" if isinstance(error, Fenced) else "waiting" if error.code == "quiet_hours" else "failed"
                )
            self._end(route, state, error)
            counters = self.batches.counters[code]
            self.report.run.routes.append(RouteReport(code, state, counters, error=error))
        told = {push.route for push in self.report.run.pushes}
        for code in pushes:
            if self.hub.push_routes[code].code not in told:  # it was not come to
                self._end(self.hub.push_routes[code], "waiting")
        with self.hub.store.begin() as conn:
            runs.end_run_if_done(conn, self.run_id)

    def _end(self, route: Route, state: str, error: HubError | None = None) -> None:
        if route.code not in self.started:
            with self.hub.store.begin() as conn:
                runs.start_route(conn, self.run_id, route.id, "", None)
        runs.end_route(self.hub.store, self.run_id, route.id, state, error)
