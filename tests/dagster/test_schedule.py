"""The nightly schedule: when it fires, which day it names."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from dagster import DefaultScheduleStatus, Definitions, RunRequest, build_schedule_context

from hub.assets.workplace import Workplace
from hub.definitions import build
from hub.exchange.hub import Hub
from hub.model.settings import load_settings
from tests.dagster.base import opener, write_home
from tests.dagster.conftest import Site


def definitions(home: Path, zone: str = "Europe/Moscow", extra: str = "") -> Definitions:
    """What an installation in that zone shows."""
    write_home(home, "schedule", zone=zone, extra=extra)
    return build(load_settings(home), Workplace(lambda: Hub.open(home, opener)))


def tick(defs: Definitions, moment: datetime) -> RunRequest:
    """What the schedule asks for at that moment."""
    repository = defs.get_repository_def()
    with build_schedule_context(scheduled_execution_time=moment, repository_def=repository) as context:
        (request,) = repository.get_schedule_def("nightly").evaluate_tick(context).run_requests or []
    return request


def test_it_is_on_from_the_start_and_fires_by_the_company_s_clock(tmp_path: Path) -> None:
    """Without anybody switching it on; at the settings' time and zone."""
    schedule = definitions(tmp_path, extra='nightly: "03:40"\n').resolve_schedule_def("nightly")
    assert schedule.default_status is DefaultScheduleStatus.RUNNING
    assert (schedule.cron_schedule, schedule.execution_timezone) == ("40 3 * * *", "Europe/Moscow")
    assert schedule.job_name == "nightly_exchange"


@pytest.mark.parametrize(
    ("zone", "moment", "day"),
    [
        ("Europe/Moscow", datetime(2026, 11, 22, 23, 15, tzinfo=UTC), "2026-11-22"),
        ("Asia/Vladivostok", datetime(2026, 11, 22, 16, 15, tzinfo=UTC), "2026-11-22"),
        ("Europe/Berlin", datetime(2026, 3, 29, 1, 15, tzinfo=UTC), "2026-03-28"),
        ("Europe/Berlin", datetime(2026, 10, 25, 0, 15, tzinfo=UTC), "2026-10-24"),
        ("America/Los_Angeles", datetime(2026, 11, 1, 9, 15, tzinfo=UTC), "2026-10-31"),
    ],
)
def test_it_names_yesterday_of_the_company(tmp_path: Path, zone: str, moment: datetime, day: str) -> None:
    """02:15 of the company is yesterday's night everywhere, on the days when clocks change too."""
    request = tick(definitions(tmp_path, zone), moment)
    assert (request.run_key, request.partition_key) == (day, day)


def test_the_same_night_twice_is_one_run(tmp_path: Path) -> None:
    """Both ticks of the hour that comes twice carry one run key."""
    defs = definitions(tmp_path, "Europe/Berlin")
    ticks = [datetime(2026, 10, 25, hour, 15, tzinfo=UTC) for hour in (0, 1)]
    assert len({tick(defs, moment).run_key for moment in ticks}) == 1


def test_its_partition_is_one_of_the_job_s(site: Site) -> None:
    """The job accepts the day that the schedule names."""
    request = tick(site.defs, datetime(2026, 11, 22, 23, 15, tzinfo=UTC))
    days = site.defs.resolve_job_def("nightly_exchange").partitions_def
    assert days is not None
    assert days.has_partition_key(str(request.partition_key))
