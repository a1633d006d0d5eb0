"""Taking changes: what is asked in each way, what is believed, and who may read a node."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from connectors.base import ReadRequest
from connectors.memory import MemoryBase, MemoryConnector
from hub.exchange import compare, feed, ways, went_back
from hub.exchange.feed import NodeLease
from hub.exchange.hub import Hub
from hub.exchange.news import anything_new
from hub.exchange.service import RunReport, exchange_changes, open_run, run_exchange
from hub.model.errors import Fenced, RetryLater
from hub.model.records import Page
from hub.model.settings import RouteSettings
from hub.store import core
from hub.store.database import Store, open_store
from tests.exchange.dump import dump
from tests.exchange.installation import make_hub
from tests.exchange.test_unrest import deleted, system
from tests.exchange.unrest import CHANGED, CLIENTS, ORDERS, ZONE, Killed, bury


class Watched(MemoryConnector):
    """Remembers what was read and fetched."""

    def __init__(self, base: MemoryBase, node: str = "n") -> None:
        super().__init__(base, "ut", node)
        self.reads: list[ReadRequest] = []
        self.fetched: list[str] = []
        self.between: Callable[[ReadRequest, int], None] = lambda _request, _page: None

    def read(self, request: ReadRequest) -> Iterator[Page]:
        self.reads.append(request)
        for number, page in enumerate(super().read(request)):
            self.between(request, number)
            yield page

    def fetch(self, request: ReadRequest, external_ids: Sequence[str]) -> Page:
        if len(request.fields) > 1:  # not the look at the sentinels
            self.fetched += external_ids
        return super().fetch(request, external_ids)


@pytest.fixture
def base(small_base: MemoryBase) -> MemoryBase:
    return small_base


@pytest.fixture
def store(quick: Store) -> Store:
    return quick


def hub_of(store: Store, home: Path, connector: MemoryConnector, node: str = "", **more: Any) -> Hub:
    """A hub with clients and orders read as ``more`` says; ``changed=True`` gives them their "changed at"."""
    strategy = {"node": node or None, "changed": more.pop("changed", False)}
    routes = {code: RouteSettings(code, **more) for code in ("ut.party", "ut.sales_order")}
    return make_hub(store, home, {"ut": connector}, {"ut": system(home, strategy)}, routes)


@pytest.fixture
def always_due(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ways, "_DUE", {"nightly": timedelta(0), "weekly": timedelta(0)})


def edit(base: MemoryBase, stream: str, **values: Any) -> str:
    """Change the first record of a stream; its key."""
    record = dict(next(iter(base.records[stream].values())))
    base.put(stream, {**record, **values, CHANGED: f"{datetime.now(ZONE):%Y-%m-%dT%H:%M:%S}"})
    return str(record["Ref_Key"])


def test_a_window_is_compared_by_version_and_only_what_differs_is_fetched(
    store: Store, base: MemoryBase, tmp_path: Path
) -> None:
    """Of the last days keys and versions are read, and of the orders only the one that changed."""
    connector = Watched(base)
    hub = hub_of(store, tmp_path, connector)
    run_exchange(hub)
    key = edit(base, ORDERS, Комментарий="новое")
    connector.reads.clear()
    report = exchange_changes(hub)
    orders = next(r for r in report.routes if r.route == "ut.sales_order")
    assert connector.fetched == [key]
    assert [r.fields for r in connector.reads if r.stream == ORDERS] == [("DataVersion",)]
    assert (orders.counters.received, orders.counters.updated) == (len(base.records[ORDERS]), 1)
    assert orders.counters.balanced


def test_many_differences_are_read_as_rows(
    store: Store, base: MemoryBase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where more than a quarter differs, whole rows of the window are asked for instead of single records."""
    monkeypatch.setattr(compare, "MANY", 5)
    connector = Watched(base)
    hub = hub_of(store, tmp_path, connector)
    run_exchange(hub)
    for record in list(base.records[ORDERS].values()):
        base.put(ORDERS, record | {"Комментарий": "все"})
    report = exchange_changes(hub)
    assert connector.fetched == []
    assert next(r for r in report.routes if r.route == "ut.sales_order").counters.updated == len(base.records[ORDERS])


def test_changed_at_is_asked_for_with_an_overlap_and_never_after_now(
    store: Store, base: MemoryBase, tmp_path: Path
) -> None:
    """The bound follows the newest value less a day; a record from the future does not blind the next read."""
    connector = Watched(base)
    hub = hub_of(store, tmp_path, connector, changed=True)
    run_exchange(hub)
    future = next(dict(r) for r in base.records[CLIENTS].values())
    base.put(CLIENTS, future | {CHANGED: "2199-01-01T00:00:00", "ДополнительнаяИнформация": "из будущего"})
    exchange_changes(hub)
    connector.reads.clear()
    edit(base, CLIENTS, ДополнительнаяИнформация="сегодня")
    report = exchange_changes(hub)
    asked = [r for r in connector.reads if r.stream == CLIENTS]
    assert [r.changed_field for r in asked] == [CHANGED]
    assert datetime.fromisoformat(asked[0].since).replace(tzinfo=ZONE) < datetime.now(ZONE) - timedelta(hours=23)
    assert next(r for r in report.routes if r.route == "ut.party").counters.updated == 1


def test_a_deletion_is_believed_only_from_a_complete_sweep(
    store: Store, base: MemoryBase, tmp_path: Path, always_due: None
) -> None:
    """Cut off in the middle a sweep believes nothing; gone on with, all keys are compared before it is believed."""
    connector = Watched(base)
    connector._page_size = 10
    hub = hub_of(store, tmp_path, connector, read="full")
    run_exchange(hub)
    gone = max(base.records[CLIENTS])[0]
    base.delete(CLIENTS, gone)

    def cut(request: ReadRequest, page: int) -> None:
        if request.stream == CLIENTS and page == 2:
            raise RetryLater("source_unreachable", system="ut")

    connector.between = cut
    assert run_exchange(hub, ["ut.party"]).routes[0].state == "failed"
    assert deleted(dump(store)) == set()
    connector.between = lambda _request, _page: None
    connector.reads.clear()
    assert run_exchange(hub, ["ut.party"]).routes[0].resumed
    rest, keys = [request for request in connector.reads if request.stream == CLIENTS]
    assert (bool(rest.position), keys.fields) == (True, ("DataVersion",)), "the rest is not all: all keys come after it"
    assert deleted(dump(store)) == {f"{CLIENTS}/{gone}"}


@pytest.mark.parametrize(("sweep", "told"), [(None, True), ("weekly", False), ("never", False)])
def test_reading_everything_settles_what_is_gone(
    store: Store, base: MemoryBase, tmp_path: Path, sweep: str | None, told: bool
) -> None:
    """The next exchange that reads all orders finds the deleted one, unless the route wants sweeps at other times."""
    hub = hub_of(store, tmp_path, Watched(base), read="full", sweep=sweep)
    run_exchange(hub)
    gone = max(base.records[ORDERS])[0]
    base.delete(ORDERS, gone)
    report = run_exchange(hub, ["ut.sales_order"]).routes[0]
    assert report.counters.balanced
    assert deleted(dump(store)) == ({f"{ORDERS}/{gone}"} if told else set())


def test_a_record_that_the_pages_missed_is_not_deleted(
    store: Store, base: MemoryBase, tmp_path: Path, always_due: None
) -> None:
    """A living record that moved between the pages of a sweep is asked for by key, and lives."""
    connector = Watched(base)
    hub = hub_of(store, tmp_path, connector, read="full")
    run_exchange(hub)
    hidden = next(iter(base.records[CLIENTS]))
    honest = connector._chosen

    def chosen(request: ReadRequest) -> Any:
        return [item for item in honest(request) if hidden[0] not in item[0]]

    connector._chosen = chosen  # type: ignore[method-assign]
    report = run_exchange(hub, ["ut.party"]).routes[0]
    assert report.counters.balanced
    assert connector.fetched == [hidden[0]]
    assert deleted(dump(store)) == set()


def test_a_deleted_record_that_comes_back_as_it_was_lives_again(
    store: Store, base: MemoryBase, tmp_path: Path, always_due: None
) -> None:
    """Deleted, then put back with the very same content: equal bytes are no reason to leave it deleted."""
    hub = hub_of(store, tmp_path, Watched(base), read="full")
    run_exchange(hub)
    key, record = next((key, dict(r)) for key, r in base.records[ORDERS].items())
    base.delete(ORDERS, *key)
    run_exchange(hub, ["ut.sales_order"])
    assert deleted(dump(store)) == {f"{ORDERS}/{key[0]}"}
    base.records[ORDERS][key] = record
    run_exchange(hub, ["ut.sales_order"])
    assert deleted(dump(store)) == set()


def test_a_node_has_one_reader(store: Store, base: MemoryBase, tmp_path: Path) -> None:
    """While one process reads a node another is refused; a run that ended holds nothing."""
    hub = hub_of(store, tmp_path, Watched(base), node="n")
    run = open_run(hub, ["ut.party"], mode="changes", initiator="a")
    NodeLease(hub, "ut", "", f"run:{run}").take()
    with pytest.raises(RetryLater) as caught:
        NodeLease(hub, "ut", "n", "sensor").take()
    assert caught.value.code == "node_busy"
    assert {r.error.code for r in exchange_changes(hub).routes if r.error} == {"node_busy"}
    with store.begin() as conn:
        conn.execute(update(core.exchange_run).where(core.exchange_run.c.id == run).values(state="failed"))
    assert {r.error for r in exchange_changes(hub).routes} == {None}


def test_who_lost_the_node_acknowledges_nothing(store: Store, base: MemoryBase, tmp_path: Path) -> None:
    """An orphan whose node was taken over between packet and acknowledgement: the packet comes again to the other."""
    connector = Watched(base)
    hub = hub_of(store, tmp_path, connector, node="n")
    run_exchange(hub)
    edit(base, CLIENTS, ДополнительнаяИнформация="правка")
    honest = connector.feed

    def stolen(node: str) -> Any:
        packet = honest(node)
        with store.begin() as conn:
            conn.execute(update(core.feed_node).values(holder="run:999"))
        return packet

    connector.feed = stolen  # type: ignore[method-assign]
    report = exchange_changes(hub)
    assert {r.error.code for r in report.routes if r.error} == {"node_taken"}
    assert connector.traffic.writes == 0
    assert base.nodes["n"].registered


def errors(report: RunReport) -> set[str]:
    """Codes of what ended the routes of a run."""
    return {route.error.code for route in report.routes if route.error is not None}


def test_a_reader_elsewhere_is_noticed_by_the_numbers(
    store: Store, base: MemoryBase, tmp_path: Path, sqlite_template: Path
) -> None:
    """Two homes, one node: the one whose message another has acknowledged stops, names the node, takes nothing."""
    (tmp_path / "other.db").write_bytes(sqlite_template.read_bytes())
    other_store = open_store(f"sqlite:///{tmp_path / 'other.db'}")
    ours = hub_of(store, tmp_path, Watched(base), node="n")
    theirs = hub_of(other_store, tmp_path / "other", Watched(base), node="n")
    for hub in (ours, theirs):
        run_exchange(hub)
    for hub, text in ((ours, "раз"), (theirs, "два")):
        edit(base, CLIENTS, ДополнительнаяИнформация=text)
        assert errors(exchange_changes(hub)) == set()
    assert errors(exchange_changes(ours)) == set(), "nothing is offered, so nothing is known yet"
    edit(base, CLIENTS, ДополнительнаяИнформация="три")
    report = exchange_changes(ours)
    assert errors(report) == {"node_shared"}
    told = next(route.error for route in report.routes if route.error is not None)
    assert "«n»" in told.sentence("ru")
    assert base.nodes["n"].registered, "the packet was not taken"
    assert report.exit_code == 2
    assert errors(exchange_changes(ours)) == {"node_shared"}, "it is no passing matter"
    went_back.decide(ours, "ut", "restored", "admin")
    assert errors(exchange_changes(ours)) == set()
    other_store.close()


@pytest.mark.parametrize("done", [True, False])
@pytest.mark.parametrize("killed", [True, False])
def test_an_acknowledgement_of_unknown_outcome_is_no_reader_elsewhere(
    store: Store, base: MemoryBase, tmp_path: Path, done: bool, killed: bool
) -> None:
    """Its answer is lost, or the process dies with it, twice in a row: the next run and a look of the sensor go on."""

    class Lost(Watched):
        def acknowledge(self, node: str, number: int) -> None:
            if done:
                super().acknowledge(node, number)
            raise Killed if killed else RetryLater("source_timeout", system="ut", seconds=1)

    run_exchange(hub_of(store, tmp_path, Watched(base), node="n"))
    edit(base, CLIENTS, ДополнительнаяИнформация="первая")
    exchange_changes(hub_of(store, tmp_path, Watched(base), node="n"))
    for text in ("раз", "два"):
        edit(base, CLIENTS, ДополнительнаяИнформация=text)
        if killed:
            with pytest.raises(Killed):
                exchange_changes(hub_of(store, tmp_path, Lost(base), node="n"))
            bury(store)
        else:
            assert errors(exchange_changes(hub_of(store, tmp_path, Lost(base), node="n"))) == {"source_timeout"}
            assert anything_new(hub_of(store, tmp_path, Watched(base), node="n"), "ut", 0).there is not done
    for text in ("три", "четыре"):
        edit(base, CLIENTS, ДополнительнаяИнформация=text)
        report = exchange_changes(hub_of(store, tmp_path, Watched(base), node="n"))
        assert errors(report) == set()
    with store.read() as conn:
        assert conn.execute(select(core.feed_node.c.holder, core.feed_node.c.acknowledged)).one() == (
            None,
            base.nodes["n"].received,
        )


def test_what_a_switched_off_route_misses_is_read_whole_later(store: Store, base: MemoryBase, tmp_path: Path) -> None:
    """The feed brings a change of a route that is off: acknowledged, told as skipped, and made good once it is on."""
    run_exchange(hub_of(store, tmp_path, Watched(base), node="n"))
    off = hub_of(store, tmp_path, Watched(base), node="n", enabled=False)
    key = edit(base, CLIENTS, ДополнительнаяИнформация="пока выключено")
    report = exchange_changes(off)
    other = next(r for r in report.routes if r.route == "ut.other")
    assert other.counters.skipped_by == {"route_disabled": 1}
    assert not base.nodes["n"].registered
    connector = Watched(base)
    report = exchange_changes(hub_of(store, tmp_path, connector, node="n"))
    assert next(r for r in report.routes if r.route == "ut.party").counters.updated == 1
    assert key in [str(row[0]).partition("/")[2] for row in dump(store)["party"]]


def test_a_route_set_to_the_feed_takes_it_in_an_exchange_too(store: Store, base: MemoryBase, tmp_path: Path) -> None:
    """Read whole once, then the night asks the feed and no row of the set."""
    connector = Watched(base)
    hub = hub_of(store, tmp_path, connector, node="n", read="feed")
    run_exchange(hub)
    edit(base, CLIENTS, ДополнительнаяИнформация="из журнала")
    connector.reads.clear()
    report = run_exchange(hub, ["ut.party"])
    assert report.routes[0].error is None
    assert CLIENTS not in {request.stream for request in connector.reads}
    with store.read() as conn:
        modes = conn.execute(select(core.exchange_run.c.mode).order_by(core.exchange_run.c.id)).scalars().all()
    assert modes[-1] == "feed"
    assert "из журнала" in repr(dump(store)["party"])


def test_changes_that_are_taken_twice_change_nothing(store: Store, base: MemoryBase, tmp_path: Path) -> None:
    """The second time nothing is created, updated or written to the base."""
    connector = Watched(base)
    hub = hub_of(store, tmp_path, connector, changed=True)
    run_exchange(hub)
    edit(base, CLIENTS, ДополнительнаяИнформация="раз")
    exchange_changes(hub)
    again = exchange_changes(hub)
    assert sum(r.counters.created + r.counters.updated for r in again.routes) == 0
    assert connector.traffic.writes == 0


def test_a_lease_that_ran_out_is_nobodys(store: Store, base: MemoryBase, tmp_path: Path) -> None:
    """Who only asked and died holds the node no longer than he said."""
    hub = hub_of(store, tmp_path, Watched(base), node="n")
    NodeLease(hub, "ut", "n", "sensor", timedelta(seconds=-1)).take()
    lease = NodeLease(hub, "ut", "n", "other")
    assert lease.take() is None
    with pytest.raises(Fenced), NodeLease(hub, "ut", "n", "sensor").held():
        raise AssertionError


def test_nothing_is_acknowledged_before_it_is_committed(
    store: Store, base: MemoryBase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed while a packet is committed, the node still holds all of it, and the next reader gets it."""
    run_exchange(hub_of(store, tmp_path, Watched(base), node="n"))
    edit(base, CLIENTS, ДополнительнаяИнформация="правка")
    hub = hub_of(store, tmp_path, Watched(base), node="n")

    def die(*_: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(feed, "apply_page", die)
        with pytest.raises(Killed):
            exchange_changes(hub)
    bury(store)
    assert base.nodes["n"].registered
    report = exchange_changes(hub_of(store, tmp_path, Watched(base), node="n"))
    assert next(r for r in report.routes if r.route == "ut.party").counters.updated == 1
    assert not base.nodes["n"].registered
