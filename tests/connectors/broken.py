"""Connectors that are broken on purpose, each in one way, over the in-memory one: what the kit must find.

``broken_at_its_point.py`` and ``broken_whole.py`` certify them; ``test_broken.py`` runs these and reads the verdicts.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, ClassVar, TypeVar

import msgspec

from connectors.base import Change, CheckReport, DayTotal, FeedPacket, ReadRequest, StreamInfo, WriteResult
from connectors.memory import MemoryBase, MemoryConnector
from connectors.memory_write import MemoryTarget
from connectors.writing import Shown, Unanswered, Writing
from hub.model.errors import HubError, StopRoute
from hub.model.records import Page, Window
from tests.connectors.in_memory import InMemory


@dataclass(frozen=True)
class Caught:
    """A connector that is broken, the point that the defect belongs to, and others that cannot overlook it."""

    kind: type[MemoryConnector]
    at: str
    also: frozenset[str]

    @property
    def subject(self) -> type[InMemory]:
        """What stands behind it."""
        return type(f"Behind{self.kind.__name__}", (InMemory,), {"connect": lambda subject: self.kind(subject.base)})


BROKEN: dict[str, Caught] = {}
Kind = TypeVar("Kind", bound=type[MemoryConnector])


def broken(at: str, *also: str) -> Callable[[Kind], Kind]:
    """Register a connector."""

    def register(kind: Kind) -> Kind:
        BROKEN[kind.__name__] = Caught(kind, at, frozenset(also))
        return kind

    return register


def tests(bases: Callable[[Caught], tuple[type, ...]]) -> dict[str, type]:
    """A class of tests for each of them, by name."""
    return {f"Test{name}": type(f"Test{name}", bases(it), {"subject_type": it.subject}) for name, it in BROKEN.items()}


# ------------------------------------------------------------------------------------------------------------- reading


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


# -------------------------------------------------------------------------------------------------------------- faults


@broken("faults")
class BareExceptions(MemoryConnector):
    """What went wrong on the way comes out as Python's own exception."""

    def _request(self) -> None:
        try:
            super()._request()
        except HubError as error:
            raise ValueError(error.code) from None


@broken("faults")
class BrokenIsEmpty(MemoryConnector):
    """A page that did not come is an empty last one."""

    def read(self, request: ReadRequest) -> Iterator[Page]:
        try:
            yield from super().read(request)
        except StopRoute as error:
            if error.code.startswith("unknown"):
                raise
            yield Page(request.stream, [], last=True)


@broken("faults")
class BrokenIsDeleted(MemoryConnector):
    """A look-up that failed calls the records deleted."""

    def fetch(self, request: ReadRequest, external_ids: Sequence[str]) -> Page:
        try:
            return super().fetch(request, external_ids)
        except HubError as error:
            if error.code.startswith("unknown"):
                raise
            return Page(request.stream, [], list(external_ids), last=True)


@broken("faults")
class CountsZeroWhenBroken(MemoryConnector):
    """A count that failed is nought."""

    def count(self, request: ReadRequest) -> int:
        try:
            return super().count(request)
        except HubError as error:
            if error.code.startswith("unknown"):
                raise
            return 0


@broken("faults")
class CheckRaises(MemoryConnector):
    """The check raises what it should report."""

    def check(self) -> CheckReport:
        self._request()
        return super().check()


@broken("faults")
class PacketLostWithItsAnswer(MemoryConnector):
    """A packet that did not come whole is taken for delivered."""

    def feed(self, node: str) -> FeedPacket | None:
        try:
            return super().feed(node)
        except HubError as error:
            if error.code != "node_unknown":
                self._place(node).registered.clear()
            raise


# ------------------------------------------------------------------------------------------------------------- writing


class WithTarget(MemoryConnector):
    """Writes through a target of its own kind."""

    target: ClassVar[type[MemoryTarget]] = MemoryTarget

    def __init__(self, base: MemoryBase) -> None:
        super().__init__(base)
        self._writing = Writing(self.target(base, "ut", self.traffic))


@broken("readback", "faults")
class SaysWritten(MemoryConnector):
    """Says written, and has sent nothing."""

    def write(self, stream: str, changes: Sequence[Change]) -> Iterator[WriteResult]:
        for change in changes:
            self.traffic.writes += 1
            body = msgspec.json.encode({"Ref_Key": change.external_id, **change.fields})
            yield WriteResult(change.external_id, "written", "1", body)


class _Results(MemoryConnector):
    """Changes results on their way out."""

    def write(self, stream: str, changes: Sequence[Change]) -> Iterator[WriteResult]:
        for change, result in zip(changes, super().write(stream, changes), strict=True):
            yield self.changed(change, result)

    def changed(self, change: Change, result: WriteResult) -> WriteResult:
        """What is told instead."""
        raise NotImplementedError


@broken("readback")
class CutWithoutAWord(_Results):
    """A text that was cut is written, without a difference."""

    def changed(self, change: Change, result: WriteResult) -> WriteResult:
        return replace(result, differences=())


@broken("readback")
class ShowsWhatWasSent(_Results):
    """Shows what was sent as if the system did."""

    def changed(self, change: Change, result: WriteResult) -> WriteResult:
        shown = {**json.loads(result.record or b"{}"), **change.fields}
        return replace(result, record=msgspec.json.encode(shown), differences=())


@broken("readback")
class FillsUntold(_Results):
    """What the system filled in is not told."""

    def changed(self, change: Change, result: WriteResult) -> WriteResult:
        return replace(result, filled=())


@broken("readback")
class VersionOfBefore(_Results):
    """Gives a version that the record does not have any more."""

    def changed(self, change: Change, result: WriteResult) -> WriteResult:
        return replace(result, version=change.version or result.version)


@broken("readback")
class RefusesWithoutAReason(_Results):
    """A refusal without an error."""

    def changed(self, change: Change, result: WriteResult) -> WriteResult:
        return replace(result, error=None)


@broken("readback")
class CreatesAnew(WithTarget):
    """A create that is repeated makes a second record."""

    class target(MemoryTarget):  # noqa: N801 - it is an attribute
        """Gives another key where one is taken."""

        def create(self, stream: str, key: str, body: dict[str, Any], load_mode: bool) -> str:
            if (key,) in self._base.records[stream]:
                key = f"{key}-2"
            return super().create(stream, key, body, load_mode)


@broken("readback")
class RepeatsBlindly(WithTarget):
    """No answer to a create: it is sent again, under another key."""

    class target(MemoryTarget):  # noqa: N801
        """Sends twice."""

        def create(self, stream: str, key: str, body: dict[str, Any], load_mode: bool) -> str:
            try:
                return super().create(stream, key, body, load_mode)
            except Unanswered:
                return super().create(stream, f"{key}-2", body, load_mode)


@broken("readback")
class LostIsWritten(_Results):
    """No answer, and nothing to be seen: it will have been written."""

    def changed(self, change: Change, result: WriteResult) -> WriteResult:
        return replace(result, became="written", record=b"{}") if result.became == "unknown" else result


@broken("readback")
class SendsWhatStandsThere(MemoryConnector):
    """Sends what the record shows already."""

    def write(self, stream: str, changes: Sequence[Change]) -> Iterator[WriteResult]:
        for result in super().write(stream, changes):
            self.traffic.writes += result.became == "unchanged"
            yield result


@broken("readback")
class WritesOverOthers(MemoryConnector):
    """Does not look whether the record is still the one decided on."""

    def write(self, stream: str, changes: Sequence[Change]) -> Iterator[WriteResult]:
        return super().write(stream, [replace(change, version=None) for change in changes])


@broken("readback")
class OnlyWithAVersion(MemoryConnector):
    """Will not write without a version."""

    def write(self, stream: str, changes: Sequence[Change]) -> Iterator[WriteResult]:
        for change in changes:
            asked = change if change.create or change.version else replace(change, version="0")
            yield from super().write(stream, [asked])


@broken("readback")
class AppendsRows(WithTarget):
    """Rows of a table are added to those that are there."""

    class target(MemoryTarget):  # noqa: N801
        """Keeps rows."""

        def change(self, stream: str, before: Shown, body: dict[str, Any], change: Change) -> None:
            rows = {name: [*before.fields.get(name, []), *value] for name, value in body.items() if _is_table(value)}
            super().change(stream, before, body | rows, change)


@broken("readback")
class ClearsTheRest(WithTarget):
    """An update empties the fields that it does not name."""

    class target(MemoryTarget):  # noqa: N801
        """Replaces the record."""

        def change(self, stream: str, before: Shown, body: dict[str, Any], change: Change) -> None:
            rest = {"ИНН": "", "Date": ""}
            super().change(stream, before, {**{n: v for n, v in rest.items() if n in before.fields}, **body}, change)


@broken("readback")
class UpdatesIntoBeing(MemoryConnector):
    """A change of a record that is not there creates it."""

    def write(self, stream: str, changes: Sequence[Change]) -> Iterator[WriteResult]:
        there = self.base.records[stream]
        found = [c if c.create or (c.external_id,) in there else replace(c, create=True) for c in changes]
        return super().write(stream, found)


@broken("readback")
class StopsAtARefusal(MemoryConnector):
    """One record that is refused ends the whole."""

    def write(self, stream: str, changes: Sequence[Change]) -> Iterator[WriteResult]:
        for result in super().write(stream, changes):
            yield result
            if result.became == "refused":
                return


@broken("readback")
class WritesAllAtOnce(MemoryConnector):
    """Sends every change before it tells of the first."""

    def write(self, stream: str, changes: Sequence[Change]) -> Iterator[WriteResult]:
        return iter(list(super().write(stream, changes)))


@broken("readback")
class PostsNothing(MemoryConnector):
    """Leaves documents as they are, posted or not."""

    def write(self, stream: str, changes: Sequence[Change]) -> Iterator[WriteResult]:
        return super().write(stream, [replace(change, posting="keep") for change in changes])


@broken("readback")
class IgnoresTheLook(MemoryConnector):
    """Does not look first where it is told to."""

    def write(self, stream: str, changes: Sequence[Change]) -> Iterator[WriteResult]:
        return super().write(stream, [replace(change, look_first=False) for change in changes])


@broken("readback")
class LoadModeWritesNothing(MemoryConnector):
    """Cannot skip business rules, and drops the change."""

    def write(self, stream: str, changes: Sequence[Change]) -> Iterator[WriteResult]:
        for change in changes:
            if change.load_mode:
                yield WriteResult(change.external_id, "unchanged")
            else:
                yield from super().write(stream, [change])


def _is_table(value: Any) -> bool:
    return isinstance(value, list)


def _longer(request: ReadRequest) -> ReadRequest:
    window = request.window
    if window is None or window.end.year > 9000:
        return request
    return replace(request, window=Window(window.start, window.end + timedelta(days=1)))
