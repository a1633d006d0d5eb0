"""Pulling one route: its streams page by page into the store, from where an interrupted pull stopped."""

from __future__ import annotations

import gc
import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, func, or_, select, update

from connectors.base import Connector, ReadRequest
from hub.exchange import absent, runs
from hub.exchange.brakes import Brakes
from hub.exchange.compare import Seen, sweep, sweep_end, versions
from hub.exchange.cursors import SWEEP, Cursor
from hub.exchange.desk import Desk
from hub.exchange.hub import Hub, Route
from hub.exchange.links import Links
from hub.exchange.mapping_desk import MappingDesk
from hub.exchange.modified import modified
from hub.exchange.naming import stream_name
from hub.exchange.prefetch import prefetch
from hub.exchange.request import record_request
from hub.exchange.stage import apply_page, release, take_overdue
from hub.exchange.tokens import tokens
from hub.exchange.ways import Offer, Way, sweep_due, way_of
from hub.model.errors import Fenced, HubError
from hub.model.records import Counters, Page, Window
from hub.store import core

if TYPE_CHECKING:
    from mappings.compiled import CompiledMapping
    from mappings.problems import Problem

log = logging.getLogger("obmen.exchange")

_FAR = date(9999, 1, 1)


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a pull stands in one stream; ``total`` is None where the source does not tell."""

    route: str
    stream: str
    done: int
    total: int | None
    created: int
    updated: int


@dataclass(slots=True)
class Pull:
    """One route being pulled in one run; collects what the report needs. ``changes``: read as little as possible.

    ``later``: mappings whose changes show by nothing cheap; they were not read and wait for the next whole exchange.
    ``told``: how many were created and updated when the present stream began.
    """

    hub: Hub
    run_id: int
    route: Route
    on_progress: Callable[[Progress], None] | None = None
    should_stop: Callable[[], bool] | None = None
    changes: bool = False
    counters: Counters = field(default_factory=Counters)
    pages: int = 0
    nbytes: int = 0
    released: int = 0
    absent: int = 0
    resumed: bool = False
    paused: dict[str, list[Problem]] = field(default_factory=dict)
    ways: dict[str, Way] = field(default_factory=dict)
    later: list[str] = field(default_factory=list)
    told: tuple[int, int] = (0, 0)

    def take_over(self, other: Pull) -> None:
        """Count what another pull of the same route in the same run has done."""
        self.counters.add(other.counters)
        self.pages, self.nbytes = self.pages + other.pages, self.nbytes + other.nbytes
        self.released += other.released

    def run(self, window: Window | None) -> None:
        """Pull every mapping of the route. Faults of the source come out as ``HubError``."""
        profile = self.hub.profile(self.route.system)
        desk = make_desk(self.hub, self.run_id, self.route.system)
        connector = self.hub.connector(self.route.system)
        for name in self.route.mappings:
            self.told = (self.counters.created, self.counters.updated)
            if name in profile.paused:
                self.paused[name] = profile.paused[name]
            elif window is not None:
                self._rows(connector, desk, desk.by_mapping[name], window)
            else:
                self._stream(connector, desk, desk.by_mapping[name])
        self._overdue(desk)

    def _overdue(self, desk: Desk) -> None:
        """Records that have waited long enough for another one pass without it, where the route says so."""
        after, route = self.route.settings.stub_after, self.route
        if after is None:
            return
        with self.hub.store.begin() as conn:
            runs.hold(conn, self.run_id, route.id, route.code)
            passed = take_overdue(conn, desk, route.id, after)
            runs.account(conn, self.run_id, route.id, Counters(), released=passed)
        self.released += passed

    def cursor(self, work: MappingDesk, name: str, fingerprint: str | None = None) -> Cursor:
        """Where reading this stream in this way stands, as the store knows it."""
        told = str(work.mapping.fingerprint) if fingerprint is None else fingerprint
        with self.hub.store.read() as conn:
            return Cursor(self.route.id, work.stream_id, name, told, self.run_id).load(conn)

    def whole_cursor(self, work: MappingDesk) -> Cursor:
        """Of the reading of everything; ``done`` once that came to its end under this mapping."""
        return self.cursor(work, _name(self._bounds(work.mapping, None)))

    def _stream(self, connector: Connector, desk: Desk, work: MappingDesk) -> None:
        """Read one stream in the way that its base and its settings allow, then sweep it when that is due."""
        mapping, settings = work.mapping, self.route.settings
        versioned = _versioned(connector, mapping)
        offer = Offer(
            plain=mapping.table == "set" and not mapping.given,
            feed=connector.capabilities.changes_feed and bool(self.hub.system(self.route.system).node),
            modified=bool(mapping.changed_field),
            dated=bool(mapping.date_field),
            versions=versioned,
            tokens=connector.capabilities.tokens,
        )
        way = way_of(settings.read, offer, changes=self.changes, known=self.whole_cursor(work).done)
        self.ways[mapping.name] = way
        last = self.cursor(work, SWEEP, "")
        trusted = bool(last.position.get("trust"))
        # Who reads everything sees all keys anyway: unless told otherwise, what is gone is settled each time.
        in_passing = way == "whole" and settings.sweep is None and last.at is not None
        due = trusted or in_passing or sweep_due(settings.sweep, dated=offer.dated, last=last.at, now=runs.now())
        if way == "later" and not (versioned and due):
            self.later.append(mapping.name)
        seen = Seen() if versioned and due and way == "whole" else None
        whole = self._read(connector, desk, work, way, seen)
        if not versioned:
            return
        if seen is not None and whole:
            sweep_end(self, connector, desk, work, seen, last)
        elif due:
            sweep(self, connector, desk, work, last, partial=offer.dated and settings.read == "window")
        elif last.at is None:
            with self.hub.store.begin() as conn:  # the days until the first sweep are counted from here
                runs.hold(conn, self.run_id, self.route.id, self.route.code)
                last.save(conn, done=True)

    def _read(self, connector: Connector, desk: Desk, work: MappingDesk, way: Way, seen: Seen | None) -> bool:
        """Read in the way chosen; whether all there is was seen."""
        if way == "whole":
            whole = self._rows(connector, desk, work, None, seen)
            if not whole and seen is None:
                self._behind(connector, desk, work, None)
            return whole
        recent = self.recent(work.mapping)
        if way == "days" or (way == "versions" and not versions(self, connector, desk, work, recent)):
            if not self._rows(connector, desk, work, recent):
                self._behind(connector, desk, work, recent)
        elif way == "tokens":
            tokens(self, connector, desk, work)
        elif way == "modified":
            modified(self, connector, desk, work, self.whole_cursor(work))
        return False

    def _behind(self, connector: Connector, desk: Desk, work: MappingDesk, window: Window | None) -> None:
        """A read that was gone on with came to its end: bring what people changed meanwhile before that place."""
        if not _versioned(connector, work.mapping):
            return
        if not versions(self, connector, desk, work, window):
            self._rows(connector, desk, work, window)

    def _rows(
        self, connector: Connector, desk: Desk, work: MappingDesk, window: Window | None, seen: Seen | None = None
    ) -> bool:
        """Read whole records, of a window day by day, from where an interrupted read stopped; whether none was missed.

        A virtual table is computed anew for each request: its parts of two moments make no whole, so it is begun anew.
        ``seen``: remembers what was there.
        """
        mapping, everything = work.mapping, window is None
        window = self._bounds(mapping, window)
        days = list(_days(window)) if window is not None and window.end != _FAR else [window]
        cursor = self.cursor(work, _name(window))
        position = cursor.position if cursor.interrupted and mapping.table == "set" else {}
        self.resumed = self.resumed or bool(position)
        began = str(position.get("began") or runs.now().isoformat())
        start, done = int(position.get("day", 0)), int(position.get("done", 0))
        total = self._total(connector, mapping, window)
        balance = set[str]()
        for number, day in enumerate(days[start:], start):
            inner = position.get("inner") if number == start else None
            pages = prefetch(_pages(connector, mapping, self.request(mapping, day, inner)))
            try:
                for page in pages:
                    done += len(page.records)
                    place = {"day": number + page.last, "inner": None if page.last else page.position}
                    cursor.position = {**place, "done": done, "began": began}
                    final = page.last and number == len(days) - 1
                    if seen is not None:
                        seen.add(mapping.heads(page.records))
                    zeros = self._zeros(desk, work, page, balance, final and not position)
                    self.commit(desk, work, page, cursor, done=final, also=zeros)
                    self.tell(mapping.stream, done, total)
            finally:
                pages.close()
        if everything:
            self.all_read(work, began)
        return not position

    def all_read(self, work: MappingDesk, began: str) -> None:
        """Whatever the stream has was seen after ``began``: what is found changed next time changed since then."""
        with self.hub.store.begin() as conn:
            stream = core.stream
            at, known = datetime.fromisoformat(began), stream.c.read_at
            later = or_(known.is_(None), known < at)
            conn.execute(update(stream).where(stream.c.id == work.stream_id, later).values(read_at=at))

    def _zeros(
        self, desk: Desk, work: MappingDesk, page: Page, balance: set[str], final: bool
    ) -> Callable[[Connection], int] | None:
        """What a balance no longer lists is set to zero with its last page; ``final``: of a read from its start."""
        if work.mapping.absent != "zero":
            return None
        balance.update(head[0] for head in work.mapping.heads(page.records) if isinstance(head, tuple))
        if not final:
            return None
        return lambda conn: absent.zero(conn, desk, work, balance)

    def recent(self, mapping: CompiledMapping) -> Window | None:
        """The last days of a dated stream, by the system's own calendar, as the route is set."""
        if not mapping.date_field or mapping.table != "set":
            return None
        today, days = self._today(), self.route.settings.window_days
        return self._bounds(mapping, Window(today - timedelta(days=days), today + timedelta(days=2)))

    def _period(self, mapping: CompiledMapping) -> Window | None:
        """The days that a virtual table is computed for: the last ones up to and with today, as the mapping says."""
        if mapping.period is None:
            return None
        tomorrow = self._today() + timedelta(days=1)
        return Window(tomorrow - timedelta(days=mapping.period), tomorrow)

    def _today(self) -> date:
        """By the system's own calendar."""
        return datetime.now(ZoneInfo(self.hub.system(self.route.system).timezone)).date()

    def _bounds(self, mapping: CompiledMapping, window: Window | None) -> Window | None:
        """Days to read of a dated stream, never before ``not_before``; other streams are read whole."""
        if not mapping.date_field or mapping.table != "set":
            return None
        first = self.route.settings.not_before
        if first is None:
            return window
        window = window or Window(first, _FAR)
        return Window(max(window.start, first), max(window.end, first))

    def request(
        self, mapping: CompiledMapping, window: Window | None, position: dict[str, Any] | None = None
    ) -> ReadRequest:
        """What the mapping reads of its stream."""
        whole = record_request(mapping, self.hub.system(self.route.system))
        return replace(whole, window=window or self._period(mapping), position=position)

    def keys_request(self, mapping: CompiledMapping, window: Window | None) -> ReadRequest:
        """Keys and versions only, of the same records."""
        return replace(self.request(mapping, self._bounds(mapping, window)), fields=(mapping.version_field or "",))

    def _total(self, connector: Connector, mapping: CompiledMapping, window: Window | None) -> int | None:
        """How many records to expect, for a progress bar; asked only when somebody watches."""
        if self.on_progress is None or mapping.table != "set" or mapping.given:
            return None
        return connector.count(self.request(mapping, window))

    def commit(
        self,
        desk: Desk,
        work: MappingDesk,
        page: Page,
        cursor: Cursor | None = None,
        *,
        done: bool = False,
        equal: int = 0,
        also: Callable[[Connection], int] | None = None,
    ) -> None:
        """One page in one transaction, with the cursor and what else belongs to it.

        ``equal``: records that were seen besides and are known in this very version. ``also``: more to do in the
        transaction; it tells how many records were absent.
        """
        if self.should_stop is not None and self.should_stop():
            raise Fenced("stopped", route=self.route.code)
        route = self.route
        with _no_collection(), self.hub.store.begin() as conn:
            runs.hold(conn, self.run_id, route.id, route.code)
            outcome = apply_page(conn, desk, work, page)
            outcome.counters.add(Counters(received=equal, unchanged=equal))
            released = release(conn, desk, outcome.fulfilled)
            gone = also(conn) if also is not None else 0
            runs.account(
                conn,
                self.run_id,
                route.id,
                outcome.counters,
                released=released,
                absent=gone,
                pages=1,
                bytes=page.nbytes,
            )
            if cursor is not None:
                cursor.save(conn, done=done)
        self.counters.add(outcome.counters)
        self.released += released
        self.absent += gone
        self.pages += 1
        self.nbytes += page.nbytes

    def tell(self, stream: str, done: int, total: int | None) -> None:
        """Tell whoever watches how far this is."""
        if self.on_progress is not None:
            created, updated = self.counters.created - self.told[0], self.counters.updated - self.told[1]
            self.on_progress(Progress(self.route.code, stream, done, total, created, updated))


@contextmanager
def _no_collection() -> Iterator[None]:
    """A page makes a hundred thousand tuples and no cycles: looking for cycles meanwhile costs a tenth of the time."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def make_desk(hub: Hub, run_id: int, system: str) -> Desk:
    """A desk with every live mapping of the system: a released record may belong to any of them."""
    profile, streams = hub.profile(system), hub.streams[system]
    route_of = {name: route for route in hub.routes.values() if route.system == system for name in route.mappings}
    by_mapping = {
        name: MappingDesk(mapping, route_of[name].id, route_of[name].code, streams[stream_name(mapping)])
        for name, mapping in profile.mappings.items()
        if name not in profile.paused
    }
    at = runs.now().strftime("%Y-%m-%d %H:%M:%S")
    by_stream = {work.stream_id: work for work in by_mapping.values()}
    return Desk(run_id, at, Links(streams, run_id), by_mapping, by_stream, hub, Brakes(hub))


def _versioned(connector: Connector, mapping: CompiledMapping) -> bool:
    """Whether keys and versions of what the mapping reads can be compared."""
    plain = mapping.table == "set" and not mapping.given
    return bool(mapping.version_field) and connector.capabilities.versions and plain


def _pages(connector: Connector, mapping: CompiledMapping, request: ReadRequest) -> Iterator[Page]:
    """What is read: from the system, or from the mapping itself where its file tells the records."""
    if mapping.given:
        return iter([Page(mapping.stream, mapping.given, last=True)])
    return connector.read(request)


def _days(window: Window) -> Iterator[Window]:
    day = window.start
    while day < window.end:
        yield Window(day, day + timedelta(days=1))
        day += timedelta(days=1)


def _name(window: Window | None) -> str:
    return f"{window.start}..{window.end}" if window else "all"


def open_quarantine(conn: Connection, route_id: int) -> dict[str, int]:
    """Open quarantine of a route by reason code."""
    table = core.quarantine
    rows = conn.execute(
        select(table.c.reason_code, func.count())
        .where(table.c.route_id == route_id, table.c.state == "open")
        .group_by(table.c.reason_code)
    )
    return {str(reason): int(number) for reason, number in rows}


def pull(work: Pull, window: Window | None) -> HubError | None:
    """Run a pull inside its lease; the error that ended it, if any."""
    hub, route = work.hub, work.route
    try:
        mapping_hash = hub.profile_hash(route.system)
        with hub.store.begin() as conn:
            runs.take_route(conn, work.run_id, route.id, route.code)
            runs.start_route(conn, work.run_id, route.id, mapping_hash, window)
        work.run(window)
    except HubError as error:
        return error
    return None


def timed(work: Pull, window: Window | None) -> tuple[HubError | None, float]:
    """``pull`` and the seconds it took."""
    started = time.monotonic()
    return pull(work, window), time.monotonic() - started
