"""Quarantine once more: kept records against the mapping of now, with what a person decided about them.

A dry run does everything that a real one does, in one transaction per system that is then rolled back: what it tells is
what would happen, and nothing is written. A real one is a run of mode ``replay`` in the journal, route by route in load
order, with leases, counters and change log like any other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from dataclasses import field as attribute
from itertools import groupby
from typing import Any, Literal

from sqlalchemy import Connection, select

from hub.exchange import decided, runs, service, went_back
from hub.exchange.caught import caught
from hub.exchange.desk import Desk
from hub.exchange.hub import Hub, Route
from hub.exchange.mapping_desk import MappingDesk
from hub.exchange.mending import mended
from hub.exchange.pauses import pauses
from hub.exchange.pull import make_desk, open_quarantine
from hub.exchange.service import RouteReport, RunReport
from hub.exchange.stage import Outcome, apply_records, release
from hub.model.errors import Fenced, HubError, SkipRecord
from hub.model.records import Counters
from hub.store import core
from hub.store.quarantined import Choice, Quarantined, by_ids, parked_number

Action = Literal["retry", "skip", "correct"]
_BATCH = 200
_MODE = "replay"


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be done with one row of quarantine.

    ``key``: what the row must still be when it is left out or corrected; ``value``: of a correction.
    """

    id: int
    action: Action = "retry"
    key: str = ""
    value: Any = None


@dataclass(slots=True)
class Refused:
    """Records that are still refused for one reason; ``example`` is one of them as it stands now."""

    number: int
    example: Quarantined


@dataclass(slots=True)
class Cause:
    """What became of the records of one route, reason and field.

    ``held``: passed the mapping and are held back by the brakes. ``skipped``: left out by decision. ``refused``: by
    reason and field of now. ``gone``: were no longer in quarantine, or in another form. ``untried``: how many could not
    be tried, ``blocked`` with its ``params`` tells why.
    """

    route: str
    reason_code: str
    field: str
    number: int = 0
    passed: int = 0
    waiting: int = 0
    held: int = 0
    skipped: int = 0
    corrected: int = 0
    gone: int = 0
    refused: dict[tuple[str, str], Refused] = attribute(default_factory=dict)
    untried: int = 0
    blocked: str = ""
    params: dict[str, Any] = attribute(default_factory=dict)


@dataclass(slots=True)
class ReplayReport:
    """``run_id``: of the run in the journal, ``None`` for a dry run and where there was nothing to do."""

    run_id: int | None
    causes: list[Cause] = attribute(default_factory=list)
    routes: list[RouteReport] = attribute(default_factory=list)
    parked: int = 0

    @property
    def exit_code(self) -> int:
        """As of any run; a dry run leaves things waiting for a person, unless there was nothing to replay."""
        found = RunReport(self.run_id or 0, _MODE, self.routes).exit_code
        undone = any(cause.blocked for cause in self.causes) or (self.run_id is None and self.causes)
        return max(found, 1 if undone else 0)


@dataclass(frozen=True, slots=True)
class _Row:
    """One row to be worked on, with where it belongs."""

    order: Order
    system: str
    route: str
    stream_id: int
    stream: str
    reason_code: str
    field: str


class _Undo(Exception):
    """Ends a dry run's transaction."""


def chosen(conn: Connection, choice: Choice) -> list[Order]:
    """A repetition of all open records that meet ``choice``; one named by its id may also have been left out before."""
    table, route = core.quarantine, core.route
    states = ("open", "skipped") if choice.external_ids else ("open",)
    query = (
        select(table.c.id)
        .join(route, route.c.id == table.c.route_id)
        .where(table.c.state.in_(states), *choice.conditions())
        .order_by(table.c.id)
    )
    return [Order(int(number)) for number in conn.execute(query).scalars()]


def replay(
    hub: Hub,
    orders: Sequence[Order],
    *,
    apply: bool = False,
    by: str,
    initiator: str = "cli",
    dagster_run_id: str | None = None,
    supersedes: str | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> ReplayReport:
    """Carry ``orders`` out, or only tell what would come of it. ``by``: who decides.

    The base is asked for nothing but its schema, and not for that where it was read lately.
    """
    hub.believe_schemas(service.SCHEMA_SECONDS)
    with hub.store.read() as conn:
        found = _rows(conn, orders)
    work = _Replay(hub, by, should_stop)
    rows = [row for row in found if work.may(row)]
    if not rows:
        run_id = None
    elif apply:
        planned = [code for code in hub.routes if any(row.route == code for row in rows)]
        run_id = runs.open_run(
            hub.store,
            planned,
            mode=_MODE,
            initiator=initiator,
            dagster_run_id=dagster_run_id,
            supersedes=supersedes,
        )
        for code in planned:
            work.apply(run_id, hub.route(code), [row for row in rows if row.route == code])
    else:
        run_id = None
        for system in hub.settings.systems:
            work.try_out(system, [row for row in rows if row.system == system])
    with hub.store.read() as conn:
        parked = parked_number(conn, ())
    return ReplayReport(run_id, list(work.causes.values()), work.routes, parked)


def _rows(conn: Connection, orders: Sequence[Order]) -> list[_Row]:
    """Where each row belongs; an id that is not there is left out."""
    table, route, stream, system = core.quarantine, core.route, core.stream, core.system
    of_id = {order.id: order for order in orders}
    ids, found = list(of_id), []
    for start in range(0, len(ids), 500):
        query = (
            select(table.c.id, table.c.reason_code, table.c.field, table.c.stream_id)
            .add_columns(route.c.code, stream.c.name, system.c.code.label("system"))
            .join(route, route.c.id == table.c.route_id)
            .join(stream, stream.c.id == table.c.stream_id)
            .join(system, system.c.id == route.c.system_id)
            .where(table.c.id.in_(ids[start : start + 500]))
        )
        found += [
            _Row(of_id[row.id], row.system, row.code, row.stream_id, row.name, row.reason_code, row.field or "")
            for row in conn.execute(query)
        ]
    return found


class _Replay:
    """One replay at work; collects what the report needs."""

    def __init__(self, hub: Hub, by: str, should_stop: Callable[[], bool] | None) -> None:
        self.hub, self.by, self.should_stop = hub, by, should_stop
        self.causes: dict[tuple[str, str, str], Cause] = {}
        self.routes: list[RouteReport] = []
        self._down: dict[str, HubError] = {}
        self._paused_routes = {pause.route for pause in pauses(hub)}

    def may(self, row: _Row) -> bool:
        """Whether the row's route is exchanged at all; its cause says why not."""
        route, code = self.hub.routes.get(row.route), ""
        if route is None:
            code = "replay_no_route"
        elif not route.settings.enabled:
            code = "replay_disabled"
        elif row.route in self._paused_routes:
            code = "replay_route_paused"
        if code:
            self._block(row, code, route=row.route)
        return not code

    def apply(self, run_id: int, route: Route, rows: list[_Row]) -> None:
        """Replay one route for good, batch by batch."""
        report = RouteReport(route.code, "running")
        paused: dict[str, Any] = {}

        def act() -> None:
            if route.system in self._down:
                raise self._down[route.system]  # it is not asked again for its other routes
            desk = self._desk(run_id, route.system)
            paused.update(self._paused(route))
            with self.hub.store.begin() as conn:
                runs.take_route(conn, run_id, route.id, route.code)
                runs.start_route(conn, run_id, route.id, self.hub.profile_hash(route.system), None)
            for work, batch in self._batches(desk, rows):
                if self.should_stop is not None and self.should_stop():
                    raise Fenced("stopped", route=route.code)
                with self.hub.store.begin() as conn:
                    runs.hold(conn, run_id, route.id, route.code)
                    made = self._batch(conn, desk, work, batch)
                    released = release(conn, desk, made.outcome.fulfilled)
                    runs.account(conn, run_id, route.id, made.outcome.counters, released=released)
                made.tell()
                report.counters.add(made.outcome.counters)
                report.released += released

        report.error = caught(act, route.code)
        if report.error is not None and service.stops_system(report.error):
            self._down[route.system] = report.error
        self._close(route, report, paused)
        service.close_route(self.hub, run_id, route.id, report, paused)

    def try_out(self, system: str, rows: list[_Row]) -> None:
        """Replay the routes of one system in a transaction that is rolled back."""
        if not rows:
            return
        routes = [route for route in self.hub.routes.values() if any(row.route == route.code for row in rows)]
        reports = {route.code: RouteReport(route.code, "running") for route in routes}

        def act() -> None:
            desk = self._desk(0, system)
            with self.hub.store.begin() as conn:
                for route in routes:
                    own = [row for row in rows if row.route == route.code]
                    for work, batch in self._batches(desk, own):
                        made = self._batch(conn, desk, work, batch)
                        reports[route.code].counters.add(made.outcome.counters)
                        reports[route.code].released += release(conn, desk, made.outcome.fulfilled)
                        made.tell()
                raise _Undo

        error = caught(lambda: _undone(act), system)
        for route in routes:
            reports[route.code].error = error
            self._close(route, reports[route.code], {} if error else self._paused(route))

    def _close(self, route: Route, report: RouteReport, paused: dict[str, Any]) -> None:
        counters = report.counters
        with self.hub.store.read() as conn:
            report.quarantine = open_quarantine(conn, route.id)
        troubled = counters.quarantined or counters.parked or counters.held or paused
        report.state = "warnings" if troubled else "completed"
        if report.error is not None:
            quiet = report.error.code == "quiet_hours"
            report.state = "fenced" if isinstance(report.error, Fenced) else "waiting" if quiet else "failed"
        report.paused = list(paused)
        self.routes.append(report)

    def _desk(self, run_id: int, system: str) -> Desk:
        """A desk for the mappings of now; ``StopSystem`` while the system waits for an admin's word."""
        with self.hub.store.read() as conn:
            error = went_back.state_of(conn, system).error()
        if error is not None:
            raise error
        return make_desk(self.hub, run_id, system)

    def _paused(self, route: Route) -> dict[str, Any]:
        """Mappings of the route that do not fit what the base publishes now, with their reasons."""
        paused = self.hub.profile(route.system).paused
        return {name: list(paused[name]) for name in route.mappings if name in paused}

    def _batches(self, desk: Desk, rows: list[_Row]) -> Iterator[tuple[MappingDesk, list[_Row]]]:
        """Rows of one stream and cause each, streams in load order; those that no live mapping reads are told apart."""
        place = {stream_id: number for number, stream_id in enumerate(desk.by_stream)}
        there = [row for row in rows if row.stream_id in place]
        for row in rows:
            if row.stream_id not in place:
                known = row.stream in self.hub.route_of_stream(row.system)
                self._block(row, "replay_paused" if known else "replay_no_mapping", stream=row.stream)

        def of(row: _Row) -> tuple[int, str, str]:
            return place[row.stream_id], row.reason_code, row.field

        for _, group in groupby(sorted(there, key=lambda row: (*of(row), row.order.id)), of):
            same = list(group)
            for start in range(0, len(same), _BATCH):
                yield desk.by_stream[same[0].stream_id], same[start : start + _BATCH]

    def _cause(self, row: _Row) -> Cause:
        key = (row.route, row.reason_code, row.field)
        return self.causes.setdefault(key, Cause(*key))

    def _block(self, row: _Row, code: str, **params: Any) -> None:
        cause = self._cause(row)
        cause.number, cause.untried = cause.number + 1, cause.untried + 1
        cause.blocked, cause.params = code, params

    def _batch(self, conn: Connection, desk: Desk, work: MappingDesk, batch: list[_Row]) -> _Made:
        """One batch inside a transaction. Its outcome counts those left out by decision too."""
        desk.links.start_page()
        made = _Made(self._cause(batch[0]), len(batch))
        found = by_ids(conn, [row.order.id for row in batch])
        orders = [(row.order, found[row.order.id]) for row in batch if row.order.id in found]
        left_out = [row for order, row in orders if row.state == "skipped" and order.action == "retry"]
        back = decided.reopen(conn, work, left_out)
        at_hand = [(order, row) for order, row in orders if row.id in back or _stands(order, row)]
        out = [row for order, row in at_hand if order.action == "skip"]
        decided.skip(conn, work, out, self.by, desk.run_id)
        raws = {row.id: raw for order, row in at_hand if (raw := self._raw(conn, work, desk, order, row)) is not None}
        made.gone = len(batch) - len(out) - len(raws)
        made.corrected = sum(order.action == "correct" and row.id in raws for order, row in at_hand)
        table = core.quarantine
        kept_by = conn.execute(select(table.c.last_run).where(table.c.id.in_(raws))).scalars()
        with desk.read_in(conn, kept_by):
            made.outcome = apply_records(conn, desk, work, list(raws.values())) if raws else Outcome()
        made.refused = _still_refused(conn, [row for _, row in at_hand if row.id in raws])
        if out:
            left = Counters(received=len(out))
            left.skip("decided", len(out))
            made.outcome.counters.add(left)
        return made

    def _raw(self, conn: Connection, work: MappingDesk, desk: Desk, order: Order, row: Quarantined) -> bytes | None:
        """The record to be replayed; ``None`` for one that is left out, or that can no longer be corrected so."""
        if order.action == "retry":
            return row.payload.encode()
        if order.action == "skip":
            return None
        try:
            raw = mended(work.mapping, row, order.value)
        except SkipRecord:
            return None
        decided.correct(conn, work, row, raw, str(order.value), self.by, desk.run_id)
        return raw


def _stands(order: Order, row: Quarantined) -> bool:
    """Whether the row is still what was decided about; to repeat it is right whatever form it has now."""
    return row.state == "open" and (order.action == "retry" or order.key in {"", row.key})


def _undone(act: Callable[[], None]) -> None:
    try:
        act()
    except _Undo:
        return


def _still_refused(conn: Connection, before: list[Quarantined]) -> dict[tuple[str, str], Refused]:
    """Those that were refused once more; one that the brakes hold back stands open too, but was not tried again."""
    refused: dict[tuple[str, str], Refused] = {}
    after = by_ids(conn, [row.id for row in before])
    for row in before:
        found = after[row.id]
        if found.state == "open" and found.attempts > row.attempts:
            refused.setdefault((found.reason_code, found.field), Refused(0, found)).number += 1
    return refused


@dataclass(slots=True)
class _Made:
    """What one batch did; told to its cause once the batch stands."""

    cause: Cause
    number: int
    gone: int = 0
    corrected: int = 0
    outcome: Outcome = attribute(default_factory=Outcome)
    refused: dict[tuple[str, str], Refused] = attribute(default_factory=dict)

    def tell(self) -> None:
        cause, counters = self.cause, self.outcome.counters
        left_out = counters.skipped_by.get("decided", 0)
        cause.number += self.number
        cause.gone += self.gone
        cause.corrected += self.corrected
        cause.skipped += left_out
        cause.waiting += counters.parked
        cause.held += counters.held
        cause.passed += counters.received - counters.quarantined - counters.parked - counters.held - left_out
        for key, found in self.refused.items():
            cause.refused.setdefault(key, Refused(0, found.example)).number += found.number
