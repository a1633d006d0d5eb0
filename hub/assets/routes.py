"""One asset per route. Its order among the others is a priority, not a dependency.

The lineage an admin sees goes from a system through the route to the central store's table, and from there to the
routes whose records refer to it. Routes do not depend on each other directly, since Dagster does not run what stands
below a failed step, and a route must go on when another one fails (late references are parked and released). The steps
of a run are carried out one by one in the order of their priorities, which is the load order: referenced first.
"""

# No postponed annotations here: Dagster reads those of a step's context and result as they stand.

from collections.abc import Sequence

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
from hub.assets.outcome import raise_for, tried_again
from hub.assets.request import Request, opened, request_of
from hub.assets.told import ROW_COUNT, route_metadata
from hub.assets.watch import Fence, Teller
from hub.assets.workplace import Workplace
from hub.exchange import service
from hub.exchange.hub import Hub
from hub.exchange.service import RouteReport
from hub.model.errors import HubError
from hub.model.settings import Settings
from hub.reconcile.history import FRESH_FOR
from hub.reconcile.rows import route_rows, table_rows
from hub.texts import sentence


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
        return _exchange(context, work, node, by_step, settings.locale)

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
    context: AssetExecutionContext, work: Workplace, node: RouteNode, by_step: dict[str, RouteNode], lang: str
) -> MaterializeResult[None]:
    work.begin(context.run.run_id, node.step)
    try:
        hub, ask = work.hub, request_of(context)
        run_id = opened(context, hub, by_step, ask)
        report = _pull(context, work, node, run_id, ask)
        error = report.error
    except HubError as caught:
        error = caught
    if error is not None:
        if tried_again(error, context.retry_number):
            work.put_off(context.run.run_id, node.step)
        raise_for(error, lang, context.retry_number)
    if report.paused:
        context.log.warning(sentence("dg_fields_paused", lang, names=", ".join(report.paused)))
    return _tell(context, hub, node, report, run_id, ask)


def _pull(context: AssetExecutionContext, work: Workplace, node: RouteNode, run_id: int, ask: Request) -> RouteReport:
    """Pull the route, unless its system has just refused another route of this run."""
    hub, system = work.hub, node.system.code
    refused = work.known_down(context.run.run_id, system)
    if refused is not None:
        lang = hub.settings.locale
        context.log.warning(
            sentence("dg_system_failed", lang, system=system, route=node.code, reason=refused.sentence(lang))
        )
        return service.refuse_route(hub, run_id, node.code, refused)
    report = service.pull_route(
        hub,
        run_id,
        node.code,
        window=ask.window,
        on_progress=Teller(context.log.info, context.log_event, context.asset_key, hub.settings.locale),
        should_stop=Fence(context.instance, context.run.run_id),
    )
    if report.error is not None and service.stops_system(report.error):
        work.note_down(context.run.run_id, system, report.error)
    return report


def _tell(
    context: AssetExecutionContext, hub: Hub, node: RouteNode, report: RouteReport, run_id: int, ask: Request
) -> MaterializeResult[None]:
    rows = route_rows(hub, hub.route(node.code))
    context.log_event(
        AssetMaterialization(names.table_key(node.entity.name), metadata={ROW_COUNT: table_rows(hub, node.entity)})
    )
    return MaterializeResult(metadata=route_metadata(report, ask, run_id, rows, hub.settings.locale))
