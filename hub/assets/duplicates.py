"""Duplicates as assets: what is compared, found, grouped, merged and waits, in one step after all routes of a run.

The steps between are one transaction or none in the service; here each is a page with its numbers over time.
"""

# No postponed annotations here: Dagster reads those of a step's context and result as they stand.

from base64 import b64encode
from collections.abc import Iterator
from typing import Any

from dagster import (
    AssetCheckExecutionContext,
    AssetCheckResult,
    AssetChecksDefinition,
    AssetCheckSpec,
    AssetExecutionContext,
    AssetKey,
    AssetsDefinition,
    AssetSpec,
    Field,
    MaterializeResult,
    MetadataValue,
    OpDefinition,
    OpExecutionContext,
    Out,
    Output,
    multi_asset,
    multi_asset_check,
    op,
)

from dedup.explain import waterfall, why
from hub.assets import names
from hub.assets.checks import check_result
from hub.assets.nodes import RouteNode
from hub.assets.outcome import raise_for
from hub.assets.request import request_of
from hub.assets.workplace import Workplace
from hub.exchange.duplicates.compare import compare_all
from hub.exchange.duplicates.decide import WORDS, decide, of
from hub.exchange.duplicates.marks import ENTITY
from hub.exchange.duplicates.numbers import Numbers, numbers
from hub.exchange.duplicates.queue import Wanted, doubts
from hub.exchange.duplicates.refit import refit
from hub.exchange.duplicates.settle import Settled
from hub.exchange.hub import Hub
from hub.exchange.service import RunReport, compare_clients, run_of
from hub.model.errors import HubError
from hub.model.settings import Settings
from hub.reconcile.duplicates import CHECKS
from hub.reports.refit import refit_lines
from hub.texts import sentence

#: After every route and its checks, before anything is sent.
PRIORITY = -400_000
#: The stages, in order, each with the numbers that its page shows.
STAGES = {
    "normalised": ("units", "waiting"),
    "keys": ("keys", "crowded"),
    "edges": ("pairs", "auto", "review", "related"),
    "entities": ("groups", "largest"),
    "golden": ("merged",),
    "review_queue": ("review", "auto"),
}
QUEUE = AssetKey(["dedup", "review_queue"])
#: Pairs whose reasons stand on the page of the queue.
EXAMPLES = 3


def compared(settings: Settings, nodes: list[RouteNode]) -> bool:
    """Whether clients are exchanged, and compared."""
    return settings.duplicates != "off" and any(node.entity.name == ENTITY and node.settings.enabled for node in nodes)


def duplicates_assets(settings: Settings, work: Workplace) -> AssetsDefinition:
    """The chain from what is said of clients to the pairs that wait for a person."""
    lang = settings.locale
    keys = [AssetKey(["dedup", stage]) for stage in STAGES]
    before = [names.table_key(ENTITY), *keys]
    specs = [
        AssetSpec(
            key,
            deps=[before[at]],
            description=sentence(f"dg_dedup_{key.path[-1]}", lang),
            group_name=names.GROUPS["clients"],
            owners=[names.OWNER],
            kinds={"python"},
        )
        for at, key in enumerate(keys)
    ]

    @multi_asset(name="duplicates", specs=specs, op_tags={"dagster/priority": str(PRIORITY)})
    def find(context: AssetExecutionContext) -> Iterator[MaterializeResult[None]]:
        try:
            hub, ask = work.hub, request_of(context)
            report = RunReport(run_of(hub, context.run.run_id), ask.mode)
            compare_clients(hub, report, silent=ask.silent)
            if report.duplicates_error is not None:
                raise report.duplicates_error
            told = _told(hub, report.duplicates, lang)
        except HubError as error:
            raise_for(error, lang, context.retry_number)
        yield from (MaterializeResult(asset_key=key, metadata=told[key.path[-1]]) for key in keys)

    return find


def _told(hub: Hub, settled: Settled | None, lang: str) -> dict[str, dict[str, Any]]:
    """Numbers of each stage by label."""
    with hub.store.read() as conn:
        found = numbers(conn)
    told = {stage: {label(name, lang): getattr(found, name) for name in shown} for stage, shown in STAGES.items()}
    if settled is not None:
        told["normalised"][sentence("dg_dedup_compared", lang)] = settled.compared
        told["golden"][sentence("dg_dedup_merged_now", lang)] = settled.merged
        told["golden"][sentence("dg_dedup_parted_now", lang)] = settled.parted
        told["golden"][sentence("dg_dedup_refused", lang)] = sum(settled.refused.values())
    if first := queue_page(hub, lang):
        told["review_queue"][sentence("dg_dedup_examples", lang)] = MetadataValue.md(first)
    return told


def queue_page(hub: Hub, lang: str) -> str:
    """The first pairs of the queue as Markdown: their numbers, why each may be one client, in words and as a picture.

    No names, no values: personal data stays in the store.
    """
    return "\n\n".join(
        f"**№ {one.one} ↔ № {one.other}.** {why(one.edge, lang)}\n\n![]({_picture(waterfall(one.edge, lang))})"
        for one in doubts(hub, limit=EXAMPLES)
    )


def _picture(svg: str) -> str:
    return f"data:image/svg+xml;base64,{b64encode(svg.encode()).decode()}"


def label(name: str, lang: str) -> str:
    """A number of ``Numbers`` as it is called."""
    return sentence(f"dg_dedup_number_{name}", lang)


def duplicates_checks(settings: Settings, work: Workplace) -> AssetChecksDefinition:
    """Whether somebody has to look."""
    lang = settings.locale

    @multi_asset_check(
        name="duplicates__checks",
        specs=[AssetCheckSpec(name, asset=QUEUE, description=sentence(f"dg_check_{name}", lang)) for name in CHECKS],
        can_subset=True,
        op_tags={"dagster/priority": str(PRIORITY - 1)},
    )
    def checks(context: AssetCheckExecutionContext) -> Iterator[AssetCheckResult]:
        selected = {check.name for check in context.selected_asset_check_keys}
        try:
            for name, check in CHECKS.items():
                if name in selected:
                    yield check_result(check.look(work.hub), name, lang)
        except HubError as error:
            raise_for(error, lang, context.op_execution_context.retry_number)

    return checks


def duplicates_ops(settings: Settings, work: Workplace) -> list[OpDefinition]:
    """``review``: one word on chosen pairs, as ``obmen duplicates decide``; ``compare``: everything anew;
    ``refit``: weights as judgements have them, as ``obmen duplicates refit``.
    """
    return [_review_op(settings, work), _compare_op(settings, work), _refit_op(settings, work)]


def _review_op(settings: Settings, work: Workplace) -> OpDefinition:
    lang = settings.locale
    schema = {
        "word": Field(str, default_value="later", description=", ".join(WORDS)),
        "patterns": Field([str], default_value=[]),
        "bands": Field([str], default_value=[]),
        "records": Field([int], default_value=[]),
        "apply": Field(bool, default_value=False),
        "by": Field(str, default_value="dagster"),
    }

    @op(
        name="review_duplicates",
        description=sentence("dg_op_review", lang),
        config_schema=schema,
        out=Out(Any, is_required=False),
        tags={"dagster/kind": "decision"},
    )
    def review(context: OpExecutionContext) -> Iterator[Any]:
        asked = context.op_config
        try:
            metadata = _reviewed(work.hub, asked, context.run_id, lang)
        except HubError as error:
            raise_for(error, lang, 99)
        yield Output(None, metadata=metadata)

    return review


def _reviewed(hub: Hub, asked: dict[str, Any], run: str, lang: str) -> dict[str, Any]:
    wanted = Wanted(tuple(asked["patterns"]), tuple(asked["bands"]), tuple(asked["records"]))
    chosen = doubts(hub, wanted) if any((wanted.patterns, wanted.bands, wanted.records)) else []
    told: dict[str, Any] = {sentence("dg_dedup_chosen", lang): len(chosen)}
    if asked["apply"] and asked["word"] in WORDS:
        done = decide(hub, of(chosen, asked["word"]), by=asked["by"], dagster_run_id=run)
        told |= {sentence(f"duplicate_{word}", lang): done.by_word.get(word, 0) for word in WORDS}
        told[sentence("dg_dedup_refused", lang)] = len(done.refused)
    return told


def _compare_op(settings: Settings, work: Workplace) -> OpDefinition:
    lang = settings.locale

    @op(
        name="compare_all_clients",
        description=sentence("dg_op_compare", lang),
        config_schema={"weights": Field(str, default_value="", description=sentence("cli_opt_weights", lang))},
        out=Out(Any, is_required=False),
        tags={"dagster/kind": "decision"},
    )
    def compare(context: OpExecutionContext) -> Iterator[Any]:
        try:
            asked = context.op_config["weights"] or None
            compare_all(work.hub, by="dagster", weights=asked, dagster_run_id=context.run_id)
            with work.hub.store.read() as conn:
                found = numbers(conn)
        except HubError as error:
            raise_for(error, lang, 99)
        yield Output(None, metadata={label(name, lang): getattr(found, name) for name in Numbers.__slots__})

    return compare


def _refit_op(settings: Settings, work: Workplace) -> OpDefinition:
    lang = settings.locale
    schema = {"apply": Field(bool, default_value=False), "by": Field(str, default_value="dagster")}

    @op(
        name="fit_weights",
        description=sentence("cli_help_duplicates_refit", lang),
        config_schema=schema,
        out=Out(Any, is_required=False),
        tags={"dagster/kind": "decision"},
    )
    def fit(context: OpExecutionContext) -> Iterator[Any]:
        asked = context.op_config
        try:
            done = refit(work.hub, by=asked["by"], apply=asked["apply"], dagster_run_id=context.run_id)
        except HubError as error:
            raise_for(error, lang, 99)
        told = "\n".join(f"- {line}" for line in refit_lines(done, lang))
        yield Output(None, metadata={sentence("dg_dedup_refit", lang): MetadataValue.md(told)})

    return fit
