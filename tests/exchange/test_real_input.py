"""Recorded metadata and change feeds of a real УТ base through connector, mapping, engine and both databases."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sqlalchemy import func, select

from connectors.onec_odata.recorded import RecordedOneC
from hub.exchange.hub import Hub
from hub.exchange.service import RunReport, pull_feed
from hub.model.records import Counters
from hub.store import core, tables
from hub.store.database import Store
from tests.exchange.dump import dump
from tests.exchange.installation import make_hub

DATA = Path(__file__).parents[3] / "shared" / "data" / "onec" / "trade_demo"
NO_DATA = "../shared/data is absent: the recorded feeds of a real УТ base are not tested"
FEEDS = ("msg002_nomenklatura.xml", "msg003_zakaz_klienta.xml", "msg004_kontragenti.xml")
ORDERS = {
    "8d1d7287-6240-11f1-9296-08002761f3c5": Decimal("25000.00"),
    "fc3cc5d5-9cae-11ed-8bbf-90004ef3f886": Decimal("461111.90"),
    "05295307-f94c-11e4-92f1-0050568b35ac": Decimal("336.10"),
}

pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason=NO_DATA)


def connector(first: int = 1) -> RecordedOneC:
    return RecordedOneC(DATA / "msg001_metadata.xml", [DATA / name for name in FEEDS], first=first)


def total(report: RunReport) -> Counters:
    counters = Counters()
    for route in report.routes:
        assert route.error is None, route.error
        assert route.counters.balanced, route.route
        counters.add(route.counters)
    return counters


def rows(store: Store, table: str) -> list[Any]:
    with store.read() as conn:
        return list(conn.execute(select(tables.metadata.tables[table])).mappings())


@pytest.fixture
def hub(store: Store, tmp_path: Path) -> Hub:
    return make_hub(store, tmp_path, {"ut": connector()})


def test_every_entry_of_the_feeds_is_accounted_for(hub: Hub, store: Store) -> None:
    """Five products and five clients are created, six register sets skipped, three orders parked: nineteen in all."""
    counters = total(pull_feed(hub, "ut", ""))
    assert counters.received == 19
    assert (counters.created, counters.parked, counters.skipped_by) == (10, 3, {"not_mapped": 6})
    assert len(rows(store, "product")) == len(rows(store, "party")) == 5


def test_contact_information_becomes_addresses_and_bad_inns_are_kept_as_invalid(hub: Hub, store: Store) -> None:
    """The addresses of two clients are rows of their cards; an ИНН with wrong control digits stays, marked so."""
    pull_feed(hub, "ut", "")
    addresses = {row["text"] for row in rows(store, "address")}
    assert "Москва г, 40 лет Октября пр-кт, дом № 89" in addresses
    assert any(text.startswith("196135, Санкт-Петербург г, Типанова ул") for text in addresses)
    inns = {row["value"]: row["is_valid"] for row in rows(store, "party_identifier") if row["scheme"] == "inn"}
    assert inns == {"4825005381": True, "7705260674": True, "7810300284": True, "0012123456": False}
    assert sorted(row["record_state"] for row in rows(store, "party")) == ["active"] * 4 + ["marked"]


def test_parked_orders_name_what_they_wait_for(hub: Hub, store: Store) -> None:
    """Each parked order lists the links of its client and of its products, nothing else."""
    pull_feed(hub, "ut", "")
    with store.read() as conn:
        waits = conn.execute(
            select(core.parked.c.external_id, core.stream.c.name, func.count())
            .join(core.parked_wait, core.parked_wait.c.parked_id == core.parked.c.id)
            .join(core.link, core.link.c.id == core.parked_wait.c.link_id)
            .join(core.stream, core.stream.c.id == core.link.c.stream_id)
            .group_by(core.parked.c.external_id, core.stream.c.name)
        ).all()
    found = {(order, stream): number for order, stream, number in waits}
    assert found == {
        ("8d1d7287-6240-11f1-9296-08002761f3c5", "Catalog_Контрагенты"): 1,
        ("8d1d7287-6240-11f1-9296-08002761f3c5", "Catalog_Номенклатура"): 2,
        ("fc3cc5d5-9cae-11ed-8bbf-90004ef3f886", "Catalog_Контрагенты"): 1,
        ("fc3cc5d5-9cae-11ed-8bbf-90004ef3f886", "Catalog_Номенклатура"): 4,
        ("05295307-f94c-11e4-92f1-0050568b35ac", "Catalog_Контрагенты"): 1,
        ("05295307-f94c-11e4-92f1-0050568b35ac", "Catalog_Номенклатура"): 3,
    }


def test_a_second_pass_changes_nothing(hub: Hub, store: Store, tmp_path: Path) -> None:
    """The same feeds again: ten unchanged, three parked as before, six skipped; the store is the same."""
    pull_feed(hub, "ut", "")
    before = dump(store)
    again = make_hub(store, tmp_path, {"ut": connector(first=1 + len(FEEDS))})
    counters = total(pull_feed(again, "ut", ""))
    assert (counters.received, counters.unchanged, counters.parked, counters.skipped) == (19, 10, 3, 6)
    assert dump(store) == before


def _missing(store: Store) -> dict[str, set[str]]:
    """External ids that parked orders wait for, by stream."""
    with store.read() as conn:
        found = conn.execute(
            select(core.stream.c.name, core.link.c.external_id)
            .join(core.link, core.link.c.stream_id == core.stream.c.id)
            .join(core.parked_wait, core.parked_wait.c.link_id == core.link.c.id)
        ).all()
    missing: dict[str, set[str]] = {}
    for stream, external_id in found:
        missing.setdefault(stream, set()).add(external_id)
    return missing


def test_orders_are_released_when_clients_and_products_come(hub: Hub, store: Store, tmp_path: Path) -> None:
    """What they waited for arrives through the same door, and the three orders stand with their exact sums."""
    pull_feed(hub, "ut", "")
    base = connector()
    pattern = {
        stream: msgspec.json.decode(next(page.records[0] for page in packet.pages if page.stream == stream))
        for packet in base._packets
        for stream in {page.stream for page in packet.pages}
    }
    supply = connector()
    supply.base.subscribe("late")
    for stream, external_ids in _missing(store).items():
        for external_id in external_ids:
            supply.base.put(stream, pattern[stream] | {"Ref_Key": external_id, "Description": f"Поздний {external_id}"})
    packet = super(RecordedOneC, supply).feed("late")
    assert packet is not None
    supply._packets = [replace(packet, number=1 + len(FEEDS))]
    report = pull_feed(make_hub(store, tmp_path, {"ut": supply}), "ut", "")
    assert sum(route.released for route in report.routes) == 3
    orders = {row["number"]: row["total"] for row in rows(store, "sales_order")}
    assert sorted(orders.values()) == sorted(ORDERS.values())
    assert dump(store)["parked"] == []
    lines = rows(store, "sales_order_line")
    assert sum((row["amount"] for row in lines), Decimal(0)) == sum(ORDERS.values(), Decimal(0))
