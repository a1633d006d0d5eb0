"""Sending as assets: one for each system that anything is written to, after all routes of a run, before the summary.

What is sent to a system may bring in what is then owed to another one. The command sends in rounds within one run;
here each system has its step, so what a later one brings in for an earlier one is sent by the next run.
"""

# No postponed annotations here: Dagster reads those of a step's context and result as they stand.

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from dagster import (
    AssetCheckEvaluation,
    AssetCheckExecutionContext,
    AssetCheckResult,
    AssetChecksDefinition,
    AssetCheckSpec,
    AssetExecutionContext,
    AssetMaterialization,
    AssetsDefinition,
    MaterializeResult,
    MetadataValue,
    RetryRequested,
    TableColumn,
    TableRecord,
    TableSchema,
    asset,
    multi_asset_check,
)

from hub.assets import names
from hub.assets.checks import check_result
from hub.assets.nodes import RouteNode
from hub.assets.outcome import raise_for, tried_again
from hub.assets.request import Request, opened, request_of
from hub.assets.watch import Fence
from hub.assets.workplace import Workplace
from hub.exchange.hub import Hub
from hub.exchange.rules import RuleBook
from hub.exchange.sending import PushReport, push_all
from hub.model.errors import HubError
from hub.model.records import PUSHED
from hub.model.settings import Settings, SystemSettings
from hub.reconcile.outgoing import CHECKS
from hub.reports.reasons import safe, why
from hub.store.outgoing import standing
from hub.texts import sentence

#: After every route and every check of one, before the summary.
PRIORITY = -500_000
_LOOK_AGAIN = 15.0
_LOOKS = 100
_MOST_REASONS = 20


def written_to(settings: Settings) -> list[SystemSettings]:
    """Systems that any route writes to; ``HubError`` for mappings that cannot be compiled."""
    book = RuleBook.of(settings)
    writing = {part.system for part in book.parts.values() if book.way(part.system, part.entity).writes}
    return [system for code, system in settings.systems.items() if code in writing]


def outgoing_assets(
    settings: Settings, systems: Sequence[SystemSettings], nodes: Sequence[RouteNode], work: Workplace
) -> list[AssetsDefinition]:
    """An asset for each of the systems."""
    steps = {names.outgoing_step(system.code) for system in systems}
    return [_outgoing(settings, system, nodes, work, steps) for system in systems]


def _outgoing(
    settings: Settings, system: SystemSettings, nodes: Sequence[RouteNode], work: Workplace, steps: set[str]
) -> AssetsDefinition:
    own = [node for node in nodes if node.system.code == system.code]

    @asset(
        key=names.outgoing_key(system.code),
        deps=[names.table_key(name) for name in dict.fromkeys(node.entity.name for node in own)],
        description=sentence("dg_outgoing", settings.locale, title=system.title or system.code),
        group_name=names.OUTGOING_GROUP,
        owners=[names.OWNER],
        kinds=set(system.kind.split("_")),
        pool=names.pool_of(system.code),
        op_tags={"dagster/priority": str(PRIORITY)},
    )
    def outgoing(context: AssetExecutionContext) -> MaterializeResult[None]:
        if work.waits(context.run.run_id, besides=steps):
            # A route is to be tried again: what it then brings in is to be sent too, so this step steps back.
            raise RetryRequested(max_retries=_LOOKS, seconds_to_wait=_LOOK_AGAIN)
        return _send(context, settings, work, system.code, nodes)

    return outgoing


def _send(
    context: AssetExecutionContext, settings: Settings, work: Workplace, system: str, nodes: Sequence[RouteNode]
) -> MaterializeResult[None]:
    run, step, lang = context.run, names.outgoing_step(system), settings.locale
    work.begin(run.run_id, step)
    metadata: dict[str, Any] | None = None
    try:
        hub, ask = work.hub, request_of(context)
        run_id = opened(context, hub, {node.step: node for node in nodes}, ask)
        down = [system] if work.known_down(run.run_id, system) else []
        reports = push_all(hub, run_id, [system], down=down, should_stop=Fence(context.instance, run.run_id))
        metadata = push_metadata(hub, reports, run_id, ask, lang)
        error = next((report.error for report in reports if report.error is not None), None)
    except HubError as caught:
        error = caught
    if error is not None:
        if metadata is not None:
            context.log_event(AssetMaterialization(names.outgoing_key(system), metadata=metadata))
        if tried_again(error, context.retry_number):
            work.put_off(run.run_id, step)
        raise_for(error, lang, context.retry_number)
    return MaterializeResult(metadata=metadata)


def push_metadata(hub: Hub, reports: Iterable[PushReport], run_id: int, ask: Request, lang: str) -> dict[str, Any]:
    """What was sent to one system: numbers that plot, and why the rest was not; nobody's data."""
    told = list(reports)
    numbers: dict[str, int] = {"dg_owed": sum(report.counters.owed for report in told)}
    numbers |= {f"dg_push_{name}": sum(getattr(report.counters, name) for report in told) for name in PUSHED}
    numbers |= {"dg_push_received": sum(report.received.received for report in told), "dg_run": run_id}
    metadata: dict[str, Any] = {sentence(label, lang): number for label, number in numbers.items()}
    metadata[sentence("dg_mode", lang)] = sentence(f"dg_mode_{ask.mode}", lang)
    rows = [row for report in told for row in _reasons(hub, report, lang)]
    if rows:
        metadata[sentence("dg_unsent", lang)] = _table(rows[:_MOST_REASONS], lang)
    return metadata


def _reasons(hub: Hub, report: PushReport, lang: str) -> Iterator[tuple[str, str, int, str, str]]:
    code = report.route.removesuffix(".push")
    with hub.store.read() as conn:
        known = {(row.reason or row.state): safe(row.params) for row in standing(conn) if row.route == code}
    for outcome in ("failed", "unknown", "held", "waiting"):
        for reason, number in report.counters.by.get(outcome, {}).items():
            yield (code, sentence(f"dg_push_{outcome}", lang), number, *why(reason, lang, **known.get(reason, {})))


def _table(rows: Sequence[tuple[str, str, int, str, str]], lang: str) -> MetadataValue[Any]:
    labels = ("dg_route_code", "dg_kind", "dg_number", "dg_reason", "dg_advice")
    heads = [sentence(label, lang) for label in labels]
    kinds = ("string", "string", "int", "string", "string")
    return MetadataValue.table(
        records=[TableRecord(dict(zip(heads, row, strict=True))) for row in rows],
        schema=TableSchema([TableColumn(head, kind) for head, kind in zip(heads, kinds, strict=True)]),
    )


def outgoing_told(hub: Hub, reports: Sequence[PushReport], run_id: int, ask: Request) -> Iterator[AssetMaterialization]:
    """What a run that is no asset's sent, on the pages of the systems that were owed anything."""
    lang = hub.settings.locale
    for system in hub.settings.systems:
        own = [report for report in reports if report.route.partition(".")[0] == system]
        if any(report.counters.owed for report in own):
            metadata = push_metadata(hub, own, run_id, ask, lang)
            yield AssetMaterialization(names.outgoing_key(system), metadata=metadata)


def outgoing_checks(
    settings: Settings, systems: Sequence[SystemSettings], work: Workplace
) -> list[AssetChecksDefinition]:
    """For each of the systems, whether what it is owed reaches it."""
    return [_checks(settings, system, work) for system in systems]


def _checks(settings: Settings, system: SystemSettings, work: Workplace) -> AssetChecksDefinition:
    key, lang = names.outgoing_key(system.code), settings.locale

    @multi_asset_check(
        name=f"{names.outgoing_step(system.code)}__checks",
        specs=[AssetCheckSpec(name, asset=key, description=sentence(f"dg_check_{name}", lang)) for name in CHECKS],
        can_subset=True,
        op_tags={"dagster/priority": str(PRIORITY - 1)},
    )
    def checks(context: AssetCheckExecutionContext) -> Iterator[AssetCheckResult]:
        selected = {check.name for check in context.selected_asset_check_keys}
        try:
            for name, check in CHECKS.items():
                if name in selected:
                    yield check_result(check.look(work.hub, system.code), name, lang)
        except HubError as error:
            raise_for(error, lang, context.op_execution_context.retry_number)

    return checks


def evaluated(hub: Hub, system: str, lang: str) -> Iterator[AssetCheckEvaluation]:
    """The checks of a system as they stand now, for a run that is no asset's."""
    for name, check in CHECKS.items():
        found = check_result(check.look(hub, system), name, lang)
        yield AssetCheckEvaluation(
            asset_key=names.outgoing_key(system),
            check_name=name,
            passed=found.passed,
            metadata=found.metadata,
            severity=found.severity,
            description=found.description,
        )
