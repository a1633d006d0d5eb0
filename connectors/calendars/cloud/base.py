"""What both services have in common: meetings of several calendars, a delta each, and writes by ETag.

An external id is ``calendar/event``. A record is a whole meeting: a series comes with its exceptions, whichever of its
occurrences has changed. Not tried against a live service.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Any, Protocol
from urllib.parse import quote, unquote

import msgspec

from connectors.base import Capabilities, Change, CheckReport, ReadRequest, StreamInfo, WriteResult
from connectors.calendars import shape
from connectors.calendars.account import Account
from connectors.calendars.ical.record import EVENTS, KEY, STREAMS, VERSION
from connectors.calendars.wire import Wire
from connectors.lacking import NoFeed, NoTotals
from connectors.writing import Overtaken, Refused, Shown, Taken, Writing
from hub.model.errors import HubError, NeedsPerson, SkipRecord, StopRoute
from hub.model.records import Page

Record = dict[str, Any]
Place = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Calendar:
    """One calendar of the account."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class News:
    """What a service tells of one calendar. ``records`` by event id; ``whole``: these are all there are."""

    records: dict[str, Record]
    gone: tuple[str, ...]
    place: Place
    whole: bool = False


class Service(Protocol):  # pragma: no cover - a declaration
    """One service. ``fixed``: fields that are not written to it."""

    name: str
    fixed: frozenset[str]

    def calendars(self) -> list[Calendar]:
        """All calendars of the account."""

    def news(self, calendar: str, place: Place | None) -> Iterator[News]:
        """Everything, or what happened since; the last one has the place to go on from."""

    def get(self, calendar: str, event: str) -> Record | None:
        """One meeting with its exceptions; ``None`` where the service says that there is none."""

    def find(self, calendar: str, key: str, uid: str) -> str | None:
        """Id of the meeting that was made under a reserved key or has the UID."""

    def create(self, calendar: str, key: str, uid: str, body: Record) -> str:
        """Make a meeting so that asking twice makes one; its id. ``Taken``, ``Refused``."""

    def change(self, calendar: str, event: str, etag: str, body: Record, before: Record) -> None:
        """Write over that version. ``Overtaken``, ``Refused``."""


class CloudCalendar(NoFeed, NoTotals):
    """One account of one service."""

    capabilities = Capabilities(versions=True, write=True, read_back=True, tokens=True)

    def __init__(
        self, account: Account, make: Callable[[Wire], Service], sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self.title = account.title
        self._account = account
        self._wire = Wire(account, sleep)
        self.traffic = self._wire.traffic
        self._service = make(self._wire)
        self._lock = Lock()
        self._found: list[Calendar] | None = None
        self._writing = Writing(_Target(self._service, self._wire, self._calendars), derived=True)

    def check(self) -> CheckReport:
        """Ask for the calendars."""
        report = CheckReport()
        try:
            self._calendars()
            report.reachable, report.product, report.streams = True, self._service.name, 1
        except HubError as error:
            report.problems.append(error)
        return report

    def streams(self) -> dict[str, StreamInfo]:
        """``events``: tasks of these services are another API, which is not spoken here."""
        return {EVENTS: STREAMS[EVENTS]}

    def fingerprint(self) -> str:
        """SHA-256 of what is offered."""
        return shape.fingerprint()

    def count(self, request: ReadRequest) -> int:
        """How many meetings a full read brings: these services do not count."""
        self._checked(request)
        return sum(len(page.records) for page in self.read(shape.whole(request)))

    def read(self, request: ReadRequest) -> Iterator[Page]:
        """All meetings, or what is new, changed or gone."""
        self._checked(request)
        told = dict((request.position or {}).get("at", {}))
        places = {one.id: told[one.id] for one in self._calendars() if one.id in told}
        waiting: Page | None = None
        for calendar in self._calendars():
            for news in self._service.news(calendar.id, places.get(calendar.id)):
                places[calendar.id] = news.place
                if waiting is not None:
                    yield waiting
                waiting = self._page(request, calendar, news, places)
        last = waiting or Page(request.stream, (), position={"at": places})
        last.last = True
        yield last

    def fetch(self, request: ReadRequest, external_ids: Sequence[str]) -> Page:
        """Single meetings, a request each."""
        self._checked(request)
        raws, gone = [], []
        names = {one.id: one.name for one in self._calendars()}
        for external_id in dict.fromkeys(external_ids):
            calendar, _, event = external_id.partition("/")
            found = self._service.get(unquote(calendar), unquote(event)) if event else None
            if found is None:
                gone.append(external_id)
            else:
                made = {KEY: external_id, "calendar": names.get(unquote(calendar), ""), **found}
                raws.append(shape.encoded(made, request.fields))
        return Page(request.stream, raws, gone, last=True, nbytes=sum(map(len, raws)))

    def write(self, stream: str, changes: Sequence[Change]) -> Iterator[WriteResult]:
        """One meeting after another, each read back."""
        for change in changes:
            yield self._writing.write(stream, change)

    def close(self) -> None:
        """Close the connections."""
        self._wire.close()

    def _checked(self, request: ReadRequest) -> None:
        if request.stream != EVENTS:
            raise StopRoute("unknown_set", system=self.title, stream=request.stream)
        shape.checked(request, self.title)

    def _calendars(self) -> list[Calendar]:
        with self._lock:
            if self._found is None:
                found = {one.name: one for one in self._service.calendars()}
                missing = [name for name in self._account.calendars if name not in found]
                if missing:
                    known = ", ".join(found)
                    raise NeedsPerson("calendar_unknown", system=self.title, calendar=missing[0], known=known)
                self._found = [found[name] for name in self._account.calendars or found]
            return self._found

    def _page(self, request: ReadRequest, calendar: Calendar, news: News, places: dict[str, Place]) -> Page:
        records = [
            {KEY: join(calendar.id, event), "calendar": calendar.name, **one} for event, one in news.records.items()
        ]
        kept = [one for one in records if shape.inside(request, one, self._account.zone)]
        raws = [shape.encoded(one, request.fields) for one in kept]
        gone = [join(calendar.id, event) for event in news.gone]
        whole = (join(calendar.id, ""),) if news.whole else ()
        return Page(request.stream, raws, gone, {"at": dict(places)}, False, sum(map(len, raws)), (), whole)


def join(calendar: str, event: str) -> str:
    """An external id."""
    return f"{quote(calendar, safe='@.')}/{quote(event, safe='@.=-_')}"


class _Target:
    """The account as something to write to."""

    def __init__(self, service: Service, wire: Wire, calendars: Callable[[], list[Calendar]]) -> None:
        self.system = wire.account.title
        self._service, self._wire, self._calendars = service, wire, calendars
        self._uid = ""

    def body(self, stream: str, change: Change) -> Record:
        """The fields as a record shows them."""
        if stream != EVENTS:
            raise StopRoute("unknown_set", system=self.system, stream=stream)
        made = shape.body(stream, change, self.system, self._service.fixed)
        self._uid = str(made.pop("uid", "") or "")
        return made

    def look(self, stream: str, key: str) -> Shown | None:
        """The meeting as it is; of a reserved key, the one that was made under it."""
        calendar, _, event = key.partition("/")
        if not event:
            calendar = self._place().id
            event = self._service.find(calendar, key, self._uid) or ""
        calendar, event = unquote(calendar), unquote(event)
        found = self._service.get(calendar, event) if event else None
        if found is None:
            return None
        name = next((one.name for one in self._calendars() if one.id == calendar), "")
        raw = msgspec.json.encode({KEY: join(calendar, event), "calendar": name, **found})
        fields = msgspec.json.decode(raw)
        return Shown(fields[KEY], fields[VERSION], raw, fields)

    def search(self, stream: str, marker: tuple[str, str]) -> list[str]:
        """Nothing is found by a mark: the reserved key is told to the service."""
        return []

    def create(self, stream: str, key: str, body: Record, load_mode: bool) -> str:
        """Make a meeting."""
        calendar = self._place().id
        return join(calendar, self._service.create(calendar, key, self._uid, body))

    def change(self, stream: str, before: Shown, body: Record, change: Change) -> None:
        """Write over the version that was looked at."""
        calendar, _, event = before.key.partition("/")
        self._service.change(unquote(calendar), unquote(event), before.version or "", body, before.fields)

    def post(self, stream: str, shown: Shown, posting: str) -> None:
        """A calendar posts nothing."""
        raise Refused(SkipRecord("field_not_writable", posting, system=self.system, stream=stream))

    def pause(self, attempt: int) -> bool:
        """Wait before looking again."""
        return self._wire.pause(attempt)

    def _place(self) -> Calendar:
        wanted = self._wire.account.new_in
        found = [one for one in self._calendars() if not wanted or one.name == wanted]
        if not found:
            raise NeedsPerson("calendar_no_place", system=self.system, stream=EVENTS, calendar=wanted)
        return found[0]


def accepted(wire: Wire, status: int, body: bytes, event: str) -> None:
    """Nothing for a write that was done; ``Taken``, ``Overtaken`` or ``Refused`` for one that was not."""
    if status in {200, 201, 204}:
        return
    if status == 409:
        raise Taken
    if status == 412:
        raise Overtaken
    try:
        said = msgspec.json.decode(body)["error"]
        reason = str(said.get("message") or said.get("code"))[:200]
    except (msgspec.DecodeError, KeyError, TypeError, AttributeError):
        reason = f"HTTP {status}"
    raise Refused(SkipRecord("calendar_refused", system=wire.account.title, stream=EVENTS, reason=reason, id=event))
