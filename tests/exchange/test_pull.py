"""Pulling in detail, on a base in memory: zeros by absence, bad records, marks, deletions, resuming."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from connectors.memory import MemoryBase, MemoryConnector
from hub.engine.codec import decode
from hub.exchange.hub import Hub
from hub.exchange.pull import Progress
from hub.exchange.service import pull_feed, run_exchange
from hub.model.errors import RetryLater
from hub.model.settings import RouteSettings
from hub.store import bulk, core, tables
from hub.store.database import Store
from tests.exchange.dump import dump
from tests.exchange.installation import make_hub

CLIENTS, GOODS, ORDERS = "Catalog_Контрагенты", "Catalog_Номенклатура", "Document_ЗаказКлиента"
STOCK = "AccumulationRegister_СвободныеОстатки#balance"


@pytest.fixture
def hub(store: Store, base: MemoryBase, tmp_path: Path) -> Hub:
    return make_hub(store, tmp_path, {"ut": MemoryConnector(base, page_size=50)})


def first(base: MemoryBase, stream: str) -> dict[str, Any]:
    return next(dict(record) for record in base.records[stream].values() if not record.get("IsFolder"))


def scalar(store: Store, query: Any) -> Any:
    with store.read() as conn:
        return conn.execute(query).scalar_one()


def test_absence_from_a_complete_balance_is_zero_and_comes_back(hub: Hub, base: MemoryBase, store: Store) -> None:
    """A balance lists only what is not zero: a missing row becomes zero, logged, and returns when it is told again."""
    run_exchange(hub)
    key, record = next(iter(base.records[STOCK].items()))
    table = tables.metadata.tables["stock_balance"]
    filled = select(func.count()).select_from(table).where(table.c.on_hand != 0)
    before = scalar(store, filled)
    del base.records[STOCK][key]
    gone = run_exchange(hub, ["ut.stock_balance"]).routes[0]
    assert gone.absent == 1
    assert scalar(store, filled) == before - 1
    assert run_exchange(hub, ["ut.stock_balance"]).routes[0].absent == 0
    base.records[STOCK][key] = record
    assert run_exchange(hub, ["ut.stock_balance"]).routes[0].counters.updated == 1
    assert scalar(store, filled) == before


def test_one_bad_record_never_stops_the_others(hub: Hub, base: MemoryBase, store: Store) -> None:
    """A document with a broken date goes to quarantine with reason, field and payload; mended, it passes by itself."""
    good = first(base, ORDERS)
    base.put(ORDERS, good | {"Date": "2026-02-31T10:00:00"})
    report = run_exchange(hub)
    orders = next(r for r in report.routes if r.route == "ut.sales_order")
    assert orders.counters.quarantined == 1
    assert orders.counters.created == orders.counters.received - 1
    assert orders.quarantine == {"bad_date": 1}
    assert report.exit_code == 1
    with store.read() as conn:
        row = conn.execute(select(core.quarantine)).mappings().one()
    assert (row["reason_code"], row["field"], row["value"], row["attempts"]) == (
        "bad_date",
        "Date",
        "2026-02-31T10:00:00",
        1,
    )
    assert good["Ref_Key"] in row["payload"]
    again = run_exchange(hub, ["ut.sales_order"]).routes[0]
    assert (again.counters.quarantined, again.counters.unchanged) == (1, again.counters.received - 1)
    assert scalar(store, select(core.quarantine.c.attempts)) == 2
    base.put(ORDERS, good)
    mended = run_exchange(hub, ["ut.sales_order"]).routes[0]
    assert (mended.counters.created, mended.quarantine) == (1, {})
    assert scalar(store, select(core.quarantine.c.state)) == "resolved"


def test_a_record_that_the_database_refuses_costs_only_itself(
    hub: Hub, base: MemoryBase, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A page whose rows the database refuses is halved down to the one bad record, inside one transaction."""
    victim = first(base, GOODS)["Description"]
    honest = bulk.insert_rows

    def insert(conn: Any, table: Any, columns: Any, rows: Any) -> None:
        if table.name == "product" and any(victim in row for row in rows):
            place = columns.index("name")
            rows = [(*row[:place], None, *row[place + 1 :]) if victim in row else row for row in rows]
        honest(conn, table, columns, rows)

    monkeypatch.setattr(bulk, "insert_rows", insert)
    report = run_exchange(hub, ["ut.product"]).routes[0]
    assert report.quarantine == {"refused_by_store": 1}
    assert report.counters.balanced
    assert report.counters.created == report.counters.received - report.counters.skipped - 1
    assert scalar(store, select(func.count()).select_from(core.quarantine)) == 1


def test_a_refused_client_does_not_let_its_waiting_order_through(hub: Hub, base: MemoryBase, store: Store) -> None:
    """In one feed packet a client that cannot pass, then its order: the order goes on waiting for the client."""
    order = first(base, ORDERS)
    client = next(dict(r) for r in base.records[CLIENTS].values() if r["Ref_Key"] == order["Контрагент_Key"])
    base.records[CLIENTS].pop((client["Ref_Key"],))
    run_exchange(hub)
    waits = [key for key, _ in dump(store)["parked"]]
    assert order["Ref_Key"] in waits
    base.subscribe("n")
    base.put(CLIENTS, client | {"Description": "", "НаименованиеПолное": ""})
    base.put(ORDERS, order | {"Комментарий": "ещё раз"})
    pull_feed(hub, "ut", "n")
    state = dump(store)
    assert order["Ref_Key"] in [key for key, _ in state["parked"]]
    assert state["quarantine"] == [(client["Ref_Key"], "required_blank")]
    base.put(CLIENTS, client)
    report = pull_feed(hub, "ut", "n")
    assert sum(route.released for route in report.routes) == len(waits)
    assert dump(store)["parked"] == []
    assert dump(store)["quarantine"] == []


def test_a_record_put_back_as_it_was_leaves_quarantine(hub: Hub, base: MemoryBase, store: Store) -> None:
    """A document broken and then restored to the very content that is stored is unchanged, and no longer refused."""
    run_exchange(hub, ["ut.party", "ut.product", "ut.sales_order"])
    key, good = next(iter(base.records[ORDERS].items()))
    base.records[ORDERS][key] = good | {"Date": "2026-02-31T10:00:00"}
    assert run_exchange(hub, ["ut.sales_order"]).routes[0].quarantine == {"bad_date": 1}
    base.records[ORDERS][key] = good
    report = run_exchange(hub, ["ut.sales_order"]).routes[0]
    assert (report.counters.unchanged, report.quarantine) == (report.counters.received, {})


def test_a_waiting_record_that_is_deleted_waits_no_more(hub: Hub, base: MemoryBase, store: Store) -> None:
    """An order parked for its client and then deleted in 1C is not released when the client comes."""
    run_exchange(hub, ["ut.product", "ut.sales_order"])
    parked = {key for key, _ in dump(store)["parked"]}
    base.subscribe("n")
    victim = next(iter(base.records[ORDERS]))
    base.delete(ORDERS, *victim)
    pull_feed(hub, "ut", "n")
    assert {key for key, _ in dump(store)["parked"]} == parked - set(victim)


def test_a_deletion_mark_marks_and_unmarks(hub: Hub, base: MemoryBase, store: Store) -> None:
    """DeletionMark makes the record ``marked`` and nothing is deleted; taking it back makes it active again."""
    run_exchange(hub)
    client = first(base, CLIENTS)
    link = select(core.link.c.record_id).where(core.link.c.external_id == client["Ref_Key"])
    stream = select(core.stream.c.id).where(core.stream.c.name == CLIENTS)
    record_id = scalar(store, link.where(core.link.c.stream_id.in_(stream)))
    party = tables.metadata.tables["party"]
    state = select(party.c.record_state).where(party.c.id == record_id)
    for mark, expected, op in ((True, "marked", "mark"), (False, "active", "unmark")):
        base.put(CLIENTS, client | {"DeletionMark": mark})
        report = run_exchange(hub, ["ut.party"])
        assert report.routes[0].counters.updated == 1
        assert scalar(store, state) == expected
        log = select(core.change_log.c.op).where(core.change_log.c.run_id == report.run_id)
        assert scalar(store, log) == op


def test_an_emptied_field_does_not_erase_a_filled_one(hub: Hub, base: MemoryBase, store: Store) -> None:
    """A full name cleared in 1C stays here, and a contribution row remembers that the base now shows it empty."""
    run_exchange(hub)
    client = next(dict(r) for r in base.records[CLIENTS].values() if r["НаименованиеПолное"])
    base.put(CLIENTS, client | {"НаименованиеПолное": "", "ДополнительнаяИнформация": "после очистки"})
    report = run_exchange(hub, ["ut.party"]).routes[0]
    assert report.counters.updated == 1
    party = tables.metadata.tables["party"]
    name = select(party.c.legal_name).where(party.c.comment == "после очистки")
    assert scalar(store, name) == client["НаименованиеПолное"]
    with store.read() as conn:
        row = conn.execute(select(core.contribution)).mappings().one()
    said = decode(row["link_id"], "ut", dict(row))
    assert said.shown["legal_name"] is None
    assert said.own["legal_name"].value == client["НаименованиеПолное"]
    assert said.own["legal_name"].cleared is not None
    base.put(CLIENTS, client)
    run_exchange(hub, ["ut.party"])
    assert scalar(store, select(func.count()).select_from(core.contribution)) == 0


def test_where_nothing_is_swept_physical_deletion_comes_only_from_the_feed(
    base: MemoryBase, store: Store, tmp_path: Path
) -> None:
    """A record missing from a set stays active; one that the change feed declares deleted gets that state."""
    never = {"ut.party": RouteSettings("ut.party", sweep="never")}
    hub = make_hub(store, tmp_path, {"ut": MemoryConnector(base)}, routes=never)
    run_exchange(hub)
    base.subscribe("n")
    gone, kept = list(base.records[CLIENTS])[:2]
    base.records[CLIENTS].pop(kept)
    base.delete(CLIENTS, *gone)
    assert run_exchange(hub, ["ut.party"]).routes[0].counters.updated == 0
    report = pull_feed(hub, "ut", "n")
    assert {r.route: r.counters.updated for r in report.routes if r.counters.received} == {"ut.party": 1}
    party = tables.metadata.tables["party"]
    assert scalar(store, select(func.count()).select_from(party).where(party.c.record_state == "deleted")) == 1


def test_an_interrupted_read_goes_on_where_it_stopped(hub: Hub, base: MemoryBase, store: Store) -> None:
    """The source fails in the middle: what came is kept, the route says why, the next run reads only the rest."""
    total = len(base.records[CLIENTS])
    connector = hub.connector("ut")
    read = connector.read

    def failing(request: Any) -> Any:
        for number, page in enumerate(read(request)):
            if request.stream == CLIENTS and number == 2:
                raise RetryLater("source_unreachable", system="ut")
            yield page

    connector.read = failing  # type: ignore[method-assign]
    broken = run_exchange(hub, ["ut.party"]).routes[0]
    assert (broken.state, broken.error and broken.error.code) == ("failed", "source_unreachable")
    assert broken.counters.balanced
    connector.read = read  # type: ignore[method-assign]
    rest = run_exchange(hub, ["ut.party"]).routes[0]
    assert rest.resumed
    assert rest.state == "completed"
    stream = select(core.stream.c.id).where(core.stream.c.name == CLIENTS)
    clients = select(func.count()).select_from(core.link).where(core.link.c.stream_id.in_(stream))
    assert scalar(store, clients.where(core.link.c.record_id.is_not(None))) == total
    full = run_exchange(hub, ["ut.party"]).routes[0]
    assert not full.resumed
    assert full.counters.unchanged == full.counters.received - full.counters.skipped


def test_progress_counts_each_stream_for_itself(hub: Hub, base: MemoryBase) -> None:
    """Of a route with several streams each tells what it made itself: together they tell what the route made."""
    steps: dict[tuple[str, str], Progress] = {}
    report = run_exchange(hub, on_progress=lambda step: steps.update({(step.route, step.stream): step}))
    several = [one for one in report.routes if sum(route == one.route for route, _ in steps) > 1]
    assert several
    for one in several:
        assert sum(step.created for (route, _), step in steps.items() if route == one.route) == one.counters.created


def test_a_system_that_is_down_is_asked_once(hub: Hub, base: MemoryBase) -> None:
    """When a base does not answer, every route of it fails with that reason and exit code 3, without asking again."""
    base.fail(*(RetryLater("source_unreachable", system="УТ") for _ in range(3)))
    report = run_exchange(hub)
    assert {r.state for r in report.routes} == {"failed"}
    assert {r.error.code for r in report.routes if r.error} == {"source_unreachable"}
    assert report.exit_code == 3
    assert hub.connector("ut").traffic.requests == 1


def test_a_live_run_keeps_others_off_its_route(hub: Hub, store: Store) -> None:
    """Two exchanges of one route at once: the second is told who is at work and writes nothing."""
    from hub.exchange import runs
    from hub.exchange.service import open_run

    first_run = open_run(hub, ["ut.unit"], mode="manual", initiator="a")
    with store.begin() as conn:
        runs.take_route(conn, first_run, hub.routes["ut.unit"].id, "ut.unit")
    report = run_exchange(hub, ["ut.unit"])
    assert report.routes[0].error is not None
    assert report.routes[0].error.code == "route_busy"
    assert dump(store)["unit"] == []


def test_a_run_stopped_by_a_person_is_closed_at_once(hub: Hub, store: Store) -> None:
    """Dagster ended the run: the pull stops between pages, its row and the run are closed and the route is free."""
    from hub.exchange.service import open_run, pull_route

    run = open_run(hub, ["ut.party"], mode="nightly", initiator="dagster", dagster_run_id="d1")
    report = pull_route(hub, run, "ut.party", should_stop=lambda: True)
    assert (report.state, report.error and report.error.code) == ("fenced", "stopped")
    assert scalar(store, select(core.exchange_run.c.state)) == "fenced"
    assert scalar(store, select(core.run_route.c.error_code)) == "stopped"
    assert scalar(store, select(func.count()).where(core.route.c.lease_run_id.is_not(None))) == 0
    assert run_exchange(hub, ["ut.party"]).exit_code == 0


def test_an_orphan_is_fenced_by_the_run_that_replaced_it(hub: Hub, base: MemoryBase, store: Store) -> None:
    """An orphaned worker whose Dagster run was retried loses its next page whole and stops."""
    from hub.exchange.service import open_run, pull_route

    orphan = open_run(hub, ["ut.party"], mode="nightly", initiator="dagster", dagster_run_id="d1")
    connector = hub.connector("ut")
    read = connector.read

    def replaced(request: Any) -> Any:
        for number, page in enumerate(read(request)):
            if number == 1:
                open_run(hub, ["ut.party"], mode="nightly", initiator="dagster", dagster_run_id="d2", supersedes="d1")
            yield page

    connector.read = replaced  # type: ignore[method-assign]
    report = pull_route(hub, orphan, "ut.party")
    assert report.state == "fenced"
    states = select(core.exchange_run.c.state).where(core.exchange_run.c.id == orphan)
    assert scalar(store, states) == "fenced"
    assert scalar(store, select(func.count()).select_from(core.link).where(core.link.c.record_id.is_not(None))) <= 50
