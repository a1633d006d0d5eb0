"""The checks of a route, carried out in one step: a step of its own for each would cost more than most checks."""

# No postponed annotations here: Dagster reads those of a step's context and result as they stand.

from collections.abc import Iterator, Sequence
from typing import Any

from dagster import (
    AssetCheckExecutionContext,
    AssetCheckResult,
    AssetChecksDefinition,
    AssetCheckSeverity,
    AssetCheckSpec,
    MetadataValue,
    TableRecord,
    multi_asset_check,
)

from hub.assets import names
from hub.assets.nodes import RouteNode
from hub.assets.outcome import raise_for
from hub.assets.routes import priority
from hub.assets.workplace import Workplace
from hub.model.errors import HubError
from hub.model.settings import Settings
from hub.reconcile.checks import checks_of, look_at
from hub.reconcile.finding import Finding
from hub.texts import sentence

_SEVERITY = {"warn": AssetCheckSeverity.WARN, "error": AssetCheckSeverity.ERROR}


def route_checks(settings: Settings, nodes: Sequence[RouteNode], work: Workplace) -> list[AssetChecksDefinition]:
    """For each route that is switched on, the checks that apply to its entity."""
    return [_checks(settings, node, work) for node in nodes if node.settings.enabled]


def _checks(settings: Settings, node: RouteNode, work: Workplace) -> AssetChecksDefinition:
    key, lang = names.route_key(node.system.code, node.entity.name), settings.locale
    wanted = checks_of(node.entity)

    @multi_asset_check(
        name=f"{node.step}__checks",
        specs=[
            AssetCheckSpec(check.name, asset=key, description=sentence(f"dg_check_{check.name}", lang))
            for check in wanted
        ],
        can_subset=True,
        pool=names.pool_of(node.system.code) if any(check.asks_source for check in wanted) else None,
        op_tags={"dagster/priority": str(priority(node) - 1)},
    )
    def checks(context: AssetCheckExecutionContext) -> Iterator[AssetCheckResult]:
        selected = {check.name for check in context.selected_asset_check_keys}
        for check in wanted:
            if check.name in selected:
                try:
                    finding = look_at(work.hub, node.code, check.name)
                except HubError as error:
                    raise_for(error, lang, context.op_execution_context.retry_number)
                yield check_result(finding, check.name, lang)

    return checks


def check_result(finding: Finding, name: str, lang: str) -> AssetCheckResult:
    """A finding as Dagster shows it: the sentence, numbers that plot, a table."""
    told: dict[str, Any] = {sentence(label, lang): number for label, number in finding.numbers.items()}
    if finding.table:
        rows = [TableRecord({sentence(label, lang): cell for label, cell in row.items()}) for row in finding.table]
        told[sentence("dg_table_of_check", lang)] = MetadataValue.table(records=rows)
    return AssetCheckResult(
        check_name=name,
        passed=finding.passed,
        severity=_SEVERITY[finding.severity],
        description=finding.text(lang),
        metadata=told,
    )
