"""The job that replays quarantine, on demand only: what to replay is a person's word."""

from dagster import JobDefinition, OpDefinition, in_process_executor, job

from hub.assets import names
from hub.model.settings import Settings
from hub.texts import sentence
from schedules.jobs import MAX_RUNTIME

NAME = "replay_quarantine"


def replay_job(settings: Settings, replay: OpDefinition) -> JobDefinition:
    """One op, in one process; a dry run unless its configuration says otherwise."""
    systems = list(settings.systems)

    @job(
        name=NAME,
        description=sentence("dg_op_replay", settings.locale),
        tags={
            names.MODE_TAG: "replay",
            names.SYSTEM_TAG: systems[0] if len(systems) == 1 else names.SEVERAL,
            names.ENTITY_TAG: names.SEVERAL,
            "dagster/max_runtime": str(MAX_RUNTIME),
        },
        executor_def=in_process_executor,
        owners=[names.OWNER],
    )
    def replay_quarantine() -> None:
        replay()

    return replay_quarantine
