"""A night against the stand: everything comes, a second night changes nothing, one edit changes one record."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from hub.exchange.hub import Hub
from hub.exchange.service import RunReport, backfill, run_exchange
from hub.model.records import Window
from hub.store import core, tables
from hub.store.database import Store
from stand.onec.server import OneCStand
from stand.onec.world import rows_of
from tests.exchange.conftest import PASSWORD, USER
from tests.exchange.dump import dump
from tests.exchange.installation import make_hub, onec_system


@pytest.fixture
def hub(store: Store, tmp_path: Path, stand: OneCStand) -> Iterator[Hub]:
    opened = make_hub(store, tmp_path, systems={"ut": onec_system(stand.url, USER, PASSWORD)})
    yield opened
    for connector in opened._connectors.values():
        connector.close()


def problems(report: RunReport) -> list[str]:
    return [f"{r.route}: {r.error or r.quarantine or r.state}" for r in report.routes if r.state != "completed"]


def log_size(store: Store) -> int:
    with store.read() as conn:
        return int(conn.execute(select(func.count()).select_from(core.change_log)).scalar_one())


def test_the_first_night_takes_everything_and_accounts_for_it(hub: Hub, stand: OneCStand, store: Store) -> None:
    """Every route balances, and receives exactly what the base has in the sets it reads."""
    report = run_exchange(hub)
    assert problems(report) == []
    profile = hub.profile("ut")
    for one in report.routes:
        assert one.counters.balanced, one
        mappings = [profile.mappings[name] for name in hub.routes[one.route].mappings]
        if all(mapping.table == "set" for mapping in mappings):
            assert one.counters.received == sum(len(stand.world.tables[m.stream]) for m in mappings), one.route
        assert one.counters.created == one.counters.received - one.counters.skipped
    with store.read() as conn:
        lines = conn.execute(select(func.count()).select_from(tables.metadata.tables["sales_order_line"])).scalar_one()
    assert lines == sum(len(rows_of(row["Товары"])) for row in stand.world.records("Document_ЗаказКлиента"))


def test_the_second_night_changes_nothing_and_writes_nothing(hub: Hub, stand: OneCStand, store: Store) -> None:
    """Received as before, nothing created or updated, no row differs, no log is written, no write request is sent."""
    first = run_exchange(hub)
    before, logged = dump(store), log_size(store)
    stand.requests.clear()
    second = run_exchange(hub)
    assert problems(second) == []
    for then, now in zip(first.routes, second.routes, strict=True):
        assert now.counters.received == then.counters.received
        assert (now.counters.created, now.counters.updated, now.released, now.absent) == (0, 0, 0, 0)
        assert now.writes == 0
    assert dump(store) == before
    assert log_size(store) == logged
    assert stand.requests.writes == 0
    assert set(stand.requests.methods) == {"GET"}


def test_one_edit_changes_exactly_that_record(hub: Hub, stand: OneCStand, store: Store) -> None:
    """A manager renames one client: one record updated, one cell logged with its values before and after."""
    run_exchange(hub)
    logged = log_size(store)
    client = stand.world.records("Catalog_Контрагенты")[5]
    before = client["ДополнительнаяИнформация"]
    stand.world.edit(
        "Catalog_Контрагенты",
        stand.world.key_of("Catalog_Контрагенты", client),
        {"ДополнительнаяИнформация": "Звонить после обеда"},
    )
    report = run_exchange(hub)
    changed = {r.route: r.counters.updated for r in report.routes if r.counters.updated}
    assert changed == {"ut.party": 1}
    assert sum(r.counters.created for r in report.routes) == 0
    with store.read() as conn:
        rows = conn.execute(select(core.change_log).order_by(core.change_log.c.id.desc()).limit(1)).mappings().all()
    assert log_size(store) == logged + 1
    assert (rows[0]["field"], rows[0]["before"], rows[0]["after"]) == ("comment", before or None, "Звонить после обеда")
    assert rows[0]["run_id"] == report.run_id


def test_an_edited_line_is_one_change_of_that_line(hub: Hub, stand: OneCStand, store: Store) -> None:
    """An order whose one line changes is updated; its other lines are not in the log."""
    run_exchange(hub)
    order = next(o for o in stand.world.records("Document_ЗаказКлиента") if len(rows_of(o["Товары"])) > 2)
    lines = [dict(row) for row in rows_of(order["Товары"])]
    lines[1]["Цена"] = lines[1]["Цена"] + 1
    stand.world.edit("Document_ЗаказКлиента", stand.world.key_of("Document_ЗаказКлиента", order), {"Товары": lines})
    report = run_exchange(hub, ["ut.sales_order"])
    assert report.routes[0].counters.updated == 1
    with store.read() as conn:
        fields = (
            conn.execute(select(core.change_log.c.field).where(core.change_log.c.run_id == report.run_id))
            .scalars()
            .all()
        )
    assert fields == ["sales_order_line[2].price"]


def test_late_clients_release_the_orders_that_wait_for_them(hub: Hub, store: Store) -> None:
    """Orders exchanged before their clients and goods are parked, and released when those come; nothing is lost."""
    orders = run_exchange(hub, ["ut.sales_order"]).routes[0]
    assert orders.counters.parked == orders.counters.received == 500
    parties = run_exchange(hub, ["ut.party"]).routes[0]
    assert parties.released == 0
    goods = run_exchange(hub, ["ut.product"]).routes[0]
    assert goods.released == 500
    assert goods.counters.balanced
    assert dump(store)["parked"] == []
    again = run_exchange(hub, ["ut.sales_order"]).routes[0]
    assert again.counters.unchanged == again.counters.received


def test_a_backfill_reads_only_its_days_and_says_so(hub: Hub, stand: OneCStand) -> None:
    """A backfill of a week receives the orders dated in it, day by day, in a silent run of its own mode."""
    run_exchange(hub, ["ut.party", "ut.product"])
    days = sorted(row["Date"][:10] for row in stand.world.records("Document_ЗаказКлиента"))
    start = date.fromisoformat(days[len(days) // 2])
    window = Window(start, start + timedelta(days=7))
    expected = sum(str(window.start) <= day < str(window.end) for day in days)
    report = backfill(hub, ["ut.sales_order"], window)
    assert problems(report) == []
    assert report.routes[0].counters.received == expected > 0
    assert report.routes[0].pages >= 7
    with hub.store.read() as conn:
        run = conn.execute(select(core.exchange_run).where(core.exchange_run.c.id == report.run_id)).mappings().one()
    assert (run["mode"], run["silent"], run["state"]) == ("backfill", True, "completed")
