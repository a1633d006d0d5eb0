"""The connector of kind ``pbx_cloud``: reads whole calls of one account, and fetches recordings when asked for one."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import IO, Any
from zoneinfo import ZoneInfo

import msgspec

from connectors.base import Capabilities, CheckReport, ReadRequest, StreamInfo, Traffic
from connectors.cloud_pbx.client import Client
from connectors.cloud_pbx.config import CloudSettings, address
from connectors.cloud_pbx.hooks import refused
from connectors.cloud_pbx.polling import DEEP, OVERLAP, SETTLE, Found, Poller
from connectors.cloud_pbx.recording import Fetcher
from connectors.cloud_pbx.service import HookKeys
from connectors.cloud_pbx.services import service_of
from connectors.lacking import NoFeed, NoTotals, ReadOnly
from connectors.notices import Hint
from connectors.telephony.call import CALLS, STREAM
from hub.model.errors import HubError, StopRoute
from hub.model.records import Page

_FIRST, _OPEN = date.min, date(9999, 1, 1)


@dataclass(frozen=True, slots=True)
class _Place:
    """What is still to be read: from the part that begins at ``chunk``, of it what comes after ``after``."""

    begin: datetime
    end: datetime
    chunk: datetime
    after: tuple[str, str] | None = None


class CloudPbx(NoFeed, NoTotals, ReadOnly):
    """Speaks to one account; nothing is asked before the first question.

    A position is ``{"to": moment}`` after a read that came to its end: the next one goes on two hours before that
    moment, and what comes again is the same. While a read is under way it is ``from``, ``to``, ``chunk`` and ``after``.
    ``now`` and ``sleep`` are replaced in tests.
    """

    capabilities = Capabilities(windows=True, tokens=True)

    def __init__(
        self,
        settings: CloudSettings,
        system: str,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        service = service_of(settings)
        base = address(settings, service.base, service.example)
        self.title = settings.title
        self._settings, self._service, self._now = settings, service, now
        self._zone = ZoneInfo(settings.timezone)
        self._client = Client(
            settings,
            service.title,
            base,
            service.sign,
            service.complaint,
            login=service.login,
            pace=service.pace,
            sleep=sleep,
        )
        self._poller = Poller(self._client, service, system)

    @property
    def traffic(self) -> Traffic:
        """What was sent so far."""
        return self._client.traffic

    def check(self) -> CheckReport:
        """Ask for the calls of the last minutes: address, keys, rights and the form of an answer in one question."""
        report = CheckReport(product=self._service.title, streams=1)
        end = self._settled()
        try:
            self._poller.calls(end - timedelta(minutes=10), end, strict=True)
            report.reachable, report.server_time = True, datetime.now(UTC)
        except HubError as error:
            report.problems.append(error)
        return report

    def streams(self) -> dict[str, StreamInfo]:
        """One, whatever the service; nothing is asked for it."""
        return {STREAM: CALLS}

    def fingerprint(self) -> str:
        """SHA-256 of ``streams()``."""
        return hashlib.sha256(msgspec.json.encode(self.streams(), order="deterministic")).hexdigest()

    def count(self, request: ReadRequest) -> int:
        """How many calls the service lists: it counts no calls itself, so they are all asked for."""
        place = self._place(request)
        return sum(len(found) for _, found in self._parts(request, place))

    def read(self, request: ReadRequest) -> Iterator[Page]:
        """Whole calls by the moment they began. Each part of the time is read to its end before a call of it comes."""
        place, size = self._place(request), max(1, min(request.page_size, self._settings.page_size))
        held: Page | None = None
        for chunk, found in self._parts(request, place):
            for at in range(0, len(found), size):
                if held is not None:
                    yield held
                some = found[at : at + size]
                told = {"from": _iso(place.begin), "to": _iso(place.end), "chunk": _iso(chunk), "after": some[-1][:2]}
                held = self._page(request, some, told)
        last = held or self._page(request, [], {})
        last.last = True
        if request.window is None:
            last.position = {"to": _iso(place.end)}
        elif not last.position:
            last.position = {**dict.fromkeys(("from", "to", "chunk"), _iso(place.end)), "after": ["", ""]}
        yield last

    def fetch(self, request: ReadRequest, external_ids: Sequence[str]) -> Page:
        """Single calls: the days of ``history_days`` are looked through from the newest on until all are found.

        No service tells of one call by its id. What is older than that is answered as not there.
        """
        self._known(request)
        wanted, records = set(external_ids), []
        place = self._place(ReadRequest(STREAM))
        for start, end in reversed(list(self._poller.spans(place.begin, place.end))) if wanted else []:
            for one in self._poller.calls(start, end, strict=True):
                if one[1] in wanted:
                    wanted.discard(one[1])
                    records.append(one)
            if not wanted:
                break
        page = self._page(request, records, {})
        page.last, page.deleted = True, [key for key in dict.fromkeys(external_ids) if key in wanted]
        return page

    def fetch_recording(self, reference: str, /) -> IO[bytes]:
        """As ``connectors.recordings.Recorded`` says."""
        return Fetcher(self._client, self._service).fetch(reference)

    def notice(self, headers: Mapping[str, str], body: bytes, /) -> Hint:
        """As ``connectors.notices.Notified`` says."""
        if self._service.verify is None:
            raise refused(self._service.title)
        keys = HookKeys(self._settings.user, self._settings.password, self._settings.hook)
        return self._service.verify(keys, headers, body)

    def greeting(self, query: Mapping[str, str], /) -> str:
        """As ``connectors.notices.Notified`` says."""
        return query.get(self._service.echo, "") if self._service.echo else ""

    def covered(self, position: Mapping[str, Any], /) -> datetime | None:
        """The end of the last read: what rang or ended before lies within its overlap."""
        return datetime.fromisoformat(position["to"]) if "to" in position and "chunk" not in position else None

    def ripe(self, received: datetime, /) -> datetime:
        """A read leaves out the newest moments; behind them it finds the call."""
        return received + SETTLE

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    # --- inside -------------------------------------------------------------------------------------------------

    def _settled(self) -> datetime:
        """The newest moment that is read up to."""
        return (self._now() - SETTLE).replace(microsecond=0)

    def _known(self, request: ReadRequest) -> None:
        """Stream and fields must be ours."""
        title = self.title
        if request.stream != STREAM or request.table != "set":
            raise StopRoute("unknown_set", system=title, stream=request.stream)
        names = CALLS.fields.keys() | CALLS.tables.keys()
        for name in (*request.fields, *request.key, *filter(None, (request.date_field,))):
            if name not in names and (request.fields or name == request.date_field):
                raise StopRoute("unknown_field", system=title, stream=STREAM, field=name)

    def _place(self, request: ReadRequest) -> _Place:
        """Where to begin: in the middle of a read, at the days asked for, behind the last read, or at the beginning."""
        self._known(request)
        told = request.position or {}
        if "chunk" in told:
            after = tuple(map(str, told["after"]))
            begin, end, chunk = (datetime.fromisoformat(told[name]) for name in ("from", "to", "chunk"))
            return _Place(begin, end, chunk, (after[0], after[1]))
        end, first = self._settled(), self._settled() - timedelta(days=self._settings.history_days)
        if request.window is not None:
            window = request.window
            begin = first if window.start == _FIRST else self._midnight(window.start)
            end = end if window.end >= _OPEN else min(end, self._midnight(window.end))
            return _Place(begin, end, begin)
        begin = self._behind(datetime.fromisoformat(told["to"]), end) if "to" in told else first
        return _Place(begin, max(end, begin), begin)

    def _behind(self, last: datetime, end: datetime) -> datetime:
        """How far a read goes back behind the last one."""
        if self._service.grain == "day":
            return min(last - OVERLAP, self._poller.first_of_yesterday(end))
        return last - (OVERLAP if last.date() == end.date() else DEEP)

    def _midnight(self, day: date) -> datetime:
        return datetime(day.year, day.month, day.day, tzinfo=self._zone)

    def _parts(self, request: ReadRequest, place: _Place) -> Iterator[tuple[datetime, list[Found]]]:
        """Calls of each part of the time that is left, with the moment that the part begins at."""
        for start, end in self._poller.spans(place.chunk, place.end):
            found = self._poller.calls(start, end, strict=request.window is not None)
            if place.after is not None and start == place.chunk:
                found = [one for one in found if one[:2] > place.after]
            yield start, found

    def _page(self, request: ReadRequest, found: Sequence[Found], position: dict[str, Any]) -> Page:
        wanted = {*request.fields, *request.key}
        records = [
            msgspec.json.encode({n: v for n, v in one.items() if n in wanted} if request.fields else one)
            for _, _, one in found
        ]
        return Page(request.stream, records, (), position, False, sum(map(len, records)))


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat()
