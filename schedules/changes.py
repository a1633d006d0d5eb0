"""Jobs that take changes, and a sensor per base that asks whether there are any."""

# No postponed annotations here: Dagster reads that of the context as it stands.

import json
import time

from dagster import (
    DagsterInstance,
    DagsterRunStatus,
    DefaultSensorStatus,
    JobDefinition,
    OpDefinition,
    RunRequest,
    RunsFilter,
    SensorDefinition,
    SensorEvaluationContext,
    SensorResult,
    SkipReason,
    in_process_executor,
    job,
    sensor,
)

from hub.assets import names
from hub.assets.workplace import Workplace
from hub.exchange.news import anything_new
from hub.model.errors import HubError
from hub.model.settings import Settings, SystemSettings
from hub.texts import sentence

DECIDE = "decide_system"
_GOING = [
    DagsterRunStatus.NOT_STARTED,
    DagsterRunStatus.QUEUED,
    DagsterRunStatus.STARTING,
    DagsterRunStatus.STARTED,
    DagsterRunStatus.CANCELING,
]
_MAX_RUNTIME = 6 * 3600
#: Seconds between two looks whether a notice came.
LOOK = 30


def changes_job(settings: Settings, system: SystemSettings, take: OpDefinition) -> JobDefinition:
    """Takes the changes of one system, in one run."""
    title = system.title or system.code

    @job(
        name=f"changes_{system.code}",
        description=sentence("dg_job_changes", settings.locale, title=title),
        tags={
            names.MODE_TAG: "changes",
            names.SYSTEM_TAG: system.code,
            names.ENTITY_TAG: names.SEVERAL,
            "dagster/max_runtime": str(_MAX_RUNTIME),
        },
        executor_def=in_process_executor,
        owners=[names.OWNER],
    )
    def changes() -> None:
        take()

    return changes


def decide_job(settings: Settings, decide: OpDefinition) -> JobDefinition:
    """An admin's word on a base that seems to have gone back in time."""

    @job(
        name=DECIDE,
        description=sentence("dg_op_decide", settings.locale),
        executor_def=in_process_executor,
        owners=[names.OWNER],
    )
    def decision() -> None:
        decide()

    return decision


def changes_sensor(
    settings: Settings, system: SystemSettings, changes: JobDefinition, work: Workplace
) -> SensorDefinition:
    """Asks one base, every ``sensor`` of its settings. Its cursor is a hint: what was read is known by the store.

    While a run of the system is going nothing is asked, so a tick takes no session beyond those of the pool and two
    ticks never start two runs; the key of a run names the run before it, so that one that failed is tried again. Where
    notices are heard they are looked for more often; the system itself is asked no more often for it, nor is a run that
    failed tried sooner.
    """
    lang, code = settings.locale, system.code
    rhythm = system.sensor or LOOK
    tick = min(rhythm, LOOK) if system.takes_notices else rhythm

    @sensor(
        name=f"changes_{code}_sensor",
        job=changes,
        minimum_interval_seconds=tick,
        default_status=DefaultSensorStatus.RUNNING,
        description=sentence("dg_sensor_changes", lang, title=system.title or code),
    )
    def ask(context: SensorEvaluationContext) -> SensorResult | SkipReason:
        if going(context.instance, code):
            return SkipReason(sentence("dg_news_going", lang))
        before = json.loads(context.cursor) if context.cursor else {}
        last, good = last_run(context.instance, changes.name)
        if not good and time.time() - float(before.get("at", 0)) < rhythm - tick:
            return SkipReason(sentence("dg_news_failed", lang))
        turn = int(before.get("turn", 0))
        try:
            found = anything_new(work.hub, code, turn)
        except HubError as error:
            return SkipReason(f"{error.sentence(lang)} {error.advice(lang)}".strip())
        at = int(time.time()) if found.there else before.get("at", 0)
        cursor = json.dumps({"turn": turn + 1, "mark": found.mark or before.get("mark", ""), "at": at})
        if not found.there or (good and found.mark == before.get("mark")):
            return SensorResult(skip_reason=sentence(f"dg_{found.code}", lang), cursor=cursor)
        return SensorResult(run_requests=[RunRequest(run_key=f"{code}:{last}:{found.mark}")], cursor=cursor)

    return ask


def going(instance: DagsterInstance, system: str) -> bool:
    """Whether a run that touches the system waits or works."""
    tags = {names.SYSTEM_TAG: [system, names.SEVERAL]}
    return bool(instance.get_runs(RunsFilter(statuses=_GOING, tags=tags), limit=1))


def last_run(instance: DagsterInstance, job_name: str) -> tuple[str, bool]:
    """Id of the newest run of a job, and whether it ended well; ``first`` before there was one."""
    runs = instance.get_runs(RunsFilter(job_name=job_name), limit=1)
    return (runs[0].run_id, runs[0].status is DagsterRunStatus.SUCCESS) if runs else ("first", False)
