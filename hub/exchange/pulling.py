"""What the ways of reading (``compare``, ``modified``) need of the pull that they are a part of."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

from sqlalchemy import Connection

from connectors.base import ReadRequest
from hub.exchange.cursors import Cursor
from hub.exchange.desk import Desk
from hub.exchange.hub import Hub, Route
from hub.exchange.mapping_desk import MappingDesk
from hub.model.records import Page, Window

if TYPE_CHECKING:
    from mappings.compiled import CompiledMapping


class Pulling(Protocol):  # pragma: no cover - a declaration
    """The part of ``hub.exchange.pull.Pull`` that a way of reading works with."""

    hub: Hub
    run_id: int
    route: Route
    resumed: bool

    def cursor(self, work: MappingDesk, name: str, fingerprint: str | None = None) -> Cursor:
        """See ``Pull.cursor``."""

    def request(
        self, mapping: CompiledMapping, window: Window | None, position: dict[str, Any] | None = None
    ) -> ReadRequest:
        """See ``Pull.request``."""

    def keys_request(self, mapping: CompiledMapping, window: Window | None) -> ReadRequest:
        """See ``Pull.keys_request``."""

    def commit(
        self,
        desk: Desk,
        work: MappingDesk,
        page: Page,
        cursor: Cursor | None = None,
        *,
        done: bool = False,
        equal: int = 0,
        also: Callable[[Connection], int] | None = None,
    ) -> None:
        """See ``Pull.commit``."""

    def all_read(self, work: MappingDesk, began: str) -> None:
        """See ``Pull.all_read``."""

    def tell(self, stream: str, done: int, total: int | None) -> None:
        """See ``Pull.tell``."""
