"""Jobs of duplicates: one word on chosen pairs, a comparison of everything, weights as judgements have them."""

from collections.abc import Sequence

from dagster import JobDefinition, OpDefinition, in_process_executor, job

from hub.assets import names
from hub.model.settings import Settings
from hub.texts import sentence

REVIEW, COMPARE, REFIT = "review", "compare_clients", "refit_weights"
_TEXTS = {REVIEW: "dg_op_review", COMPARE: "dg_op_compare", REFIT: "cli_help_duplicates_refit"}


def duplicates_jobs(settings: Settings, ops: Sequence[OpDefinition]) -> list[JobDefinition]:
    """A job for each op."""
    return [_job(settings, name, step) for name, step in zip(_TEXTS, ops, strict=True)]


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
