"""Jobs on demand: a dry run that saves a plan, and the carrying out of one."""

from dagster import JobDefinition, OpDefinition, in_process_executor, job

from hub.assets import names
from hub.model.settings import Settings
from hub.texts import sentence
from schedules.jobs import MAX_RUNTIME

PLAN = "plan_exchange"
APPLY = "apply_plan"


def plan_job(settings: Settings, plan: OpDefinition) -> JobDefinition:
    """One op, in one process."""

    @job(
        name=PLAN,
        description=sentence("dg_op_plan", settings.locale),
        tags=_tags(settings, "plan"),
        executor_def=in_process_executor,
        owners=[names.OWNER],
    )
    def plan_exchange() -> None:
        plan()

    return plan_exchange


def apply_job(settings: Settings, apply: OpDefinition) -> JobDefinition:
    """One op, in one process; which plan is a person's word."""

    @job(
        name=APPLY,
        description=sentence("dg_op_apply", settings.locale),
        tags=_tags(settings, "apply"),
        executor_def=in_process_executor,
        owners=[names.OWNER],
    )
    def apply_plan() -> None:
        apply()

    return apply_plan


def _tags(settings: Settings, mode: str) -> dict[str, str]:
    systems = list(settings.systems)
    return {
        names.MODE_TAG: mode,
        names.SYSTEM_TAG: systems[0] if len(systems) == 1 else names.SEVERAL,
        names.ENTITY_TAG: names.SEVERAL,
        "dagster/max_runtime": str(MAX_RUNTIME),
    }
