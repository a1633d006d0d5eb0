"""What a report of an exchange says beside its counters: what is gone, what came back, what was not asked for."""

from __future__ import annotations

from pathlib import Path

import pytest

from connectors.memory import MemoryBase, MemoryConnector
from hub.assets.request import Request
from hub.assets.told import route_metadata
from hub.exchange.hub import Hub
from hub.exchange.service import RouteReport, exchange_changes, run_exchange
from hub.reports.summary import summary
from hub.reports.text import plain
from hub.store.database import Store
from tests.exchange.installation import make_hub
from tests.exchange.test_changes import hub_of as fed
from tests.exchange.unrest import CLIENTS

PARTY, ORDER = "ut.party", "ut.sales_order"


def hub_of(store: Store, home: Path, base: MemoryBase) -> Hub:
    """A hub without a node for us: lists can be compared only as a whole."""
    return make_hub(store, home, {"ut": MemoryConnector(base)})


def of(reports: list[RouteReport], code: str) -> RouteReport:
    """The report of one route."""
    return next(report for report in reports if report.route == code)


def test_what_is_gone_and_what_came_back_is_told_among_the_updated(
    store: Store, small_base: MemoryBase, tmp_path: Path
) -> None:
    """Two clients deleted, one of them brought back: numbers of their own everywhere, and the balance is as ever."""
    hub = hub_of(store, tmp_path, small_base)
    run_exchange(hub)
    first, second = (dict(record) for record in list(small_base.records[CLIENTS].values())[-2:])
    for record in (first, second):
        small_base.delete(CLIENTS, record["Ref_Key"])
    gone = run_exchange(hub)
    small_base.put(CLIENTS, first)
    back = run_exchange(hub)
    again = run_exchange(hub)

    assert [(of(run.routes, PARTY).deleted, of(run.routes, PARTY).restored) for run in (gone, back, again)] == [
        (2, 0),
        (0, 1),
        (0, 0),
    ]
    assert [of(run.routes, PARTY).counters.updated for run in (gone, back, again)] == [2, 1, 0]
    assert all(report.counters.balanced for run in (gone, back) for report in run.routes)
    assert {(report.deleted, report.restored) for report in gone.routes if report.route != PARTY} == {(0, 0)}

    text = "\n".join(plain(summary(hub, gone.run_id), "ru"))
    assert "Из изменённых удалены в источнике: 2" in text
    assert "вернулись" not in text
    assert "Из изменённых вернулись после удаления: 1." in "\n".join(plain(summary(hub, back.run_id), "ru"))
    assert "удалено" not in "\n".join(plain(summary(hub, again.run_id), "ru"))
    data = summary(hub, gone.run_id).as_dict()
    assert (data["totals"]["deleted"], data["totals"]["restored"]) == (2, 0)
    assert {line["route"]: line["deleted"] for line in data["routes"]}[PARTY] == 2
    shown = route_metadata(of(gone.routes, PARTY), Request("manual", None), gone.run_id, 0, "ru")
    assert (shown["из изменённых удалено"], shown["из изменённых вернулось"]) == (2, 0)


def test_what_no_run_of_changes_can_see_is_not_called_done(
    quick: Store, small_base: MemoryBase, tmp_path: Path
) -> None:
    """Lists without a node wait for the night: state, sentence and JSON say so; the run itself is a good one."""
    hub = hub_of(quick, tmp_path, small_base)
    run_exchange(hub)
    report = exchange_changes(hub)
    assert (of(report.routes, PARTY).state, of(report.routes, ORDER).state) == ("later", "completed")
    assert of(report.routes, PARTY).later
    assert (report.state, report.exit_code) == ("completed", 0)
    told = summary(hub, report.run_id)
    assert PARTY in told.later
    assert ORDER not in told.later
    text = plain(told, "ru")
    (line,) = [line for line in text if line.strip().startswith(f"{PARTY} ")]
    assert line.endswith("ждёт ночи")
    assert any("Не спрашивались и ждут ночного обмена" in line and PARTY in line for line in text)
    data = told.as_dict("en")
    assert PARTY in data["later"]
    assert {entry["route"]: entry["state"] for entry in data["routes"]}[PARTY] == "later"
    assert not [item for item in told.todo if PARTY in item.routes], "it is nothing for a person to do"


def test_what_is_swept_in_a_run_of_changes_is_done(
    quick: Store, small_base: MemoryBase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When all keys were compared, the list was read: it is called done, with what was found."""
    hub = hub_of(quick, tmp_path, small_base)
    run_exchange(hub)
    record = dict(next(iter(small_base.records[CLIENTS].values())))
    small_base.put(CLIENTS, record | {"Description": "Новое имя"})
    monkeypatch.setattr("hub.exchange.pull.sweep_due", lambda *_, **__: True)
    found = of(exchange_changes(hub).routes, PARTY)
    assert (found.state, found.later, found.counters.updated) == ("completed", [], 1)


def test_a_list_that_the_feed_brings_does_not_wait(quick: Store, small_base: MemoryBase, tmp_path: Path) -> None:
    """With a node nothing is left to the night but what no feed can bring."""
    hub = fed(quick, tmp_path, MemoryConnector(small_base, "ut", "n"), node="n")
    run_exchange(hub)
    report = exchange_changes(hub)
    assert of(report.routes, PARTY).state == "completed"
    assert of(report.routes, PARTY).later == []
