"""Replaying quarantine: the mappings of now, dry runs that write nothing, and runs that account for every record."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import func, select, update

from hub.exchange import replay as replaying
from hub.exchange import runs, went_back
from hub.exchange.pauses import pause, resume
from hub.exchange.replay import Order, chosen, replay
from hub.exchange.service import open_run
from hub.model.errors import RetryLater, StopSystem
from hub.model.settings import RouteSettings
from hub.model.settings_routes import BudgetSettings
from hub.store import core, tables
from hub.store.database import Store
from hub.store.quarantined import Choice
from tests.dagster.base import ORDERS, PARTIES, guid, order, party
from tests.exchange.dump import dump
from tests.exchange.quarantine_world import BROKEN_DAY, World, everything

#: An overlay whose orders may have only these statuses.
STATUS = "fields:\n  business_status: {{from: Статус, map: {{{known}}}}}\n"


@pytest.fixture
def world(store: Store, tmp_path: Path) -> World:
    return World.make(store, tmp_path)


@pytest.fixture
def fast(quick: Store, tmp_path: Path) -> World:
    return World.make(quick, tmp_path)


def test_a_dry_run_tells_what_a_real_one_does_and_writes_nothing(world: World) -> None:
    """No row of any table differs after it; done for good, exactly what it told comes about."""
    world.base.put(ORDERS, order(1, BROKEN_DAY))
    world.base.put(ORDERS, order(2, BROKEN_DAY))
    world.exchange()
    rows = world.open()
    assert {row.reason_code for row in rows} == {"bad_date"}
    orders = [Order(rows[0].id, "correct", rows[0].key, "2026-03-05"), Order(rows[1].id)]
    before = everything(world.store)
    dry = world.replay(*orders, apply=False)
    assert everything(world.store) == before
    assert (dry.run_id, dry.exit_code) == (None, 1)
    real = world.replay(*orders)
    (told,), (done,) = dry.causes, real.causes
    assert (told.number, told.passed, told.waiting, told.corrected) == (2, 1, 0, 1)
    assert (done.number, done.passed, done.waiting, done.corrected) == (2, 1, 0, 1)
    assert [(key, one.number) for key, one in told.refused.items()] == [(("bad_date", "Date"), 1)]
    assert told.refused.keys() == done.refused.keys()
    assert everything(world.store) != before
    assert [row.external_id for row in world.open()] == [rows[1].external_id]


def test_a_replay_is_a_run_of_the_journal_whose_counters_balance(world: World) -> None:
    """Mode, initiator, counters and the change log are those of any run; a refused record has one attempt more."""
    world.base.put(ORDERS, order(1, BROKEN_DAY))
    world.base.put(ORDERS, order(2, BROKEN_DAY))
    world.exchange()
    first, second = world.open()
    report = world.replay(Order(first.id, "correct", first.key, "05.03.2026 10:30"), Order(second.id))
    with world.store.read() as conn:
        run = conn.execute(select(core.exchange_run).where(core.exchange_run.c.id == report.run_id)).one()
        part = conn.execute(select(core.run_route).where(core.run_route.c.run_id == report.run_id)).one()
    assert (run.mode, run.state, run.initiator, run.planned) == ("replay", "warnings", "cli", ["ut.sales_order"])
    assert (part.received, part.created, part.quarantined) == (2, 1, 1)
    assert report.routes[0].counters.balanced
    assert report.exit_code == 1
    logged = select(core.change_log.c.op).where(core.change_log.c.run_id == report.run_id)
    assert world.rows(logged) == ["insert"]
    dates = select(tables.metadata.tables["sales_order"].c.date).order_by("date")
    assert [f"{moment:%Y-%m-%d %H:%M}" for moment in world.rows(dates)][-1] == "2026-03-05 07:30"
    assert [row.attempts for row in world.open()] == [2]
    assert world.rows(select(func.count()).where(core.route.c.lease_run_id.is_not(None))) == [0]


def test_a_mended_mapping_lets_what_it_refused_pass(fast: World) -> None:
    """An order of a status that the mapping does not know is refused; the site adds the status, and it passes."""
    fast.overlay("sales_order", STATUS.format(known="Закрыт: closed"))
    fast.base.put(ORDERS, order(1, "2026-03-01") | {"Статус": "Особый"})
    fast.base.put(ORDERS, order(2, "2026-03-01") | {"Статус": "Другой"})
    fast.exchange()
    assert [(row.field, row.value) for row in fast.open()] == [("Статус", "Особый"), ("Статус", "Другой")]
    assert fast.replay(apply=False).causes[0].passed == 0
    fast.overlay("sales_order", STATUS.format(known="Закрыт: closed, Особый: in_work"))
    (told,) = fast.replay(apply=False).causes
    assert (told.passed, [found.example.value for found in told.refused.values()]) == (1, ["Другой"])
    began = datetime(2026, 1, 5, 1, 0, tzinfo=UTC)
    with fast.store.begin() as conn:
        conn.execute(update(core.exchange_run).values(started_at=began))
    fast.replay()
    assert [row.value for row in fast.open()] == ["Другой"]
    with fast.store.read() as conn:
        assert conn.execute(select(core.contribution.c.read_at)).scalars().all() == [began], "read when it was refused"
    before = dump(fast.store)
    night = fast.exchange()
    assert sum(one.counters.created + one.counters.updated for one in night.routes) == 0
    assert dump(fast.store) == before


def test_a_record_whose_client_is_not_here_waits_and_is_released_by_the_clients_replay(fast: World) -> None:
    """The client is refused, its order is parked; the client's replay brings both; an order alone would wait."""
    fast.base.put(PARTIES, party(2) | {"Description": "", "НаименованиеПолное": ""})
    fast.base.put(ORDERS, order(1, "2026-03-01", client=2))
    fast.base.put(ORDERS, order(2, "2026-03-01", client=2) | {"СуммаДокумента": "много"})
    fast.exchange()
    rows = {row.external_id: row for row in fast.open()}
    late = rows[guid(3, 2)]
    waits = fast.replay(Order(late.id, "correct", late.key, 100), apply=False)
    assert (waits.causes[0].passed, waits.causes[0].waiting, waits.parked) == (0, 1, 1)
    client = rows[guid(1, 2)]
    both = fast.replay(Order(client.id, "correct", client.key, "ООО Ромашка"))
    assert (both.causes[0].passed, both.routes[0].released, both.parked) == (1, 1, 0)
    assert len(dump(fast.store)["sales_order"]) == 3
    assert fast.replay(Order(late.id, "correct", late.key, 100)).causes[0].passed == 1
    assert (dump(fast.store)["parked"], fast.open()) == ([], [])


def test_what_is_chosen_is_replayed_and_nothing_else(fast: World) -> None:
    """Route, cause and id narrow the choice; each cause is told for itself, routes in load order."""
    fast.base.put(PARTIES, party(2) | {"Description": "", "НаименованиеПолное": ""})
    fast.base.put(ORDERS, order(1, BROKEN_DAY))
    fast.base.put(ORDERS, order(2, "2026-03-01") | {"СуммаДокумента": "много"})
    fast.exchange()
    told = fast.replay(apply=False)
    assert [(cause.route, cause.reason_code) for cause in told.causes] == [
        ("ut.party", "required_blank"),
        ("ut.sales_order", "bad_date"),
        ("ut.sales_order", "bad_number"),
    ]
    for choice, reasons in (
        ({"routes": ("ut.party",)}, ["required_blank"]),
        ({"causes": ("bad_number",)}, ["bad_number"]),
        ({"external_ids": (guid(3, 1),)}, ["bad_date"]),
        ({"routes": ("ut.party",), "causes": ("bad_date",)}, []),
    ):
        assert [cause.reason_code for cause in fast.replay(apply=False, **choice).causes] == reasons


def test_what_no_mapping_reads_is_said(fast: World) -> None:
    """A paused mapping, a route that is off, paused or gone: none is tried, each is told why."""
    fast.base.put(ORDERS, order(1, BROKEN_DAY))
    fast.exchange()
    del fast.base.infos[ORDERS].fields["Date"]
    fast.reopen()
    for apply in (False, True):
        report = fast.replay(apply=apply)
        assert [(cause.blocked, cause.untried, cause.passed) for cause in report.causes] == [("replay_paused", 1, 0)]
        assert report.routes[0].paused == ["sales_order"]
        assert report.exit_code == 1
    fast.reopen(routes={"ut.sales_order": RouteSettings("ut.sales_order", enabled=False)})
    assert [cause.blocked for cause in fast.replay().causes] == ["replay_disabled"]
    fast.reopen()
    pause(fast.hub, "ut.sales_order", "ремонт", "анна", until=None)
    assert [cause.blocked for cause in fast.replay().causes] == ["replay_route_paused"]
    resume(fast.hub, "ut.sales_order")
    del fast.hub.routes["ut.sales_order"]
    assert [cause.blocked for cause in fast.replay().causes] == ["replay_no_route"]
    assert [row.attempts for row in fast.open()] == [1]


def test_a_stream_that_lost_its_mapping_is_said(fast: World) -> None:
    """A record kept of a stream that no mapping names any more cannot be tried."""
    fast.base.put(ORDERS, order(1, BROKEN_DAY))
    fast.exchange()
    with fast.store.begin() as conn:
        system = conn.execute(select(core.system.c.id)).scalar_one()
        number = conn.execute(
            core.stream.insert().returning(core.stream.c.id).values(system_id=system, name="Document_Старый")
        ).scalar_one()
        conn.execute(core.quarantine.update().values(stream_id=number))
    (cause,) = fast.replay(apply=False).causes
    assert (cause.blocked, cause.params) == ("replay_no_mapping", {"stream": "Document_Старый"})


def test_a_route_at_work_is_left_alone(fast: World) -> None:
    """While an exchange holds the route the replay of it fails with that reason and changes nothing."""
    fast.base.put(ORDERS, order(1, BROKEN_DAY))
    fast.exchange()
    other = open_run(fast.hub, ["ut.sales_order"], mode="manual", initiator="a")
    with fast.store.begin() as conn:
        runs.take_route(conn, other, fast.hub.route("ut.sales_order").id, "ut.sales_order")
    report = fast.replay()
    assert report.routes[0].error is not None
    assert (report.routes[0].error.code, report.routes[0].state) == ("route_busy", "failed")
    assert [row.attempts for row in fast.open()] == [1]
    assert fast.rows(select(core.run_route.c.error_code).where(core.run_route.c.run_id == report.run_id)) == [
        "route_busy"
    ]


def test_a_stopped_system_is_not_written_to(fast: World) -> None:
    """While nobody has said what a base that went back is, nothing kept of it is replayed either."""
    fast.base.put(ORDERS, order(1, BROKEN_DAY))
    fast.exchange()
    with pytest.raises(StopSystem):
        went_back.stop(fast.hub, "ut", "back_feed", {"stream": "", "number": 1, "of": 2})
    for apply in (False, True):
        report = fast.replay(apply=apply)
        assert [one.error and one.error.code for one in report.routes] == ["base_went_back"]
        assert report.causes == []
        assert report.exit_code == 1


def test_a_base_that_is_down_is_asked_once(fast: World) -> None:
    """Its schema cannot be had: every route of it is told so in the journal, and the base is not asked for each."""
    fast.base.put(PARTIES, party(2) | {"Description": "", "НаименованиеПолное": ""})
    fast.base.put(ORDERS, order(1, BROKEN_DAY))
    fast.exchange()
    fast.reopen()
    fast.base.fail(*(RetryLater("source_unreachable", system="УТ") for _ in range(3)))
    report = fast.replay()
    assert [(one.route, one.state) for one in report.routes] == [("ut.party", "failed"), ("ut.sales_order", "failed")]
    assert {one.error.code for one in report.routes if one.error} == {"source_unreachable"}
    assert fast.hub.connector("ut").traffic.requests == 1
    assert (report.exit_code, len(fast.open())) == (3, 2)
    assert fast.rows(select(core.exchange_run.c.state).where(core.exchange_run.c.id == report.run_id)) == ["failed"]


def test_a_replay_that_is_stopped_keeps_what_it_did_and_goes_on(fast: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each batch stands whole: stopped after the first one, the same replay again does the rest."""
    monkeypatch.setattr(replaying, "_BATCH", 2)
    fast.overlay("sales_order", STATUS.format(known="Закрыт: closed"))
    for number in (1, 2, 3, 4):
        fast.base.put(ORDERS, order(number, "2026-03-01") | {"Статус": "Особый"})
    fast.exchange()
    fast.overlay("sales_order", STATUS.format(known="Особый: closed"))
    with fast.store.read() as conn:
        orders = chosen(conn, Choice())
    asked = iter([False, True])
    report = replay(fast.hub, orders, apply=True, by="анна", should_stop=lambda: next(asked))
    assert (report.routes[0].state, report.routes[0].counters.created) == ("fenced", 2)
    part = select(core.run_route.c.received).where(core.run_route.c.run_id == report.run_id)
    assert (fast.rows(part), len(fast.open())) == ([2], 2)
    rest = fast.replay(*orders)
    assert (rest.causes[0].passed, rest.causes[0].gone, fast.open()) == (2, 2, [])


def test_nothing_to_replay_is_no_run(fast: World) -> None:
    """An empty quarantine makes no run and is fine."""
    fast.exchange()
    last = fast.rows(select(func.max(core.exchange_run.c.id)))
    report = fast.replay()
    assert (report.run_id, report.causes, report.exit_code) == (None, [], 0)
    assert fast.rows(select(func.max(core.exchange_run.c.id))) == last


def test_the_brakes_hold_for_a_replay_too(fast: World) -> None:
    """Four kept edits where one is allowed at once: what is held back is told as that, and not as refused."""
    never = RouteSettings("ut.sales_order", change_budget=BudgetSettings(absolute=1, percent=None, minimum=0))
    fast.exchange()
    fast.overlay("sales_order", STATUS.format(known="Закрыт: closed"))
    for number in (1, 2, 3, 4):
        fast.base.put(ORDERS, order(number, "2026-03-01") | {"Статус": "Особый"})
    fast.exchange()
    assert len(fast.open()) == 4
    (fast.home / "overlay" / "sales_order.yaml").write_text(STATUS.format(known="Особый: closed"), encoding="utf-8")
    fast.reopen(overlay=fast.home / "overlay", routes={"ut.sales_order": never})
    (cause,) = fast.replay().causes
    assert (cause.number, cause.passed, cause.held, cause.refused) == (4, 0, 4, {})
    assert fast.rows(select(core.held.c.reason_code)) == ["mass_change"] * 4
