"""A base of a few clients, goods and orders, some of them broken, and the store of who exchanges with it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from sqlalchemy import select

from connectors.memory import MemoryBase, MemoryConnector
from hub.exchange.hub import Hub
from hub.exchange.replay import Order, ReplayReport, chosen, replay
from hub.exchange.service import RunReport, run_exchange
from hub.model.settings import SystemSettings
from hub.store import core
from hub.store.database import Store
from hub.store.quarantined import Choice, Quarantined, quarantined
from hub.store.tables import metadata
from tests.dagster.base import ORDERS, PARTIES, PRODUCTS, define_streams, guid, order, party, product
from tests.exchange.installation import make_hub

BROKEN_DAY = "2026-02-31"
UT = SystemSettings(code="ut", kind="memory", timezone="Europe/Moscow", profile="onec_ut11", page_size=20)


@dataclass
class World:
    """``hub`` is opened anew where mappings or settings have changed."""

    base: MemoryBase
    store: Store
    home: Path
    hub: Hub

    @classmethod
    def make(cls, store: Store, home: Path, orders: int = 4) -> World:
        """Two clients, a good, and orders on days that there are."""
        base = MemoryBase("world")
        define_streams(base)
        for number in (1, 2):
            base.put(PARTIES, party(number))
        base.put(PRODUCTS, product(1))
        for number in range(1, orders + 1):
            base.put(ORDERS, order(number, "2026-03-01"))
        return cls(base, store, home, make_hub(store, home, {"ut": MemoryConnector(base)}, {"ut": UT}))

    def reopen(self, *, routes: dict[str, Any] | None = None, **settings: Any) -> None:
        """The same installation with other settings of its system."""
        self.hub = make_hub(
            self.store, self.home, {"ut": MemoryConnector(self.base)}, {"ut": replace(UT, **settings)}, routes
        )

    def overlay(self, name: str, text: str) -> None:
        """Change a mapping by an overlay of the site."""
        folder = self.home / "overlay"
        folder.mkdir(exist_ok=True)
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
        self.reopen(overlay=folder)

    def exchange(self, *routes: str) -> RunReport:
        """A night."""
        return run_exchange(self.hub, list(routes) or ["ut.product", "ut.party", "ut.sales_order"])

    def replay(self, *orders: Order, apply: bool = True, **choice: Any) -> ReplayReport:
        """Replay the orders, or what the choice names."""
        wanted = list(orders)
        if not orders:
            with self.store.read() as conn:
                wanted = chosen(conn, Choice(**choice))
        return replay(self.hub, wanted, apply=apply, by="анна")

    def open(self) -> list[Quarantined]:
        """Open quarantine."""
        with self.store.read() as conn:
            return quarantined(conn, Choice())

    def states(self, number: int) -> list[str]:
        """States of all rows of quarantine about one order, the oldest first."""
        table = core.quarantine
        return self.rows(select(table.c.state).where(table.c.external_id == guid(3, number)).order_by(table.c.id))

    def rows(self, query: Any) -> list[Any]:
        """The first column of what a query gives."""
        with self.store.read() as conn:
            return list(conn.execute(query).scalars())


def everything(store: Store) -> dict[str, list[str]]:
    """Every row of every table, as it stands."""
    with store.read() as conn:
        return {
            name: sorted(repr(tuple(row)) for row in conn.execute(select(table)))
            for name, table in metadata.tables.items()
        }
