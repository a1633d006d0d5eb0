"""The contract with the pinned Dagster: an error that brings its stored form along is stored as it is."""

# No postponed annotations here: Dagster reads that of the context as it stands.

from pathlib import Path

import dagster as dg
import pytest

from hub.assets import outcome
from hub.model.errors import Fenced, HubError, NeedsPerson, RetryLater, StopRoute, StopSystem

STOP = StopRoute("unknown_set", system="УТ", stream="Catalog_Валюты")
LATER = RetryLater("onec_down", system="УТ")


def run_failing(tmp_path: Path, error: HubError) -> tuple[list[int], list[dg.DagsterEvent]]:
    """Numbers of the tries and the step's failures and retries, of an asset that always fails so."""
    tries: list[int] = []

    @dg.asset
    def failing(context: dg.AssetExecutionContext) -> None:
        tries.append(context.retry_number)
        outcome.raise_for(error, "ru", context.retry_number)

    with dg.DagsterInstance.ephemeral(tempdir=str(tmp_path)) as instance:
        result = dg.materialize([failing], instance=instance, raise_on_error=False)
    kinds = {dg.DagsterEventType.STEP_FAILURE, dg.DagsterEventType.STEP_UP_FOR_RETRY}
    return tries, [event for event in result.all_events if event.event_type in kinds]


@pytest.mark.parametrize(
    "error",
    [
        STOP,
        StopSystem("auth_failed", system="УТ"),
        NeedsPerson("unknown_system", system="a", valid="b"),
        Fenced("fenced"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_what_only_a_person_can_mend_fails_at_once(tmp_path: Path, error: HubError) -> None:
    """One try; the stored error is sentence and advice, without a stack; code and advice stand beside it."""
    tries, (event,) = run_failing(tmp_path, error)
    assert tries == [0]
    data = event.step_failure_data
    assert data.error is not None
    assert (data.error.message, data.error.stack, data.error.cause) == (str(error), [], None)
    assert data.user_failure_data is not None
    told = {label: value.value for label, value in data.user_failure_data.metadata.items()}
    assert told["код"] == error.code
    assert told.get("что делать", "") == error.advice("ru")


def test_a_passing_fault_is_tried_again_then_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As many tries as the policy says; the last one fails with the sentence, not with "retries exceeded"."""
    monkeypatch.setattr(outcome, "RETRY", dg.RetryPolicy(max_retries=2, delay=0.01))
    tries, events = run_failing(tmp_path, LATER)
    assert tries == [0, 1, 2]
    *waits, failure = events
    assert [event.step_retry_data.error.message for event in waits] == [str(LATER)] * 2
    assert [event.step_retry_data.error.stack for event in waits] == [[], []]
    assert failure.step_failure_data.error is not None
    assert failure.step_failure_data.error.message == str(LATER)


def test_waits_grow_and_heed_what_the_source_asked_for() -> None:
    """30, 90, 210 seconds; a server that says when to come again is not asked before."""
    waits = [outcome.RouteLater(LATER, "ru", attempt).seconds_to_wait for attempt in (1, 2, 3)]
    assert waits == [30, 90, 210]
    busy = RetryLater("onec_down", retry_after=75.0, system="УТ")
    assert outcome.RouteLater(busy, "ru", 1).seconds_to_wait == 75


def test_the_reader_s_language_is_used() -> None:
    """An English installation is told in English."""
    failed = outcome.RouteFailed(STOP, "en")
    assert failed.user_code_process_error_infos[0].message.startswith(STOP.sentence("en"))
    assert "code" in failed.metadata


def test_a_failure_asks_for_no_retry() -> None:
    """Whatever policy a step may be given later, what only a person can mend is not tried again."""
    assert not outcome.RouteFailed(STOP, "ru").allow_retries
