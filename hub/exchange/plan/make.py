"""Making a plan: the exchange is rehearsed, and what it would have done is saved to be read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import select, update

from hub.exchange import runs
from hub.exchange.hub import Hub
from hub.exchange.plan import file
from hub.exchange.plan.items import Reading, left_out, note_arrived, prepare
from hub.exchange.plan.parts import Left, Outgoing
from hub.exchange.plan.recorder import Recorder
from hub.exchange.plan.rehearsal import rehearsal
from hub.exchange.pull import Progress
from hub.exchange.push.box import FIRST_CONTACT
from hub.exchange.sending import push_all, writing
from hub.exchange.service import RunReport, run_exchange, stops_system
from hub.model.errors import Fenced, HubError
from hub.model.records import OUTCOMES, Counters
from hub.reports.plan_book import write_book
from hub.store import core


@dataclass(slots=True)
class PlanReport:
    """A plan that was saved. ``run``: what the rehearsed exchange says of its routes; its numbers are of no journal."""

    code: str
    counts: file.Counts
    run: RunReport
    path: Path
    book: Path

    @property
    def exit_code(self) -> int:
        """As of the exchange that it would be."""
        return self.run.exit_code

    @property
    def empty(self) -> bool:
        """Whether applying it would do nothing."""
        return not self.counts.number("items") and not self.counts.number("outgoing")


def make_plan(
    hub: Hub,
    routes: list[str] | None = None,
    *,
    initiator: str = "cli",
    on_progress: Callable[[Progress], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> PlanReport:
    """Save what an exchange of ``routes`` (all when None) would do now. Nothing else is written anywhere.

    ``NeedsPerson``: ``copy_failed``, ``plan_unwritable``; ``Fenced`` when it is stopped. What ends a route is in the
    report, as of any exchange.
    """
    wanted = [code for code in hub.routes if code in {hub.route(code).code for code in routes or hub.routes}]
    folder = file.folder_of(hub)
    recorders: list[Recorder] = []

    def told(apart: Hub) -> Recorder:
        recorders.append(Recorder(apart))
        return recorders[-1]

    with rehearsal(hub, folder, told) as apart:
        done = _Rehearsed(apart, recorders[0])
        done.exchange(wanted, on_progress, should_stop)
        return _save(hub, done, wanted, initiator)


class _Rehearsed:
    """An exchange on the copy, and after it what waits for a plan because two full cards met."""

    def __init__(self, hub: Hub, recorder: Recorder) -> None:
        self.hub, self.recorder = hub, recorder
        self.runs: list[int] = []
        self.read = 0
        self.report = RunReport(0, "plan")

    def exchange(
        self,
        wanted: list[str],
        on_progress: Callable[[Progress], None] | None,
        should_stop: Callable[[], bool] | None,
    ) -> None:
        prepare(self.hub.store)
        self.report = run_exchange(
            self.hub,
            wanted,
            mode="plan",
            initiator="plan",
            on_progress=on_progress,
            should_stop=should_stop,
            after_reading=self._after_reading,
        )
        ended = [(one.route, one.error) for one in self.report.routes]
        ended += [(push.route, push.error) for push in self.report.pushes]
        for _, error in ended:
            if isinstance(error, Fenced):  # half a plan would look like a whole one
                raise error
        down = {route.partition(".")[0] for route, error in ended if error is not None and stops_system(error)}
        self._first_contacts(wanted, down)

    def _after_reading(self, run_id: int) -> None:
        self.runs.append(run_id)
        self.read = note_arrived(self.hub.store, run_id)

    def _first_contacts(self, wanted: list[str], down: set[str]) -> None:
        """Send what waits for a plan; the report stays that of the exchange, to which it is held."""
        entities = {self.hub.route(code).entity.name for code in wanted}
        routes = [route for route in self.hub.push_routes.values() if route.entity.name in entities]
        box = core.outbox
        waits = (
            box.c.state == "held",
            box.c.last_error == FIRST_CONTACT,
            box.c.route_id.in_([route.id for route in routes]),
        )
        with self.hub.store.begin() as conn:
            self.recorder.first = set(conn.execute(select(box.c.link_id).where(*waits)).scalars())
            approved = {"state": "pending", "error_params": {"approved": True}, "last_error": None}
            conn.execute(update(box).where(*waits).values(**approved))
        if self.recorder.first:
            codes = [route.code for route in writing(self.hub)]
            self.runs.append(runs.open_run(self.hub.store, codes, mode="plan", initiator="plan"))
            push_all(self.hub, self.runs[-1], down=down)


def _save(hub: Hub, done: _Rehearsed, wanted: list[str], initiator: str) -> PlanReport:
    file.forget_old(hub)
    code = file.reserve(hub, wanted, initiator)
    try:
        reading = Reading(done.hub, done.runs, done.read)
        sent: set[tuple[str, str]] = set()

        def outgoing() -> Any:
            decoder = msgspec.json.Decoder(Outgoing)
            for body in reading.sent():
                part = decoder.decode(body)
                sent.add((part.stream, part.external_id))
                yield part

        def left() -> Any:
            # What a rehearsed write would show is our guess; that a mapping stumbles over it is no news of the record.
            yield from (one for one in left_out(done.hub, done.runs) if not _guessed(one, sent))

        sections = (("items", reading.items()), ("outgoing", outgoing()), ("left", left()))
        counts, sha256 = file.write(hub, code, wanted, sections)
        write_book(hub, code, counts, done.report)
        file.save(hub, code, counts, sha256, _told(done.report))
    except BaseException:
        file.give_up(hub, code)
        raise
    return PlanReport(code, counts, done.report, file.json_path(hub, code), file.book_path(hub, code))


def _guessed(one: Left, sent: set[tuple[str, str]]) -> bool:
    return one.what == "quarantined" and (one.stream, one.external_id) in sent


def _told(report: RunReport) -> dict[str, Any]:
    """What the rehearsed run says, route by route."""
    return {
        **{one.route: {"state": one.state, **_counters(one.counters), **_why(one.error)} for one in report.routes},
        **{one.route: {"state": one.state, "owed": one.counters.owed, **_why(one.error)} for one in report.pushes},
    }


def _counters(counters: Counters) -> dict[str, int]:
    return {name: getattr(counters, name) for name in ("received", *OUTCOMES)}


def _why(error: HubError | None) -> dict[str, Any]:
    return {"error": runs.told(error)} if error is not None else {}
