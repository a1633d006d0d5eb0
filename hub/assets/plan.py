"""Plans as ops: the same acts as ``obmen exchange --plan`` and ``obmen apply``."""

# No postponed annotations here: Dagster reads those of a step's context and result as they stand.

from typing import Any

from dagster import (
    Array,
    AssetMaterialization,
    Field,
    MetadataValue,
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
from hub.exchange.hub import Hub
from hub.exchange.plan.apply import ApplyReport, apply_plan
from hub.exchange.plan.make import PlanReport, make_plan
from hub.exchange.plan.spell import personal
from hub.model.errors import HubError
from hub.model.settings import Settings
from hub.reconcile.rows import route_rows
from hub.reports.plan_book import count_name, op_name, reason_name
from hub.texts import sentence

_HIDDEN = "•••"
_MOST = 50


def plan_op(settings: Settings, work: Workplace) -> OpDefinition:
    """Saves a plan of what an exchange would change."""
    lang = settings.locale
    routes = Field(Array(str), default_value=[], is_required=False, description=sentence("dg_plan_routes", lang))

    @op(
        name="plan",
        description=sentence("dg_op_plan", lang),
        config_schema={"routes": routes},
        tags={"dagster/kind": "plan"},
    )
    def plan(context: OpExecutionContext) -> None:
        fence = Fence(context.instance, context.run.run_id)
        try:
            report = make_plan(
                work.hub, list(context.op_config["routes"]) or None, initiator="dagster", should_stop=fence
            )
        except HubError as error:
            raise_for(error, lang, context.retry_number)
        context.add_output_metadata(_planned(report, lang))
        failed = next((one.error for one in report.run.routes if one.error is not None), None)
        if failed is not None:
            raise_for(failed, lang, 99)

    return plan


def _planned(report: PlanReport, lang: str) -> dict[str, Any]:
    counts = report.counts
    numbers = {f"dg_plan_{section}": counts.number(section) for section in ("items", "outgoing", "left")}
    told: dict[str, Any] = {sentence(label, lang): number for label, number in numbers.items()}
    told[sentence("dg_plan_plan", lang)] = report.code
    told[sentence("dg_plan_path", lang)] = MetadataValue.path(str(report.path))
    told[sentence("dg_plan_book", lang)] = MetadataValue.path(str(report.book))
    told[sentence("dg_plan_counts", lang)] = _counts(report, lang)
    told[sentence("dg_plan_samples", lang)] = _samples(report, lang)
    return told


def _counts(report: PlanReport, lang: str) -> MetadataValue[Any]:
    rows = [
        (route or "—", count_name(section, what, lang), number)
        for section, routes in report.counts.by.items()
        for route, of_route in routes.items()
        for what, number in sorted(of_route.items())
    ]
    return _table(("plan_route", "plan_what", "plan_number"), rows, lang)


def _samples(report: PlanReport, lang: str) -> MetadataValue[Any]:
    """Fields with their values; nobody's data: whatever may be personal is hidden."""
    rows = []
    for section in ("items", "outgoing"):
        for part in report.counts.samples[section]:
            for cell in part.get("changes", [])[:3]:
                hidden = personal(part["entity"], cell["field"])
                before, after = (_HIDDEN if hidden and cell[side] else cell[side] or "" for side in ("before", "after"))
                where = (part.get("route") or "—", op_name(part["op"], lang), part.get("external_id", ""))
                rows.append((*where, cell["field"] or "", before, after))
    return _table(("plan_route", "plan_op", "plan_key", "plan_field", "plan_before", "plan_after"), rows[:_MOST], lang)


def _table(labels: tuple[str, ...], rows: list[tuple[Any, ...]], lang: str) -> MetadataValue[Any]:
    heads = [sentence(label, lang) for label in labels]
    return MetadataValue.table(
        records=[TableRecord(dict(zip(heads, row, strict=True))) for row in rows],
        schema=TableSchema(
            [
                TableColumn(head, "int" if label == "plan_number" else "string")
                for head, label in zip(heads, labels, strict=True)
            ]
        ),
    )


def apply_op(settings: Settings, work: Workplace) -> OpDefinition:
    """Carries a saved plan out."""
    lang = settings.locale

    @op(
        name="apply",
        description=sentence("dg_op_apply", lang),
        config_schema={"plan": Field(str, description=sentence("dg_plan_plan", lang))},
        tags={"dagster/kind": "plan"},
    )
    def apply(context: OpExecutionContext) -> None:
        run = context.run
        try:
            report = apply_plan(
                work.hub,
                context.op_config["plan"],
                initiator="dagster",
                dagster_run_id=run.run_id,
                supersedes=run.parent_run_id,
                should_stop=Fence(context.instance, run.run_id),
            )
        except HubError as error:
            raise_for(error, lang, context.retry_number)
        _tell(context, work.hub, report, lang)
        errors = [one.error for one in report.run.routes] + [one.error for one in report.run.pushes]
        failed = next((error for error in errors if error is not None), None)
        if failed is not None:
            raise_for(failed, lang, 99)

    return apply


def _tell(context: OpExecutionContext, hub: Hub, report: ApplyReport, lang: str) -> None:
    numbers = {
        "dg_plan_applied": report.applied,
        "dg_plan_sent": report.sent,
        "dg_plan_already": report.already,
        "dg_plan_moved": len(report.moved),
        "dg_run": report.run.run_id,
    }
    metadata: dict[str, Any] = {sentence(label, lang): number for label, number in numbers.items()}
    rows = [(one.route or "—", one.key, reason_name(one.reason, lang)) for one in report.moved[:_MOST]]
    if rows:
        metadata[sentence("plan_reason", lang)] = _table(("plan_route", "plan_key", "plan_reason"), rows, lang)
    context.add_output_metadata(metadata)
    for part in report.run.routes:
        if part.counters.received:
            route = hub.routes[part.route]
            told = route_metadata(part, Request("apply", None), report.run.run_id, route_rows(hub, route), lang)
            context.log_event(AssetMaterialization(names.route_key(route.system, route.entity.name), metadata=told))
