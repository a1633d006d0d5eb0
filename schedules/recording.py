"""The job that fetches a recording; nothing starts it but a person, from the Launchpad."""

from dagster import JobDefinition, OpDefinition, in_process_executor, job

from hub.assets import names
from hub.model.settings import Settings
from hub.texts import sentence

NAME = "fetch_recording"


def recording_job(settings: Settings, step: OpDefinition) -> JobDefinition:
    """One op, on demand only."""

    @job(
        name=NAME,
        description=sentence("dg_op_recording", settings.locale),
        executor_def=in_process_executor,
        owners=[names.OWNER],
    )
    def recording() -> None:
        step()

    return recording
