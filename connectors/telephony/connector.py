"""The connector of kinds ``pbx_db`` and ``pbx_files``: calls out of an exchange's own records. It never writes."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, time, timedelta
from threading import RLock
from typing import Any, BinaryIO, Protocol
from zoneinfo import ZoneInfo

import msgspec

from connectors.base import Capabilities, CheckReport, ReadRequest, StreamInfo, Traffic
from connectors.lacking import NoFeed, NoTotals, ReadOnly
from connectors.sql_tables.database import Database
from connectors.telephony.call import CALLS, STREAM, Call
from connectors.telephony.clock import named_second
from connectors.telephony.columns import FIRST, LAST
from connectors.telephony.config import PbxSettings
from connectors.telephony.pages import encoded, pages, polled
from connectors.telephony.reading import CallReader
from connectors.telephony.recordings import open_recording
from connectors.telephony.seen import Place
from connectors.telephony.sources import Found, find
from hub.model.errors import HubError, StopRoute
from hub.model.records import Page, Window

_NOTICED = timedelta(minutes=20)


class Origin(Protocol):
    """Where the rows are: a database, or files that are laid out as one."""

    def database(self, position: dict[str, Any] | None, reach: timedelta, *, whole: bool) -> Database:
        """The database to ask, with all rows that a read from this position needs (``whole``: with every row)."""

    def token(self, since: datetime | None) -> dict[str, Any]:
        """What a position has to hold besides, so that rows that ended before ``since`` need not be read again; of a
        read that has not come to its end (``None``), what it began with.
        """

    def broken(self, position: dict[str, Any] | None) -> Iterator[dict[str, Any]]:
        """What is no row and was not read before that position, as records that a mapping will refuse."""

    def close(self) -> None:
        """Give back what is held."""


class InDatabase:
    """Rows are in a database already."""

    def __init__(self, settings: PbxSettings, traffic: Traffic) -> None:
        self._database = Database(settings.sql, traffic)

    def database(self, position: dict[str, Any] | None, reach: timedelta, *, whole: bool) -> Database:
        """Always the same."""
        return self._database

    def token(self, since: datetime | None) -> dict[str, Any]:
        """Nothing."""
        return {}

    def broken(self, position: dict[str, Any] | None) -> Iterator[dict[str, Any]]:
        """A database has rows only."""
        return iter(())

    def close(self) -> None:
        """Give connections back."""
        self._database.close()


class Pbx(NoFeed, NoTotals, ReadOnly):
    """Reads the calls of one exchange; nothing is opened before the first question."""

    capabilities = Capabilities(windows=True, tokens=True)

    def __init__(self, settings: PbxSettings, origin: Origin, traffic: Traffic) -> None:
        self.traffic = traffic
        self.title = settings.sql.title
        self._settings, self._origin = settings, origin
        self._zone = ZoneInfo(settings.sql.timezone)
        self._lock = RLock()
        self._found: Found | None = None

    def check(self) -> CheckReport:
        """Open it, say what was found, and whether its clock is the one of the settings."""
        report = CheckReport()
        title = self.title
        try:
            reader, found = self._reader(None, whole=False)
            report.reachable, report.streams, report.server_time = True, 1, datetime.now(UTC)
            report.product = f"{found.format} ({', '.join(source.clause.name for source in found.sources)})"
            newest = reader.newest()
            if newest is None:
                report.notes.append(StopRoute("calls_none", system=title))
            elif zone := self._other_zone(newest):
                report.notes.append(StopRoute("calls_zone", system=title, zone=self._zone.key, shown=zone))
            if found.unindexed:
                report.notes.append(StopRoute("calls_no_index", system=title, tables=", ".join(found.unindexed)))
        except HubError as error:
            report.problems.append(error)
        return report

    def _other_zone(self, call: Call) -> str:
        """The offset of the exchange's clock, where it is not that of the settings."""
        named = named_second(call.id)
        own = call.started.utcoffset()
        expected = call.started.astimezone(self._zone).utcoffset()
        if named is None or own is None or expected is None or abs(call.started - named) > _NOTICED:
            return ""
        hours = own.total_seconds() / 3600
        return f"UTC{hours:+g}" if own != expected else ""

    def streams(self) -> dict[str, StreamInfo]:
        """One stream of whole calls, the same of every exchange."""
        return {STREAM: CALLS}

    def fingerprint(self) -> str:
        """SHA-256 of ``streams()``."""
        return hashlib.sha256(msgspec.json.encode(self.streams(), order="deterministic")).hexdigest()

    def count(self, request: ReadRequest) -> int:
        """How many calls began within the window, by the database's own count of their names."""
        self._known(request)
        begins, ends = _bounds(request.window)
        return self._reader(None, whole=True)[0].count(begins, ends)

    def read(self, request: ReadRequest) -> Iterator[Page]:
        """Calls in the order of their starts. Without a window: what is new or changed since the position."""
        self._known(request)
        with self._lock:
            place = Place.told(request.position)
            polling = request.window is None and place.until is not None
            reader, _ = self._reader(request.position, whole=not polling)
        size = max(1, min(request.page_size, self._settings.sql.page_size))
        raws = self._raws(reader, request, place)
        for page in pages(request.stream, raws, size, lambda: self._token(place)):
            self.traffic.bytes_read += page.nbytes
            yield page

    def _raws(self, reader: CallReader, request: ReadRequest, place: Place) -> Iterator[bytes]:
        code, reach, remember = self._settings.code, self._settings.reach, request.window is None
        begins, ends = _bounds(request.window)
        begins = max(begins, place.begins(reach))
        calls = ((start, call, call.record(code)) for start, call in reader.calls(begins, ends))
        yield from polled(calls, place, reach, _wanted(request), remember=remember, zone=self._zone)
        if remember:
            yield from (encoded(record, _wanted(request)) for record in self._origin.broken(request.position))

    def _token(self, place: Place) -> dict[str, Any]:
        """The position: of the calls, and of the files that they stand in."""
        done = place.after is None and place.until is not None
        since = place.until - 2 * self._settings.reach if done and place.until else None
        return place.token() | self._origin.token(since)

    def fetch(self, request: ReadRequest, external_ids: Sequence[str]) -> Page:
        """Calls by name; names that the records do not hold (any more) are ``deleted``."""
        self._known(request)
        asked = list(dict.fromkeys(external_ids))
        found = self._reader(None, whole=True)[0].single(asked) if asked else []
        records = [encoded(call.record(self._settings.code), _wanted(request)) for call in found]
        there = {call.id for call in found}
        nbytes = sum(map(len, records))
        self.traffic.bytes_read += nbytes
        return Page(request.stream, records, [name for name in asked if name not in there], last=True, nbytes=nbytes)

    def fetch_recording(self, ref: str) -> BinaryIO:
        """The file of a call's ``recording``, see ``recordings.open_recording``; whoever asks closes it."""
        return open_recording(self._settings.calls.recordings, ref, self.title)

    def close(self) -> None:
        """Give connections and files back."""
        self._origin.close()

    def _known(self, request: ReadRequest) -> None:
        title = self.title
        if request.stream != STREAM:
            raise StopRoute("unknown_set", system=title, stream=request.stream)
        for name in (*request.fields, *filter(None, (request.date_field,))):
            if name not in CALLS.fields and name not in CALLS.tables:
                raise StopRoute("unknown_field", system=title, stream=STREAM, field=name)

    def _reader(self, position: dict[str, Any] | None, *, whole: bool) -> tuple[CallReader, Found]:
        with self._lock:
            database = self._origin.database(position, self._settings.reach, whole=whole)
            found = self._found
            if found is None:
                with database.reading() as conn:
                    found = find(conn, self._settings)
                self._found = found if all(source.sampled for source in found.sources) else None
            return CallReader(database, self._settings, found), found


def _bounds(window: Window | None) -> tuple[datetime, datetime]:
    if window is None:
        return FIRST, LAST
    begins, ends = (datetime.combine(day, time.min) for day in (window.start, window.end))
    return max(begins, FIRST), min(ends, LAST)


def _wanted(request: ReadRequest) -> set[str] | None:
    return {*request.fields, *request.key} if request.fields else None
