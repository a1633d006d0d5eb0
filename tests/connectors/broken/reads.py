"""Broken at reading."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import msgspec

from connectors.base import CheckReport, DayTotal, FeedPacket, ReadRequest, StreamInfo
from connectors.memory import MemoryBase, MemoryConnector
from hub.model.errors import StopRoute
from hub.model.records import Page, Window
from tests.connectors.broken.registry import broken


def _longer(request: ReadRequest) -> ReadRequest:
    window = request.window
    if window is None or window.end.year > 9000:
        return request
    return replace(request, window=Window(window.start, window.end + timedelta(days=1)))


@broken("basics")
class FetchesEverything(MemoryConnector):
    """Gives every field of a record, whatever was asked for."""

    def _encode(self, request: ReadRequest, record: dict[str, Any]) -> bytes:
        return super()._encode(replace(request, fields=()), record)


@broken("basics")
class ChecksByRaising(MemoryConnector):
    """The product is not told by the check."""

    def check(self) -> CheckReport:
        report = super().check()
        report.product = ""
        return report


@broken("basics")
class ForgetsTables(MemoryConnector):
    """Nested tables are not among what is offered."""

    def streams(self) -> dict[str, StreamInfo]:
        return {name: replace(info, tables={}) for name, info in super().streams().items()}


@broken("basics")
class ReadsOneAfterAnother(MemoryConnector):
    """Shares one buffer between reads: threads get each other's records."""

    def __init__(self, base: MemoryBase) -> None:
        super().__init__(base)
        self.buffer: list[Any] = []
        self.gate = threading.Barrier(2)

    def read(self, request: ReadRequest) -> Iterator[Page]:
        for page in super().read(request):
            self.buffer = list(page.records)
            if threading.current_thread() is not threading.main_thread():
                try:
                    self.gate.wait(0.05)  # another thread has filled the buffer meanwhile
                except threading.BrokenBarrierError:
                    self.gate.reset()
            yield replace(page, records=self.buffer)


@broken("paging", "cursors", "changes")
class LosesTheLast(MemoryConnector):
    """Loses the last record of a page that is full."""

    def read(self, request: ReadRequest) -> Iterator[Page]:
        for page in super().read(request):
            full = len(page.records) == request.page_size
            yield replace(page, records=page.records[:-1]) if full else page


@broken("paging", "cursors", "changes", "faults")
class RepeatsARecord(MemoryConnector):
    """Begins each page with the record that the page before ended with."""

    def read(self, request: ReadRequest) -> Iterator[Page]:
        before: list[Any] = []
        for page in super().read(request):
            yield replace(page, records=[*before, *page.records][: request.page_size])
            before = list(page.records[-1:])


@broken("paging", "cursors", "changes")
class InNoOrder(MemoryConnector):
    """The order depends on the size of pages."""

    def _chosen(self, request: ReadRequest) -> Any:
        found = super()._chosen(request)
        return [(("", key[::-1][0][::-1]), record) for key, record in found] if request.page_size == 3 else found


@broken("paging")
class NoLastPage(MemoryConnector):
    """Never says that a page is the last one, unless it is empty."""

    def read(self, request: ReadRequest) -> Iterator[Page]:
        for page in super().read(request):
            yield replace(page, last=page.last and request.page_size != 7)


@broken("cursors", "changes", "faults")
class IgnoresPositions(MemoryConnector):
    """Begins anew wherever a read is to go on."""

    def read(self, request: ReadRequest) -> Iterator[Page]:
        return super().read(replace(request, position=None))


@broken("cursors")
class CountsPositions(MemoryConnector):
    """Goes on after so many records, not after that record: a deletion shifts the rest."""

    def read(self, request: ReadRequest) -> Iterator[Page]:
        done, last = int((request.position or {}).get("done", 0)), False
        while not last:
            rows = self._rest(request, done)
            part, last = rows[: request.page_size], len(rows) <= request.page_size
            done += len(part)
            yield Page(request.stream, part, (), {"done": done}, last, sum(map(len, part)))

    def _rest(self, request: ReadRequest, done: int) -> list[bytes]:
        self._request()
        self.traffic.bytes_read += 1
        return [self._encode(request, record) for _, record in self._chosen(request)[done:]]


@broken("cursors")
class HoldsSessions(MemoryConnector):
    """A read that is broken off never gives its session back; there are four."""

    def __init__(self, base: MemoryBase) -> None:
        super().__init__(base)
        self.sessions = threading.Semaphore(4)

    def read(self, request: ReadRequest) -> Iterator[Page]:
        if not self.sessions.acquire(timeout=1):
            raise StopRoute("source_memory", system="ut", stream=request.stream)
        yield from super().read(request)
        self.sessions.release()


@broken("cursors")
class AsksAtOnce(MemoryConnector):
    """Sends its first request before anybody wants a page."""

    def read(self, request: ReadRequest) -> Iterator[Page]:
        self.traffic.requests += 1
        return super().read(request)


@broken("windows")
class ClosedWindows(MemoryConnector):
    """Takes the end of a window for a part of it."""

    def read(self, request: ReadRequest) -> Iterator[Page]:
        return super().read(_longer(request))

    def count(self, request: ReadRequest) -> int:
        return super().count(_longer(request))


@broken("windows")
class CountsOutsideWindows(MemoryConnector):
    """Counts the whole stream whatever the window is."""

    def count(self, request: ReadRequest) -> int:
        return super().count(replace(request, window=None))


@broken("windows")
class NothingForAnEmptyStream(MemoryConnector):
    """No page at all where there is nothing in a window."""

    def read(self, request: ReadRequest) -> Iterator[Page]:
        return (page for page in super().read(request) if page.records or not request.window)


@broken("totals", "deletes")
class CountOff(MemoryConnector):
    """The count lags behind by one where there are more than thirty."""

    def count(self, request: ReadRequest) -> int:
        found = super().count(request)
        return found - (found > 30)


@broken("totals")
class TotalsInFloats(MemoryConnector):
    """Sums are floats, equal as they may be."""

    def totals(self, stream: str, date_field: str, total_field: str, window: Window) -> list[DayTotal]:
        found = super().totals(stream, date_field, total_field, window)
        return [replace(day, total=float(day.total)) for day in found]  # type: ignore[arg-type]


@broken("totals")
class TotalsCutOff(MemoryConnector):
    """Cuts fractions of a hundredth and with them, in binary, whole ones."""

    def totals(self, stream: str, date_field: str, total_field: str, window: Window) -> list[DayTotal]:
        found = super().totals(stream, date_field, total_field, window)
        return [replace(day, total=day.total - (day.count > 2)) for day in found]


@broken("totals")
class TotalsOfTheLastDayToo(MemoryConnector):
    """Sums the day after the window as well."""

    def totals(self, stream: str, date_field: str, total_field: str, window: Window) -> list[DayTotal]:
        return super().totals(stream, date_field, total_field, Window(window.start, window.end + timedelta(days=1)))


@broken("lookups", "deletes")
class SilentAboutTheMissing(MemoryConnector):
    """Says nothing of keys that do not exist."""

    def fetch(self, request: ReadRequest, external_ids: Sequence[str]) -> Page:
        return replace(super().fetch(request, external_ids), deleted=())


@broken("lookups")
class NothingIsEverything(MemoryConnector):
    """No keys: the whole stream."""

    def fetch(self, request: ReadRequest, external_ids: Sequence[str]) -> Page:
        return super().fetch(request, external_ids or [key[0] for key in self.base.records[request.stream]])


@broken("lookups")
class FirstOfEachHundred(MemoryConnector):
    """Asks for so many keys at once that the rest is cut off."""

    def fetch(self, request: ReadRequest, external_ids: Sequence[str]) -> Page:
        return super().fetch(request, external_ids[:30])


@broken("versions")
class OneVersionForEver(MemoryConnector):
    """An edited record keeps the version that it had when it was first read."""

    def _encode(self, request: ReadRequest, record: dict[str, Any]) -> bytes:
        body = json.loads(super()._encode(request, record))
        if request.fields and "DataVersion" in body:
            body["DataVersion"] = "00000001"
        return msgspec.json.encode(body)


@broken("versions")
class NeverTheSameBytes(MemoryConnector):
    """Every read shows something new in every record."""

    def _encode(self, request: ReadRequest, record: dict[str, Any]) -> bytes:
        shown = {**record, "Комментарий": str(self.traffic.requests)}
        return super()._encode(request, shown)


@broken("changes")
class AcknowledgesAll(MemoryConnector):
    """Acknowledging a packet forgets what changed after it."""

    def acknowledge(self, node: str, number: int) -> None:
        super().feed(node)
        super().acknowledge(node, number)


@broken("changes", "deletes")
class ForgetsOnceSent(MemoryConnector):
    """A packet comes once, acknowledged or not."""

    def feed(self, node: str) -> FeedPacket | None:
        packet = super().feed(node)
        if packet is not None:
            place = self._place(node)
            place.registered, place.received = {}, place.received + 1
        return packet


@broken("changes")
class AfterNotSince(MemoryConnector):
    """Reads what changed after a moment and leaves that moment out."""

    def _chosen(self, request: ReadRequest) -> Any:
        found = super()._chosen(request)
        return [item for item in found if not request.since or item[1][request.changed_field] != request.since]


@broken("deletes")
class DeletionsForgotten(MemoryConnector):
    """The feed leaves deletions out."""

    def _changes(self, stream: str, keys: list[tuple[str, ...]], number: int) -> Page:
        return replace(super()._changes(stream, keys, number), deleted=())


@broken("deletes")
class DeletionsByAnotherName(MemoryConnector):
    """Deletions are told by keys that nobody knows."""

    def _changes(self, stream: str, keys: list[tuple[str, ...]], number: int) -> Page:
        page = super()._changes(stream, keys, number)
        return replace(page, deleted=[key.upper() for key in page.deleted])


@broken("deletes")
class DeletedByAbsence(MemoryConnector):
    """Calls everything deleted that was never asked for, once something is gone."""

    def read(self, request: ReadRequest) -> Iterator[Page]:
        for page in super().read(request):
            gone = 0 < len(self.base.records.get(request.stream, ())) < 40
            yield replace(page, deleted=["o000"] if gone and request.table == "set" else ())


@broken("errors", "lookups")
class UnknownIsAKeyError(MemoryConnector):
    """A stream that is not there is an exception of Python's."""

    def _info(self, request: ReadRequest) -> StreamInfo:
        return self.base.infos[request.stream if request.table == "set" else f"{request.stream}#{request.table}"]


@broken("errors")
class UnknownFieldsAreEmpty(MemoryConnector):
    """A field that is not there is left out in silence."""

    def read(self, request: ReadRequest) -> Iterator[Page]:
        info = self.base.infos.get(request.stream)
        known = tuple(n for n in request.fields if not info or n in info.fields.keys() | info.tables.keys())
        return super().read(replace(request, fields=known) if request.table == "set" else request)


@broken("errors")
class AnyNodeWillDo(MemoryConnector):
    """An unknown node is taken for a new one."""

    def feed(self, node: str) -> FeedPacket | None:
        self.base.subscribe(node)
        return super().feed(node)
