"""The connector of kind ``ics``: a published calendar, read only.

Such a feed is given whole every time. It is not taken apart when the server says that it is the same (304), nor when it
means the same: some servers write new DTSTAMPs, some even new UIDs, at every request. Of those the key of a record is
what it says (two answers in a row tell, before anything is believed).

A feed that is cut off, empty, or no calendar is no news: it deletes nothing.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

import msgspec

from connectors.base import Capabilities, CheckReport, ReadRequest, StreamInfo
from connectors.calendars import shape
from connectors.calendars.account import Account
from connectors.calendars.ical.lines import Component, Malformed, calendars
from connectors.calendars.ical.moments import Zones
from connectors.calendars.ical.record import COMPONENT, KEY, STREAMS, VERSION, broken, record
from connectors.calendars.wire import Answer, Ask, Wire
from connectors.lacking import NoFeed, NoTotals, ReadOnly
from hub.model.errors import HubError, RetryLater
from hub.model.records import Page

_MEANING = ("summary", "start", "due", "rrule", "location")
Record = dict[str, Any]


@dataclass(slots=True)
class _Known:
    """The feed as it was read last. ``records`` by stream and key."""

    name: str = ""
    validators: dict[str, str] = field(default_factory=dict)
    records: dict[str, dict[str, Record]] = field(default_factory=dict)


class IcsFeed(NoFeed, NoTotals, ReadOnly):
    """One feed."""

    capabilities = Capabilities(versions=True, versions_return=True, tokens=True)

    def __init__(self, account: Account, sleep: Callable[[float], None] = time.sleep) -> None:
        self.title = account.title
        self._account = account
        self._wire = Wire(account, sleep)
        self.traffic = self._wire.traffic
        self._lock = Lock()
        self._known: _Known | None = None

    def check(self) -> CheckReport:
        """Read it once."""
        report = CheckReport()
        try:
            self._parsed(self._asked({}), "uid")
            report.reachable, report.product, report.streams = True, "iCalendar", len(STREAMS)
        except HubError as error:
            report.problems.append(error)
        return report

    def streams(self) -> dict[str, StreamInfo]:
        """``events`` and ``todos``."""
        return dict(STREAMS)

    def fingerprint(self) -> str:
        """SHA-256 of ``streams()``."""
        return shape.fingerprint()

    def count(self, request: ReadRequest) -> int:
        """How many there are."""
        shape.checked(request, self.title)
        known = self._whole(request, self._keys())
        return sum(shape.inside(request, one, self._account.zone) for one in known.values())

    def read(self, request: ReadRequest) -> Iterator[Page]:
        """Everything, unless it means what it meant at the place of the request."""
        shape.checked(request, self.title)
        before: Mapping[str, Any] = request.position or {}
        answer = self._asked(before.get("validators") or {})
        if answer.status == 304:
            yield Page(request.stream, (), position=dict(before), last=True)
            return
        keys = str(before.get("keys") or self._keys())
        known = self._parsed(answer, keys)
        found = known.records[request.stream]
        if not found and before.get("count"):
            raise RetryLater("ics_empty", system=self.title, stream=request.stream, number=before["count"])
        meaning = _hash(sorted(str(one["_meaning"]) for one in found.values()))
        after = {"validators": known.validators, "hash": meaning, "count": len(found), "keys": keys}
        if meaning == before.get("hash"):
            yield Page(request.stream, (), position={**after, "hash": meaning}, last=True)
            return
        self._known = known
        yield from self._pages(request, found, dict(before), after)

    def fetch(self, request: ReadRequest, external_ids: Sequence[str]) -> Page:
        """Single records, of the feed as it was read a moment ago."""
        shape.checked(request, self.title)
        known = self._known.records[request.stream] if self._known else self._whole(request, self._keys())
        raws = [self._raw(known[key], request) for key in dict.fromkeys(external_ids) if key in known]
        gone = [key for key in dict.fromkeys(external_ids) if key not in known]
        return Page(request.stream, raws, gone, last=True, nbytes=sum(map(len, raws)))

    def close(self) -> None:
        """Close the connections."""
        self._wire.close()

    # --- inside -------------------------------------------------------------------------------------------------

    def _asked(self, validators: Mapping[str, str]) -> Answer:
        names = {"etag": "If-None-Match", "last-modified": "If-Modified-Since"}
        headers = {names[name]: value for name, value in validators.items() if name in names}
        return self._wire.read(Ask("GET", self._account.url, None, headers), (200, 304))

    def _keys(self) -> str:
        """``uid``, or ``content`` where two answers in a row call the same things by other names."""
        one, other = (self._parsed(self._asked({}), "uid").records for _ in range(2))
        shared = [one[stream].keys() & other[stream].keys() for stream in STREAMS]
        there = any(one[stream] and other[stream] for stream in STREAMS)
        return "content" if there and not any(shared) else "uid"

    def _whole(self, request: ReadRequest, keys: str) -> dict[str, Record]:
        return self._parsed(self._asked({}), keys).records[request.stream]

    def _parsed(self, answer: Answer, keys: str) -> _Known:
        """The feed taken apart; ``RetryLater(ics_cut)`` where it is not whole."""
        try:
            parts = calendars(answer.body)
        except Malformed as why:
            raise RetryLater("ics_cut", system=self.title, reason=str(why)) from None
        validators = {name: answer.headers[name] for name in ("etag", "last-modified") if name in answer.headers}
        known = _Known(parts[0].text("X-WR-CALNAME"), validators, {stream: {} for stream in STREAMS})
        for calendar in parts:
            for stream, name in COMPONENT.items():
                for uid, resource in _resources(calendar, name).items():
                    made = self._record(stream, resource)
                    key = uid if keys == "uid" and uid else _hash([str(made.get(part, "")) for part in _MEANING])
                    if keys == "content":
                        made["uid"] = key
                    meaning = _hash([msgspec.json.encode({**made, "uid": ""}, order="sorted").decode()])
                    told = {KEY: key, VERSION: meaning, "calendar": known.name, **made, "_meaning": meaning}
                    known.records[stream][key] = told
        return known

    def _record(self, stream: str, resource: Component) -> Record:
        try:
            return record(stream, resource, Zones(self._account.zone, resource))
        except Malformed as why:
            return broken(why)

    def _raw(self, one: Record, request: ReadRequest) -> bytes:
        return shape.encoded({name: value for name, value in one.items() if name != "_meaning"}, request.fields)

    def _pages(
        self, request: ReadRequest, found: Mapping[str, Record], before: dict[str, Any], after: dict[str, Any]
    ) -> Iterator[Page]:
        """All of it; until the end the place stays what it was."""
        keys = sorted(key for key, one in found.items() if shape.inside(request, one, self._account.zone))
        size = max(1, min(request.page_size, self._account.page_size))
        whole = ("",) if shape.bounded(request) is None else ()
        for start in range(0, max(1, len(keys)), size):
            raws = [self._raw(found[key], request) for key in keys[start : start + size]]
            last = start + size >= len(keys)
            place = after if last else before
            yield Page(request.stream, raws, (), place, last, sum(map(len, raws)), (), whole if last else ())


def _resources(calendar: Component, name: str) -> dict[str, Component]:
    """One resource for each UID: a series with its exceptions, and the zones that it names."""
    zones = calendar.named("VTIMEZONE")
    found: dict[str, Component] = {}
    for part in calendar.named(name):
        uid = part.text("UID")
        own = found.setdefault(uid or f"no-uid-{len(found)}", Component("VCALENDAR", [*zones]))
        own.parts.append(part)
    return found


def _hash(parts: Sequence[str]) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32]
