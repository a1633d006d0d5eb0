"""The connector of kind ``caldav``: meetings and tasks of one account, both ways."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from threading import Lock

from connectors.base import Capabilities, Change, CheckReport, ReadRequest, StreamInfo, WriteResult
from connectors.calendars import shape
from connectors.calendars.account import Account
from connectors.calendars.dav.client import Client, Resource
from connectors.calendars.dav.discover import Collection, discover
from connectors.calendars.dav.reading import Reading
from connectors.calendars.dav.write import DavTarget
from connectors.calendars.ical.record import COMPONENT, STREAMS
from connectors.calendars.wire import Wire
from connectors.lacking import NoFeed, NoTotals
from connectors.writing import Writing
from hub.model.errors import HubError, NeedsPerson
from hub.model.records import Page


class CalDav(NoFeed, NoTotals):
    """One account; nothing is asked before the first question."""

    capabilities = Capabilities(
        versions=True, versions_return=True, windows=True, write=True, read_back=True, tokens=True, places=True
    )

    def __init__(self, account: Account, sleep: Callable[[float], None] = time.sleep) -> None:
        self.title = account.title
        self._account = account
        self._wire = Wire(account, sleep)
        self._client = Client(self._wire)
        self.traffic = self._wire.traffic
        self._lock = Lock()
        self._found: list[Collection] | None = None
        self._target = DavTarget(self._client, self._collections)
        self._writing = Writing(self._target, derived=True)

    def check(self) -> CheckReport:
        """Find the calendars, and what the server can do."""
        report = CheckReport()
        try:
            found = self._collections()
            report.reachable, report.product, report.streams = True, "CalDAV", len(STREAMS)
            for stream, component in COMPONENT.items():
                if not any(one.takes(component) for one in found):
                    report.notes.append(NeedsPerson("calendar_no_place", system=self.title, stream=stream, calendar=""))
            if self._account.verify is False and self._account.url.startswith("https"):
                report.notes.append(NeedsPerson("tls_unchecked", system=self.title))
        except HubError as error:
            report.problems.append(error)
        return report

    def streams(self) -> dict[str, StreamInfo]:
        """``events`` and ``todos``, whatever the server is."""
        return dict(STREAMS)

    def fingerprint(self) -> str:
        """SHA-256 of ``streams()``."""
        return shape.fingerprint()

    def count(self, request: ReadRequest) -> int:
        """How many resources of the kind there are, by the server's own list."""
        shape.checked(request, self.title)
        if shape.bounded(request) is not None:
            return sum(len(page.records) for page in self.read(request))
        component = COMPONENT[request.stream]
        places = [one for one in self._collections() if one.takes(component)]
        return sum(len(self._client.listed(one.href, component)) for one in places)

    def read(self, request: ReadRequest) -> Iterator[Page]:
        """Everything, or what is new, changed or gone since the place of the request."""
        shape.checked(request, self.title)
        yield from Reading(self._client, self._collections(), request).pages()

    def fetch(self, request: ReadRequest, external_ids: Sequence[str]) -> Page:
        """Resources by their paths. What is no path is no resource, and nobody is asked."""
        shape.checked(request, self.title)
        reading = Reading(self._client, self._collections(), request)
        deleted = [key for key in dict.fromkeys(external_ids) if not key.startswith("/")]
        raws: list[bytes] = []
        for collection, hrefs in self._by_calendar(external_ids).items():
            there, gone = self._fetched(collection, hrefs)
            name = collection.name if collection is not None else ""
            found = {str(one["href"]): one for one in reading.records(name, there)}
            raws += [shape.encoded(one, request.fields) for one in found.values()]
            deleted += [*gone, *(one.href for one in there if one.href not in found)]
        return Page(request.stream, raws, deleted, last=True, nbytes=sum(map(len, raws)))

    def write(self, stream: str, changes: Sequence[Change]) -> Iterator[WriteResult]:
        """One resource after another, each read back."""
        for change in changes:
            yield self._writing.write(stream, change)

    def place(self, stream: str, change: Change) -> str:
        """The path of a new resource: its UID, or one made of the reserved key, in the calendar for new ones."""
        return self._target.place(stream, change)

    def close(self) -> None:
        """Close the connections."""
        self._wire.close()

    # --- inside -------------------------------------------------------------------------------------------------

    def _collections(self) -> list[Collection]:
        with self._lock:
            if self._found is None:
                self._found = discover(self._client)
            return self._found

    def _by_calendar(self, external_ids: Sequence[str]) -> dict[Collection | None, list[str]]:
        found: dict[Collection | None, list[str]] = {}
        for key in dict.fromkeys(external_ids):
            if key.startswith("/"):
                home = next((one for one in self._collections() if key.startswith(one.href)), None)
                found.setdefault(home, []).append(key)
        return found

    def _fetched(self, collection: Collection | None, hrefs: Sequence[str]) -> tuple[list[Resource], list[str]]:
        """What lies in no calendar that is exchanged any more is still there: only the server says what is gone."""
        if collection is not None:
            return self._client.get_many(collection.href, hrefs)
        looked = {href: self._client.get(href) for href in hrefs}
        return [one for one in looked.values() if one is not None], [
            href for href, one in looked.items() if one is None
        ]
