"""Google Calendar API v3. Source of every fact here: its published reference; not tried against the live service.

* ``events.list`` with a ``syncToken`` brings what changed; 410 says that the token is too old, then all is read again.
* An event id that we give makes a create repeatable (409); one with a UID of its own is imported, which is so anyway.
* A cancelled event is a deleted one. Exceptions come as events of their own and are put back into their series; they
  are written as what they are there, each over its own version.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote, urlencode

import msgspec

from connectors.calendars.cloud.base import Calendar, News, Place, Record, accepted
from connectors.calendars.cloud.google_shape import name_of, occurrence, read, written
from connectors.calendars.cloud.occurrences import Occurrence, Row, around, etag_of, put
from connectors.calendars.dav.write import uid_of
from connectors.calendars.wire import Ask, Wire

URL = "https://www.googleapis.com/calendar/v3"
_JSON = {"Content-Type": "application/json; charset=utf-8"}
_PAGE = "2500"
_TIMES = frozenset({"start", "end", "all_day", "tz", "rrule"})


class Google:
    """One account, by a bearer token."""

    name = "Google Calendar v3"
    fixed: frozenset[str] = frozenset()

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._root = wire.account.url or URL

    def calendars(self) -> list[Calendar]:
        """The calendar list, its own name first where the user gave one."""
        items = self._pages("/users/me/calendarList", {"minAccessRole": "reader"})
        return [
            Calendar(str(one["id"]), str(one.get("summaryOverride") or one.get("summary") or one["id"]))
            for page in items
            for one in page.get("items", ())
        ]

    def news(self, calendar: str, place: Place | None) -> Iterator[News]:
        """What changed since the token, series whole; everything without one, and when it is too old."""
        token = str(place["token"]) if place else ""
        asked = {"showDeleted": "true", "maxResults": _PAGE, **({"syncToken": token} if token else {})}
        items: list[Mapping[str, Any]] = []
        next_token = ""
        for page in self._pages(_events(calendar), asked, gone=bool(token)):
            if page.get("gone"):
                yield from self.news(calendar, None)
                return
            items += page.get("items", ())
            next_token = str(page.get("nextSyncToken") or "")
        yield self._told(calendar, items, {"token": next_token}, everything=not token)

    def get(self, calendar: str, event: str) -> Record | None:
        """The event with its exceptions; one that is cancelled and empty is gone."""
        answer = self._wire.read(Ask("GET", f"{self._root}{_events(calendar)}/{quote(event)}"), (200, 404, 410))
        item = msgspec.json.decode(answer.body) if answer.status == 200 else {}
        if not item.get("start"):
            return None
        series = self._series(calendar, str(item.get("iCalUID"))) if item.get("recurrence") else []
        return read(item, [one for one in series if one.get("recurringEventId") == event], self._wire.account.zone)

    def find(self, calendar: str, key: str, uid: str) -> str | None:
        """By the id that we would have given, or by the UID."""
        if uid:
            return next((str(one["id"]) for one in self._series(calendar, uid) if "recurringEventId" not in one), None)
        return _id_of(key)

    def create(self, calendar: str, key: str, uid: str, body: Record) -> str:
        """Insert under an id of ours, or import under the UID that it has elsewhere. Nobody is sent an invitation."""
        made = (
            {**written(body, {}, self._wire.account), "iCalUID": uid} if uid else written(body, {}, self._wire.account)
        )
        path = f"{_events(calendar)}/import" if uid else f"{_events(calendar)}?sendUpdates=none"
        if not uid:
            made["id"] = _id_of(key)
        answer = self._wire.send(Ask("POST", self._root + path, msgspec.json.encode(made), _JSON))
        if answer.status in {401, 404, 429}:
            raise self._wire.fault(answer)
        accepted(self._wire, answer.status, answer.body, key)
        event = str(msgspec.json.decode(answer.body)["id"])
        if body.get("exceptions"):
            put(self, self._wire.account, calendar, event, body["exceptions"], None)
        return event

    def change(self, calendar: str, event: str, etag: str, body: Record, before: Record) -> None:
        """Patch that version, then the occurrences that differ."""
        rest = {name: value for name, value in body.items() if name != "exceptions"}
        if rest:
            self._patch(calendar, event, etag_of(etag), written(rest, before, self._wire.account))
        if "exceptions" in body:  # a series that was moved names its occurrences anew
            decided = None if _TIMES & rest.keys() else before["exceptions"]
            put(self, self._wire.account, calendar, event, body["exceptions"], decided)

    def occurrence(self, calendar: str, event: str, name: str) -> tuple[str, str] | None:
        """Among those that differ, else where it lies in the series."""
        answer = self._wire.read(Ask("GET", f"{self._root}{_events(calendar)}/{quote(event)}"), (200,), "events")
        series = self._series(calendar, str(msgspec.json.decode(answer.body).get("iCalUID")))
        first, last = (moment.strftime("%Y-%m-%dT%H:%M:%SZ") for moment in around(name))
        asked = {"showDeleted": "true", "timeMin": first, "timeMax": last, "maxResults": _PAGE}
        pages = self._pages(f"{_events(calendar)}/{quote(event)}/instances", asked)
        for one in (*series, *(one for page in pages for one in page.get("items", ()))):
            of = one.get("recurringEventId") == event
            if of and name_of(one.get("originalStartTime", {}), self._wire.account.zone) == name:
                return str(one["id"]), str(one.get("etag") or "")
        return None

    def tell(self, calendar: str, one: tuple[str, str], goal: Occurrence, series: Row) -> None:
        """Patch that version of the occurrence."""
        self._patch(calendar, *one, occurrence(goal, series, self._wire.account))

    def _patch(self, calendar: str, event: str, etag: str, body: Record) -> None:
        made = msgspec.json.encode(body)
        url = f"{self._root}{_events(calendar)}/{quote(event)}?sendUpdates=none"
        answer = self._wire.send(Ask("PATCH", url, made, {**_JSON, "If-Match": etag}))
        if answer.status in {401, 404}:
            raise self._wire.fault(answer)
        accepted(self._wire, answer.status, answer.body, event)

    def _told(self, calendar: str, items: list[Mapping[str, Any]], place: Place, *, everything: bool) -> News:
        zone = self._wire.account.zone
        masters = {str(one["id"]): one for one in items if "recurringEventId" not in one}
        gone = [key for key, one in masters.items() if one.get("status") == "cancelled"]
        of: dict[str, list[Mapping[str, Any]]] = {}
        for one in items:
            if "recurringEventId" in one:
                of.setdefault(str(one["recurringEventId"]), []).append(one)
        records: dict[str, Record] = {}
        for key in dict.fromkeys((*masters, *of)):
            if key in gone:
                continue
            if everything and key in masters:
                records[key] = read(masters[key], of.get(key, []), zone)
            elif (found := self._whole(calendar, key, masters.get(key))) is not None:
                records[key] = found
        return News(records, () if everything else tuple(gone), place, everything)

    def _whole(self, calendar: str, key: str, item: Mapping[str, Any] | None) -> Record | None:
        """A meeting of a delta: a series is asked for, since a delta tells the occurrence alone."""
        if item is not None and not item.get("recurrence"):
            return read(item, [], self._wire.account.zone)
        return self.get(calendar, key)

    def _series(self, calendar: str, uid: str) -> list[Mapping[str, Any]]:
        asked = {"iCalUID": uid, "showDeleted": "true", "maxResults": _PAGE}
        return [one for page in self._pages(_events(calendar), asked) for one in page.get("items", ())]

    def _pages(self, path: str, asked: Mapping[str, str], *, gone: bool = False) -> Iterator[Mapping[str, Any]]:
        token = ""
        while True:
            query = urlencode({**asked, **({"pageToken": token} if token else {})})
            answer = self._wire.read(
                Ask("GET", f"{self._root}{path}?{query}"), (200, 410) if gone else (200,), "events"
            )
            if answer.status == 410:
                yield {"gone": True}
                return
            page: Mapping[str, Any] = msgspec.json.decode(answer.body)
            yield page
            token = str(page.get("nextPageToken") or "")
            if not token:
                return


def _events(calendar: str) -> str:
    return f"/calendars/{quote(calendar, safe='')}/events"


def _id_of(key: str) -> str:
    """An event id of ours: base32hex, of which these digits are a part."""
    return uid_of(key).replace("-", "")
