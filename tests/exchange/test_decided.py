"""Decisions about records: left out or corrected, for as long as the source sends that form."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import select

from connectors.memory import MemoryConnector
from hub.exchange.decided import same_form
from hub.exchange.replay import Order
from hub.exchange.service import pull_feed
from hub.store import core, tables
from hub.store.database import Store
from hub.store.quarantined import Choice, decisions
from mappings.runtime import ZERO
from tests.dagster.base import ORDERS, PARTIES, guid, order, party
from tests.exchange.dump import dump
from tests.exchange.installation import make_hub
from tests.exchange.quarantine_world import BROKEN_DAY, UT, World


@pytest.fixture
def world(store: Store, tmp_path: Path) -> World:
    made = World.make(store, tmp_path)
    made.base.put(ORDERS, order(1, BROKEN_DAY))
    made.exchange()
    return made


@pytest.fixture
def fast(quick: Store, tmp_path: Path) -> World:
    made = World.make(quick, tmp_path)
    made.base.put(ORDERS, order(1, BROKEN_DAY))
    made.exchange()
    return made


def decide(world: World, action: str, value: object = None) -> None:
    """Decide about the one record in quarantine."""
    (row,) = world.open()
    world.replay(Order(row.id, action, row.key, value))  # type: ignore[arg-type]


def test_a_record_left_out_does_not_come_back_until_its_source_changes(world: World) -> None:
    """Night after night it counts as skipped by decision; a new version number alone changes nothing; an edit does."""
    (row,) = world.open()
    report = world.replay(Order(row.id, "skip", row.key))
    assert (report.causes[0].skipped, report.routes[0].counters.skipped_by) == (1, {"decided": 1})
    assert (world.open(), world.states(1)) == ([], ["skipped"])
    for _ in range(2):
        world.base.put(ORDERS, order(1, BROKEN_DAY))  # saved again in 1C: a new version, the same content
        orders = world.exchange("ut.sales_order").routes[0]
        assert (orders.counters.skipped_by, orders.counters.quarantined) == ({"decided": 1}, 0)
        assert orders.counters.balanced
        assert (orders.state, world.open(), world.states(1)) == ("completed", [], ["skipped"])
    world.base.put(ORDERS, order(1, BROKEN_DAY, total=7.0))
    assert world.exchange("ut.sales_order").routes[0].counters.quarantined == 1
    assert world.states(1) == ["superseded", "open"]
    world.base.put(ORDERS, order(1, "2026-03-01", total=7.0))
    assert world.exchange("ut.sales_order").routes[0].counters.created == 1
    assert world.states(1) == ["superseded", "resolved"]


def test_who_decided_what_and_when_is_kept_with_the_record(fast: World) -> None:
    """The row keeps its payload, and the decision beside the reason it was refused for."""
    decide(fast, "skip")
    with fast.store.read() as conn:
        (row,) = decisions(conn, Choice(external_ids=(guid(3, 1),)))
    assert BROKEN_DAY in row.payload
    assert (row.params["decided"]["decision"], row.params["decided"]["by"]) == ("skip", "анна")
    assert row.params["decided"]["at"] == row.last_at.isoformat()


def test_a_decision_is_taken_back_by_naming_the_record(fast: World) -> None:
    """Replayed by its id a record left out is tried again, and stands in quarantine when it is refused again."""
    decide(fast, "skip")
    assert fast.replay(apply=False).causes == []
    dry = fast.replay(apply=False, external_ids=(guid(3, 1),))
    assert sum(found.number for found in dry.causes[0].refused.values()) == 1
    assert fast.states(1) == ["skipped"]
    fast.replay(external_ids=(guid(3, 1),))
    assert fast.states(1) == ["open"]
    assert fast.exchange("ut.sales_order").routes[0].counters.quarantined == 1


def test_a_broken_edit_that_is_left_out_keeps_what_was_taken_before(fast: World) -> None:
    """An order that is here and is then broken in 1C: left out, its good form stays and no night touches it."""
    fast.base.put(ORDERS, order(2, BROKEN_DAY))
    fast.exchange("ut.sales_order")
    rows = {row.external_id: row for row in fast.open()}
    before = dump(fast.store)["sales_order"]
    fast.replay(Order(rows[guid(3, 2)].id, "skip"))
    night = fast.exchange("ut.sales_order").routes[0]
    assert night.counters.skipped_by == {"decided": 1}
    assert dump(fast.store)["sales_order"] == before
    fast.base.put(ORDERS, order(2, "2026-03-01"))
    assert fast.exchange("ut.sales_order").routes[0].counters.skipped == 0
    assert fast.states(2) == ["superseded"]


def test_a_feed_that_spells_the_record_differently_brings_the_same_form(fast: World) -> None:
    """The feed hands over every field of the object; what the mapping reads is the same, so the decision holds."""
    decide(fast, "skip")
    fast.base.subscribe("n")
    fast.base.put(ORDERS, order(1, BROKEN_DAY) | {"ПолеНиДляКого": "x"})
    fast.hub = make_hub(fast.store, fast.home, {"ut": MemoryConnector(fast.base, node="n")}, {"ut": UT})
    report = next(one for one in pull_feed(fast.hub, "ut", "n").routes if one.route == "ut.sales_order")
    assert report.counters.skipped_by == {"decided": 1}


@pytest.mark.parametrize(
    ("changed", "same"),
    [
        ({"Posted": "true", "СуммаДокумента": "100.00"}, True),
        ({"DataVersion": "9", "Кто": "угодно"}, True),
        ({"Комментарий": ""}, True),
        ({"Комментарий": "да"}, False),
        ({"Posted": False}, False),
        ({"Товары": []}, False),
    ],
)
def test_a_form_is_what_the_mapping_reads(fast: World, changed: dict[str, object], same: bool) -> None:
    """Types of another wire, versions, foreign fields and blanks make no new form; values and lines do."""
    import msgspec

    (row,) = fast.open()
    mapping = fast.hub.profile("ut").mappings["sales_order"]
    raw = msgspec.json.encode(msgspec.json.decode(row.payload.encode()) | changed)
    assert same_form(mapping, raw, row.payload) is same


def test_a_corrected_record_passes_and_stays_passed(world: World) -> None:
    """The old payload is kept with who, when and before; the source that still sends it changes nothing."""
    (row,) = world.open()
    report = world.replay(Order(row.id, "correct", row.key, "2026-03-07"))
    assert (report.causes[0].passed, report.causes[0].corrected) == (1, 1)
    assert world.states(1) == ["resolved", "corrected"]
    with world.store.read() as conn:
        (kept,) = decisions(conn, Choice(external_ids=(guid(3, 1),)))
    (step,) = kept.params["decided"]["steps"]
    assert kept.payload == row.payload
    assert (step["by"], step["field"], step["before"], step["after"]) == (
        "анна",
        "Date",
        f"{BROKEN_DAY}T12:00:00",
        "2026-03-07",
    )
    before = dump(world.store)
    night = world.exchange("ut.sales_order").routes[0]
    assert (night.counters.skipped_by, night.counters.quarantined) == ({"decided": 1}, 0)
    assert dump(world.store) == before
    world.base.put(ORDERS, order(1, "2026-03-08"))
    assert world.exchange("ut.sales_order").routes[0].counters.updated == 1
    assert world.states(1) == ["resolved", "superseded"]


def test_a_record_with_two_faults_is_corrected_step_by_step(fast: World) -> None:
    """The first correction is kept while the second fault stands open; a night between does not lose it."""
    fast.base.put(ORDERS, order(1, BROKEN_DAY) | {"СуммаДокумента": "много"})
    fast.exchange("ut.sales_order")
    seen = []
    for _ in range(2):
        (row,) = fast.open()
        seen.append(row.field)
        fast.replay(Order(row.id, "correct", row.key, {"Date": "2026-03-07", "СуммаДокумента": "250,50"}[row.field]))
        fast.exchange("ut.sales_order")
    assert sorted(seen) == ["Date", "СуммаДокумента"]
    assert fast.open() == []
    table = tables.metadata.tables["sales_order"]
    assert "250.50" in [str(total) for total in fast.rows(select(table.c.total))]
    with fast.store.read() as conn:
        (kept,) = decisions(conn, Choice(external_ids=(guid(3, 1),)))
    assert [step["field"] for step in kept.params["decided"]["steps"]] == seen
    assert "много" in kept.payload
    assert BROKEN_DAY in kept.payload
    assert fast.exchange("ut.sales_order").routes[0].counters.skipped_by == {"decided": 1}


def test_a_corrected_record_that_waits_is_not_lost_by_a_night(fast: World) -> None:
    """It waits for its client; the source goes on sending the old form; the client comes, and the correction passes."""
    fast.base.put(ORDERS, order(1, "2026-03-01", client=9) | {"СуммаДокумента": "много"})
    fast.exchange("ut.sales_order")
    decide(fast, "correct", "777,77")
    assert [key for key, _ in dump(fast.store)["parked"]] == [guid(3, 1)]
    fast.exchange("ut.sales_order")
    assert [key for key, _ in dump(fast.store)["parked"]] == [guid(3, 1)]
    fast.base.put(PARTIES, party(9))
    assert fast.exchange("ut.party").routes[0].released == 1
    assert dump(fast.store)["parked"] == []
    totals = fast.rows(select(tables.metadata.tables["sales_order"].c.total))
    assert "777.77" in [str(total) for total in totals]
    night = fast.exchange("ut.sales_order").routes[0]
    assert night.counters.skipped_by == {"decided": 1}


def test_a_decision_about_another_form_is_not_carried_out(fast: World) -> None:
    """Between the reading of the file and the doing the source has changed: the row is left as it is."""
    (row,) = fast.open()
    fast.base.put(ORDERS, order(1, BROKEN_DAY, total=9.0))
    fast.exchange("ut.sales_order")
    for action in ("skip", "correct"):
        report = fast.replay(Order(row.id, action, row.key, "2026-03-07"))
        assert (report.causes[0].gone, report.causes[0].passed) == (1, 0)
    assert fast.states(1) == ["open"]


def test_records_without_a_key_are_left_out_each_for_itself(fast: World) -> None:
    """What has no key is known by its form alone: one of two is left out, the other stands, night after night."""
    fast.base.infos[PARTIES].fields["Ref_Key"] = "Edm.String"
    fast.base.put(PARTIES, party(5) | {"Ref_Key": ""})
    fast.exchange("ut.party")
    row = next(row for row in fast.open() if row.reason_code == "no_key")
    fast.replay(Order(row.id, "skip", row.key))
    assert fast.exchange("ut.party").routes[0].counters.skipped_by == {"decided": 1}
    fast.base.put(PARTIES, party(6) | {"Ref_Key": ZERO})
    for _ in range(2):
        counters = fast.exchange("ut.party").routes[0].counters
        assert (set(counters.skipped_by), counters.quarantined) == ({"decided"}, 1)
    states = select(core.quarantine.c.state).where(core.quarantine.c.reason_code == "no_key")
    assert sorted(fast.rows(states)) == ["open", "skipped"]
    (cause,) = fast.replay(external_ids=("",)).causes
    assert (cause.number, cause.gone, [found.number for found in cause.refused.values()]) == (2, 1, [1])
    assert sorted(fast.rows(states)) == ["open", "skipped"]
