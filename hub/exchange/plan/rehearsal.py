"""An exchange that is rehearsed: the same code on a copy of the store, with connectors that do nothing but read.

A rehearsed write answers with the record as it would be: what the system shows now, overlaid with the change. So all
that follows a write, its read-back and what is then owed elsewhere, is rehearsed too. A change feed is not asked: a
packet that is asked for is numbered by the base, and what nobody acknowledges would look lost. Streams that are read
by the feed are read whole instead.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec

from connectors.base import (
    Capabilities,
    Change,
    CheckReport,
    Connector,
    DayTotal,
    FeedPacket,
    ReadRequest,
    StreamInfo,
    Traffic,
    WriteResult,
)
from connectors.writing import ACTS
from hub.exchange.hub import Hub
from hub.model.records import Page, Window
from hub.store.copies import copied

#: Told of every change before it is rehearsed: system, stream, change.
Told = Callable[[str, str, Change], None]

_BLANKS: dict[str, Any] = {
    "Guid": "00000000-0000-0000-0000-000000000000",
    "DateTime": "0001-01-01T00:00:00",
    "String": "",
    "Boolean": False,
    "Int64": "0",
    **dict.fromkeys(("Int16", "Int32", "Byte", "Double", "Decimal"), 0),
}


class RehearsedConnector:
    """Speaks for a system without telling it anything. Its records are remembered as they would be after our writes."""

    def __init__(self, system: str, inner: Connector, told: Told) -> None:
        self._system, self._inner, self._told = system, inner, told
        self._seen: dict[tuple[str, str], dict[str, Any]] = {}
        self._made: dict[tuple[str, str], bytes] = {}

    @property
    def capabilities(self) -> Capabilities:
        """Those of the connector, without the change feed."""
        return replace(self._inner.capabilities, changes_feed=False, deletes_in_feed=False, places=False)

    @property
    def traffic(self) -> Traffic:
        """What the connector has sent."""
        return self._inner.traffic

    def check(self) -> CheckReport:
        """See ``Connector.check``."""
        return self._inner.check()

    def streams(self) -> dict[str, StreamInfo]:
        """See ``Connector.streams``."""
        return self._inner.streams()

    def fingerprint(self) -> str:
        """See ``Connector.fingerprint``."""
        return self._inner.fingerprint()

    def count(self, request: ReadRequest) -> int:
        """See ``Connector.count``."""
        return self._inner.count(request)

    def read(self, request: ReadRequest) -> Iterator[Page]:
        """See ``Connector.read``. What the source keeps back stays there: no place is stored for good here."""
        return map(_and_no_more, self._inner.read(request))

    def fetch(self, request: ReadRequest, external_ids: Sequence[str]) -> Page:
        """See ``Connector.fetch``; of records that were written to, what they would show."""
        asked = [key for key in external_ids if (request.stream, key) not in self._made]
        made = [self._made[request.stream, key] for key in external_ids if (request.stream, key) in self._made]
        page = self._inner.fetch(request, asked) if asked else Page(request.stream, [], last=True)
        self._seen = {}  # a record is written soon after it was looked at, or is looked at again
        for raw in page.records:
            record = msgspec.json.decode(raw)
            self._seen[request.stream, "|".join(str(record.get(name)) for name in request.key)] = record
        return replace(page, records=[*page.records, *map(msgspec.Raw, made)])

    def write(self, stream: str, changes: Sequence[Change]) -> Iterator[WriteResult]:
        """See ``Connector.write``; nothing is sent."""
        for change in changes:
            self._told(self._system, stream, change)
            key = (stream, change.external_id)
            record = self._shown(stream, change.external_id)
            record |= {name: self._rows(stream, name, value) for name, value in change.fields.items()}
            if change.posting != "keep":
                flag, wanted, _ = ACTS[change.posting]
                record[flag] = wanted
            self._made[key] = msgspec.json.encode(record)
            yield WriteResult(change.external_id, "written", change.version, self._made[key])

    def totals(self, stream: str, date_field: str, total_field: str, window: Window) -> list[DayTotal]:
        """See ``Connector.totals``."""
        return self._inner.totals(stream, date_field, total_field, window)

    def feed(self, node: str) -> FeedPacket | None:
        """Nothing: see above."""
        return None

    def acknowledge(self, node: str, number: int) -> None:
        """Nothing: what was rehearsed is not here."""

    def close(self) -> None:
        """The connector belongs to the hub that is exchanged for."""

    def _shown(self, stream: str, external_id: str) -> dict[str, Any]:
        """The record as it would be now."""
        key = (stream, external_id)
        if key in self._made:
            return dict(msgspec.json.decode(self._made[key]))
        return dict(self._seen.get(key) or self._blank(stream, external_id))

    def _blank(self, stream: str, external_id: str) -> dict[str, Any]:
        """A new record of which nothing was told yet."""
        info = self.streams()[stream]
        record: dict[str, Any] = {name: _blank(kind) for name, kind in info.fields.items()}
        record |= {name: [] for name in info.tables}
        return record | dict(zip(info.key, external_id.split("|"), strict=False))

    def _rows(self, stream: str, name: str, value: Any) -> Any:
        """Rows of a nested table with the columns that are not told; any other value as it is."""
        columns = self.streams()[stream].tables.get(name)
        if columns is None or not isinstance(value, Iterable):
            return value
        blank = {column: _blank(kind) for column, kind in columns.items()}
        return [blank | dict(row) for row in value]


def _and_no_more(page: Page) -> Page:
    return replace(page, more=False)


def _blank(kind: str) -> Any:
    return _BLANKS.get(kind.removeprefix("Edm."))


@contextmanager
def rehearsal(hub: Hub, folder: Path, told: Callable[[Hub], Told]) -> Iterator[Hub]:
    """A hub that exchanges like ``hub`` and changes nothing outside. ``told``: makes, of that hub, who hears of writes.

    ``folder``: where a file copy of the store may lie meanwhile; ``NeedsPerson(copy_failed)``.
    """
    hears: list[Told] = []

    def hear(system: str, stream: str, change: Change) -> None:
        hears[0](system, stream, change)

    with copied(hub.store, folder) as store:
        apart = Hub(
            hub.settings,
            store,
            lambda system, _cache: RehearsedConnector(system.code, hub.connector(system.code), hear),
            hub.rules,
        )
        hears.append(told(apart))
        yield apart
