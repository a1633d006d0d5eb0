"""The job that tests connections."""

from __future__ import annotations

from dagster import DagsterEventType

from hub.model.errors import RetryLater, StopSystem
from tests.dagster import base as small
from tests.dagster.conftest import Site


def test_a_good_system_passes_and_is_told_on_its_asset(site: Site) -> None:
    """What was found is an observation of the system's asset, in numbers."""
    result = site.run("check_connections", day=None)
    assert result.success
    (event,) = result.filter_events(lambda event: event.event_type is DagsterEventType.ASSET_OBSERVATION)
    told = event.asset_observation_data.asset_observation
    assert told.asset_key.to_user_string() == "ut/source"
    found = {label: value.value for label, value in told.metadata.items()}
    assert found["отвечает"] is True
    assert found["опубликовано потоков"] == len(site.base.infos)
    assert found["неполадок"] == 0


def test_a_system_that_refuses_fails_at_once_with_its_reason(site: Site) -> None:
    """Whoever asks for a test wants the answer now: nothing is tried again, not even what could be."""
    for error in (StopSystem("auth_failed", system="Торговля"), RetryLater("onec_down", system="Торговля")):
        site.base.fail(error)
        result = site.run("check_connections", day=None)
        assert not result.success
        (event,) = result.filter_events(lambda event: event.event_type is DagsterEventType.STEP_FAILURE)
        assert event.step_failure_data.error is not None
        assert event.step_failure_data.error.message == str(error)
        assert not result.filter_events(lambda event: event.event_type is DagsterEventType.STEP_UP_FOR_RETRY)


def test_a_mapping_that_does_not_fit_is_told(site: Site) -> None:
    """A stream that lost a field pauses its mapping: the test passes, counts it and writes which field."""
    info = site.base.infos[small.ORDERS]
    del info.fields["СуммаДокумента"]
    result = site.run("check_connections", day=None)
    assert result.success
    (event,) = result.filter_events(lambda event: event.event_type is DagsterEventType.ASSET_OBSERVATION)
    assert event.asset_observation_data.asset_observation.metadata["сопоставлений приостановлено"].value == 1
