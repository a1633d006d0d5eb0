"""What systems of some kinds do not have, refused in one sentence each: no list of changes, no sums, no writing.

A connector inherits what its kind lacks, sets its ``title``, and says the same in its ``Capabilities``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from connectors.base import Change, DayTotal, FeedPacket, WriteResult
from hub.model.errors import StopRoute
from hub.model.records import Window


class Titled:
    """A connector that sentences can name: ``title`` is the system's name in hub.yaml."""

    title: str


class NoFeed(Titled):
    """The system keeps no list of what a reader has not seen: what is new is found by reading."""

    def feed(self, node: str) -> FeedPacket | None:
        """``StopRoute(no_feed)``."""
        raise StopRoute("no_feed", system=self.title)

    def acknowledge(self, node: str, number: int) -> None:
        """``StopRoute(no_feed)``."""
        raise StopRoute("no_feed", system=self.title)


class NoTotals(Titled):
    """Records of this system have nothing that is added up."""

    def totals(self, stream: str, date_field: str, total_field: str, window: Window) -> list[DayTotal]:
        """``StopRoute(no_totals)``."""
        raise StopRoute("no_totals", system=self.title, stream=stream)


class ReadOnly(Titled):
    """Nothing can be written to this system."""

    def write(self, stream: str, changes: Sequence[Change]) -> Iterator[WriteResult]:
        """``StopRoute(read_only)``."""
        raise StopRoute("read_only", system=self.title, stream=stream)
