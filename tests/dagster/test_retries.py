"""A retry that Dagster could not start, since the code server did not answer, is started once it does."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from dagster import DagsterEventType, DagsterInstance, DagsterRun, DagsterRunStatus, build_sensor_context
from dagster._core.events import RunFailureReason
from dagster._core.storage.dagster_run import RunsFilter
from dagster._core.storage.tags import RUN_FAILURE_REASON_TAG
from dagster._core.test_utils import create_run_for_test
from dagster._daemon.auto_run_reexecution.auto_run_reexecution import consume_new_runs_for_automatic_reexecution

from schedules.retries import TRIES, is_lost, retry_sensor
from tests.dagster.conftest import Site


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[DagsterInstance]:
    """An instance that retries runs as that of the product does."""
    (tmp_path / "dagster.yaml").write_text(
        "run_retries: {enabled: true, max_retries: 2, retry_on_asset_or_op_failure: false}\n"
    )
    with DagsterInstance.from_config(str(tmp_path)) as made:
        yield made


class Unreachable:
    """A workspace whose code server is down."""

    def __init__(self, instance: DagsterInstance) -> None:
        self.instance = instance

    def create_request_context(self) -> Any:
        """What the daemon meets in that minute."""
        raise ConnectionError("failed to connect to all addresses")


def failed(instance: DagsterInstance, reason: RunFailureReason | None = None) -> DagsterRun:
    """A run whose process died."""
    run = create_run_for_test(instance, job_name="nightly_exchange", status=DagsterRunStatus.STARTED)
    if reason is not None:
        instance.add_run_tags(run.run_id, {RUN_FAILURE_REASON_TAG: reason.value})
    instance.report_run_failed(run, "the process is gone")
    return again(instance, run)


def again(instance: DagsterInstance, run: DagsterRun) -> DagsterRun:
    """The run as it is now."""
    found = instance.get_run_by_id(run.run_id)
    assert found is not None
    return found


def daemon(instance: DagsterInstance, run: DagsterRun) -> None:
    """The daemon sees the failure, and cannot reach the code."""
    records = instance.get_run_records(RunsFilter(run_ids=[run.run_id]))
    workspace: Any = Unreachable(instance)
    list(consume_new_runs_for_automatic_reexecution(workspace, records, logging.getLogger("test")))


def test_a_retry_that_could_not_be_started_is_asked_for_again(site: Site, instance: DagsterInstance) -> None:
    """The daemon takes its word back; the sensor tells the failure once more, and the run is to be retried again."""
    run = failed(instance)
    assert run.tags["dagster/will_retry"] == "true"
    assert not is_lost(instance, run)
    daemon(instance, run)
    assert again(instance, run).tags["dagster/will_retry"] == "false"
    sensor = retry_sensor(site.hub.settings)
    told = sensor.evaluate_tick(build_sensor_context(instance=instance))
    assert run.run_id[:8] in (told.skip_message or "")
    assert again(instance, run).tags["dagster/will_retry"] == "true"
    assert len(instance.all_logs(run.run_id, of_type=DagsterEventType.RUN_FAILURE)) == 2
    idle = sensor.evaluate_tick(build_sensor_context(instance=instance))
    assert run.run_id[:8] not in (idle.skip_message or "")


def test_it_is_not_asked_for_without_end(instance: DagsterInstance) -> None:
    """A code server that never answers in that minute is given up after so many times."""
    run = failed(instance)
    for _ in range(TRIES):
        daemon(instance, run)
        assert is_lost(instance, again(instance, run))
        instance.report_run_failed(again(instance, run), "again")
    daemon(instance, run)
    assert not is_lost(instance, again(instance, run))


def test_what_dagster_does_not_retry_by_its_rules_is_left_alone(site: Site, instance: DagsterInstance) -> None:
    """A failed step is no lost retry: nothing is told, and nothing is to be retried."""
    run = failed(instance, RunFailureReason.STEP_FAILURE)
    daemon(instance, run)
    retry_sensor(site.hub.settings).evaluate_tick(build_sensor_context(instance=instance))
    assert again(instance, run).tags["dagster/will_retry"] == "false"
    assert len(instance.all_logs(run.run_id, of_type=DagsterEventType.RUN_FAILURE)) == 1
