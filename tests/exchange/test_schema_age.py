"""How often the schema of a base is read: by every exchange, by a run that only takes changes only when it must."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from hub.exchange.hub import Hub
from hub.exchange.service import exchange_changes, run_exchange
from hub.model.settings import SystemSettings
from hub.store.database import Store
from stand.onec.server import OneCStand
from tests.exchange.conftest import small_world
from tests.exchange.installation import make_hub

ORDERS = "Document_ЗаказКлиента"
ZONE = ZoneInfo("Europe/Moscow")


@pytest.fixture
def stand() -> Iterator[OneCStand]:
    with OneCStand(small_world()) as running:
        yield running


def hub_of(store: Store, home: Path, stand: OneCStand) -> Hub:
    """Another process on the same home."""
    return make_hub(
        store,
        home,
        systems={"ut": SystemSettings("ut", "onec_odata", "Europe/Moscow", "onec_ut11", url=stand.url)},
    )


def test_changes_do_with_the_schema_that_was_read_lately(store: Store, tmp_path: Path, stand: OneCStand) -> None:
    """An exchange reads it, two runs of changes do not and bring the edit all the same, the next exchange does."""
    assert run_exchange(hub_of(store, tmp_path, stand)).exit_code == 0
    assert stand.requests.sets["$metadata"] == 1
    order = stand.world.records(ORDERS)[0]["Ref_Key"]
    stand.world.edit(ORDERS, order, {"Комментарий": "сегодня", "Date": f"{datetime.now(ZONE):%Y-%m-%dT00:00:00}"})
    updated = []
    for _ in range(2):
        report = exchange_changes(hub_of(store, tmp_path, stand))
        assert report.exit_code == 0
        updated.append(sum(route.counters.updated for route in report.routes))
    assert updated == [1, 0]
    assert stand.requests.sets["$metadata"] == 1
    run_exchange(hub_of(store, tmp_path, stand), ["ut.currency"])
    assert stand.requests.sets["$metadata"] == 2


def test_an_unknown_name_ends_the_belief(store: Store, tmp_path: Path, stand: OneCStand) -> None:
    """A field vanishes: the first run of changes is refused by the base, the next one reads the schema and pauses."""
    run_exchange(hub_of(store, tmp_path, stand))
    stand.quirks.update({"unpublished": [f"{ORDERS}.Date"]})
    first = {report.route: report for report in exchange_changes(hub_of(store, tmp_path, stand)).routes}
    error = first["ut.sales_order"].error
    assert error is not None
    assert error.code == "unknown_field"
    second = {report.route: report for report in exchange_changes(hub_of(store, tmp_path, stand)).routes}
    assert stand.requests.sets["$metadata"] == 2
    assert second["ut.sales_order"].error is None
    assert list(second["ut.sales_order"].paused) == ["sales_order"]
