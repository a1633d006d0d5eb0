"""Reading a span of time whole: every page of every request, before a single call is handed on.

The poll is the truth. A span is read to its end or not at all, so what a page lost or brought twice while calls were
still coming in is put right before anybody sees it; what a service writes late is found by the overlap of the next
read.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from connectors.cloud_pbx.answers import Cut, NotService, Unexpected
from connectors.cloud_pbx.client import Client
from connectors.cloud_pbx.rows import legs_of, record_of
from connectors.cloud_pbx.service import Row, Service
from hub.model.errors import RetryLater, StopRoute, StopSystem

#: A read goes back so far behind where the last one ended; once a day as far as a day, for calls that took long.
OVERLAP, DEEP = timedelta(hours=2), timedelta(hours=26)
#: The newest moments are left to the next read: the service itself may not have written them yet.
SETTLE = timedelta(seconds=60)
#: A row that begins so long after the span that was asked for is dated in another zone than the settings say.
_STRAY = timedelta(minutes=10)
_LEAST = timedelta(minutes=1)
_MOST_PAGES = 10_000

#: A call in the order it is handed on: when it began (UTC, as a text), its id, the record.
Found = tuple[str, str, dict[str, Any]]


class Poller:
    """Asks one service by its description. ``system``: the code that keys of calls begin with."""

    def __init__(self, client: Client, service: Service, system: str) -> None:
        self._client, self._service, self._system = client, service, system
        self._own_zone = ZoneInfo(client.settings.timezone)
        self._zone = ZoneInfo(service.zone) if service.zone else self._own_zone

    def spans(self, start: datetime, end: datetime) -> Iterator[tuple[datetime, datetime]]:
        """The parts that are asked for one after another."""
        while start < end:
            until = min(start + self._service.span, end)
            yield start, until
            start = until

    def calls(self, start: datetime, end: datetime, *, strict: bool) -> list[Found]:
        """Calls that began in the span, by moment and id.

        ``strict``: none that began before it, though the service tells of them now (it went by the end of the call).
        """
        service, settings = self._service, self._client.settings
        begin, until = self._edges(start - service.margin, end + service.margin)
        found = []
        for legs in legs_of(self._rows(begin, until), service, self._zone).values():
            began, record = record_of(legs, service, self._system, self._own_zone, settings.area_code)
            if began is not None and began > until + _STRAY:
                raise StopRoute("cloud_zone", system=settings.title, service=service.title, zone=self._zone.key)
            if began is None:
                found.append(("", str(record["id"]), record))
            elif began < end and (began >= start or not (strict or service.margin)):
                found.append((began.astimezone(UTC).isoformat(), str(record["id"]), record))
        return sorted(found, key=lambda one: one[:2])

    def first_of_yesterday(self, now: datetime) -> datetime:
        """Where a service of whole days is read from."""
        midnight = now.astimezone(self._zone).replace(hour=0, minute=0, second=0, microsecond=0)
        return midnight - timedelta(days=1)

    def _edges(self, start: datetime, end: datetime) -> tuple[datetime, datetime]:
        """The span in the zone of the service, whole days where it knows no less."""
        start, end = start.astimezone(self._zone), end.astimezone(self._zone)
        if self._service.grain == "day":
            start = start.replace(hour=0, minute=0, second=0, microsecond=0)
            last = (end - timedelta(seconds=1)).replace(hour=0, minute=0, second=0, microsecond=0)
            end = last + timedelta(days=1)
        return start, end

    def _rows(self, start: datetime, end: datetime) -> list[Row]:
        paging = self._service.listing.paging
        if paging.kind == "halves":
            return self._halves(start, end)
        return self._page(start, end) if paging.kind == "one" else self._pages(start, end)

    def _pages(self, start: datetime, end: datetime) -> list[Row]:
        """Page after page until one brings nothing new: a short one may only be the service's own idea of a size."""
        paging = self._service.listing.paging
        rows: list[Row] = []
        seen: set[str] = set()
        for number in range(_MOST_PAGES):
            try:
                page = self._page(start, end, number + paging.first, len(rows))
            except StopRoute as error:
                if error.code != "cloud_refused" or number or paging.first:
                    raise
                continue  # pages are counted from 1 here
            new = {repr(row) for row in page} - seen
            rows += page
            if not new and (page or number or paging.first):
                return rows
            seen |= new
        raise StopRoute("cloud_unexpected", system=self._client.settings.title, service=self._service.title)

    def _halves(self, start: datetime, end: datetime) -> list[Row]:
        """As many rows as were asked for may be fewer than there are: both halves of the span are asked for again."""
        rows = self._page(start, end)
        if len(rows) != self._service.listing.paging.size or end - start <= _LEAST:
            return rows
        middle = start + (end - start) / 2
        middle = middle.replace(microsecond=0)
        return self._halves(start, middle) + self._halves(middle, end)

    def _page(self, start: datetime, end: datetime, page: int = 0, skip: int = 0) -> list[Row]:
        listing, told = self._service.listing, (self._client.settings.title, self._service.title)
        try:
            return listing.rows(listing.ask(self._client, listing.asked(start, end, page, skip)))
        except Cut:
            raise RetryLater("cloud_cut", system=told[0], service=told[1]) from None
        except NotService:
            raise StopSystem("cloud_not_service", system=told[0], service=told[1]) from None
        except Unexpected:
            raise StopRoute("cloud_unexpected", system=told[0], service=told[1]) from None
