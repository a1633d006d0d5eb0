"""Taking changes, and an admin's word on a base, as ops; and whether a system stands still as a check of its asset."""

# No postponed annotations here: Dagster reads those of a step's context and result as they stand.

from collections.abc import Iterator
from typing import Any

from dagster import (
    AssetCheckEvaluation,
    AssetCheckResult,
    AssetChecksDefinition,
    AssetMaterialization,
    Enum,
    EnumValue,
    OpDefinition,
    OpExecutionContext,
    Out,
    Output,
    asset_check,
    op,
)

from hub.assets import names
from hub.assets.checks import check_result
from hub.assets.outcome import raise_for
from hub.assets.request import Request
from hub.assets.sending import evaluated, outgoing_told
from hub.assets.told import route_metadata
from hub.assets.watch import Fence
from hub.assets.workplace import Workplace
from hub.exchange import service, went_back
from hub.exchange.hub import Hub
from hub.exchange.service import RunReport
from hub.model.errors import HubError
from hub.model.settings import Settings, SystemSettings
from hub.reconcile.rows import route_rows
from hub.reconcile.standing import system_state
from hub.texts import sentence

STATE_CHECK = "system_state"


def changes_op(settings: Settings, system: SystemSettings, work: Workplace) -> OpDefinition:
    """Takes what changed in one system."""
    title = system.title or system.code

    @op(
        name=f"take_changes_{system.code}",
        description=sentence("dg_op_changes", settings.locale, title=title),
        pool=names.pool_of(system.code),
        tags={"dagster/kind": "changes"},
        out=Out(Any, is_required=False),
    )
    def take(context: OpExecutionContext) -> Iterator[Any]:
        yield from _take(context, work, system.code, settings.locale)

    return take


def _take(context: OpExecutionContext, work: Workplace, system: str, lang: str) -> Iterator[Any]:
    """What the run did, event by event: Dagster keeps what was yielded before a step fails, and nothing else."""
    run = context.run
    sensor = run.tags.get("dagster/sensor_name")
    try:
        report = service.exchange_changes(
            work.hub,
            [system],
            initiator=f"sensor:{sensor}" if sensor else "dagster",
            dagster_run_id=run.run_id,
            supersedes=run.parent_run_id,
            should_stop=Fence(context.instance, run.run_id),
        )
    except HubError as error:
        raise_for(error, lang, context.retry_number)
    yield from _told(work.hub, report, lang)
    yield from outgoing_told(work.hub, report.pushes, report.run_id, Request("changes", None))
    yield _evaluated(work.hub, system, lang)
    for code in dict.fromkeys(one.route.partition(".")[0] for one in report.pushes):
        yield from evaluated(work.hub, code, lang)
    errors = [*(part.error for part in report.routes), *(part.error for part in report.pushes)]
    failed = next((error for error in errors if error is not None), None)
    if failed is not None:
        raise_for(failed, lang, context.retry_number)
    later = ", ".join(part.route for part in report.routes if part.state == "later")
    if later:
        context.log.info(sentence("dg_later_log", lang, routes=later))
    yield Output(None, metadata={sentence("dg_later", lang): later or "—"})


def _evaluated(hub: Hub, system: str, lang: str) -> AssetCheckEvaluation:
    """The system's check as this run leaves it: it must not go on showing what an earlier exchange found."""
    found = check_result(system_state(hub, system), STATE_CHECK, lang)
    return AssetCheckEvaluation(
        asset_key=names.source_key(system),
        check_name=STATE_CHECK,
        passed=found.passed,
        metadata=found.metadata,
        severity=found.severity,
        description=found.description,
    )


def _told(hub: Hub, report: RunReport, lang: str) -> Iterator[AssetMaterialization]:
    """Routes that received anything appear on the pages of their assets."""
    for part in report.routes:
        route = hub.routes.get(part.route)
        if route is None or not part.counters.received:
            continue
        ask = Request("changes", None)
        metadata = route_metadata(part, ask, report.run_id, route_rows(hub, route), lang)
        yield AssetMaterialization(names.route_key(route.system, route.entity.name), metadata=metadata)


def decide_op(settings: Settings, work: Workplace) -> OpDefinition:
    """The same act as ``obmen system SYSTEM restored|copy|go-on``."""
    lang = settings.locale
    systems = Enum("System", [EnumValue(code) for code in settings.systems])
    decisions = Enum("Decision", [EnumValue(decision) for decision in went_back.DECISIONS])

    @op(
        name="decide",
        description=sentence("dg_op_decide", lang),
        config_schema={"system": systems, "decision": decisions},
        tags={"dagster/kind": "decision"},
        out=Out(Any, is_required=False),
    )
    def decide(context: OpExecutionContext) -> Iterator[Any]:
        system, decision = context.op_config["system"], context.op_config["decision"]
        try:
            state = went_back.decide(work.hub, system, decision, "dagster")
        except HubError as error:
            raise_for(error, lang, context.retry_number)
        title = settings.systems[system].title or system
        context.log.info(sentence(f"cli_system_{state.state}", lang, title=title, system=system))
        yield _evaluated(work.hub, system, lang)

    return decide


def state_checks(settings: Settings, work: Workplace) -> list[AssetChecksDefinition]:
    """For each system, whether it is exchanged or waits for an admin."""
    return [_state_check(settings, system, work) for system in settings.systems.values()]


def _state_check(settings: Settings, system: SystemSettings, work: Workplace) -> AssetChecksDefinition:
    lang = settings.locale

    @asset_check(
        asset=names.source_key(system.code), name=STATE_CHECK, description=sentence("dg_check_system_state", lang)
    )
    def state() -> AssetCheckResult:
        try:
            return check_result(system_state(work.hub, system.code), STATE_CHECK, lang)
        except HubError as error:
            raise_for(error, lang, 99)

    return state
