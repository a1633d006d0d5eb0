"""A base that goes back in time stops its system before anything of it is written; ordinary work never does."""

from __future__ import annotations

import copy
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from connectors.memory import MemoryBase, MemoryConnector
from hub.exchange import ways, went_back
from hub.exchange.hub import Hub
from hub.exchange.sentinels import Sentinel
from hub.exchange.service import RunReport, exchange_changes, run_exchange
from hub.model.errors import NeedsPerson, RetryLater
from hub.store import core
from hub.store.database import Store
from tests.exchange.dump import dump
from tests.exchange.test_changes import edit, hub_of
from tests.exchange.test_unrest import deleted, living, truth
from tests.exchange.unrest import CLIENTS, ORDERS

CLIENT_NOTE = "ДополнительнаяИнформация"


@pytest.fixture
def base(small_base: MemoryBase) -> MemoryBase:
    return small_base


@pytest.fixture
def store(quick: Store) -> Store:
    return quick


@pytest.fixture
def hub(store: Store, base: MemoryBase, tmp_path: Path) -> Hub:
    made = hub_of(store, tmp_path, MemoryConnector(base, "ut"), read="full")
    run_exchange(made)
    return made


def backup(base: MemoryBase) -> dict[str, dict[tuple[str, ...], dict[str, object]]]:
    return copy.deepcopy(base.records)


def codes(report: RunReport) -> set[str]:
    return {route.error.code for route in report.routes if route.error}


def written(store: Store) -> int:
    with store.read() as conn:
        return int(conn.execute(select(func.count()).select_from(core.change_log)).scalar_one())


def test_a_restored_base_is_noticed_before_anything_is_written(hub: Hub, base: MemoryBase, store: Store) -> None:
    """A client shows the version it had before its last edit: every route of the system stops, nothing changes here."""
    saved = backup(base)
    edit(base, CLIENTS, **{CLIENT_NOTE: "после копии"})
    run_exchange(hub)
    base.records = saved
    before, state = written(store), dump(store)
    report = run_exchange(hub)
    assert codes(report) == {"base_went_back"}
    assert report.exit_code == 1
    assert (written(store), dump(store)) == (before, state)
    error = report.routes[0].error
    assert error is not None
    assert (error.params["evidence"], error.params["stream"], error.params["number"]) == ("back_version", CLIENTS, 1)
    assert "вернулась в прошлое" in error.sentence("ru")
    assert "obmen system ut restored" in error.advice("en")


def test_it_stays_stopped_for_every_process_until_an_admin_decides(
    hub: Hub, base: MemoryBase, store: Store, tmp_path: Path
) -> None:
    """Another process does not ask the base at all; "copy" keeps it so under another name."""
    saved = backup(base)
    edit(base, CLIENTS, **{CLIENT_NOTE: "после копии"})
    run_exchange(hub)
    base.records = saved
    run_exchange(hub)
    connector = MemoryConnector(base, "ut")
    again = hub_of(store, tmp_path, connector)
    assert codes(exchange_changes(again)) == {"base_went_back"}
    assert connector.traffic.requests == 0
    assert went_back.decide(again, "ut", "copy", "admin").state == "copy"
    assert codes(run_exchange(again)) == {"system_is_copy"}
    assert connector.traffic.requests == 0


def test_restored_takes_the_state_of_the_base_as_the_truth(
    hub: Hub, base: MemoryBase, store: Store, tmp_path: Path
) -> None:
    """All is read anew: what was edited since shows as before, what was created since is deleted here, then silence."""
    saved = backup(base)
    edit(base, CLIENTS, **{CLIENT_NOTE: "после копии"})
    order = dict(next(iter(base.records[ORDERS].values())))
    base.put(ORDERS, order | {"Ref_Key": "11111111-0000-0000-0000-000000000001", "Number": "новый"})
    run_exchange(hub)
    base.records = saved
    assert codes(run_exchange(hub)) == {"base_went_back"}
    state = went_back.decide(hub, "ut", "restored", "admin")
    assert (state.state, state.by) == ("live", "admin")
    again = hub_of(store, tmp_path, MemoryConnector(base, "ut"), read="auto", sweep="never")
    assert codes(exchange_changes(again)) == set()
    assert living(dump(store)) == living(truth(base, tmp_path))
    assert deleted(dump(store)) == {f"{ORDERS}/11111111-0000-0000-0000-000000000001"}
    last = run_exchange(again)
    assert sum(route.counters.created + route.counters.updated for route in last.routes) == 0


def test_go_on_ends_a_false_alarm(hub: Hub, base: MemoryBase, store: Store) -> None:
    """The same evidence does not stop the system twice."""
    saved = backup(base)
    edit(base, CLIENTS, **{CLIENT_NOTE: "после копии"})
    run_exchange(hub)
    base.records = saved
    run_exchange(hub)
    went_back.decide(hub, "ut", "go-on", "admin")
    assert codes(run_exchange(hub)) == set()
    assert codes(run_exchange(hub)) == set()


def test_the_newest_records_all_gone_is_a_base_of_an_earlier_day(hub: Hub, base: MemoryBase) -> None:
    """A copy from before the last orders and clients were made: nearly all of those looked at are gone."""
    saved = backup(base)
    for stream in (CLIENTS, ORDERS):
        record = dict(next(iter(base.records[stream].values())))
        for number in range(9):
            base.put(stream, record | {"Ref_Key": f"22222222-0000-0000-0000-00000000000{number}"})
    run_exchange(hub)
    base.records = saved
    report = run_exchange(hub)
    assert codes(report) == {"base_went_back"}
    error = report.routes[0].error
    assert error is not None
    assert error.params["evidence"] == "back_vanished"


def test_deleting_what_was_marked_is_no_alarm(hub: Hub, base: MemoryBase, store: Store) -> None:
    """1C's own way to delete: records are marked, which makes them the newest, and then all are gone at once."""
    doomed = list(base.records[ORDERS])[-9:]
    for key in doomed:
        base.put(ORDERS, base.records[ORDERS][key] | {"DeletionMark": True, "Posted": False})
    run_exchange(hub)
    for key in doomed:
        base.delete(ORDERS, *key)
    assert codes(run_exchange(hub)) == set()


def test_a_node_that_counts_anew_is_noticed(store: Store, base: MemoryBase, tmp_path: Path) -> None:
    """The node offers a message that was acknowledged long ago; its packet is not taken."""
    hub = hub_of(store, tmp_path, MemoryConnector(base, "ut", "n"), node="n")
    run_exchange(hub)
    for text in ("раз", "два"):
        edit(base, CLIENTS, **{CLIENT_NOTE: text})
        exchange_changes(hub)
    base.nodes["n"].received = 0
    edit(base, CLIENTS, **{CLIENT_NOTE: "три"})
    before = written(store)
    report = exchange_changes(hub)
    assert codes(report) == {"base_went_back"}
    assert written(store) == before
    assert next(r.error for r in report.routes if r.error).params["evidence"] == "back_feed"
    went_back.decide(hub, "ut", "go-on", "admin")
    assert codes(exchange_changes(hub)) == set()


def test_a_sweep_that_loses_too_many_stops(
    hub: Hub, base: MemoryBase, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beyond measure a sweep's deletions are not believed, whatever single records say."""
    monkeypatch.setattr(ways, "_DUE", {"nightly": timedelta(0), "weekly": timedelta(0)})
    monkeypatch.setattr(went_back, "GONE_AT_MOST", 5)
    for key in list(base.records[ORDERS])[:12]:
        base.delete(ORDERS, *key)
    report = run_exchange(hub, ["ut.sales_order"])
    assert codes(report) == {"base_went_back"}
    assert deleted(dump(store)) == set()


def test_ordinary_work_is_no_alarm(hub: Hub, base: MemoryBase, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Edits, saving unchanged, marks, deletion of the newest records, and a set that is empty for once."""
    monkeypatch.setattr(ways, "_DUE", {"nightly": timedelta(0), "weekly": timedelta(0)})
    for number in range(3):
        key = edit(base, CLIENTS, **{CLIENT_NOTE: f"правка {number}"})
        edit(base, ORDERS, DeletionMark=bool(number % 2))
        assert codes(run_exchange(hub)) == set()
        edit(base, CLIENTS)
    newest = list(base.records[ORDERS])[-4:]
    for order in newest:
        base.delete(ORDERS, *order)
    assert codes(run_exchange(hub)) == set()
    assert len(deleted(dump(store))) == 4
    assert key in {str(row[0]).partition("/")[2] for row in dump(store)["party"]}


def test_looking_that_fails_is_done_again(hub: Hub, base: MemoryBase, store: Store) -> None:
    """The base is down when it is to be looked at: its routes fail for that, and the next one looks again."""
    saved = backup(base)
    edit(base, CLIENTS, **{CLIENT_NOTE: "после копии"})
    run_exchange(hub)
    base.records = saved
    base.fail(RetryLater("source_unreachable", system="ut"))
    assert codes(run_exchange(hub)) == {"source_unreachable"}
    assert codes(run_exchange(hub)) == {"base_went_back"}


def test_judging_is_a_pure_matter_of_versions() -> None:
    """A version from before is proof; a new one and a vanished record are not, nearly all vanished are."""
    told = [Sentinel("s", str(number), f"v{number}", frozenset({f"old{number}"})) for number in range(6)]
    as_known: dict[tuple[str, str], str | None] = {("s", one.external_id): one.known for one in told}
    assert went_back.judge(told, as_known) is None
    assert went_back.judge(told, as_known | {("s", "0"): "newer"}) is None
    assert went_back.judge(told, as_known | {("s", "0"): "old1"}) is None
    found = went_back.judge(told, as_known | {("s", "0"): "old0"})
    assert found == ("back_version", {"stream": "s", "number": 1, "of": 6})
    four: dict[tuple[str, str], str | None] = {("s", str(number)): None for number in range(4)}
    assert went_back.judge(told, as_known | four) is None
    five = four | {("s", "4"): None}
    assert went_back.judge(told, as_known | five) == ("back_vanished", {"stream": "s", "number": 5, "of": 6})
    assert went_back.judge(told, {}) is None


def test_a_decision_that_is_none_is_refused(hub: Hub) -> None:
    """A mistyped decision changes nothing."""
    with pytest.raises(NeedsPerson) as caught:
        went_back.decide(hub, "ut", "maybe", "admin")
    assert caught.value.code == "unknown_decision"
