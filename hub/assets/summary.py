"""The morning summary: the last step of an exchange, and the first thing an admin opens."""

# No postponed annotations here: Dagster reads those of a step's context and result as they stand.

from collections.abc import Sequence
from typing import Any

from dagster import AssetExecutionContext, AssetsDefinition, MaterializeResult, MetadataValue, RetryRequested, asset

from hub.assets import names
from hub.assets.nodes import RouteNode
from hub.assets.outcome import raise_for
from hub.assets.workplace import Workplace
from hub.model.errors import HubError
from hub.model.settings import Settings
from hub.reports import text
from hub.reports.model import Summary
from hub.reports.summary import summary
from hub.texts import sentence

#: After every route and every check.
LAST = -1_000_000
_LOOK_AGAIN = 15.0
_LOOKS = 100
#: Things to do that are shown without opening the report.
_MOST = 5


def summary_asset(settings: Settings, nodes: Sequence[RouteNode], work: Workplace) -> AssetsDefinition:
    """One asset. It stands below the store's tables only to be seen: it is made whatever failed before it."""

    @asset(
        key=names.SUMMARY_KEY,
        deps=[names.table_key(name) for name in dict.fromkeys(node.entity.name for node in nodes)],
        description=sentence("dg_summary", settings.locale),
        group_name=names.SUMMARY_GROUP,
        owners=[names.OWNER],
        kinds={"report"},
        op_tags={"dagster/priority": str(LAST)},
    )
    def morning_summary(context: AssetExecutionContext) -> MaterializeResult[None]:
        if work.waits(context.run.run_id):
            # A route's step waits to be tried again; steps that are ready do not wait for it, so this one steps back.
            raise RetryRequested(max_retries=_LOOKS, seconds_to_wait=_LOOK_AGAIN)
        lang = settings.locale
        try:
            number = context.instance.get_run_by_id(context.run.run_id)
            run_id = int(number.tags[names.RUN_TAG]) if number and names.RUN_TAG in number.tags else None
            told = summary(work.hub, run_id)
        except HubError as error:
            raise_for(error, lang, context.retry_number)
        return MaterializeResult(metadata=_metadata(told, lang))

    return morning_summary


def _metadata(told: Summary, lang: str) -> dict[str, Any]:
    totals = told.totals
    numbers = {
        "dg_red": sum(item.severity == "red" for item in told.todo),
        "dg_yellow": sum(item.severity == "yellow" for item in told.todo),
        "dg_received": totals.received,
        "dg_created": totals.created,
        "dg_updated": totals.updated,
        "dg_deleted": sum(line.deleted for line in told.routes),
        "dg_restored": sum(line.restored for line in told.routes),
        "dg_in_quarantine": sum(group.number for group in told.quarantine),
        "dg_waiting": sum(group.number for group in told.parked),
        "dg_run": told.run_id,
    }
    todo = [f"{number}. {item.said[lang]} {item.advice[lang]}" for number, item in enumerate(told.todo[:_MOST], 1)]
    texts: dict[str, Any] = {
        sentence("dg_verdict", lang): text.plain(told, lang)[0],
        sentence("dg_todo", lang): "\n".join(todo) or "—",
        sentence("dg_report", lang): MetadataValue.md(text.markdown(told, lang)),
    }
    return texts | {sentence(label, lang): number for label, number in numbers.items()}
