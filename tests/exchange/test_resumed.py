"""An interrupted read that is gone on with: what changed meanwhile behind that place is not passed over."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from connectors.base import ReadRequest
from connectors.memory import MemoryBase, MemoryConnector
from hub.exchange import compare, ways
from hub.exchange.hub import Hub
from hub.exchange.service import exchange_changes, run_exchange
from hub.model.errors import RetryLater
from hub.model.records import Page
from hub.model.settings import RouteSettings
from hub.store.database import Store, open_store
from tests.exchange import frozen
from tests.exchange.dump import dump
from tests.exchange.installation import make_hub
from tests.exchange.test_unrest import deleted, living, system, truth
from tests.exchange.unrest import CHANGED, CLIENTS, ORDERS, ZONE, small

BALANCE = "AccumulationRegister_РасчетыСКлиентами"


class Cut(MemoryConnector):
    """Fails once, at the third page of rows of a read of ``stream``."""

    def __init__(self, base: MemoryBase, stream: str) -> None:
        super().__init__(base, "ut", page_size=7)
        self.stream, self.cuts = stream, 0

    def read(self, request: ReadRequest) -> Iterator[Page]:
        for number, page in enumerate(super().read(request)):
            if request.stream == self.stream and number == 2 and len(request.fields) > 1 and not self.cuts:
                self.cuts += 1
                raise RetryLater("source_unreachable", system="ut")
            yield page


@pytest.fixture
def base(frozen_streams: frozen.Frozen) -> MemoryBase:
    return small(frozen_streams)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    made = open_store(f"sqlite:///{tmp_path / 'store.db'}")
    made.migrate()
    yield made
    made.close()


def hub_of(store: Store, home: Path, connector: MemoryConnector, read: Any, *, changed: bool = False) -> Hub:
    """A hub with clients and orders read that way."""
    routes = {code: RouteSettings(code, read=read) for code in ("ut.party", "ut.sales_order")}
    return make_hub(store, home, {"ut": connector}, {"ut": system(home, {"changed": changed})}, routes)


def people_at_work(base: MemoryBase) -> str:
    """The first order is changed, one is inserted before it, the second is deleted, whose key it is."""
    in_order = sorted(base.records[ORDERS].values(), key=lambda r: (str(r["Date"]), str(r["Ref_Key"])))
    first, second = (dict(record) for record in in_order[:2])
    base.put(ORDERS, first | {"Комментарий": "за спиной"})
    base.put(ORDERS, first | {"Ref_Key": "00000000-0000-4000-8000-000000000001"})
    base.delete(ORDERS, second["Ref_Key"])
    return f"{ORDERS}/{second['Ref_Key']}"


def equal(store: Store, base: MemoryBase, home: Path) -> bool:
    """Whether clients and orders that are not deleted are those of the base."""
    return living(dump(store)) == living(truth(base, home))


def test_a_whole_read_that_is_gone_on_with_misses_nothing(store: Store, base: MemoryBase, tmp_path: Path) -> None:
    """Cut at the third page; an order of the first is changed, one inserted: the read that goes on brings both."""
    connector = Cut(base, ORDERS)
    hub = hub_of(store, tmp_path, connector, "full")
    assert not all(route.error is None for route in run_exchange(hub).routes)
    gone = people_at_work(base)
    run_exchange(hub, ["ut.party"])
    report = run_exchange(hub, ["ut.sales_order"]).routes[0]
    assert report.resumed
    assert report.counters.balanced
    base_again = living(truth(base, tmp_path))["sales_order"]
    assert [row for row in living(dump(store))["sales_order"] if row[0] != gone] == base_again


def test_deletions_behind_it_are_seen_when_a_sweep_is_due(
    store: Store, base: MemoryBase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A read that was gone on with has not seen all keys: the sweep that is due is made after it."""
    hub = hub_of(store, tmp_path, MemoryConnector(base, "ut"), "full")
    run_exchange(hub)
    monkeypatch.setattr(ways, "_DUE", {"nightly": timedelta(0), "weekly": timedelta(0)})
    hub = hub_of(store, tmp_path, Cut(base, ORDERS), "full")
    run_exchange(hub, ["ut.sales_order"])
    gone = people_at_work(base)
    run_exchange(hub, ["ut.sales_order"])
    assert deleted(dump(store)) == {gone}
    assert equal(store, base, tmp_path)


def test_a_window_that_is_gone_on_with_misses_nothing(
    store: Store, base: MemoryBase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So many orders differ that the days are read as rows, and that is cut: no order is missed when it goes on."""
    monkeypatch.setattr(compare, "MANY", 3)
    hub = hub_of(store, tmp_path, MemoryConnector(base, "ut"), "window")
    run_exchange(hub)
    day = f"{datetime.now(ZONE):%Y-%m-%d}T01:00:00"
    for key in list(base.records[ORDERS]):
        base.put(ORDERS, base.records[ORDERS][key] | {"Date": day})
    hub = hub_of(store, tmp_path, Cut(base, ORDERS), "window")
    assert not all(route.error is None for route in exchange_changes(hub).routes)
    for key in sorted(base.records[ORDERS])[:5]:  # so many on the first page that rows are gone on with again
        base.put(ORDERS, base.records[ORDERS][key] | {"Комментарий": "за спиной"})
    report = next(route for route in exchange_changes(hub).routes if route.route == "ut.sales_order")
    assert report.error is None
    assert report.resumed
    assert equal(store, base, tmp_path)


def test_changes_that_are_gone_on_with_miss_nothing(store: Store, base: MemoryBase, tmp_path: Path) -> None:
    """Stamped an hour ago and seen only now, behind the place where the read by "changed at" was cut."""
    hub = hub_of(store, tmp_path, MemoryConnector(base, "ut"), "modified", changed=True)
    run_exchange(hub)
    now = datetime.now(ZONE)
    for number, key in enumerate(list(base.records[CLIENTS])):
        stamp = f"{now - timedelta(minutes=number):%Y-%m-%dT%H:%M:%S}"
        base.put(CLIENTS, base.records[CLIENTS][key] | {"ДополнительнаяИнформация": f"{number}", CHANGED: stamp})
    hub = hub_of(store, tmp_path, Cut(base, CLIENTS), "modified", changed=True)
    assert not all(route.error is None for route in exchange_changes(hub).routes)
    first = min(base.records[CLIENTS])
    late = f"{now - timedelta(hours=1):%Y-%m-%dT%H:%M:%S}"
    base.put(CLIENTS, base.records[CLIENTS][first] | {"ДополнительнаяИнформация": "поздно", CHANGED: late})
    report = exchange_changes(hub)
    assert {route.error for route in report.routes} == {None}
    assert any(route.resumed for route in report.routes)
    assert equal(store, base, tmp_path)


def test_a_balance_is_never_gone_on_with(store: Store, frozen_streams: frozen.Frozen, tmp_path: Path) -> None:
    """A balance is computed anew for each request: cut, it is read from its start, and what is gone becomes zero."""
    base = frozen.load(frozen_streams)
    stream = f"{BALANCE}#balance"
    hub = make_hub(store, tmp_path, {"ut": MemoryConnector(base, "ut", page_size=20)})
    run_exchange(hub)
    hub = make_hub(store, tmp_path, {"ut": Cut(base, BALANCE)})
    assert run_exchange(hub, ["ut.settlement_balance"]).routes[0].error is not None
    base.delete(stream, *min(base.records[stream]))
    report = run_exchange(hub, ["ut.settlement_balance"]).routes[0]
    assert report.error is None
    assert report.absent == 1
    assert report.counters.received == len(base.records[stream])
