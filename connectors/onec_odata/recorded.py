"""A 1C base that was recorded: its ``$metadata`` and its change packets as files, served as the live connector does.

The files go through the same parsers as answers from the wire. It is how real input, captured at a customer's, is
replayed against mappings and store.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from connectors.base import Capabilities, Change, FeedPacket, WriteResult
from connectors.memory import MemoryBase, MemoryConnector
from connectors.onec_odata import metadata
from connectors.onec_odata.answers import Answer, Asked
from connectors.onec_odata.feed import packet
from connectors.onec_odata.xml import NotXml
from hub.model.errors import RetryLater, StopRoute
from hub.model.records import Page


def packet_from_files(paths: Sequence[Path], number: int = 1, system: str = "recorded", size: int = 1000) -> FeedPacket:
    """One packet of the recorded answers of ``SelectChanges`` in ``paths``, in their order.

    An answer that is an error or cut raises what the live connector would raise.
    """
    pages: list[Page] = []
    for path in paths:
        answer = Answer(200, {"content-type": "application/atom+xml"}, path.read_bytes())
        found = packet(answer, Asked(system, path.stem, "SelectChanges"), number, size)
        pages.extend(found.pages if found else ())
    for page in pages:
        page.last = page is pages[-1]
    return FeedPacket(number, tuple(pages))


class RecordedOneC(MemoryConnector):
    """Streams of a recorded ``$metadata``, change packets of recorded feeds: one packet per file, numbered on from
    ``first``.

    What the packets bring can also be read as sets. A packet comes again until it is acknowledged; a new connector
    begins anew. A hub that has acknowledged packets takes smaller numbers for a base that went back in time: the same
    recording is brought again under the numbers that follow.
    """

    def __init__(
        self,
        metadata_file: Path,
        feeds: Sequence[Path],
        title: str = "recorded",
        page_size: int = 1000,
        first: int = 1,
    ) -> None:
        base = MemoryBase(title)
        super().__init__(base, title, page_size=page_size)
        self.capabilities = Capabilities(
            changes_feed=True, deletes_in_feed=True, versions=True, windows=True, totals=True
        )
        with metadata_file.open("rb") as document:
            try:
                base.infos = metadata.load(document).streams
            except NotXml:
                raise RetryLater("page_cut", system=title, stream="$metadata") from None
        self._packets = [
            packet_from_files([path], number, title, page_size) for number, path in enumerate(feeds, first)
        ]
        self._acknowledged = first - 1
        for stream in base.infos:
            base.records[stream] = {}
        for found in self._packets:
            self._replay(found)

    def _replay(self, found: FeedPacket) -> None:
        """Bring the sets to where they were after this packet."""
        for page in found.pages:
            info, records = self.base.infos[page.stream], self.base.records[page.stream]
            for raw in page.records:
                record = msgspec.json.decode(raw)
                records[tuple(str(record.get(name, "")) for name in info.key)] = record
            for key in page.deleted:
                records.pop(tuple(key.split("|")), None)

    def write(self, stream: str, changes: Sequence[Change]) -> Iterator[WriteResult]:
        """A recording cannot be written to."""
        raise StopRoute("read_only", system=self._title, stream=stream)

    def feed(self, node: str) -> FeedPacket | None:
        """The first packet not acknowledged; ``node`` is not looked at, a recording has one."""
        self._request()
        return next((found for found in self._packets if found.number > self._acknowledged), None)

    def acknowledge(self, node: str, number: int) -> None:
        """Go on to the packet after ``number``."""
        self._request()
        self.traffic.writes += 1
        self._acknowledged = max(self._acknowledged, number)
