"""Exchanges of the command appear in Dagster."""

from __future__ import annotations

from datetime import date

from dagster import AssetMaterialization, SensorResult, SkipReason, build_sensor_context
from sqlalchemy import update

from hub.assets.journal import untold
from hub.assets.workplace import Workplace
from hub.exchange.hub import Hub
from hub.exchange.service import backfill, open_run, run_exchange
from hub.model.errors import RetryLater
from hub.model.records import Window
from hub.store import core
from schedules.sensors import journal_sensor
from tests.dagster import base as small
from tests.dagster.conftest import Site, numbers

ORDERS = "ut/sales_order"


def told(events: tuple[AssetMaterialization, ...], key: str = ORDERS) -> list[AssetMaterialization]:
    """The materializations of one asset."""
    return [event for event in events if event.asset_key.to_user_string() == key]


def test_an_exchange_by_the_command_is_told_with_the_same_numbers(site: Site) -> None:
    """The page shows what it would show had Dagster run it, but for the time taken."""
    report = run_exchange(site.hub)
    found = untold(site.hub, 0)
    assert found.position == report.run_id
    (event,) = told(found.events)
    values = {label: value.value for label, value in event.metadata.items()}
    by_dagster = numbers(site.run(), ORDERS)
    assert values.keys() == by_dagster.keys()
    for label in ("получено", "пропущено", "в карантин", "страниц", "dagster/row_count"):
        assert values[label] == by_dagster[label]
    assert (values["создано"], values["обмен №"], values["режим"]) == (6, report.run_id, "ручной")
    assert event.partition is None


def test_what_was_told_is_not_told_again(site: Site) -> None:
    """From the position on there is nothing, and Dagster's own runs are nothing new to it."""
    run_exchange(site.hub)
    position = untold(site.hub, 0).position
    assert untold(site.hub, position).events == ()
    site.run()
    again = untold(site.hub, position)
    assert (again.events, again.position) == ((), position + 1)


def test_a_backfill_by_the_command_marks_its_days(site: Site) -> None:
    """Each day of the period is a partition of the documents' asset."""
    backfill(site.hub, ["ut.sales_order"], Window(date(2026, 3, 1), date(2026, 3, 4)))
    events = told(untold(site.hub, 0).events)
    assert [event.partition for event in events] == ["2026-03-01", "2026-03-02", "2026-03-03"]
    assert {event.metadata["период"].value for event in events} == {"01.03.2026 … 03.03.2026"}


def test_a_failed_route_is_no_materialization(site: Site) -> None:
    """What did not end well leaves the asset as it was."""
    run_exchange(site.hub, ["ut.party", "ut.sales_order"])
    with site.hub.store.begin() as conn:
        failed = core.run_route.c.route_id == site.hub.route("ut.sales_order").id
        conn.execute(update(core.run_route).where(failed).values(state="failed"))
    events = untold(site.hub, 0).events
    assert told(events) == []
    assert len(told(events, "ut/party")) == 1


def test_a_running_exchange_is_waited_for(site: Site) -> None:
    """Neither it nor what came after it is passed over."""
    run_exchange(site.hub, ["ut.party"])
    running = open_run(site.hub, ["ut.party"], mode="manual", initiator="cli")
    run_exchange(site.hub, ["ut.product"])
    found = untold(site.hub, 0)
    assert found.position == running - 1
    assert told(found.events, "ut/product") == []


def test_every_tick_of_the_sensor_says_what_it_did_in_our_words(site: Site) -> None:
    """Whether there was something to tell or not, the page of the sensor shows our sentence and never Dagster's own."""
    site.base.put(small.PARTIES, small.party(5))
    run_exchange(site.hub, ["ut.party"])
    sensor = journal_sensor(site.hub.settings, site.work)
    cursor, said = None, []
    for _ in range(2):
        with build_sensor_context(instance=site.instance, cursor=cursor) as context:
            tick = sensor.evaluate_tick(context)
        cursor = tick.cursor
        said.append((len(tick.asset_events), tick.skip_message))
    assert [events for events, _ in said] == [2, 0]
    assert said[0][1] == "Показаны обмены, сделанные командой: записей на страницах — 2."
    assert said[1][1] == "Новых обменов командой не было."


def test_the_sensor_tells_once(site: Site) -> None:
    """Through the sensor: events and a position, then silence with a reason; a closed store is a reason too."""
    site.base.put(small.PARTIES, small.party(5))
    run_exchange(site.hub, ["ut.party"])
    sensor = journal_sensor(site.hub.settings, site.work)
    with build_sensor_context() as context:
        first = sensor(context)
    assert isinstance(first, SensorResult)
    assert [event.asset_key.to_user_string() for event in first.asset_events] == ["ut/party", "obmen/party"]
    with build_sensor_context(cursor=first.cursor) as context:
        second = sensor(context)
    assert isinstance(second, SensorResult)
    assert not second.asset_events
    assert second.skip_reason is not None

    def closed() -> Hub:
        raise RetryLater("store_unreachable")

    with build_sensor_context() as context:
        third = journal_sensor(site.hub.settings, Workplace(closed))(context)
    assert isinstance(third, SkipReason)
    assert "store_unreachable" not in (third.skip_message or "")
