"""Broken where the system fails."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from connectors.base import CheckReport, FeedPacket, ReadRequest
from connectors.memory import MemoryConnector
from hub.model.errors import HubError, StopRoute
from hub.model.records import Page
from tests.connectors.broken.registry import broken


@broken("faults")
class BareExceptions(MemoryConnector):
    """What went wrong on the way comes out as Python's own exception."""

    def _request(self) -> None:
        try:
            super()._request()
        except HubError as error:
            raise ValueError(error.code) from None


@broken("faults")
class BrokenIsEmpty(MemoryConnector):
    """A page that did not come is an empty last one."""

    def read(self, request: ReadRequest) -> Iterator[Page]:
        try:
            yield from super().read(request)
        except StopRoute as error:
            if error.code.startswith("unknown"):
                raise
            yield Page(request.stream, [], last=True)


@broken("faults")
class BrokenIsDeleted(MemoryConnector):
    """A look-up that failed calls the records deleted."""

    def fetch(self, request: ReadRequest, external_ids: Sequence[str]) -> Page:
        try:
            return super().fetch(request, external_ids)
        except HubError as error:
            if error.code.startswith("unknown"):
                raise
            return Page(request.stream, [], list(external_ids), last=True)


@broken("faults")
class CountsZeroWhenBroken(MemoryConnector):
    """A count that failed is nought."""

    def count(self, request: ReadRequest) -> int:
        try:
            return super().count(request)
        except HubError as error:
            if error.code.startswith("unknown"):
                raise
            return 0


@broken("faults")
class CheckRaises(MemoryConnector):
    """The check raises what it should report."""

    def check(self) -> CheckReport:
        self._request()
        return super().check()


@broken("faults")
class PacketLostWithItsAnswer(MemoryConnector):
    """A packet that did not come whole is taken for delivered."""

    def feed(self, node: str) -> FeedPacket | None:
        try:
            return super().feed(node)
        except HubError as error:
            if error.code != "node_unknown":
                self._place(node).registered.clear()
            raise
