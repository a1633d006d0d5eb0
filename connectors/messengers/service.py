"""What each messenger does in its own way."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol

from connectors.base import Capabilities, CheckReport, ReadRequest, Traffic
from hub.model.records import Page

Record = Mapping[str, Any]


class Service(Protocol):  # pragma: no cover - a declaration
    """One messenger, opened for one account."""

    @property
    def capabilities(self) -> Capabilities:
        """What the exchange may ask of it."""

    @property
    def traffic(self) -> Traffic:
        """What was sent so far."""

    def look(self, report: CheckReport) -> None:
        """Try token and rights; fills the report. ``HubError`` for what would stop an exchange."""

    def read(self, request: ReadRequest, size: int) -> Iterator[Page]:
        """What is new since the request's position, or what was said in its window."""

    def fetch(self, keys: Sequence[str]) -> Mapping[str, Record]:
        """Single messages by external id; what is not there is left out."""

    def count(self, request: ReadRequest) -> int:
        """How many messages ``read`` would bring."""

    def anything_new(self, position: dict[str, Any]) -> bool:
        """Whether somebody has written since."""

    def close(self) -> None:
        """Give connections back."""
