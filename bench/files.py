"""Page files as a connector: what the base would send, without a network between."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

import msgspec

from bench.pages import CLIENTS_SET, ORDERS_SET, PRODUCTS_SET
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
from connectors.onec_odata import metadata
from hub.model.errors import StopRoute
from hub.model.records import Page, Window
from stand.onec import edmx
from stand.onec.model import MODEL

SETS = (PRODUCTS_SET, CLIENTS_SET, ORDERS_SET)


class _Envelope(msgspec.Struct):
    value: list[msgspec.Raw]


class _Key(msgspec.Struct):
    key: str = msgspec.field(name="Ref_Key", default="")


_DECODER = msgspec.json.Decoder(_Envelope)
_key = msgspec.json.Decoder(_Key).decode


class PageFiles:
    """A connector over page files by set."""

    def __init__(self, files: dict[str, list[Path]]) -> None:
        self.files = files
        self.capabilities = Capabilities()
        self.traffic = Traffic()
        self._streams = metadata.load(BytesIO(edmx.document(MODEL))).streams

    def check(self) -> CheckReport:
        """Files are always there."""
        return CheckReport(True, "files", len(self._streams), datetime.now(UTC))

    def streams(self) -> dict[str, StreamInfo]:
        """What the stand publishes; all but the three sets are empty."""
        return self._streams

    def fingerprint(self) -> str:
        """Never changes."""
        return "files"

    def count(self, request: ReadRequest) -> int:
        """Not told."""
        return 0

    def read(self, request: ReadRequest) -> Iterator[Page]:
        """A page per file."""
        paths = self.files.get(request.stream, [])
        if not paths:
            yield Page(request.stream, (), (), {}, True)
        for number, path in enumerate(paths, 1):
            body = path.read_bytes()
            self.traffic.requests += 1
            self.traffic.bytes_read += len(body)
            records = _DECODER.decode(body).value
            yield Page(request.stream, records, (), {"page": number}, number == len(paths), len(body))

    def fetch(self, request: ReadRequest, external_ids: Sequence[str]) -> Page:
        """Looked for in every page: files have no index."""
        wanted = set(external_ids)
        found = [(_key(raw).key, raw) for page in self.read(request) for raw in page.records]
        found = [(key, raw) for key, raw in found if key in wanted]
        return Page(request.stream, [raw for _, raw in found], sorted(wanted - {key for key, _ in found}), {}, True)

    def write(self, stream: str, changes: Sequence[Change]) -> Iterator[WriteResult]:
        """Files are read only."""
        raise StopRoute("read_only", system="files", stream=stream)

    def totals(self, stream: str, date_field: str, total_field: str, window: Window) -> list[DayTotal]:
        """Not told."""
        return []

    def feed(self, node: str) -> FeedPacket | None:
        """There is none."""
        return None

    def acknowledge(self, node: str, number: int) -> None:
        """There is nothing to acknowledge."""

    def close(self) -> None:
        """Nothing is held."""
