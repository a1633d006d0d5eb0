"""Writing resources of an account: what ``connectors.writing`` decides, by ETag.

A manager and the hub, told as a story: the hub has read a meeting, the manager moves it in his calendar, and only then
the hub's change arrives. It names the ETag that it was decided on (``If-Match``), the server answers 412, nothing is
written (``Overtaken``) and the hub looks again. A new meeting goes to a path made of its UID with ``If-None-Match: *``;
asked for twice, it is met there (412) or by its UID elsewhere (409 of some servers, 412 of others) and adopted.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote

import msgspec

from connectors.base import Change
from connectors.calendars import shape
from connectors.calendars.dav import xml
from connectors.calendars.dav.client import Client, Resource
from connectors.calendars.dav.discover import Collection
from connectors.calendars.dav.reading import read_record
from connectors.calendars.ical.lines import Component, Malformed, calendars
from connectors.calendars.ical.moments import Zones
from connectors.calendars.ical.record import COMPONENT, KEY, VERSION
from connectors.calendars.ical.write import new, put
from connectors.calendars.wire import Answer
from connectors.writing import Overtaken, Refused, Shown, Taken
from hub.model.errors import NeedsPerson, SkipRecord, StopRoute, StopSystem

#: Of the UIDs that the hub gives to what it makes.
NAMESPACE = uuid.UUID("6f0d3c3e-8a54-5b1e-9c1b-0b6d5f7a2e11")
_REFUSED = frozenset({400, 403, 405, 406, 413, 415, 422, 507})


def uid_of(key: str) -> str:
    """UID of a record that the hub makes under a reserved key: the same whenever it is asked for."""
    return str(uuid.uuid5(NAMESPACE, key))


class DavTarget:
    """An account as something to write to. ``collections``: its calendars, asked for late."""

    def __init__(self, client: Client, collections: Callable[[], list[Collection]]) -> None:
        self.system = client.wire.account.title
        self._client, self._collections = client, collections
        self._zone = client.wire.account.zone
        self._uids: dict[str, str] = {}
        self._seen: dict[str, Resource] = {}

    def body(self, stream: str, change: Change) -> dict[str, Any]:
        """The fields as a record shows them."""
        made = shape.body(stream, change, self.system)
        if change.create:
            self._uids = {change.external_id: str(made.pop("uid", "") or self._uid(change.external_id))}
        return made

    def look(self, stream: str, key: str) -> Shown | None:
        """The resource as it is; of a key that is only reserved, where it would be, else by its UID."""
        shape.info_of(stream, self.system)
        if key.startswith("/") and key not in self._uids:
            return self._shown(stream, self._client.get(key))
        uid = self._uids.get(key) or self._uid(key)
        path = key if key.startswith("/") else self._path(stream, uid)
        return self._shown(stream, self._client.get(path)) or self._with_uid(stream, uid)

    def place(self, stream: str, change: Change) -> str:
        """Where a new resource will be."""
        if change.external_id.startswith("/"):
            return change.external_id
        return self._path(stream, str(change.fields.get("uid") or uid_of(change.external_id)))

    def search(self, stream: str, marker: tuple[str, str]) -> list[str]:
        """Nothing is found by a mark: records are made under keys of our choosing."""
        return []

    def create(self, stream: str, key: str, body: dict[str, Any], load_mode: bool) -> str:
        """Make a resource where its UID says."""
        uid = self._uids.get(key) or self._uid(key)
        path = key if key.startswith("/") else self._path(stream, uid)
        calendar = new(stream, uid)
        self._put(stream, calendar, body)
        answer = self._client.put(path, calendar.encode(), None, stream)
        if answer.status in {409, 412} and (answer.status == 412 or _same_uid(answer)):
            raise Taken
        self._accepted(answer, stream, path)
        return path

    def change(self, stream: str, before: Shown, body: dict[str, Any], change: Change) -> None:
        """Write over the version that was looked at."""
        one = self._seen.get(before.key)
        if one is None or one.etag != before.version:
            raise Overtaken
        if not one.etag:
            raise StopRoute("calendar_no_etag", system=self.system, stream=stream)
        calendar = calendars(one.data)[0]
        self._put(stream, calendar, body)
        answer = self._client.put(before.key, calendar.encode(), one.etag, stream)
        if answer.status == 412 and not xml.conditions(answer.body) - {"error"}:
            raise Overtaken
        self._accepted(answer, stream, before.key)

    def post(self, stream: str, shown: Shown, posting: str) -> None:
        """A calendar posts nothing."""
        raise Refused(SkipRecord("field_not_writable", posting, system=self.system, stream=stream))

    def pause(self, attempt: int) -> bool:
        """Wait before looking again."""
        return self._client.wire.pause(attempt)

    # --- inside -------------------------------------------------------------------------------------------------

    def _put(self, stream: str, calendar: Component, body: Mapping[str, Any]) -> None:
        account = self._client.wire.account
        try:
            put(calendar, stream, body, Zones(self._zone, calendar), account.owner or account.user, datetime.now(UTC))
        except (Malformed, ValueError) as why:
            name = next(iter(body), "")
            raise Refused(SkipRecord("calendar_bad_value", name, str(why), system=self.system, stream=stream)) from None

    @staticmethod
    def _uid(key: str) -> str:
        """UID of what is made under a reserved key, or at a path that was made of one."""
        if not key.startswith("/"):
            return uid_of(key)
        return unquote(key.rpartition("/")[2]).removesuffix(".ics")

    def _path(self, stream: str, uid: str) -> str:
        return f"{self._place(stream).href}{xml.path_of(f'/{uid}.ics')[1:]}"

    def _place(self, stream: str) -> Collection:
        """The calendar that new records of a stream go to."""
        wanted, component = self._client.wire.account.new_in, COMPONENT[stream]
        fits = [one for one in self._collections() if one.takes(component)]
        if wanted:
            fits = [one for one in fits if wanted in {one.name, one.href, one.href.rstrip("/").rpartition("/")[2]}]
        if not fits:
            raise NeedsPerson("calendar_no_place", system=self.system, stream=stream, calendar=wanted)
        return fits[0]

    def _with_uid(self, stream: str, uid: str) -> Shown | None:
        """The resource that has the UID, in whatever calendar and under whatever path."""
        for collection in self._collections():
            if collection.takes(COMPONENT[stream]):
                hrefs = self._client.with_uid(collection.href, COMPONENT[stream], uid)
                for one in self._client.get_many(collection.href, hrefs)[0]:
                    shown = self._shown(stream, one)
                    if shown is not None and shown.fields.get("uid") == uid:
                        return shown
        return None

    def _shown(self, stream: str, one: Resource | None) -> Shown | None:
        made = read_record(stream, one, self._zone) if one is not None else None
        if one is None or made is None:
            return None
        if "broken" in made:
            raise Refused(SkipRecord("calendar_broken", system=self.system, stream=stream, reason=made["broken"]))
        self._seen = {one.href: one}
        name = next((c.name for c in self._collections() if one.href.startswith(c.href)), "")
        fields = {KEY: one.href, VERSION: one.etag, "calendar": name, **made}
        raw = msgspec.json.encode(fields)
        return Shown(one.href, one.etag, raw, msgspec.json.decode(raw))

    def _accepted(self, answer: Answer, stream: str, path: str) -> None:
        if answer.status in {200, 201, 204}:
            return
        if answer.status in _REFUSED | {409, 412}:
            said = ", ".join(sorted(xml.conditions(answer.body) - {"error", "responsedescription"}))
            reason = said or f"HTTP {answer.status}"
            raise Refused(SkipRecord("calendar_refused", system=self.system, stream=stream, reason=reason, id=path))
        if answer.status < 300:  # somebody answers who knows nothing of calendars
            raise StopSystem("calendar_not_dav", system=self.system)
        raise self._client.wire.fault(answer, stream)


def _same_uid(answer: Answer) -> bool:
    return "no-uid-conflict" in xml.conditions(answer.body)
