"""A record that waited long enough for another one passes without it, where its route says so."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta, tzinfo
from pathlib import Path

import pytest
from sqlalchemy import func, select

from connectors.memory import MemoryBase, MemoryConnector
from hub.exchange import runs
from hub.exchange.cards.card import load
from hub.exchange.cards.refs import References
from hub.exchange.hub import Hub
from hub.exchange.service import run_exchange
from hub.model.records import Window
from hub.model.settings import RouteSettings
from hub.store import core, tables
from hub.store.database import Store
from hub.store.views import views
from tests.exchange.dump import dump
from tests.exchange.installation import make_hub

ORDERS = "ut.sales_order"
LIMIT = 2 * 86_400


class Later(datetime):
    """The clock of the exchange, ahead by ``ahead``."""

    ahead = timedelta(0)

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
        return datetime.now(tz) + cls.ahead


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Later]]:
    Later.ahead = timedelta(0)
    monkeypatch.setattr(runs, "datetime", Later)
    yield Later
    Later.ahead = timedelta(0)


def opened(store: Store, base: MemoryBase, home: Path, after: int | None) -> Hub:
    routes = {ORDERS: RouteSettings(ORDERS, stub_after=after)}
    return make_hub(store, home, {"ut": MemoryConnector(base, page_size=50)}, routes=routes)


def orders(store: Store) -> tuple[int, int]:
    """Orders that readers see, and how many of them with a client."""
    name = next(name for name, table in views() if table.name == "sales_order")
    with store.read() as conn:
        found = conn.exec_driver_sql(f"SELECT count(*), count(party_id) FROM {name}").one()
    return found[0], found[1]


def parked(store: Store) -> int:
    with store.read() as conn:
        return int(conn.execute(select(func.count()).select_from(core.parked)).scalar_one())


def test_orders_pass_when_their_clients_are_late_and_need_no_touch_later(
    store: Store, base: MemoryBase, tmp_path: Path, clock: type[Later]
) -> None:
    """Orders wait two days for their clients, then are there without them; once the clients come, all are complete."""
    hub = opened(store, base, tmp_path, LIMIT)
    run_exchange(hub, ["ut.product", ORDERS])
    waiting = parked(store)
    there, _ = orders(store)
    assert waiting > 0
    clock.ahead = timedelta(days=1)
    run_exchange(hub, [ORDERS])
    assert (orders(store)[0], parked(store)) == (there, waiting)
    clock.ahead = timedelta(days=3)
    report = run_exchange(hub, [ORDERS])
    assert (report.routes[0].counters.created, parked(store)) == (waiting, 0)
    assert orders(store) == (there + waiting, 0)
    log = tables.metadata.tables["change_log"]
    with store.read() as conn:
        before = conn.execute(select(func.count()).select_from(log).where(log.c.entity == "sales_order")).scalar_one()
    run_exchange(hub)
    assert orders(store) == (there + waiting, there + waiting)
    with store.read() as conn:
        after = conn.execute(select(func.count()).select_from(log).where(log.c.entity == "sales_order")).scalar_one()
    assert after == before


def test_the_end_is_the_same_as_without_a_limit(
    store: Store, base: MemoryBase, tmp_path: Path, clock: type[Later]
) -> None:
    """Clients that come late leave the store as if they had come first; an order that changes waits no more."""
    hub = opened(store, base, tmp_path, LIMIT)
    run_exchange(hub, ["ut.product", ORDERS])
    clock.ahead = timedelta(days=3)
    run_exchange(hub, [ORDERS])
    key, order = next(iter(base.records["Document_ЗаказКлиента"].items()))
    base.put("Document_ЗаказКлиента", {**order, "Комментарий": "срочно"})
    assert run_exchange(hub, [ORDERS]).routes[0].counters.updated == 1
    run_exchange(hub)
    state = dump(store)
    assert (state["parked"], state["quarantine"]) == ([], [])
    assert run_exchange(hub).routes[0].counters.updated == 0
    assert key


def test_who_is_not_read_again_passes_too(store: Store, base: MemoryBase, tmp_path: Path, clock: type[Later]) -> None:
    """A night that does not come across the waiting orders lets them pass as they were read."""
    hub = opened(store, base, tmp_path, LIMIT)
    run_exchange(hub, ["ut.product", ORDERS])
    waiting = parked(store)
    clock.ahead = timedelta(days=3)
    old = Window(date(2001, 1, 1), date(2001, 1, 2))
    report = run_exchange(hub, [ORDERS], window=old)
    assert (report.routes[0].counters.received, report.routes[0].released, parked(store)) == (0, waiting, 0)


def test_without_a_limit_they_wait_for_ever(store: Store, base: MemoryBase, tmp_path: Path, clock: type[Later]) -> None:
    """A route that says nothing keeps its orders parked, however long it takes."""
    hub = opened(store, base, tmp_path, None)
    run_exchange(hub, ["ut.product", ORDERS])
    waiting = parked(store)
    clock.ahead = timedelta(days=300)
    run_exchange(hub, [ORDERS])
    assert parked(store) == waiting > 0


def test_what_waited_is_as_old_as_the_run_that_read_it(
    store: Store, base: MemoryBase, tmp_path: Path, clock: type[Later]
) -> None:
    """Orders that clients release two days later were read two days ago: edits in between are not yet known."""
    hub = opened(store, base, tmp_path, None)
    run_exchange(hub, ["ut.product", ORDERS])
    waiting = parked(store)
    with store.read() as conn:
        began = conn.execute(select(func.max(core.exchange_run.c.started_at))).scalar_one()
        there = set(conn.execute(select(tables.ROOTS["sales_order"].c.id)).scalars())
    clock.ahead = timedelta(days=2)
    run_exchange(hub, ["ut.party"])
    with store.read() as conn:
        come = sorted(set(conn.execute(select(tables.ROOTS["sales_order"].c.id)).scalars()) - there)
        cards = load(conn, "sales_order", come, References(), lock=False)
    assert len(come) == waiting > 0
    read = {link.read_at for card in cards.values() for link in card.links.values()}
    assert read == {began.replace(microsecond=0)}
    run_exchange(hub)
    with store.read() as conn:
        assert conn.execute(select(func.count()).select_from(core.parked)).scalar_one() == 0
