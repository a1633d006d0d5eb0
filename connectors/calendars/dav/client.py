"""The requests of CalDAV, each as one question with one answer; nothing here decides what a change means."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from connectors.calendars.dav import xml
from connectors.calendars.dav.xml import Item, Multistatus, NotDav
from connectors.calendars.wire import Answer, Ask, Wire
from hub.model.errors import StopSystem

_XML = {"Content-Type": "application/xml; charset=utf-8"}
_NO_REPORT = frozenset({400, 404, 405, 415, 422, 501})
_CHUNK = 100


@dataclass(frozen=True, slots=True)
class Resource:
    """One resource: its path, ETag and text."""

    href: str
    etag: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Delta:
    """``changed``: path and ETag; ``kinds``: component by path where the server tells it; ``gone``: paths."""

    token: str
    changed: tuple[tuple[str, str], ...] = ()
    gone: tuple[str, ...] = ()
    kinds: tuple[tuple[str, str], ...] = ()


class Expired(Exception):
    """The server knows the token no more (403 or 412 with ``valid-sync-token``, or it simply says no)."""


class Unsupported(Exception):
    """The server does not do this report."""


class Client:
    """CalDAV of one account."""

    def __init__(self, wire: Wire) -> None:
        self.wire = wire
        parts = urlsplit(wire.account.url)
        self._root = f"{parts.scheme}://{parts.netloc}"

    def url(self, href: str) -> str:
        """The address of a path."""
        return f"{self._root}{href}"

    def properties(self, href: str, depth: int, *names: str) -> list[Item]:
        """Properties of a resource, with ``depth`` 1 of what is in it."""
        answer = self.wire.read(
            Ask("PROPFIND", self.url(href), xml.propfind(*names), {**_XML, "Depth": str(depth)}), (207,)
        )
        return list(self._multistatus(answer).items)

    def probe(self, href: str, *names: str) -> Item | None:
        """Properties of a resource that may not be there."""
        ask = Ask("PROPFIND", self.url(href), xml.propfind(*names), {**_XML, "Depth": "0"})
        answer = self.wire.read(ask, (207, 404, 405, 403, 501, 200))
        if answer.status != 207:
            return None
        return next(iter(self._multistatus(answer).items), None)

    def sync(self, collection: str, token: str) -> Delta:
        """What is new, changed or gone since ``token`` (all there is without one); ``Expired``, ``Unsupported``.

        A server that cuts its answer off (507) is asked on until it has told all.
        """
        changed: dict[str, str] = {}
        gone: dict[str, None] = {}
        kinds: dict[str, str] = {}
        while True:
            found = self._sync(collection, token)
            for item in found.items:
                if item.href == collection:
                    continue
                if item.status == 404:
                    changed.pop(item.href, None)
                    gone[item.href] = None
                elif item.text("getetag") or "getetag" in item.props:
                    gone.pop(item.href, None)
                    changed[item.href] = item.text("getetag")
                    kinds[item.href] = _component(item.text("getcontenttype"))
            if not found.cut or found.token in {"", token}:
                return Delta(found.token, tuple(changed.items()), tuple(gone), tuple(kinds.items()))
            token = found.token

    def _sync(self, collection: str, token: str) -> Multistatus:
        # Two heads for one thing: RFC 6578 says Depth 0, its drafts said 1 and some servers still want that.
        ask = Ask("REPORT", self.url(collection), xml.sync_collection(token), {**_XML, "Depth": "0"})
        answer = self.wire.read(ask, (207, 403, 409, 412, 507, *_NO_REPORT))
        if answer.status in {403, 409, 412, 507}:
            if "valid-sync-token" in xml.conditions(answer.body) or answer.status in {409, 412, 507}:
                raise Expired
            if not token:
                raise Unsupported
            raise Expired
        if answer.status != 207:
            raise Unsupported
        found = self._multistatus(answer)
        if not found.token:
            raise Unsupported
        return found

    def listed(self, collection: str, component: str, start: str = "", end: str = "") -> list[tuple[str, str]]:
        """Paths and ETags of the resources of a component, within a time where one is told."""
        body = xml.query(component, start=start, end=end)
        answer = self.wire.read(
            Ask("REPORT", self.url(collection), body, {**_XML, "Depth": "1"}), (207, 403, *_NO_REPORT)
        )
        if answer.status == 207:
            items = self._multistatus(answer).items
        else:
            items = tuple(self.properties(collection, 1, "getetag", "getcontenttype", "resourcetype"))
            items = tuple(item for item in items if "collection" not in item.names("resourcetype"))
            items = tuple(item for item in items if _component(item.text("getcontenttype")) in {"", component})
        return [
            (item.href, item.text("getetag")) for item in items if item.status in {0, 200} and item.href != collection
        ]

    def with_uid(self, collection: str, component: str, uid: str) -> list[str]:
        """Paths of the resources whose UID contains the text."""
        body = xml.query(component, uid=uid)
        answer = self.wire.read(
            Ask("REPORT", self.url(collection), body, {**_XML, "Depth": "1"}), (207, 403, *_NO_REPORT)
        )
        if answer.status != 207:
            return []
        return [item.href for item in self._multistatus(answer).items if item.status in {0, 200}]

    def get_many(self, collection: str, hrefs: Sequence[str]) -> tuple[list[Resource], list[str]]:
        """Resources by their paths, and the paths that the server itself says lead to nothing."""
        there: list[Resource] = []
        gone: list[str] = []
        for start in range(0, len(hrefs), _CHUNK):
            chunk = hrefs[start : start + _CHUNK]
            answer = self.wire.read(
                Ask("REPORT", self.url(collection), xml.multiget(chunk), {**_XML, "Depth": "0"}), (207, *_NO_REPORT)
            )
            told: set[str] = set()
            for item in self._multistatus(answer).items if answer.status == 207 else ():
                if item.status == 404:
                    gone.append(item.href)
                elif "calendar-data" in item.props:
                    data = item.props["calendar-data"].text or ""
                    there.append(Resource(item.href, item.text("getetag"), data.encode()))
                else:
                    continue
                told.add(item.href)
            for href in chunk:  # a report that leaves one out says nothing of it
                if href not in told:
                    found = self.get(href)
                    if found is None:
                        gone.append(href)
                    else:
                        there.append(found)
        return there, gone

    def get(self, href: str) -> Resource | None:
        """One resource; ``None`` when the server says that there is none."""
        answer = self.wire.read(Ask("GET", self.url(href)), (200, 404, 410))
        if answer.status != 200:
            return None
        etag = answer.headers.get("etag", "")
        if not etag:
            item = self.probe(href, "getetag")
            etag = item.text("getetag") if item is not None else ""
        return Resource(href, etag, answer.body)

    def put(self, href: str, data: bytes, etag: str | None, stream: str) -> Answer:
        """Write a resource: over the version ``etag``, or with ``None`` only where there is none yet."""
        condition = {"If-None-Match": "*"} if etag is None else {"If-Match": etag}
        headers = {"Content-Type": "text/calendar; charset=utf-8", **condition}
        return self.wire.send(Ask("PUT", self.url(href), data, headers), stream)

    def _multistatus(self, answer: Answer) -> Multistatus:
        try:
            return xml.multistatus(answer.body, xml.path_of(answer.url))
        except NotDav:
            raise StopSystem("calendar_not_dav", system=self.wire.account.title) from None


def _component(kind: str) -> str:
    """``VEVENT`` of ``text/calendar;component=VEVENT``; empty where it is not told."""
    return kind.upper().partition("COMPONENT=")[2].strip('" ').partition(";")[0]
