"""The nightly schedule. It names the day that has ended, whatever the newest partition is."""

# No postponed annotations here: Dagster reads that of the context as it stands.

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from dagster import (
    DefaultScheduleStatus,
    RunRequest,
    ScheduleDefinition,
    ScheduleEvaluationContext,
    schedule,
)
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

from hub.assets import names
from hub.model.settings import Settings
from hub.texts import sentence

NAME = "nightly"


def nightly_schedule(settings: Settings, job: UnresolvedAssetJobDefinition, *, by_day: bool) -> ScheduleDefinition:
    """Runs ``job`` every night at the settings' time of the company's zone.

    ``by_day``: the job holds documents, so its run carries the day before as its partition. One run per day at most:
    a tick that is repeated (a schedule switched off and on, clocks put back) finds the day's key used.
    """
    zone, lang = settings.company_timezone, settings.locale

    @schedule(
        name=NAME,
        job=job,
        cron_schedule=cron(settings.nightly),
        execution_timezone=zone,
        default_status=DefaultScheduleStatus.RUNNING,
        description=sentence("dg_schedule", lang, time=settings.nightly, zone=zone),
        owners=[names.OWNER],
    )
    def nightly(context: ScheduleEvaluationContext) -> RunRequest:
        day = yesterday(context.scheduled_execution_time, zone)
        return RunRequest(run_key=day, partition_key=day if by_day else None)

    return nightly


def cron(clock: str) -> str:
    """``02:15`` as a cron expression."""
    hour, minute = clock.split(":")
    return f"{int(minute)} {int(hour)} * * *"


def yesterday(moment: datetime, zone: str) -> str:
    """The day before ``moment`` by the calendar of ``zone``, as a partition key."""
    return (moment.astimezone(ZoneInfo(zone)).date() - timedelta(days=1)).isoformat()
