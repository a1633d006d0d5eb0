"""Pulling one route: its streams page by page into the store, from where an interrupted pull stopped."""

from __future__ import annotations

import gc
import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, func, select, update

from connectors.base import Connector, ReadRequest
from hub.exchange import absent, runs
from hub.exchange.desk import Desk, MappingDesk, stream_name
from hub.exchange.hub import Hub, Route
from hub.exchange.links import Links
from hub.exchange.prefetch import prefetch
from hub.exchange.stage import apply_page, release
from hub.model.errors import Fenced, HubError
from hub.model.records import Counters, Page, Window
from hub.store import core

if TYPE_CHECKING:
    from mappings.compiled import CompiledMapping

log = logging.getLogger("obmen.exchange")

#: An interrupted read is gone on with for this long; later its position says too little about the source.
RESUME_WITHIN = timedelta(hours=12)
_FAR = date(9999, 1, 1)


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a pull stands; ``total`` is None where the source does not tell."""

    route: str
    stream: str
    done: int
    total: int | None
    created: int
    updated: int


@dataclass(slots=True)
class Pull:
    """One route being pulled in one run; collects what the report needs."""

    hub: Hub
    run_id: int
    route: Route
    on_progress: Callable[[Progress], None] | None = None
    should_stop: Callable[[], bool] | None = None
    counters: Counters = field(default_factory=Counters)
    pages: int = 0
    nbytes: int = 0
    released: int = 0
    absent: int = 0
    resumed: bool = False
    paused: list[str] = field(default_factory=list)

    def run(self, window: Window | None) -> None:
        """Pull every mapping of the route. Faults of the source come out as ``HubError``."""
        profile = self.hub.profile(self.route.system)
        desk = make_desk(self.hub, self.run_id, self.route.system)
        connector = self.hub.connector(self.route.system)
        for name in self.route.mappings:
            if name in profile.paused:
                self.paused.append(name)
                continue
            self._stream(connector, desk, desk.by_mapping[name], window)

    def _stream(self, connector: Connector, desk: Desk, work: MappingDesk, window: Window | None) -> None:
        mapping = work.mapping
        window = self._window(mapping, window)
        days = list(_days(window)) if window is not None and window.end != _FAR else [window]
        name = f"{window.start}..{window.end}" if window else "all"
        cursor = _Cursor(self.route.id, work.stream_id, name, str(mapping.fingerprint), self.run_id)
        position = self._resume(cursor)
        seen: set[str] = set()
        start = int(position.get("day", 0)) if position else 0
        total = self._total(connector, mapping, window)
        done = int(position.get("done", 0)) if position else 0
        for number, day in enumerate(days[start:], start):
            inner = position.get("inner") if position and number == start else None
            request = self._request(mapping, day, inner)
            pages = prefetch(_pages(connector, mapping, request))
            try:
                for page in pages:
                    final = page.last and number == len(days) - 1
                    done += len(page.records)
                    cursor.position = {"day": number + page.last, "inner": None, "done": done}
                    if not page.last:
                        cursor.position = {"day": number, "inner": page.position, "done": done}
                    self._page(desk, work, page, cursor, seen, final)
                    self._tell(mapping.stream, done, total)
            finally:
                pages.close()

    def _window(self, mapping: CompiledMapping, window: Window | None) -> Window | None:
        """Days to read of a dated stream: those asked for, or as the route is set; other streams are read whole."""
        if not mapping.date_field or mapping.table != "set":
            return None
        settings = self.route.settings
        if window is None and settings.read == "window":
            today = datetime.now(ZoneInfo(self.hub.system(self.route.system).timezone)).date()
            window = Window(today - timedelta(days=settings.window_days), today + timedelta(days=2))
        if settings.not_before:
            window = window or Window(settings.not_before, _FAR)
            window = Window(max(window.start, settings.not_before), max(window.end, settings.not_before))
        return window

    def _request(self, mapping: CompiledMapping, day: Window | None, position: dict[str, Any] | None) -> ReadRequest:
        return ReadRequest(
            mapping.stream,
            mapping.select,
            mapping.key,
            mapping.table,
            day,
            mapping.date_field or "",
            position,
            self.hub.system(self.route.system).page_size,
        )

    def _total(self, connector: Connector, mapping: CompiledMapping, window: Window | None) -> int | None:
        """How many records to expect, for a progress bar; asked only when somebody watches."""
        if self.on_progress is None or mapping.table != "set" or mapping.given:
            return None
        return connector.count(self._request(mapping, window, None))

    def _resume(self, cursor: _Cursor) -> dict[str, Any] | None:
        with self.hub.store.read() as conn:
            position = cursor.load(conn)
        if position:
            self.resumed = True
        return position

    def _page(self, desk: Desk, work: MappingDesk, page: Page, cursor: _Cursor, seen: set[str], final: bool) -> None:
        if self.should_stop is not None and self.should_stop():
            raise Fenced("stopped", route=self.route.code)
        route = self.route
        with _no_collection(), self.hub.store.begin() as conn:
            runs.hold(conn, self.run_id, route.id, route.code)
            outcome = apply_page(conn, desk, work, page)
            released = release(conn, desk, outcome.fulfilled)
            gone = 0
            if work.mapping.absent == "zero":
                seen.update(head[0] for head in work.mapping.heads(page.records) if isinstance(head, tuple))
                if final and not self.resumed:
                    gone = absent.zero(conn, desk, work, seen)
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
            cursor.save(conn, done=final)
        self.counters.add(outcome.counters)
        self.released += released
        self.absent += gone
        self.pages += 1
        self.nbytes += page.nbytes

    def _tell(self, stream: str, done: int, total: int | None) -> None:
        if self.on_progress is not None:
            counters = self.counters
            self.on_progress(Progress(self.route.code, stream, done, total, counters.created, counters.updated))


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
    return Desk(run_id, at, Links(streams, run_id), by_mapping, by_stream)


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


@dataclass(slots=True)
class _Cursor:
    """Where reading a stream stands; moved only in the transaction that commits the data."""

    route_id: int
    stream_id: int
    name: str
    fingerprint: str
    run_id: int
    position: dict[str, Any] = field(default_factory=dict)

    def _where(self) -> list[Any]:
        table = core.cursor
        return [table.c.route_id == self.route_id, table.c.stream_id == self.stream_id, table.c.name == self.name]

    def load(self, conn: Connection) -> dict[str, Any] | None:
        """Position of an interrupted read under the same mapping, if it is recent enough to go on from."""
        row = conn.execute(select(core.cursor).where(*self._where())).mappings().first()
        if row is None or row["done"] or row["fingerprint"] != self.fingerprint:
            return None
        at = row["updated_at"]
        at = at if at.tzinfo else at.replace(tzinfo=UTC)
        if runs.now() - at > RESUME_WITHIN:
            return None
        position: dict[str, Any] | None = row["position"]
        return position

    def save(self, conn: Connection, *, done: bool) -> None:
        """Remember ``position``; with ``done`` the next read starts at the beginning."""
        values = {
            "position": self.position,
            "done": done,
            "fingerprint": self.fingerprint,
            "run_id": self.run_id,
            "updated_at": runs.now(),
        }
        table = core.cursor
        if conn.execute(update(table).where(*self._where()).values(**values)).rowcount == 0:
            key = {"route_id": self.route_id, "stream_id": self.stream_id, "name": self.name}
            conn.execute(table.insert().values(**key, **values))


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
