"""A virtual table of a period: the days that its mapping names, by the calendar of the base."""

from __future__ import annotations

from collections import Counter
from contextlib import closing
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import func, select

from connectors.base import ReadRequest
from connectors.certify.reading import decoded
from connectors.registry import open_connector
from hub.exchange.pull import Pull
from hub.exchange.service import run_exchange
from hub.model.records import Window
from hub.store import core, tables
from hub.store.database import Store
from stand.onec.server import OneCStand
from tests.exchange.conftest import PASSWORD, USER
from tests.exchange.installation import make_hub, onec_system

STOCK = "AccumulationRegister_СвободныеОстатки"
TODAY, FIRST, AFTER = date(2026, 11, 13), date(2026, 10, 15), date(2026, 11, 14)
MOVED = f"""
stream: {STOCK}
table: turnovers
period: 30
entity: stock_balance
key: [Номенклатура_Key, Склад_Key]
absent: zero
fields:
  product: {{ref: Номенклатура_Key, to: Catalog_Номенклатура}}
  warehouse: {{ref: Склад_Key, to: Catalog_Склады}}
  on_hand: ВНаличииTurnover
"""


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
def test_turnovers_are_of_the_days_that_the_mapping_names(
    store: Store, stand: OneCStand, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Thirty days are today and the 29 before it: what lands in the store is what 1C adds up for them, no more."""
    (tmp_path / "mappings").mkdir()
    (tmp_path / "mappings" / "moved.yaml").write_text(MOVED, encoding="utf-8")
    system = onec_system(stand.url, USER, PASSWORD, overlay=tmp_path / "mappings")
    monkeypatch.setattr(Pull, "_today", lambda self: TODAY)
    hub = make_hub(store, tmp_path, None, {"ut": system})
    run_exchange(hub, ["ut.warehouse", "ut.product", "ut.stock_balance"])
    with closing(open_connector(system)) as connector:
        told = {}
        for window in (Window(FIRST, AFTER), None):
            request = ReadRequest(STOCK, ("ВНаличииTurnover",), ("Номенклатура_Key", "Склад_Key"), "turnovers", window)
            told[window] = Counter(round(row["ВНаличииTurnover"] * 10**6) for row in decoded(connector.read(request)))
    table, link, stream = tables.ROOTS["stock_balance"], core.link, core.stream
    with store.read() as conn:
        rows = conn.execute(
            select(table.c.on_hand, func.count())
            .join(link, link.c.record_id == table.c.id)
            .join(stream, stream.c.id == link.c.stream_id)
            .where(stream.c.name == f"{STOCK}#turnovers")
            .group_by(table.c.on_hand)
        ).all()
    found = Counter({round(amount * 10**6): number for amount, number in rows})
    assert found == told[Window(FIRST, AFTER)]
    assert found != told[None]
    assert found
