"""What one run keeps at hand while it works through the pages of one system."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from hub.exchange.brakes import Brakes, Verdicts
from hub.exchange.cards.desk import CardDesk
from hub.exchange.hub import Hub
from hub.exchange.links import Links
from hub.exchange.mapping_desk import MappingDesk
from hub.store import core


@dataclass(slots=True)
class Desk:
    """One run at work on one system. ``at``: when it began, as text in UTC. ``brakes``: ``None`` lets all pass.

    ``read_at``: when the run began that read what is being applied, where that is an earlier one.
    """

    run_id: int
    at: str
    links: Links
    by_mapping: dict[str, MappingDesk]
    by_stream: dict[int, MappingDesk]
    hub: Hub
    brakes: Brakes | None = None
    read_at: str | None = None

    @contextmanager
    def read_in(self, conn: Connection, runs: Iterable[int]) -> Iterator[None]:
        """What is applied inside was kept by these runs: it tells nothing of what was edited since they began."""
        table = core.exchange_run
        began = conn.execute(select(func.min(table.c.started_at)).where(table.c.id.in_(sorted(set(runs))))).scalar()
        told = f"{began:%Y-%m-%d %H:%M:%S}" if began is not None else self.at
        self.read_at = told if told < self.at else None
        try:
            yield
        finally:
            self.read_at = None

    def judge(self, conn: Connection, work: MappingDesk, ends: int, changes: int) -> Verdicts | None:
        """Whether so many more records may end and change."""
        return self.brakes.judge(conn, work.route_id, work.route_code, ends, changes) if self.brakes else None

    def cards(self) -> CardDesk:
        """For the cards of one transaction."""
        return CardDesk(self.hub, self.run_id, self.at, self.brakes, self.read_at)
