"""Retries that got lost: Dagster starts a failed run again, and gives up when the code cannot be reached then.

A code server that died takes a while to come back, and what killed it often killed the run too. This sensor is
evaluated by the new server, so by then the code is there: it tells the failure once more, and Dagster retries by its
own rules, as often as they allow.
"""

# No postponed annotations here: Dagster reads that of the context as it stands.

from datetime import UTC, datetime, timedelta

from dagster import (
    DagsterEventType,
    DagsterInstance,
    DagsterRun,
    DagsterRunStatus,
    DefaultSensorStatus,
    RunsFilter,
    SensorDefinition,
    SensorEvaluationContext,
    SkipReason,
    sensor,
)

from hub.model.settings import Settings
from hub.texts import sentence

NAME = "lost_retries"
INTERVAL = 30
#: How long after its failure a run is still worth starting again, and how often that is tried.
RECENT, TRIES = timedelta(hours=12), 10
#: Dagster's own words (``dagster._daemon.auto_run_reexecution``): the event, the tag that says what became of it.
_FAILED = "Failed to retry run"
_WILL_RETRY, _RETRIED_AS = "dagster/will_retry", "dagster/auto_retry_run_id"


def retry_sensor(settings: Settings) -> SensorDefinition:
    """Tells failures again whose retry could not be started."""
    lang = settings.locale

    @sensor(
        name=NAME,
        minimum_interval_seconds=INTERVAL,
        default_status=DefaultSensorStatus.RUNNING,
        description=sentence("dg_retries", lang),
    )
    def lost_retries(context: SensorEvaluationContext) -> SkipReason:
        since = datetime.now(UTC) - RECENT
        asked = RunsFilter(statuses=[DagsterRunStatus.FAILURE], tags={_WILL_RETRY: "false"}, updated_after=since)
        lost = [run for run in context.instance.get_runs(asked) if is_lost(context.instance, run)]
        for run in lost:
            context.instance.report_run_failed(run, sentence("dg_retries_again", lang))
        if not lost:
            return SkipReason(sentence("dg_retries_idle", lang))
        return SkipReason(sentence("dg_retries_told", lang, runs=", ".join(run.run_id[:8] for run in lost)))

    return lost_retries


def is_lost(instance: DagsterInstance, run: DagsterRun) -> bool:
    """Whether the last that befell the run is that its retry could not be started."""
    if _RETRIED_AS in run.tags:
        return False
    events = instance.all_logs(run.run_id, of_type={DagsterEventType.ENGINE_EVENT, DagsterEventType.RUN_FAILURE})
    told = [one.dagster_event for one in events if one.dagster_event is not None]
    failed = [one for one in told if one.is_engine_event and (one.message or "").startswith(_FAILED)]
    last = next((one for one in reversed(told) if one in failed or one.is_run_failure), None)
    return 0 < len(failed) <= TRIES and last is failed[-1]
