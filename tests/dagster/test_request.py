"""Partitions, windows and modes: what a run is asked to do."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from dagster import AssetKey, DagsterEventType
from sqlalchemy import select

from connectors.base import ReadRequest
from hub.model.errors import StopRoute
from hub.model.records import Page, Window
from hub.model.settings import RouteSettings
from hub.store import core
from schedules.partitions import document_days
from tests.dagster import base as small
from tests.dagster.conftest import Site, numbers, site_at

ORDERS = "ut/sales_order"
RANGE = {"dagster/asset_partition_range_start": "2026-03-01", "dagster/asset_partition_range_end": "2026-03-02"}


def test_days_chosen_on_the_asset_are_a_backfill_in_one_run(site: Site) -> None:
    """A range of partitions is one silent run over exactly these days; each of its partitions is marked."""
    result = site.materialize(ORDERS, tags=RANGE)
    assert result.success
    (run,) = site.rows(select(core.exchange_run))
    assert (run.mode, run.silent) == ("backfill", True)
    (part,) = site.rows(select(core.run_route))
    assert (part.window_start, part.window_end) == (date(2026, 3, 1), date(2026, 3, 3))
    told = numbers(result, ORDERS)
    assert (told["получено"], told["режим"], told["период"]) == (4, "дозагрузка", "01.03.2026 … 02.03.2026")
    done = site.instance.get_materialized_partitions(AssetKey(ORDERS.split("/")))
    assert done == {"2026-03-01", "2026-03-02"}


def test_a_single_day_is_a_backfill_of_that_day(site: Site) -> None:
    """One partition chosen by a person reads that day, not the route's usual range."""
    result = site.materialize(ORDERS, partition_key="2026-03-03")
    assert numbers(result, ORDERS)["период"] == "03.03.2026 … 03.03.2026"
    assert numbers(result, ORDERS)["получено"] == 2


def test_an_interrupted_backfill_goes_on_where_it_stopped(site: Site) -> None:
    """The source fails on the second day; the same range again reads only what is left and says so."""
    site.materialize("ut/product", "ut/party")
    real = site.hub.connector("ut").read

    def breaks(request: ReadRequest) -> Iterator[Page]:
        if request.window == Window(date(2026, 3, 2), date(2026, 3, 3)):
            raise StopRoute("unknown_set", system="Торговля", stream=small.ORDERS)
        return real(request)

    site.hub.connector("ut").read = breaks  # type: ignore[method-assign]
    assert not site.materialize(ORDERS, tags=RANGE).success
    site.hub.connector("ut").read = real  # type: ignore[method-assign]
    told = numbers(site.materialize(ORDERS, tags=RANGE), ORDERS)
    assert (told["получено"], told["продолжен прерванный"]) == (2, True)
    assert told["dagster/row_count"] == 4


def test_a_job_reads_as_the_route_is_set_whatever_day_it_carries(site: Site) -> None:
    """The nightly run's partition is a mark; all orders are read, and the journal has no window."""
    result = site.run(day="2026-03-03")
    assert numbers(result, ORDERS)["получено"] == 6
    rows = site.rows(select(core.run_route.c.window_start).distinct())
    assert rows == [(None,)]
    marked = site.instance.get_materialized_partitions(AssetKey(ORDERS.split("/")))
    assert marked == {"2026-03-03"}


def test_lists_have_no_days(site: Site) -> None:
    """A list started by a person is an ordinary exchange, by hand."""
    told = numbers(site.materialize("ut/party"), "ut/party")
    assert told["режим"] == "ручной"
    assert "период" not in told


def test_progress_is_observed(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """A long read leaves observations with how far it was; short of the interval there are none."""
    quiet = site.materialize(ORDERS, tags=RANGE)
    assert not quiet.filter_events(lambda event: event.event_type is DagsterEventType.ASSET_OBSERVATION)
    monkeypatch.setattr("hub.assets.watch.OBSERVE_EVERY", 0.0)
    told = [
        event.asset_observation_data.asset_observation.metadata
        for event in site.materialize(ORDERS, tags=RANGE).all_events
        if event.event_type is DagsterEventType.ASSET_OBSERVATION
    ]
    assert [item["прочитано"].value for item in told] == [2, 4]
    assert {item["всего"].value for item in told} == {4}


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("Europe/Moscow", "2026-03-29", 24),
        ("Europe/Berlin", "2026-03-29", 23),
        ("Europe/Berlin", "2026-10-25", 25),
        ("America/Santiago", "2026-09-06", 23),
    ],
)
def test_a_day_is_a_day_however_many_hours_it_has(tmp_path: Path, zone: str, day: str, hours: int) -> None:
    """Clocks are changed, at midnight even in Santiago: the window of the day is still exactly that date."""
    with site_at(tmp_path, "zone", zone=zone) as site:
        window = document_days(zone, [], date(2026, 11, 1)).time_window_for_partition_key(day)
        assert round((window.end.timestamp() - window.start.timestamp()) / 3600) == hours
        result = site.materialize(ORDERS, partition_key=day)
        assert result.success
        (part,) = site.rows(select(core.run_route))
        assert (part.window_end - part.window_start).days == 1
        assert part.window_start.isoformat() == day


def test_days_begin_where_the_routes_do() -> None:
    """The earliest not_before of any route, else New Year two years back; today's day is there while it lasts."""
    now = datetime(2026, 11, 24, 12, tzinfo=ZoneInfo("Europe/Moscow"))

    def keys(routes: list[RouteSettings]) -> list[str]:
        return list(document_days("Europe/Moscow", routes, now.date()).get_partition_keys(current_time=now))

    usual = keys([RouteSettings("ut.sales_order")])
    assert (usual[0], usual[-1]) == ("2024-01-01", "2026-11-24")
    told = [RouteSettings("a", not_before=date(2020, 5, 1)), RouteSettings("b", not_before=date(2019, 2, 3))]
    assert keys(told)[0] == "2019-02-03"
