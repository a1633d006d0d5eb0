"""A hub over a small base in memory, exchanged once, on each database in turn."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import Table, update

from connectors.memory import MemoryBase, MemoryConnector
from hub.exchange.hub import Hub, Route
from hub.exchange.service import backfill, run_exchange
from hub.model.records import Window
from hub.model.settings import Settings, SystemSettings
from hub.reconcile.checks import look_at
from hub.reconcile.finding import Finding
from hub.store.database import Store
from tests.dagster.base import PROFILE, ZONE, small_base


@dataclass
class Night:
    """A base, a hub, and how to exchange and to look."""

    base: MemoryBase
    hub: Hub

    def exchange(self, *routes: str) -> None:
        """A manual exchange of the routes, of all by default."""
        run_exchange(self.hub, list(routes) or None)

    def backfill(self, window: Window) -> None:
        """Re-read orders of these days."""
        backfill(self.hub, ["ut.sales_order"], window)

    def look(self, check: str, route: str = "ut.sales_order") -> Finding:
        """One check of one route; whatever it says must be fit to be shown in both languages."""
        finding = look_at(self.hub, route, check)
        for lang in ("ru", "en"):
            text = finding.text(lang)
            assert text
            assert "{" not in text
            assert finding.code not in text
        return finding

    def route(self, code: str = "ut.sales_order") -> Route:
        """A route of the hub."""
        return self.hub.route(code)

    def tamper(self, table: Table, **values: object) -> None:
        """Change one row of the store past the exchange (the one with the smallest id)."""
        with self.hub.store.begin() as conn:
            first = conn.execute(table.select().order_by(*table.primary_key.columns)).first()
            assert first is not None
            where = [column == getattr(first, column.name) for column in table.primary_key.columns]
            conn.execute(update(table).where(*where).values(**values))


@pytest.fixture
def night(store: Store, tmp_path: Path, request: pytest.FixtureRequest) -> Night:
    """Three clients, two products, six orders on three days, exchanged once."""
    base = small_base(f"reconcile {request.node.name}")
    system = SystemSettings(code="ut", kind="memory", timezone=ZONE, profile=PROFILE, title="Торговля")
    settings = Settings(tmp_path, tmp_path / "hub.yaml", "Europe/Moscow", "", systems={"ut": system}, demo=True)
    made = Night(base, Hub(settings, store, lambda _system, _cache: MemoryConnector(base)))
    made.exchange("ut.product", "ut.party", "ut.sales_order")
    return made
