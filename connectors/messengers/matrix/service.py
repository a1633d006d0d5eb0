"""Reading the rooms of an account: on from a place in the server's history, and days of it.

A position is ``{"since": token}`` once a read came to its end. On the way it is, besides, ``rooms``: what is still to
be read backwards, each room with the token to go on from; ``until``: the token at which that ends. What the server
gives at once (``/sync``) is taken as it is where it fits one page and no room's part is cut short (``limited``); the
gaps, or all of it, are read backwards from there (``/messages``).

Edits and redactions name the message that they change: it is asked for anew and delivered as the server shows it now.
So what is told twice, in whatever order, means the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple

from connectors.base import Capabilities, CheckReport, ReadRequest, Traffic
from connectors.messengers import schema
from connectors.messengers.config import Account
from connectors.messengers.matrix.api import NAME, Client, Forgotten, Gone, Json
from connectors.messengers.matrix.event import Room, edit_of, is_message, message_of, target_of
from connectors.messengers.message import moment
from hub.model.errors import StopRoute
from hub.model.records import Page

Record = dict[str, Any]
Place = dict[str, Any]
#: Events of one room that one answer of ``/sync`` holds.
_AT_ONCE = 100
#: What people write is dated by their servers' clocks, which go wrong by less than this.
_CLOCKS = timedelta(days=1)
_STATE = ("m.room.name", "m.room.encryption")


class _Days(NamedTuple):
    """Local days of which messages are wanted; the end does not belong to them."""

    start: date = date.min
    end: date = date.max


class Matrix:
    """One account."""

    capabilities: Capabilities = Capabilities(tokens=True, windows=True)

    def __init__(self, account: Account, sleep: Callable[[float], None]) -> None:
        self._account = account
        self._client = Client(account, sleep)

    @property
    def traffic(self) -> Traffic:
        """What was sent so far."""
        return self._client.traffic

    def look(self, report: CheckReport) -> None:
        """Whose the token is, and which rooms cannot be read."""
        me, title = self._client.me(), self._account.title
        told = self._client.sync("", 1, _STATE).get("rooms") or {}
        report.reachable, report.product = True, f"{NAME}, {me}"
        joined, invited = told.get("join") or {}, told.get("invite") or {}
        rooms = [Room.of(room, (one.get("state") or {}).get("events") or []) for room, one in sorted(joined.items())]
        secret = [room.title or room.id for room in rooms if room.encrypted and not self._passed_over(room)]
        if secret:
            shown = ", ".join(secret[:10])
            report.notes.append(StopRoute("chat_encrypted", system=title, number=len(secret), rooms=shown))
        if invited:
            shown = ", ".join(sorted(invited)[:10])
            report.notes.append(StopRoute("chat_invited", system=title, number=len(invited), rooms=shown, user=me))
        if not joined:
            report.notes.append(StopRoute("chat_no_rooms", system=title, user=me))

    def read(self, request: ReadRequest, size: int) -> Iterator[Page]:
        """Messages by room, the newest of each first."""
        place, records = dict(request.position or {}), list[Record]()
        if request.window is not None:
            days = _Days(request.window.start, request.window.end)
            place = place or {"rooms": [[room, ""] for room in self._client.rooms()]}
        else:
            if "rooms" not in place:
                records, place = self._news(str(place.get("since", "")), size)
            days = _Days(date.fromisoformat(place.get("not_before", "0001-01-01")))
        while place["rooms"]:
            if records:
                yield self._page(request, records, place)
            records, place = self._back(place, days, size)
        yield self._page(request, records, place)

    def fetch(self, keys: Sequence[str]) -> dict[str, Record]:
        """Single messages, a request each."""
        found = {}
        for key in keys:
            room, slash, event = key.partition("/")
            record = self._one(self._room(room), event) if slash else None
            if record is not None:
                found[key] = record
        return found

    def count(self, request: ReadRequest) -> int:
        """They are all asked for: no server counts them."""
        return sum(len(page.records) for page in self.read(request, self._account.page_size))

    def anything_new(self, position: dict[str, Any]) -> bool:
        """Whether anybody has said anything since."""
        if "since" not in position or position.get("rooms"):
            return True
        try:
            told = self._client.sync(position["since"], 1).get("rooms") or {}
        except Forgotten:
            return True
        rooms = {**(told.get("leave") or {}), **(told.get("join") or {})}
        return any((one.get("timeline") or {}).get("events") for one in rooms.values())

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    # --- on from a place ----------------------------------------------------------------------------------------

    def _news(self, since: str, size: int) -> tuple[list[Record], Place]:
        """What happened since, as far as it fits one page, and the place with what is left to be read."""
        if not since:
            return [], self._first()
        try:
            told = self._client.sync(since, _AT_ONCE)
        except Forgotten:
            return [], self._first()
        rooms = told.get("rooms") or {}
        parts = {
            room: timeline
            for room, one in {**(rooms.get("leave") or {}), **(rooms.get("join") or {})}.items()
            if (timeline := one.get("timeline") or {}).get("events")
        }
        place: Place = {"since": str(told["next_batch"]), "until": since, "rooms": []}
        if sum(len(timeline["events"]) for timeline in parts.values()) > size:
            place["rooms"] = [[room, place["since"]] for room in sorted(parts)]
            return [], place
        records = [one for room in sorted(parts) for one in self._records(room, parts[room]["events"][::-1])]
        limited = [room for room in sorted(parts) if parts[room].get("limited") and parts[room].get("prev_batch")]
        place["rooms"] = [[room, str(parts[room]["prev_batch"])] for room in limited]
        return records, place

    def _first(self) -> Place:
        """The beginning: all rooms back to the days of ``history_days``."""
        told = self._client.sync("", 1)
        begin = datetime.now(UTC) - timedelta(days=self._account.history_days)
        place: Place = {"since": str(told["next_batch"]), "until": "", "not_before": begin.date().isoformat()}
        place["rooms"] = [[room, place["since"]] for room in sorted((told.get("rooms") or {}).get("join") or {})]
        return place

    def _back(self, place: Place, days: _Days, size: int) -> tuple[list[Record], Place]:
        """The next page backwards, and the place after it."""
        (room, begin), *others = place["rooms"]
        try:
            told = self._client.messages(room, begin, place.get("until", ""), size)
        except Gone:  # we are not in this room any more: nobody will tell us of it
            return [], {**place, "rooms": others}
        events = [one for one in told.get("chunk") or [] if isinstance(one, dict)]
        dated = [(one, self._day(one)) for one in events]
        wanted = [one for one, day in dated if days.start <= day < days.end]
        older = bool(dated) and max(day for _, day in dated) < days.start - _CLOCKS if days.start > date.min else False
        done = older or not told.get("end") or told["end"] == begin
        rooms = others if done else [[room, str(told["end"])], *others]
        return self._records(room, wanted), {**place, "rooms": rooms}

    def _day(self, event: Json) -> date:
        return moment((event.get("origin_server_ts") or 0) / 1000).astimezone(self._account.zone).date()

    def _page(self, request: ReadRequest, records: list[Record], place: Place) -> Page:
        """A page; the last one of a read on from a place keeps nothing but the token."""
        last = not place["rooms"]
        if last and request.window is None:
            place = {"since": place["since"]}
        return schema.page(request, records, place, last=last)

    # --- messages -----------------------------------------------------------------------------------------------

    def _records(self, room_id: str, events: Sequence[Json]) -> list[Record]:
        """Messages of a room out of its events, each once, as it is now."""
        if not events:
            return []
        room = self._room(room_id)
        if self._passed_over(room):
            return []
        changed = list(dict.fromkeys(filter(None, map(target_of, events))))
        found = {one["message"]: one for event in events if is_message(event) and (one := self._record(room, event))}
        for target in changed:
            found.pop(target, None)
            if (record := self._one(room, target)) is not None:
                found[target] = record
        return list(found.values())

    def _one(self, room: Room, event: str) -> Record | None:
        """One message as the server shows it now; ``None`` where there is none."""
        try:
            found = self._client.event(room.id, event)
        except Gone:
            return None
        return self._record(room, found) if is_message(found) else None

    def _record(self, room: Room, event: Json) -> Record:
        edit = edit_of(event)
        if edit and "content" not in edit:  # older servers tell no more than that there is one
            try:
                edit = self._client.event(room.id, str(edit.get("event_id")))
            except Gone:
                edit = {}
        message = message_of(event, edit, room, self._client.me())
        return message.record(self._account.zone, {*self._account.own_names, self._client.me().lower()})

    def _room(self, room: str) -> Room:
        try:
            return Room.of(room, self._client.state(room))
        except Gone:
            return Room(room)

    def _passed_over(self, room: Room) -> bool:
        return self._account.passes_over(room.title, room.id, f"matrix:{room.id}")
