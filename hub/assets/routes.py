"""One asset per route. Its order among the others is a priority, not a dependency.

The lineage an admin sees goes from a system through the route to the central store's table, and from there to the
routes whose records refer to it. Routes do not depend on each other directly, since Dagster does not run what stands
below a failed step, and a route must go on when another one fails (late references are parked and released). The steps
of a run are carried out one by one in the order of their priorities, which is the load order: referenced first.
"""

# No postponed annotations here: Dagster reads those of a step's context and result as they stand.

from collections.abc import Sequence
from datetime import timedelta

from dagster import (
    AssetExecutionContext,
    AssetMaterialization,
    AssetsDefinition,
    BackfillPolicy,
    DailyPartitionsDefinition,
    FreshnessPolicy,
    MaterializeResult,
    asset,
)

from hub.assets import names
from hub.assets.nodes import RouteNode
from hub.assets.outcome import raise_for
from hub.assets.request import Request, planned, request_of, run_tags
from hub.assets.told import ROW_COUNT, route_metadata
from hub.assets.watch import Fence, Teller
from hub.assets.workplace import Workplace
from hub.exchange import runs, service
from hub.exchange.hub import Hub
from hub.exchange.service import RouteReport
from hub.model.errors import HubError, RetryLater, StopSystem
from hub.model.settings import Settings
from hub.reconcile.rows import route_rows, table_rows
from hub.texts import sentence

#: A night that did not come shows on the asset by the next forenoon.
FRESH_FOR = timedelta(hours=30)


def route_assets(
    settings: Settings, nodes: Sequence[RouteNode], days: DailyPartitionsDefinition, work: Workplace
) -> list[AssetsDefinition]:
    """An asset for each route."""
    by_step = {node.step: node for node in nodes}
    return [_route_asset(settings, node, days, work, by_step) for node in nodes]


def _route_asset(
    settings: Settings,
    node: RouteNode,
    days: DailyPartitionsDefinition,
    work: Workplace,
    by_step: dict[str, RouteNode],
) -> AssetsDefinition:
    @asset(
        key=names.route_key(node.system.code, node.entity.name),
        deps=[names.source_key(node.system.code), *(names.table_key(name) for name in node.references)],
        description=describe(settings, node),
        group_name=names.group_of(node.entity),
        owners=[names.OWNER],
        kinds=set(node.system.kind.split("_")),
        pool=names.pool_of(node.system.code),
        op_tags={"dagster/priority": str(priority(node))},
        partitions_def=days if node.dated else None,
        backfill_policy=BackfillPolicy.single_run() if node.dated else None,
        freshness_policy=FreshnessPolicy.time_window(fail_window=FRESH_FOR) if node.settings.enabled else None,
    )
    def route(context: AssetExecutionContext) -> MaterializeResult[None]:
        return _exchange(context, work, node, by_step)

    return route


def priority(node: RouteNode) -> int:
    """Higher goes first; checks of a route come right after it, before the next route."""
    return -2 * node.rank


def describe(settings: Settings, node: RouteNode) -> str:
    """What the asset's page says about the route."""
    lang = settings.locale
    entity = node.entity.ru if lang == "ru" else node.entity.en
    streams = ", ".join(f"`{stream}`" for stream in node.streams)
    title = node.system.title or node.system.code
    parts = [
        sentence("dg_route", lang, entity=entity, system=title, route=node.code, streams=streams),
        sentence("dg_route_days" if node.dated else "dg_route_plain", lang, zone=settings.company_timezone),
    ]
    if not node.settings.enabled:
        parts.append(sentence("dg_route_disabled", lang, route=node.code))
    return "\n\n".join(parts)


def _exchange(
    context: AssetExecutionContext, work: Workplace, node: RouteNode, by_step: dict[str, RouteNode]
) -> MaterializeResult[None]:
    lang = "ru"
    try:
        hub = work.hub
        lang = hub.settings.locale
        ask = request_of(context)
        codes = planned(context, by_step)
        routes = [each for each in by_step.values() if each.code in codes]
        context.instance.add_run_tags(context.run_id, run_tags(context.run, routes, ask.mode))
        run_id = _open(context, hub, node, codes, ask)
        report = _pull(context, work, node, run_id, ask)
    except HubError as error:
        raise_for(error, lang, context.retry_number)
    if report.error is not None:
        raise_for(report.error, lang, context.retry_number)
    if report.paused:
        context.log.warning(sentence("dg_fields_paused", lang, names=", ".join(report.paused)))
    return _tell(context, hub, node, report, run_id)


def _open(context: AssetExecutionContext, hub: Hub, node: RouteNode, codes: list[str], ask: Request) -> int:
    """The exchange run of this Dagster run: opened by the first of its steps, joined by the others."""
    run = context.run
    run_id = service.open_run(
        hub,
        [node.code] if context.retry_number else codes,
        mode=ask.mode,
        initiator=f"schedule:{run.tags['dagster/schedule_name']}" if "dagster/schedule_name" in run.tags else "dagster",
        dagster_run_id=run.run_id,
        supersedes=run.parent_run_id,
        silent=ask.silent,
    )
    context.instance.add_run_tags(run.run_id, {names.RUN_TAG: str(run_id)})
    return run_id


def _pull(context: AssetExecutionContext, work: Workplace, node: RouteNode, run_id: int, ask: Request) -> RouteReport:
    """Pull the route, unless its system has just refused another route of this run."""
    hub, system = work.hub, node.system.code
    refused = work.known_down(context.run_id, system)
    if refused is not None:
        lang = hub.settings.locale
        context.log.warning(
            sentence("dg_system_failed", lang, system=system, route=node.code, reason=refused.sentence(lang))
        )
        return _not_asked(hub, run_id, node, refused)
    report = service.pull_route(
        hub,
        run_id,
        node.code,
        window=ask.window,
        on_progress=Teller(context.log.info, context.log_event, context.asset_key, hub.settings.locale),
        should_stop=Fence(context.instance, context.run_id),
    )
    error = report.error
    if isinstance(error, StopSystem) or (isinstance(error, RetryLater) and error.code != "route_busy"):
        work.note_down(context.run_id, system, error)
    return report


def _not_asked(hub: Hub, run_id: int, node: RouteNode, error: HubError) -> RouteReport:
    """The journal keeps the route as failed for the reason its system has given."""
    route = hub.route(node.code)
    with hub.store.begin() as conn:
        runs.start_route(conn, run_id, route.id, "", None)
    runs.end_route(hub.store, run_id, route.id, "failed", error)
    return RouteReport(node.code, "failed", error=error)


def _tell(
    context: AssetExecutionContext, hub: Hub, node: RouteNode, report: RouteReport, run_id: int
) -> MaterializeResult[None]:
    rows = route_rows(hub, hub.route(node.code))
    context.log_event(
        AssetMaterialization(names.table_key(node.entity.name), metadata={ROW_COUNT: table_rows(hub, node.entity)})
    )
    return MaterializeResult(metadata=route_metadata(report, run_id, rows, hub.settings.locale))
