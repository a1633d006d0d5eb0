"""What one run keeps at hand while it works through the pages of one system."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection

from hub.exchange.brakes import Brakes, Verdicts
from hub.exchange.cards.desk import CardDesk
from hub.exchange.hub import Hub
from hub.exchange.links import Links
from hub.exchange.mapping_desk import MappingDesk


@dataclass(slots=True)
class Desk:
    """One run at work on one system. ``at``: when it began, as text in UTC. ``brakes``: ``None`` lets all pass."""

    run_id: int
    at: str
    links: Links
    by_mapping: dict[str, MappingDesk]
    by_stream: dict[int, MappingDesk]
    hub: Hub
    brakes: Brakes | None = None

    def judge(self, conn: Connection, work: MappingDesk, ends: int, changes: int) -> Verdicts | None:
        """Whether so many more records may end and change."""
        return self.brakes.judge(conn, work.route_id, work.route_code, ends, changes) if self.brakes else None

    def cards(self) -> CardDesk:
        """For the cards of one transaction."""
        return CardDesk(self.hub, self.run_id, self.at, self.brakes)
