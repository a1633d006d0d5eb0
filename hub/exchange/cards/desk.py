"""What one transaction keeps at hand while records arrive at cards: rules, references, routes, and the brakes."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import Connection, select

from hub.engine.outgoing import Way
from hub.engine.policies import Rules
from hub.exchange.cards.refs import References
from hub.store import core

if TYPE_CHECKING:
    from hub.exchange.brakes import Brakes, Verdicts
    from hub.exchange.hub import Hub
    from hub.exchange.mapping_desk import MappingDesk


class CardDesk:
    """For one transaction of one run. ``at``: the moment of the change log, as text in UTC. ``brakes``: ``None`` where
    an admin has let the changes pass. ``read_at``: see ``Desk``.
    """

    def __init__(
        self, hub: Hub, run_id: int, at: str, brakes: Brakes | None = None, read_at: str | None = None
    ) -> None:
        self.hub, self.run_id, self.at, self.brakes, self.read_at = hub, run_id, at, brakes, read_at
        #: The stream that is read was never read to its end before: what comes is history.
        self.first_reading = False
        self.refs = References()

    @property
    def follows(self) -> bool:
        """Whether anything is read of letters, calls or meetings."""
        return any(route.entity.name == "activity" for route in self.hub.routes.values())

    def judge(self, conn: Connection, work: MappingDesk, ends: int, changes: int) -> Verdicts | None:
        """Whether so many more records may end and change."""
        return self.brakes.judge(conn, work.route_id, work.route_code, ends, changes) if self.brakes else None

    def rules(self, entity: str) -> Rules:
        """Who wins the fields of an entity."""
        return self.hub.rules.rules(entity)

    def way(self, system: str, entity: str) -> Way:
        """What may be written there; nothing where the settings do not say so."""
        return self.hub.rules.way(system, entity)

    def route_id(self, system: str, entity: str) -> int:
        """The route that reads it."""
        return self.hub.routes[f"{system}.{entity}"].id

    def push_route_id(self, system: str, entity: str) -> int:
        """The route that writes it."""
        return self.hub.push_routes[f"{system}.{entity}"].id

    def shared(self, entity: str) -> bool:
        """Whether more systems than one speak of the entity: only then may a new record belong to a card."""
        return sum(route.entity.name == entity for route in self.hub.routes.values()) > 1

    def stream_read_at(self, conn: Connection, stream_id: int) -> datetime | None:
        """When the last reading of everything in the stream began."""
        return conn.execute(select(core.stream.c.read_at).where(core.stream.c.id == stream_id)).scalar()
