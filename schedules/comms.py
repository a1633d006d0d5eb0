"""The job of a person's word on whose a letter, a call or a meeting is."""

from dagster import JobDefinition, OpDefinition, in_process_executor, job

from hub.assets import names
from hub.model.settings import Settings
from hub.texts import sentence

WHOSE = "match_activity"


def whose_job(settings: Settings, say: OpDefinition) -> JobDefinition:
    """Nothing starts it but a person, from the Launchpad."""

    @job(
        name=WHOSE,
        description=sentence("dg_op_whose", settings.locale),
        executor_def=in_process_executor,
        owners=[names.OWNER],
    )
    def whose() -> None:
        say()

    return whose
