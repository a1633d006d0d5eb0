"""Jobs of duplicates: one word on chosen pairs, and a comparison of everything."""

from collections.abc import Sequence

from dagster import JobDefinition, OpDefinition, in_process_executor, job

from hub.assets import names
from hub.model.settings import Settings
from hub.texts import sentence

REVIEW, COMPARE = "review", "compare_clients"
_TEXTS = {REVIEW: "dg_op_review", COMPARE: "dg_op_compare"}


def duplicates_jobs(settings: Settings, ops: Sequence[OpDefinition]) -> list[JobDefinition]:
    """A job for each op."""
    return [_job(settings, name, step) for name, step in zip((REVIEW, COMPARE), ops, strict=True)]


def _job(settings: Settings, name: str, step: OpDefinition) -> JobDefinition:
    @job(
        name=name,
        description=sentence(_TEXTS[name], settings.locale),
        executor_def=in_process_executor,
        owners=[names.OWNER],
    )
    def by_hand() -> None:
        step()

    return by_hand
