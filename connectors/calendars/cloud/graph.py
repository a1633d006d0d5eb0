"""Microsoft Graph v1.0. Source of every fact here: its published reference; not tried against the live service.

* ``calendarView/delta`` shows a window of days that its first request fixes for ever. So the window is rolled: after a
  week the old link is asked a last time, then a new one is begun; what both show is the same by its id.
* An event that left the window is ``@removed`` like one that was deleted: each is asked for by its id.
* 410 says that the link is too old. A create carries ``transactionId`` and a property of ours to find it by.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import msgspec

from connectors.calendars.cloud.base import Calendar, News, Place, Record, accepted
from connectors.calendars.cloud.graph_shape import KEY_PROPERTY, read, written
from connectors.calendars.dav.write import uid_of
from connectors.calendars.wire import Ask, Wire
from hub.model.errors import StopSystem

URL = "https://graph.microsoft.com/v1.0"
#: After so many days a window is left behind.
ROLL = timedelta(days=7)
_HEADERS = {"Prefer": 'outlook.timezone="UTC", IdType="ImmutableId", odata.maxpagesize=200'}
_JSON = {**_HEADERS, "Content-Type": "application/json; charset=utf-8"}


class Graph:
    """One mailbox, by a bearer token. Whoever organises a meeting elsewhere cancels it there: no status is written."""

    name = "Microsoft Graph v1.0"
    fixed = frozenset({"exceptions", "rrule", "status", "removed"})

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._root = wire.account.url or URL

    def calendars(self) -> list[Calendar]:
        """All calendars of the mailbox."""
        return [
            Calendar(str(one["id"]), str(one.get("name") or one["id"]))
            for page in self._pages(f"{self._root}/me/calendars?$top=100")
            for one in page.get("value", ())
        ]

    def news(self, calendar: str, place: Place | None) -> Iterator[News]:
        """What the link tells; a new window when there is none, when it is too old, or when it was rolled."""
        today = datetime.now(UTC).date()
        if place is not None:
            told = self._told(calendar, str(place["link"]))
            if told is not None and today - date.fromisoformat(str(place["since"])) < ROLL:
                yield News(told[0], told[1], {**place, "link": told[2]})
                return
            if told is not None:
                yield News(told[0], told[1], place)
        account = self._wire.account
        days = {
            "startDateTime": f"{today - timedelta(days=account.past)}T00:00:00Z",
            "endDateTime": f"{today + timedelta(days=account.ahead)}T00:00:00Z",
        }
        path = f"{self._root}/me/calendars/{quote(calendar)}/calendarView/delta?{urlencode(days)}"
        begun = self._told(calendar, path)
        if begun is None:
            raise StopSystem("calendar_not_there", system=account.title, stream="calendarView/delta")
        yield News(begun[0], begun[1], {"link": begun[2], "since": today.isoformat()})

    def get(self, calendar: str, event: str) -> Record | None:
        """The event; of a series with its exceptions."""
        url = f"{self._root}/me/events/{quote(event)}?$expand=exceptionOccurrences"
        answer = self._wire.read(Ask("GET", url, None, _HEADERS), (200, 404, 410))
        if answer.status != 200:
            return None
        return read(msgspec.json.decode(answer.body), self._wire.account.zone)

    def find(self, calendar: str, key: str, uid: str) -> str | None:
        """By the property of ours, or by the UID."""
        mark = f"singleValueExtendedProperties/Any(ep: ep/id eq '{KEY_PROPERTY}' and ep/value eq '{uid_of(key)}')"
        wanted = f"iCalUId eq '{uid.replace(chr(39), chr(39) * 2)}'" if uid else mark
        url = f"{self._root}/me/calendars/{quote(calendar)}/events?{urlencode({'$filter': wanted, '$select': 'id'})}"
        found = [str(one["id"]) for page in self._pages(url) for one in page.get("value", ())]
        return found[0] if found else None

    def create(self, calendar: str, key: str, uid: str, body: Record) -> str:
        """Make an event; the same ``transactionId`` makes no second one. A UID of its own cannot be given."""
        made = written(body, {}, self._wire.account)
        made["transactionId"] = uid_of(key)
        made["singleValueExtendedProperties"] = [{"id": KEY_PROPERTY, "value": uid_of(key)}]
        url = f"{self._root}/me/calendars/{quote(calendar)}/events"
        answer = self._wire.send(Ask("POST", url, msgspec.json.encode(made), _JSON))
        if answer.status in {401, 404}:
            raise self._wire.fault(answer)
        accepted(self._wire, answer.status, answer.body, key)
        return str(msgspec.json.decode(answer.body)["id"])

    def change(self, calendar: str, event: str, etag: str, body: Record, before: Record) -> None:
        """Patch that version."""
        made = msgspec.json.encode(written(body, before, self._wire.account))
        url = f"{self._root}/me/events/{quote(event)}"
        answer = self._wire.send(Ask("PATCH", url, made, {**_JSON, "If-Match": etag}))
        if answer.status in {401, 404}:
            raise self._wire.fault(answer)
        accepted(self._wire, answer.status, answer.body, event)

    def _told(self, calendar: str, url: str) -> tuple[dict[str, Record], tuple[str, ...], str] | None:
        """Records, what is gone, and the next link; ``None`` where the link is too old."""
        wanted: dict[str, None] = {}
        removed: dict[str, None] = {}
        link = ""
        for page in self._pages(url, gone=True):
            if page.get("gone"):
                return None
            for item in page.get("value", ()):
                if "@removed" in item:
                    removed[str(item["id"])] = None
                else:
                    wanted[str(item.get("seriesMasterId") or item["id"])] = None
            link = str(page.get("@odata.deltaLink") or link)
        # A removed one may have left the window only: the service is asked before it is believed gone.
        found = {event: self.get(calendar, event) for event in {**wanted, **removed}}
        records = {event: one for event, one in found.items() if one is not None}
        return records, tuple(event for event, one in found.items() if one is None), link

    def _pages(self, url: str, *, gone: bool = False) -> Iterator[Mapping[str, Any]]:
        while url:
            if urlsplit(url).netloc != urlsplit(self._root).netloc:
                raise StopSystem("address_moved", system=self._wire.account.title, target=url.partition("?")[0])
            answer = self._wire.read(Ask("GET", url, None, _HEADERS), (200, 410) if gone else (200,), "events")
            if answer.status == 410:
                yield {"gone": True}
                return
            page: Mapping[str, Any] = msgspec.json.decode(answer.body)
            yield page
            url = str(page.get("@odata.nextLink") or "")
