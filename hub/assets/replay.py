"""Replaying quarantine as an op: the same act as ``obmen quarantine replay`` and ``obmen quarantine import``."""

# No postponed annotations here: Dagster reads those of a step's context and result as they stand.

from pathlib import Path
from typing import Any

from dagster import (
    AssetMaterialization,
    Field,
    MetadataValue,
    Noneable,
    OpDefinition,
    OpExecutionContext,
    TableColumn,
    TableRecord,
    TableSchema,
    op,
)

from hub.assets import names
from hub.assets.outcome import raise_for
from hub.assets.request import Request
from hub.assets.told import route_metadata
from hub.assets.watch import Fence
from hub.assets.workplace import Workplace
from hub.exchange.decisions import Checked, check
from hub.exchange.hub import Hub
from hub.exchange.replay import Order, ReplayReport, chosen, replay
from hub.exchange.service import SCHEMA_SECONDS
from hub.model.errors import HubError, NeedsPerson
from hub.model.settings import Settings
from hub.reconcile.rows import route_rows
from hub.reports.quarantine_book import read
from hub.store.quarantined import Choice
from hub.texts import sentence

#: Lines of a file that are told one by one.
_MOST_LINES = 50


def replay_op(settings: Settings, work: Workplace) -> OpDefinition:
    """Replays what its configuration names; as it stands, it only tells what would come of it."""
    lang = settings.locale

    def text(code: str, default: Any = None) -> Field:
        return Field(Noneable(str), default_value=default, is_required=False, description=sentence(code, lang))

    @op(
        name="replay",
        description=sentence("dg_op_replay", lang),
        config_schema={
            "route": text("dg_replay_route"),
            "cause": text("dg_replay_cause"),
            "id": text("dg_replay_id"),
            "decisions": text("dg_replay_decisions"),
            "dry_run": Field(
                bool, default_value=True, is_required=False, description=sentence("dg_replay_dry_run", lang)
            ),
        },
        tags={"dagster/kind": "replay"},
    )
    def replay_quarantine(context: OpExecutionContext) -> None:
        _replay(context, work, lang)

    return replay_quarantine


def _replay(context: OpExecutionContext, work: Workplace, lang: str) -> None:
    asked, run = context.op_config, context.run
    try:
        hub = work.hub
        orders = _orders(context, hub, asked, lang)
        report = replay(
            hub,
            orders,
            apply=not asked["dry_run"],
            by="dagster",
            initiator="dagster",
            dagster_run_id=run.run_id,
            supersedes=run.parent_run_id,
            should_stop=Fence(context.instance, run.run_id),
        )
    except HubError as error:
        raise_for(error, lang, context.retry_number)
    _tell(context, hub, report, lang)
    failed = next((route.error for route in report.routes if route.error is not None), None)
    if failed is not None:
        raise_for(failed, lang, context.retry_number)


def _orders(context: OpExecutionContext, hub: Hub, asked: dict[str, Any], lang: str) -> list[Order]:
    """Those of the file, if one is named, else what route, cause and id choose."""
    if asked["decisions"]:
        hub.believe_schemas(SCHEMA_SECONDS)
        checked = check(hub, read(Path(asked["decisions"])))
        _log_lines(context, checked, lang)
        if checked.mistakes and not asked["dry_run"]:
            raise NeedsPerson("decisions_wrong", path=asked["decisions"], number=len(checked.mistakes))
        return checked.orders
    if asked["route"]:
        hub.route(asked["route"])
    choice = Choice(*(((asked[name],) if asked[name] else ()) for name in ("route", "cause", "id")))
    with hub.store.read() as conn:
        return chosen(conn, choice)


def _log_lines(context: OpExecutionContext, checked: Checked, lang: str) -> None:
    """Lines that cannot be used, by number and code: their sentences may hold a value of somebody's card."""
    for fault in [*checked.mistakes, *checked.late][:_MOST_LINES]:
        context.log.warning(sentence("dg_replay_line", lang, row=fault.row, fault=fault.error.code))


def _tell(context: OpExecutionContext, hub: Hub, report: ReplayReport, lang: str) -> None:
    """Counters of the whole, a line for each cause, and for a real run the routes on the pages of their assets."""
    totals = {
        "dg_received": sum(cause.number for cause in report.causes),
        "dg_passed": sum(cause.passed for cause in report.causes),
        "dg_parked": sum(cause.waiting for cause in report.causes),
        "dg_held": sum(cause.held for cause in report.causes),
        "dg_skipped": sum(cause.skipped for cause in report.causes),
        "dg_corrected": sum(cause.corrected for cause in report.causes),
        "dg_refused": sum(found.number for cause in report.causes for found in cause.refused.values()),
        "dg_untried": sum(cause.untried + cause.gone for cause in report.causes),
        "dg_released": sum(route.released for route in report.routes),
        "dg_waiting": report.parked,
    }
    metadata: dict[str, Any] = {sentence(label, lang): number for label, number in totals.items()}
    metadata[sentence("dg_dry_run", lang)] = report.run_id is None
    if report.run_id is not None:
        metadata[sentence("dg_run", lang)] = report.run_id
    if report.causes:
        metadata[sentence("dg_causes", lang)] = _table(report, lang)
    context.add_output_metadata(metadata)
    for part in report.routes if report.run_id is not None else ():
        route = hub.routes[part.route]
        told = route_metadata(part, Request("replay", None), report.run_id or 0, route_rows(hub, route), lang)
        context.log_event(AssetMaterialization(names.route_key(route.system, route.entity.name), metadata=told))


def _table(report: ReplayReport, lang: str) -> MetadataValue[Any]:
    """By cause; reasons are codes and fields are names: nobody's data."""
    labels = ("dg_route_code", "dg_reason", "dg_field", "dg_number", "dg_passed", "dg_refused", "dg_refused_why")
    heads = [sentence(label, lang) for label in labels]
    rows = []
    for cause in report.causes:
        number = sum(found.number for found in cause.refused.values())
        why = ", ".join(f"{code} {field}".strip() for code, field in cause.refused) or cause.blocked
        cells = (cause.route, cause.reason_code, cause.field, cause.number, cause.passed, number, why)
        rows.append(TableRecord(dict(zip(heads, cells, strict=True))))
    kinds = ("string", "string", "string", "int", "int", "int", "string")
    return MetadataValue.table(
        records=rows, schema=TableSchema([TableColumn(head, kind) for head, kind in zip(heads, kinds, strict=True)])
    )
