"""Reading a stream of an account: everything first, then what is new, changed or gone since the token of each calendar.

The position holds one place per calendar and stays small::

    {"at": {"/u/work/": {"token": "…"},                       next time: what changed since
            "/u/home/": {"next": "…", "after": "/u/home/k"},   the first read: went so far
            "/u/old/":  {"list": 1}}}                          no history there: compare paths and ETags

A token that the server has forgotten (403, 412) leads to a listing: paths and ETags, never a delta that looks empty.
The token of a first read is taken before its records are, so what changes meanwhile comes with the next delta.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from connectors.base import ReadRequest
from connectors.calendars.dav.client import Client, Expired, Resource, Unsupported
from connectors.calendars.dav.discover import Collection
from connectors.calendars.ical.lines import Malformed, calendars
from connectors.calendars.ical.moments import Zones
from connectors.calendars.ical.record import COMPONENT, EVENTS, KEY, TODOS, VERSION, broken, record, stream_of
from connectors.calendars.shape import bounded, encoded, inside, only_versions
from hub.model.records import Page

log = logging.getLogger("obmen.calendars")

Place = dict[str, Any]
Heads = list[tuple[str, str]]


@dataclass(slots=True)
class Part:
    """One page of one calendar; ``place`` after it."""

    place: Place
    resources: Sequence[Resource] = ()
    deleted: Sequence[str] = ()
    listed: Sequence[tuple[str, str | None]] = ()
    whole: bool = False
    heads: Heads = field(default_factory=list)


class Reading:
    """One ``read``."""

    def __init__(self, client: Client, collections: Sequence[Collection], request: ReadRequest) -> None:
        self._client, self._request = client, request
        self._component = COMPONENT[request.stream]
        self._collections = [one for one in collections if one.takes(self._component)]
        self._zone = client.wire.account.zone
        self._size = max(1, min(request.page_size, client.wire.account.page_size))

    def pages(self) -> Iterator[Page]:
        """All pages; the last one says so."""
        told = dict((self._request.position or {}).get("at", {}))
        places = {one.href: told[one.href] for one in self._collections if one.href in told}
        waiting: Page | None = None
        for collection in self._collections:
            for part in self._parts(collection, places.get(collection.href)):
                places[collection.href] = part.place
                page = self._page(collection, part, places)
                if waiting is not None:
                    yield waiting
                waiting = page
        last = waiting or Page(self._request.stream, (), position={"at": places})
        last.last = True
        yield last

    def _parts(self, collection: Collection, place: Place | None) -> Iterator[Part]:
        if bounded(self._request) is not None or only_versions(self._request):
            return self._once(collection, place)
        if place is None or "after" in place:
            return self._first(collection, place)
        if "token" in place:
            return self._since(collection, place)
        return self._listing(collection, place)

    # --- the first time -----------------------------------------------------------------------------------------

    def _first(self, collection: Collection, place: Place | None) -> Iterator[Part]:
        """Everything, in the order of paths."""
        token, heads = self._history(collection)
        after = place["after"] if place else ""
        token = str(place["next"]) if place else token
        end: Place = {"token": token} if token else {"list": 1}
        hrefs = sorted(href for href, _ in heads if href > after)
        if not hrefs:
            yield Part(end, whole=place is None)
        for start in range(0, len(hrefs), self._size):
            chunk = hrefs[start : start + self._size]
            there, _ = self._client.get_many(collection.href, chunk)
            final = start + self._size >= len(hrefs)
            so_far = {"next": token, "after": chunk[-1]}
            yield Part(end if final else so_far, _sorted(there), whole=final and place is None)

    def _history(self, collection: Collection) -> tuple[str, Heads]:
        """The newest token and all that is there; an empty token where the server keeps no history."""
        if collection.syncs:
            try:
                # A first answer may name what was deleted long ago: nobody here knows it, and nobody asks.
                delta = self._client.sync(collection.href, "")
            except (Expired, Unsupported):
                log.info("%s: a calendar without history, it is compared", self._client.wire.account.title)
            else:
                return delta.token, self._ours(collection, list(delta.changed), dict(delta.kinds))
        return "", self._client.listed(collection.href, self._component)

    def _ours(self, collection: Collection, heads: Heads, kinds: dict[str, str]) -> Heads:
        """Those that are not of the other kind, as far as the server tells, or is asked when it does not."""
        if any(not kinds.get(href) for href, _ in heads):
            others = [name for name in COMPONENT.values() if name != self._component and collection.takes(name)]
            alien = {href for name in others for href, _ in self._client.listed(collection.href, name)}
            return [one for one in heads if one[0] not in alien]
        return [one for one in heads if kinds[one[0]] == self._component]

    # --- later --------------------------------------------------------------------------------------------------

    def _since(self, collection: Collection, place: Place) -> Iterator[Part]:
        try:
            delta = self._client.sync(collection.href, str(place["token"]))
        except Expired:
            log.info("%s: the token is not known any more, the calendar is compared", self._client.wire.account.title)
            yield from self._listing(collection, place)
            return
        except Unsupported:
            yield from self._listing(collection, place)
            return
        kinds = dict(delta.kinds)
        hrefs = [href for href, _ in delta.changed if kinds[href] in {"", self._component}]
        after: Place = {"token": delta.token}
        for start in range(0, len(hrefs), self._size):
            chunk = hrefs[start : start + self._size]
            there, gone = self._client.get_many(collection.href, chunk)
            final = start + self._size >= len(hrefs)
            yield Part(after if final else place, there, [*gone, *delta.gone] if final else gone)
        if not hrefs:
            yield Part(after, (), delta.gone)

    def _listing(self, collection: Collection, place: Place) -> Iterator[Part]:
        """What there is, by path and ETag. Until its end the place stays as it was: a part of a list proves nothing."""
        token, heads = self._history(collection)
        end: Place = {"token": token} if token else {"list": 1}
        for start in range(0, max(1, len(heads)), self._size):
            final = start + self._size >= len(heads)
            yield Part(end if final else place, listed=heads[start : start + self._size], whole=final)

    # --- windows and keys ---------------------------------------------------------------------------------------

    def _once(self, collection: Collection, place: Place | None) -> Iterator[Part]:
        """What a window holds, or keys and versions of all."""
        if place is not None and "after" not in place:
            return
        after = place["after"] if place else ""
        window = bounded(self._request)
        if window is None:
            found = self._history(collection)[1]
        else:
            # Wider than asked for: which day a moment belongs to is judged here, by the account's own zone.
            day = timedelta(days=2)
            start = f"{window.start - day:%Y%m%dT000000Z}" if window.start > date(1900, 1, 1) else ""
            end = f"{window.end + day:%Y%m%dT000000Z}" if window.end < date(9999, 1, 1) else ""
            found = self._client.listed(collection.href, self._component, start, end)
        heads = sorted(one for one in found if one[0] > after)
        if not heads:
            yield Part({"list": 1})
        for first in range(0, len(heads), self._size):
            chunk = heads[first : first + self._size]
            final = first + self._size >= len(heads)
            place = {"list": 1} if final else {"after": chunk[-1][0]}
            if window is None:
                yield Part(place, heads=chunk)
            else:
                yield Part(place, _sorted(self._client.get_many(collection.href, [href for href, _ in chunk])[0]))

    # --- records ------------------------------------------------------------------------------------------------

    def _page(self, collection: Collection, part: Part, places: dict[str, Place]) -> Page:
        request = self._request
        found = self.records(collection.name, part.resources)
        raws = [encoded(one, request.fields) for one in found if inside(request, one, self._zone)]
        raws += [encoded({KEY: href, VERSION: etag}, ()) for href, etag in part.heads]
        return Page(
            request.stream,
            raws,
            part.deleted,
            {"at": dict(places)},
            False,
            sum(len(raw) for raw in raws),
            part.listed,
            (collection.href,) if part.whole else (),
        )

    def records(self, calendar: str, resources: Sequence[Resource]) -> Iterator[dict[str, Any]]:
        """The records of this stream among resources; one that cannot be read says so and nothing else."""
        for one in resources:
            made = read_record(self._request.stream, one, self._zone)
            if made is not None:
                yield {KEY: one.href, VERSION: one.etag, "calendar": calendar, **made}


def read_record(stream: str, one: Resource, zone: ZoneInfo) -> dict[str, Any] | None:
    """A resource as a record; ``None`` for one of another kind."""
    kind: str | None = TODOS if b"BEGIN:VTODO" in one.data and b"BEGIN:VEVENT" not in one.data else EVENTS
    try:
        calendar = calendars(one.data)[0]
        kind = stream_of(calendar)
        return record(stream, calendar, Zones(zone, calendar)) if kind == stream else None
    except Malformed as why:
        return broken(why) if kind == stream else None


def _sorted(resources: list[Resource]) -> list[Resource]:
    return sorted(resources, key=lambda one: one.href)
