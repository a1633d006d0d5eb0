"""Jobs of what a person does by hand to single records; nothing starts them but a person, from the Launchpad."""

from collections.abc import Sequence

from dagster import JobDefinition, OpDefinition, in_process_executor, job

from hub.assets import names
from hub.model.settings import Settings
from hub.texts import sentence

#: Jobs in the order of the ops that they run.
WHY, PIN, UNPIN, UNDO = "why_value", "pin_value", "unpin_value", "undo_run"
_TEXTS = {WHY: "dg_op_why", PIN: "dg_op_pin", UNPIN: "dg_op_unpin", UNDO: "dg_op_undo"}


def hand_jobs(settings: Settings, ops: Sequence[OpDefinition]) -> list[JobDefinition]:
    """A job for each op."""
    return [_job(settings, name, step) for name, step in zip((WHY, PIN, UNPIN, UNDO), ops, strict=True)]


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
