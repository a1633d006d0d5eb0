"""A system that lives in memory: for tests, for trying mappings, and as the shortest example of a connector.

``MemoryBase`` (``connectors.memory_base``) is the system, ``MemoryConnector`` speaks to it.
Several connectors may share a base, as several processes share a 1C.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal
from itertools import groupby

import msgspec

from connectors.base import (
    Capabilities,
    Change,
    CheckReport,
    DayTotal,
    FeedPacket,
    ReadRequest,
    StreamInfo,
    Traffic,
    WriteResult,
)
from connectors.memory_base import Key, MemoryBase, Node, Record
from connectors.memory_write import MemoryTarget
from connectors.writing import Writing
from hub.model.errors import HubError, NeedsPerson, StopRoute, StopSystem
from hub.model.records import Page, Window

__all__ = ["BASES", "MemoryBase", "MemoryConnector"]

#: Bases of this process by the name in ``memory://name``.
BASES: dict[str, MemoryBase] = {}


class MemoryConnector:
    """Speaks to a ``MemoryBase``; ``node`` is the reader that ``feed("")`` means."""

    def __init__(self, base: MemoryBase, title: str = "", node: str = "", page_size: int = 1000) -> None:
        self.base = base
        self.capabilities = Capabilities(
            changes_feed=True,
            deletes_in_feed=True,
            versions=True,
            windows=True,
            totals=True,
            write=True,
            read_back=True,
        )
        self.traffic = Traffic()
        self._title = title or base.name
        self._node = node
        self._page_size = page_size
        self._writing = Writing(MemoryTarget(base, self._title, self.traffic))

    def check(self) -> CheckReport:
        """Always reachable; what can be wrong is a base without streams."""
        report = CheckReport(product="memory", server_time=datetime.now(UTC))
        try:
            self._request()
        except HubError as error:
            report.problems.append(error)
            return report
        report.reachable, report.streams = True, len(self.base.infos)
        if not self.base.infos:
            report.problems.append(StopSystem("nothing_published", system=self._title))
        return report

    def streams(self) -> dict[str, StreamInfo]:
        """What was defined."""
        self._request()
        return dict(self.base.infos)

    def fingerprint(self) -> str:
        """SHA-256 of what was defined."""
        return hashlib.sha256(msgspec.json.encode(self.base.infos, order="deterministic")).hexdigest()

    def count(self, request: ReadRequest) -> int:
        """Number of records within the window."""
        self._request()
        return len(self._chosen(request))

    def read(self, request: ReadRequest) -> Iterator[Page]:
        """Pages in the order of date and key. The position is the last key, so nothing that moves is lost."""
        size, after = max(1, min(request.page_size, self._page_size)), _after(request)
        while True:
            self._request()
            rows = [item for item in self._chosen(request) if after is None or item[0] > after]
            part = rows[:size]
            records = [self._encode(request, record) for _, record in part]
            after = part[-1][0] if part else after
            last, nbytes = len(rows) <= size, sum(map(len, records))
            self.traffic.bytes_read += nbytes
            yield Page(request.stream, records, (), {"after": list(after or ())}, last, nbytes)
            if last:
                return

    def fetch(self, request: ReadRequest, external_ids: Sequence[str]) -> Page:
        """Single records by key; the window of ``request`` is not looked at."""
        self._request()
        info = self._known(request)
        keys = [tuple(id_.split("|")) for id_ in dict.fromkeys(external_ids)]
        with self.base.lock:
            living = self.base.records[info.name]
            records = [self._encode(request, living[key]) for key in keys if key in living]
            deleted = ["|".join(key) for key in keys if key not in living]
        nbytes = sum(map(len, records))
        self.traffic.bytes_read += nbytes
        return Page(request.stream, records, deleted, {}, True, nbytes)

    def write(self, stream: str, changes: Sequence[Change]) -> Iterator[WriteResult]:
        """One record after another, each read back."""
        for change in changes:
            yield self._writing.write(stream, change)

    def totals(self, stream: str, date_field: str, total_field: str, window: Window) -> list[DayTotal]:
        """Count and sum by day of the records within ``window``."""
        self._request()
        request = ReadRequest(stream, (date_field, total_field), window=window, date_field=date_field)
        by_day = groupby(self._chosen(request), lambda item: str(item[1][date_field])[:10])
        found = []
        for day, items in by_day:
            sums = [_hundredths(record.get(total_field)) for _, record in items]
            found.append(DayTotal(date.fromisoformat(day), len(sums), sum(sums)))
        return found

    def feed(self, node: str) -> FeedPacket | None:
        """Everything registered for ``node``, in the order of registration."""
        self._request()
        with self.base.lock:
            place = self._place(node)
            number = place.received + 1
            pages = []
            for stream, items in groupby(list(place.registered), lambda item: item[0]):
                place.registered.update(dict.fromkeys((chosen := list(items)), number))
                pages.append(self._changes(stream, [key for _, key in chosen], number))
        if pages:
            pages[-1].last = True
        return FeedPacket(number, tuple(pages)) if pages else None

    def acknowledge(self, node: str, number: int) -> None:
        """Forget what was sent up to packet ``number`` and has not changed since."""
        self._request()
        self.traffic.writes += 1
        with self.base.lock:
            place = self._place(node)
            place.registered = {key: sent for key, sent in place.registered.items() if not 0 < sent <= number}
            place.received = max(place.received, number)

    def close(self) -> None:
        """Nothing is held."""

    def _request(self) -> None:
        self.traffic.requests += 1
        self.base.trip()

    def _place(self, node: str) -> Node:
        try:
            return self.base.nodes[node or self._node]
        except KeyError:
            valid = ", ".join(self.base.nodes) or "—"
            raise NeedsPerson("node_unknown", system=self._title, node=node or self._node, valid=valid) from None

    def _info(self, request: ReadRequest) -> StreamInfo:
        name = request.stream if request.table == "set" else f"{request.stream}#{request.table}"
        info = self.base.infos.get(name)
        if info is None and request.table != "set" and request.stream in self.base.infos:
            raise StopRoute("unknown_table", system=self._title, stream=request.stream, table=request.table)
        if info is None:
            raise StopRoute("unknown_set", system=self._title, stream=request.stream)
        return info

    def _known(self, request: ReadRequest) -> StreamInfo:
        """The stream, once every field named is known to be there."""
        info, named = self._info(request), (request.date_field, request.changed_field)
        known = info.fields.keys() | info.tables.keys()
        for name in (*request.fields, *request.key, *filter(None, named)):
            if name not in known and request.table == "set":
                raise StopRoute("unknown_field", system=self._title, stream=request.stream, field=name)
        return info

    def _chosen(self, request: ReadRequest) -> list[tuple[Key, Record]]:
        """Records within the window with the key they are ordered by."""
        info, dated, window = self._known(request), request.date_field, request.window
        found = []
        with self.base.lock:
            for key, record in self.base.records[info.name].items():
                day = str(record.get(dated, ""))
                if window and dated and not str(window.start) <= day[:10] < str(window.end):
                    continue
                if request.changed_field and str(record.get(request.changed_field, "")) < request.since:
                    continue
                found.append(((day, *key), record))
        return sorted(found, key=lambda item: item[0])

    def _encode(self, request: ReadRequest, record: Record) -> bytes:
        wanted = {*request.fields, *request.key}
        chosen = {name: value for name, value in record.items() if name in wanted} if request.fields else record
        return msgspec.json.encode(chosen)

    def _changes(self, stream: str, keys: list[Key], number: int) -> Page:
        living = self.base.records[stream]
        records = [msgspec.json.encode(living[key]) for key in keys if key in living]
        deleted = ["|".join(key) for key in keys if key not in living]
        return Page(stream, records, deleted, {"message": number}, nbytes=sum(map(len, records)))


def _after(request: ReadRequest) -> Key | None:
    position = request.position or {}
    return tuple(str(part) for part in position["after"]) if position.get("after") else None


def _hundredths(value: object) -> int:
    return int(Decimal(str(value or 0)).scaleb(2).to_integral_value(ROUND_HALF_UP))
