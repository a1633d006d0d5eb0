"""A field that vanished pauses only the mapping that needs it; the journal keeps why, for readers of any language."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import select

from connectors.memory import MemoryBase, MemoryConnector
from hub.exchange.service import run_exchange
from hub.model.errors import StopRoute
from hub.reconcile.checks import look_at
from hub.reports.summary import summary
from hub.reports.text import plain
from hub.store import core
from hub.store.database import Store
from tests.exchange.installation import make_hub

ORDERS, VANISHED = "Document_ЗаказКлиента", "Контрагент_Key"


def test_a_vanished_field_is_told_with_its_reason(store: Store, base: MemoryBase, tmp_path: Path) -> None:
    """The date of orders vanishes: they alone are paused; summary and check name mapping and field in each language."""
    del base.infos[ORDERS].fields["Date"]
    hub = make_hub(store, tmp_path, {"ut": MemoryConnector(base)})
    report = run_exchange(hub, ["ut.party", "ut.sales_order"])
    assert {route.route: route.state for route in report.routes} == {
        "ut.party": "completed",
        "ut.sales_order": "warnings",
    }
    told = summary(hub)
    item = next(item for item in told.todo if item.code == "report_paused")
    assert item.routes == ("ut.sales_order",)
    for lang, word in (("ru", "приостановлены"), ("en", "paused")):
        assert "sales_order" in item.said[lang]
        assert "Date" in item.said[lang]
        assert word in item.said[lang]
        assert item.said[lang] in "\n".join(plain(told, lang))
    line = next(line for line in told.as_dict("en")["routes"] if line["route"] == "ut.sales_order")
    assert list(line["paused"]) == ["sales_order"]
    found = look_at(hub, "ut.sales_order", "mappings_fit")
    assert not found.passed
    assert "sales_order" in found.text("ru")
    assert look_at(hub, "ut.party", "mappings_fit").passed


def test_an_error_of_an_earlier_run_is_told_in_english_too(store: Store, base: MemoryBase, tmp_path: Path) -> None:
    """The journal keeps code and parameters, so that another process can tell the whole sentence in any language."""
    hub = make_hub(store, tmp_path, {"ut": MemoryConnector(base)})
    hub.profile("ut")
    base.fail(StopRoute("unknown_field", system="УТ", stream=ORDERS, field=VANISHED))
    run_exchange(hub, ["ut.sales_order"])
    with store.read() as conn:
        params = conn.execute(select(core.run_route.c.error_params)).scalar_one()
    assert params["field"] == VANISHED
    item = next(item for item in summary(hub).todo if item.code == "report_failed")
    for lang in ("ru", "en"):
        assert VANISHED in item.said[lang]
        assert item.advice[lang]
