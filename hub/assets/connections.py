"""The connection test as ops: one per system, told on the system's asset."""

# No postponed annotations here: Dagster reads those of a step's context and result as they stand.

from typing import Any

from dagster import AssetObservation, OpDefinition, OpExecutionContext, op

from hub.assets import names
from hub.assets.outcome import raise_for
from hub.assets.workplace import Workplace
from hub.exchange.check import CheckResult, check_system
from hub.model.errors import HubError
from hub.model.settings import Settings, SystemSettings
from hub.texts import sentence


def connection_ops(settings: Settings, work: Workplace) -> list[OpDefinition]:
    """An op that tests the connection, for each system."""
    return [_op(settings, system, work) for system in settings.systems.values()]


def _op(settings: Settings, system: SystemSettings, work: Workplace) -> OpDefinition:
    title = system.title or system.code

    @op(
        name=f"check_{system.code}",
        description=sentence("dg_op_check", settings.locale, title=title),
        pool=names.pool_of(system.code),
        tags={"dagster/kind": "check"},
    )
    def check(context: OpExecutionContext) -> None:
        _check(context, work, system, settings.locale)

    return check


def _check(context: OpExecutionContext, work: Workplace, system: SystemSettings, lang: str) -> None:
    """Every problem is in the log; the first one fails the step, since mending it comes first."""
    try:
        result = check_system(work.hub, system.code)
    except HubError as error:
        raise_for(error, lang, context.retry_number)
    context.log_event(AssetObservation(names.source_key(system.code), metadata=_metadata(result, lang)))
    for name, problems in result.paused.items():
        context.log.warning(sentence("dg_fields_paused", lang, names=name))
        for problem in problems:
            context.log.warning(_text(problem, lang))
    for problem in result.problems:
        context.log.error(_text(problem, lang))
    if result.problems:
        # Tried again only by a person: whoever asks for a test wants the answer now.
        raise_for(result.problems[0], lang, retry_number=99)
    context.log.info(
        sentence(
            "dg_connection_good",
            lang,
            title=system.title or system.code,
            product=result.report.product,
            streams=result.report.streams,
            mappings=result.mappings,
        )
    )


def _text(problem: Any, lang: str) -> str:
    return f"{problem.sentence(lang)} {problem.advice(lang)}".strip()


def _metadata(result: CheckResult, lang: str) -> dict[str, Any]:
    numbers = {
        "dg_reachable": result.report.reachable,
        "dg_streams": result.report.streams,
        "dg_mappings": result.mappings,
        "dg_paused": len(result.paused),
        "dg_problems": len(result.problems),
    }
    return {sentence(label, lang): value for label, value in numbers.items()}
