"""Duplicates in Dagster: merge, its undo, a split, and the word that two records are different, one op each.

Each calls the service that the command calls; without ``apply`` it only shows. Personal data are masked here.
"""

# No postponed annotations here: Dagster reads those of a step's context and result as they stand.

from collections.abc import Callable, Iterator
from typing import Any

from dagster import Field, MetadataValue, OpDefinition, OpExecutionContext, Out, Output, op

from hub.assets.hand import table
from hub.assets.outcome import raise_for
from hub.assets.workplace import Workplace
from hub.exchange.cards.layout import layout_of
from hub.exchange.hub import Hub
from hub.exchange.merging import judgements, merge, split, unmerge
from hub.exchange.merging.told import Moved
from hub.exchange.showing import masked, masked_path
from hub.model.errors import HubError
from hub.model.settings import Settings
from hub.texts import sentence

_WHO, _ENTITY = "dagster", "party"
#: Rows of a table in Dagster.
_ROWS = 100
#: Asked with: the config, the hub, the Dagster run; tells metadata.
Act = Callable[[dict[str, Any], Hub, str, str], dict[str, Any]]


def merge_ops(settings: Settings, work: Workplace) -> list[OpDefinition]:
    """One op for each job of ``schedules.merge``, in their order."""
    note, apply = Field(str, default_value=""), Field(bool, default_value=False)
    judge = Field(bool, default_value=True, description=sentence("dg_merge_judge", settings.locale))
    common = {"note": note, "apply": apply}
    return [
        _op(settings, work, "merge_clients", _merge, {"survivor": str, "losers": [str], "force": apply, **common}),
        _op(
            settings,
            work,
            "unmerge_clients",
            _unmerge,
            {"run": Field(int, default_value=0), "record": note, "cascade": apply, "judge": judge, **common},
        ),
        _op(settings, work, "split_client", _split, {"id": str, "keys": [str], "judge": judge, **common}),
        _op(settings, work, "say_different", _different, {"one": str, "other": str, "note": note, "revoke": apply}),
    ]


def _op(settings: Settings, work: Workplace, name: str, act: Act, schema: dict[str, Any]) -> OpDefinition:
    lang = settings.locale

    @op(
        name=name,
        description=sentence(f"dg_op_{name}", lang),
        config_schema=schema,
        out=Out(Any, is_required=False),
        tags={"dagster/kind": "decision"},
    )
    def carry_out(context: OpExecutionContext) -> Iterator[Any]:
        try:
            told = act(context.op_config, work.hub, context.run.run_id, lang)
        except HubError as error:
            raise_for(error, lang, 99)
        yield Output(None, metadata=told)

    return carry_out


def _merge(asked: dict[str, Any], hub: Hub, dagster: str, lang: str) -> dict[str, Any]:
    told = {"reason": asked["note"] or None, "confirm": asked["force"]}
    wish = merge.ask(hub, _ENTITY, asked["survivor"], asked["losers"], by=_WHO, **told)
    report = merge.merge(hub, wish, dagster_run_id=dagster) if asked["apply"] else merge.plan(hub, wish)
    return _metadata(report, lang)


def _unmerge(asked: dict[str, Any], hub: Hub, dagster: str, lang: str) -> dict[str, Any]:
    wish: dict[str, Any] = {"by": _WHO, "cascade": asked["cascade"], "judge": asked["judge"]}
    wish["reason"] = asked["note"] or None
    if asked["run"]:
        chosen = unmerge.of_run(hub, asked["run"], **wish)
    else:
        chosen = unmerge.of_record(hub, _ENTITY, asked["record"], **wish)
    report = unmerge.unmerge(hub, chosen, dagster_run_id=dagster) if asked["apply"] else unmerge.plan(hub, chosen)
    return _metadata(report, lang)


def _split(asked: dict[str, Any], hub: Hub, dagster: str, lang: str) -> dict[str, Any]:
    told = {"reason": asked["note"] or None, "judge": asked["judge"]}
    wish = split.ask(hub, _ENTITY, asked["id"], asked["keys"], by=_WHO, **told)
    report = split.split(hub, wish, dagster_run_id=dagster) if asked["apply"] else split.plan(hub, wish)
    return _metadata(report, lang)


def _different(asked: dict[str, Any], hub: Hub, dagster: str, lang: str) -> dict[str, Any]:
    pair = (_ENTITY, asked["one"], asked["other"])
    if asked["revoke"]:
        done = judgements.revoke(hub, *pair, by=_WHO, dagster_run_id=dagster)
    else:
        note = asked["note"] or None
        done = judgements.judge(hub, *pair, "different", by=_WHO, note=note, dagster_run_id=dagster)
    said = done.judgement
    return {
        sentence("dg_merge_pair", lang): f"№ {said.one}, № {said.other}",
        sentence("dg_merge_verdict", lang): "—" if asked["revoke"] else sentence(f"cli_verdict_{said.verdict}", lang),
        sentence("dg_why_run", lang): done.run_id or "—",
    }


def _metadata(report: Moved, lang: str) -> dict[str, Any]:
    layout = layout_of(report.entity)
    links = [[link.system, link.external_id, f"№ {link.before}", f"№ {link.after}"] for link in report.links[:_ROWS]]
    cells = [
        [
            f"№ {cell.record_id}",
            masked_path(layout, cell.path),
            masked(layout, cell.path, cell.before) or "—",
            masked(layout, cell.path, cell.after) or "—",
        ]
        for cell in report.cells[:_ROWS]
    ]
    told = [[one.system, one.external_id, str(len(one.paths))] for one in report.told[:_ROWS]]
    head = {name: sentence(f"dg_merge_{name}", lang) for name in ("system", "key", "from", "to", "owed")}
    value = [sentence(f"dg_undo_{name}", lang) for name in ("record", "field", "now", "then")]
    return {
        sentence("dg_merge_record", lang): f"{report.entity} № {report.record_id}",
        sentence("dg_merge_others", lang): ", ".join(f"№ {number}" for number in report.others) or "—",
        sentence("dg_why_run", lang): report.run_id or "—",
        sentence("dg_merge_already", lang): report.already or "—",
        sentence("dg_merge_vetoes", lang): ", ".join(veto.code for veto in report.vetoes) or "—",
        sentence("dg_merge_links", lang): MetadataValue.md(
            table([head["system"], head["key"], head["from"], head["to"]], links)
        ),
        sentence("dg_merge_cells", lang): MetadataValue.md(table(value, cells)),
        sentence("dg_merge_told", lang): MetadataValue.md(table([head["system"], head["key"], head["owed"]], told)),
    }
