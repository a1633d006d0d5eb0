"""Jobs that put duplicates together and take them apart; nothing starts them but a person, from the Launchpad."""

from collections.abc import Sequence

from dagster import JobDefinition, OpDefinition, in_process_executor, job

from hub.assets import names
from hub.model.settings import Settings
from hub.texts import sentence

#: Jobs by name, with the op that each runs.
JOBS = {
    "merge": "merge_clients",
    "unmerge": "unmerge_clients",
    "split": "split_client",
    "not_duplicates": "say_different",
}


def merge_jobs(settings: Settings, ops: Sequence[OpDefinition]) -> list[JobDefinition]:
    """A job for each op."""
    return [_job(settings, name, step) for name, step in zip(JOBS, ops, strict=True)]


def _job(settings: Settings, name: str, step: OpDefinition) -> JobDefinition:
    @job(
        name=name,
        description=sentence(f"dg_op_{JOBS[name]}", settings.locale),
        executor_def=in_process_executor,
        owners=[names.OWNER],
    )
    def by_hand() -> None:
        step()

    return by_hand
