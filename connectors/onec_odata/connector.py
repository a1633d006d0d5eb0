"""One 1C base as a connector."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from connectors import web
from connectors.base import (
    Capabilities,
    Change,
    CheckReport,
    DayTotal,
    FeedPacket,
    ReadRequest,
    StreamInfo,
    Traffic,
    WriteResult,
)
from connectors.onec_odata import metadata
from connectors.onec_odata.answers import Answer, Asked, misfit
from connectors.onec_odata.asking import plain
from connectors.onec_odata.config import OneCSettings
from connectors.onec_odata.feed import Feed
from connectors.onec_odata.getting import Getter
from connectors.onec_odata.read import Reader
from connectors.onec_odata.single import Single
from connectors.onec_odata.transport import Transport
from connectors.onec_odata.urls import build
from connectors.onec_odata.write import OneCTarget
from connectors.onec_odata.xml import NotXml
from connectors.writing import Writing
from hub.model.errors import HubError, NeedsPerson, RetryLater, StopRoute, StopSystem
from hub.model.records import Page, Window

#: Beyond this the clocks of the base and of this machine are called different.
CLOCK_SECONDS = 120
#: Faults that name something which is not published (any more).
_NAMES = {"unknown_set", "unknown_field", "unknown_table"}


class _Set(msgspec.Struct):
    name: str = ""
    url: str = ""


class _Service(msgspec.Struct):
    value: list[_Set]


class OneC:
    """Reading and writing one 1C base through its standard OData interface.

    ``cache``: a folder where parsed metadata is kept between processes. Safe to use from several threads; opening
    touches no network.
    """

    def __init__(self, settings: OneCSettings, cache: Path | None = None, transport: Transport | None = None) -> None:
        self._settings = settings
        self._cache = cache
        self._transport = transport or Transport(settings)
        getter = Getter(settings, self._transport)
        self._reader = Reader(getter)
        self._single = Single(getter, self.streams)
        self._feed = Feed(settings, self._transport)
        self._writing = Writing(OneCTarget(settings, self._transport))
        self._streams: dict[str, StreamInfo] | None = None
        self._lock = threading.Lock()
        feed = bool(settings.exchange_plan and settings.node)
        self.capabilities = Capabilities(
            changes_feed=feed,
            deletes_in_feed=feed,
            versions=True,
            windows=True,
            totals=True,
            write=True,
            read_back=True,
        )

    @property
    def traffic(self) -> Traffic:
        """Requests sent and bytes received so far."""
        return self._transport.traffic

    def check(self) -> CheckReport:
        """Try the address, the login, what is published, the clock and the schema; problems are collected."""
        report = CheckReport()
        try:
            published = self._service(report)
        except HubError as error:
            report.problems.append(error)
            return report
        report.product, report.streams = "1C:Enterprise OData 3.0", len(published)
        report.notes.extend(self._notes(report))
        try:
            report.problems.extend(self._lacks(published))
        except HubError as error:
            report.problems.append(error)
        return report

    def _service(self, report: CheckReport) -> set[str]:
        """Names in the service document; ``StopSystem(not_onec)`` when the address answers with something else."""
        asked = Asked(self._settings.name)
        answer = self._transport.get(build(self._transport.root, "", [("$format", "json")]), asked)
        report.reachable = True
        report.server_time = web.server_time(answer.headers.get("date", ""))
        try:
            return {item.name or item.url for item in msgspec.json.decode(answer.content, type=_Service).value}
        except (msgspec.DecodeError, UnicodeDecodeError):
            raise misfit(answer, asked) from None

    def _lacks(self, published: set[str]) -> Iterator[HubError]:
        """What the base does not offer although it should."""
        settings, plan = self._settings, self._settings.exchange_plan
        if not published:
            yield StopSystem("nothing_published", system=settings.name)
            return
        if plan and not {plan, f"ExchangePlan_{plan}"} & published:
            yield NeedsPerson("plan_unpublished", system=settings.name, plan=plan)
        elif plan and settings.node:
            yield from self._lacks_node()
        missing = sorted(published - self.streams().keys())
        if missing:
            yield StopSystem("metadata_misfit", system=settings.name, names=", ".join(missing[:10]))

    def _lacks_node(self) -> Iterator[HubError]:
        """Why the changes could not be taken: no such node in the plan, or no right to read it."""
        try:
            self._feed.look_up()
        except HubError as error:
            yield error

    def _notes(self, report: CheckReport) -> Iterator[HubError]:
        """What an admin should know and may leave as it is."""
        settings = self._settings
        if report.server_time is not None:
            seconds = abs((report.server_time - datetime.now(UTC)).total_seconds())
            if seconds > CLOCK_SECONDS:
                yield NeedsPerson("clock_differs", system=settings.name, minutes=round(seconds / 60))
        if settings.verify is False and self._transport.root.startswith("https"):
            yield NeedsPerson("tls_unchecked", system=settings.name)
        if settings.user and self._transport.bare:
            yield NeedsPerson("login_unprotected", system=settings.name)

    def streams(self) -> dict[str, StreamInfo]:
        """Published sets and virtual tables; read once per connector, parsed once per content.

        With ``schema_seconds`` in the settings they are not even read when that was done lately by anybody with this
        cache, and no name has proven unknown since.
        """
        with self._lock:
            if self._streams is None:
                self._streams = self._load()
            return self._streams

    def _load(self) -> dict[str, StreamInfo]:
        settings, root = self._settings, self._transport.root
        if self._cache and settings.schema_seconds:
            known = metadata.believed(self._cache, root, settings.schema_seconds)
            if known is not None:
                return known.streams
        asked = Asked(settings.name, "$metadata")
        with metadata.spool() as document:
            answer = self._transport.download(build(self._transport.root, "$metadata"), asked, document)
            if answer.kind != "xml":
                raise misfit(answer, asked)
            try:
                found = metadata.load(document, self._cache)
            except NotXml:
                raise _broken(answer, asked) from None
        if not found.streams:
            raise StopSystem("nothing_published", system=settings.name)
        if self._cache:
            metadata.remember(self._cache, root, found.digest)
        return found.streams

    @contextmanager
    def _doubting(self) -> Iterator[None]:
        """A name that the base does not know: what it published last is not what it publishes now."""
        try:
            yield
        except StopRoute as error:
            if self._cache and error.code in _NAMES:
                metadata.doubt(self._cache, self._transport.root)
            raise

    def fingerprint(self) -> str:
        """SHA-256 of the published names, types and keys; independent of how the document is laid out."""
        ordered = msgspec.json.encode(self.streams(), order="deterministic")
        return hashlib.sha256(ordered).hexdigest()

    def count(self, request: ReadRequest) -> int:
        """How many records the base counts itself."""
        return self._reader.count(request)

    def read(self, request: ReadRequest) -> Iterator[Page]:
        """Pages of a set or virtual table. Between two pages no connection or session is held."""
        with self._doubting():
            yield from self._reader.pages(request)

    def fetch(self, request: ReadRequest, external_ids: Sequence[str]) -> Page:
        """Single records by key; ``deleted`` are those that 1C itself says do not exist."""
        with self._doubting():
            return self._single.fetch(plain(request), external_ids)

    def write(self, stream: str, changes: Sequence[Change]) -> Iterator[WriteResult]:
        """One record after another, each read back; nothing is deleted, and nothing unanswered is sent again."""
        for change in changes:
            yield self._writing.write(stream, change)

    def totals(self, stream: str, date_field: str, total_field: str, window: Window) -> list[DayTotal]:
        """Count and sum by local day of the base, read anew."""
        return self._reader.totals(stream, date_field, total_field, window)

    def feed(self, node: str) -> FeedPacket | None:
        """The next packet for ``plan/node`` (``""``: the node of the settings)."""
        return self._feed.next(node)

    def acknowledge(self, node: str, number: int) -> None:
        """Tell 1C that packet ``number`` is committed here."""
        self._feed.acknowledge(node, number)

    def close(self) -> None:
        """End sessions, close connections; safe to call twice."""
        self._transport.close()


def _broken(answer: Answer, asked: Asked) -> HubError:
    """XML that cannot be parsed: cut on its way, or not what 1C makes (a document type, another encoding)."""
    if b"<!DOCTYPE" in answer.body[:4096]:
        return StopSystem("not_onec", system=asked.system, status=answer.status)
    return RetryLater("page_cut", system=asked.system, stream=asked.stream)
