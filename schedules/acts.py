"""Jobs for what an admin decides: one op each, on demand only."""

from __future__ import annotations

from collections.abc import Sequence

from dagster import JobDefinition, OpDefinition, in_process_executor, job

from hub.assets import names
from hub.model.settings import Settings
from hub.texts import sentence

#: Jobs by name, in the order of their ops.
NAMES = ("approve_held", "resolve_conflicts", "pause_route", "resume_route")


def act_jobs(settings: Settings, ops: Sequence[OpDefinition]) -> list[JobDefinition]:
    """A job for each act."""
    return [_job(settings, name, made) for name, made in zip(NAMES, ops, strict=True)]


def _job(settings: Settings, name: str, made: OpDefinition) -> JobDefinition:
    @job(
        name=name,
        description=sentence(f"dg_op_{name}", settings.locale),
        tags={names.MODE_TAG: "decide"},
        executor_def=in_process_executor,
        owners=[names.OWNER],
    )
    def act() -> None:
        made()

    return act
