"""Microsoft Graph v1.0. Source of every fact here: its published reference; not tried against the live service.

* ``calendarView/delta`` shows a window of days that its first request fixes for ever. So the window is rolled: after a
  week the old link is asked a last time, then a new one is begun; what both show is the same by its id.
* An event that left the window is ``@removed`` like one that was deleted: each is asked for by its id.
* 410 says that the link is too old. A create carries ``transactionId`` and a property of ours to find it by.
* Occurrences that were moved come with their series, those that were called off as ids with their day; a series tells
  either only when it is named itself and both are asked for. Calling one off is deleting it, and is not undone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import msgspec

from connectors.calendars.cloud.base import Calendar, News, Place, Record, accepted
from connectors.calendars.cloud.graph_shape import FIELDS, KEY_PROPERTY, name_of, occurrence, read, written
from connectors.calendars.cloud.occurrences import Occurrence, Row, around, etag_of, put
from connectors.calendars.dav.write import uid_of
from connectors.calendars.wire import Ask, Wire
from hub.model.errors import StopSystem

URL = "https://graph.microsoft.com/v1.0"
#: After so many days a window is left behind.
ROLL = timedelta(days=7)
_HEADERS = {"Prefer": 'outlook.timezone="UTC", IdType="ImmutableId", odata.maxpagesize=200'}
_FOUND = (200, 404, 410)
_TIMES = frozenset({"start", "end", "all_day", "tz"})
_JSON = {**_HEADERS, "Content-Type": "application/json; charset=utf-8"}


class Graph:
    """One mailbox, by a bearer token. Whoever organises a meeting elsewhere cancels it there: no status is written."""

    name = "Microsoft Graph v1.0"
    fixed = frozenset({"rrule", "status", "removed"})

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
        item = self._item(event)
        return None if item is None else read(item, self._wire.account.zone)

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
        event = str(msgspec.json.decode(answer.body)["id"])
        if body.get("exceptions"):
            put(self, self._wire.account, calendar, event, body["exceptions"], None, keeps_off=True)
        return event

    def change(self, calendar: str, event: str, etag: str, body: Record, before: Record) -> None:
        """Patch that version, then the occurrences that differ."""
        rest = {name: value for name, value in body.items() if name != "exceptions"}
        if rest:
            self._send("PATCH", event, etag_of(etag), written(rest, before, self._wire.account))
        if "exceptions" in body:  # a series that was moved names its occurrences anew
            decided = None if _TIMES & rest.keys() else before["exceptions"]
            put(self, self._wire.account, calendar, event, body["exceptions"], decided, keeps_off=True)

    def occurrence(self, calendar: str, event: str, name: str) -> tuple[str, str] | None:
        """Among those that differ, else where it lies in the series."""
        item = self._item(event) or {}
        whole = bool(item.get("isAllDay"))
        for one in item.get("exceptionOccurrences") or ():
            if name_of(str(one["originalStart"]), whole=whole) == name:
                return str(one["id"]), str(one.get("@odata.etag") or "")
        days = [f"{moment:%Y-%m-%dT%H:%M:%SZ}" for moment in around(name)]
        asked = urlencode({"startDateTime": days[0], "endDateTime": days[1]})
        for page in self._pages(f"{self._root}/me/events/{quote(event)}/instances?{asked}"):
            for one in page.get("value", ()):
                if name_of(str(one["start"]["dateTime"]), whole=whole) == name:
                    return str(one["id"]), str(one.get("@odata.etag") or "")
        return None

    def tell(self, calendar: str, one: tuple[str, str], goal: Occurrence, series: Row) -> None:
        """Patch that version of the occurrence, or delete it."""
        if goal.off:
            self._send("DELETE", *one, None)
        else:
            self._send("PATCH", *one, occurrence(goal, series, self._wire.account))

    def _item(self, event: str) -> dict[str, Any] | None:
        query = urlencode({"$select": ",".join(FIELDS), "$expand": "exceptionOccurrences"})
        answer = self._wire.read(Ask("GET", f"{self._root}/me/events/{quote(event)}?{query}", None, _HEADERS), _FOUND)
        return msgspec.json.decode(answer.body, type=dict[str, Any]) if answer.status == 200 else None

    def _send(self, method: str, event: str, etag: str, body: Record | None) -> None:
        made = None if body is None else msgspec.json.encode(body)
        url = f"{self._root}/me/events/{quote(event)}"
        answer = self._wire.send(Ask(method, url, made, {**_JSON, "If-Match": etag}))
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
