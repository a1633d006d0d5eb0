"""What a person does by hand to single records, as ops: why a value is what it is, pins, and the undo of a run.

Each calls the service that the command calls. Values of personal fields are masked here: Dagster keeps what it is told.
"""

# No postponed annotations here: Dagster reads those of a step's context and result as they stand.

from collections.abc import Iterator, Sequence
from typing import Any

from dagster import Enum, EnumValue, Field, MetadataValue, OpDefinition, OpExecutionContext, Out, Output, op

from hub.assets.outcome import raise_for
from hub.assets.workplace import Workplace
from hub.exchange import pins, undo
from hub.exchange.cards.layout import layout_of
from hub.exchange.pins import Pinned
from hub.exchange.showing import MASK, masked, masked_path, personal
from hub.exchange.undo import UndoReport
from hub.exchange.why import why
from hub.exchange.why_model import Cell, Why
from hub.model.entities import ENTITIES
from hub.model.errors import HubError
from hub.model.settings import Settings
from hub.texts import sentence

_WHO = "dagster"
#: Rows of a table in Dagster.
_ROWS = 100


def _entities() -> Enum:
    return Enum("Entity", [EnumValue(name) for name in ENTITIES])


def hand_ops(settings: Settings, work: Workplace) -> list[OpDefinition]:
    """``tell_why``, ``set_pin``, ``take_pin``, ``undo``: one op for each job of ``schedules.hand``."""
    entity = _entities()
    record = {"entity": entity, "id": str}
    return [
        _why_op(settings, work, {**record, "field": Field(str, default_value="", is_required=False)}),
        _pin_op(settings, work, {**record, "field": str, "value": str, "note": Field(str, default_value="")}),
        _unpin_op(settings, work, {**record, "field": str}),
        _undo_op(settings, work),
    ]


def _why_op(settings: Settings, work: Workplace, schema: dict[str, Any]) -> OpDefinition:
    lang = settings.locale

    @op(
        name="tell_why",
        description=sentence("dg_op_why", lang),
        config_schema=schema,
        out=Out(Any, is_required=False),
        tags={"dagster/kind": "decision"},
    )
    def tell(context: OpExecutionContext) -> Iterator[Any]:
        asked = context.op_config
        try:
            answer = why(work.hub, asked["entity"], asked["id"], asked["field"] or None)
        except HubError as error:
            raise_for(error, lang, 99)
        context.log.info(sentence("dg_why_log", lang, entity=answer.entity, record=answer.record_id))
        yield Output(None, metadata=_why_metadata(answer, lang))

    return tell


def _why_metadata(answer: Why, lang: str) -> dict[str, Any]:
    rows = [_why_row(answer.entity, cell) for cell in answer.cells[:_ROWS]]
    head = [sentence(f"dg_why_{name}", lang) for name in ("field", "value", "rule", "whose", "lost", "owed", "run")]
    return {
        sentence("dg_why_record", lang): f"{answer.entity} № {answer.record_id}",
        sentence("dg_why_state", lang): answer.state,
        sentence("dg_why_systems", lang): ", ".join(place.system for place in answer.places) or "—",
        sentence("dg_why_cells", lang): MetadataValue.md(table(head, rows)),
    }


def _why_row(entity: str, cell: Cell) -> list[str]:
    layout = layout_of(entity)
    owed = ", ".join(
        f"{one.system} ({one.code or one.state or 'pending'})" for one in cell.shown if one.meant is not None
    )
    whose = "pin" if cell.pin else cell.winner.system if cell.winner else "—"
    return [
        masked_path(layout, cell.path),
        masked(layout, cell.path, cell.value) or "—",
        cell.rule,
        whose,
        ", ".join(f"{one.system}: {masked(layout, cell.path, one.value) or '—'}" for one in cell.lost) or "—",
        owed or "—",
        f"№ {cell.change.run}" if cell.change else "—",
    ]


def _pin_op(settings: Settings, work: Workplace, schema: dict[str, Any]) -> OpDefinition:
    lang = settings.locale

    @op(
        name="set_pin",
        description=sentence("dg_op_pin", lang),
        config_schema=schema,
        out=Out(Any, is_required=False),
        tags={"dagster/kind": "decision"},
    )
    def set_pin(context: OpExecutionContext) -> Iterator[Any]:
        asked, run = context.op_config, context.run.run_id
        words = (asked["entity"], asked["id"], asked["field"], asked["value"])
        try:
            done = pins.pin(work.hub, *words, by=_WHO, note=asked["note"] or None, dagster_run_id=run)
        except HubError as error:
            raise_for(error, lang, 99)
        yield Output(None, metadata=_pin_metadata(done, lang))

    return set_pin


def _unpin_op(settings: Settings, work: Workplace, schema: dict[str, Any]) -> OpDefinition:
    lang = settings.locale

    @op(
        name="take_pin",
        description=sentence("dg_op_unpin", lang),
        config_schema=schema,
        out=Out(Any, is_required=False),
        tags={"dagster/kind": "decision"},
    )
    def take_pin(context: OpExecutionContext) -> Iterator[Any]:
        asked, run = context.op_config, context.run.run_id
        words = (asked["entity"], asked["id"], asked["field"])
        try:
            done = pins.unpin(work.hub, *words, by=_WHO, dagster_run_id=run)
        except HubError as error:
            raise_for(error, lang, 99)
        yield Output(None, metadata=_pin_metadata(done, lang))

    return take_pin


def _pin_metadata(done: Pinned, lang: str) -> dict[str, Any]:
    layout = layout_of(done.entity)
    return {
        sentence("dg_why_record", lang): f"{done.entity} № {done.record_id}",
        sentence("dg_why_field", lang): masked_path(layout, done.path),
        sentence("dg_pin_before", lang): masked(layout, done.path, done.before) or "—",
        sentence("dg_pin_after", lang): masked(layout, done.path, done.after) or "—",
        sentence("dg_pin_told", lang): ", ".join(done.told) or "—",
        sentence("dg_why_run", lang): done.run_id,
    }


def _undo_op(settings: Settings, work: Workplace) -> OpDefinition:
    lang = settings.locale

    @op(
        name="undo",
        description=sentence("dg_op_undo", lang),
        config_schema={"run": int, "apply": Field(bool, default_value=False)},
        out=Out(Any, is_required=False),
        tags={"dagster/kind": "decision"},
    )
    def undone(context: OpExecutionContext) -> Iterator[Any]:
        run, dagster = context.op_config["run"], context.run.run_id
        try:
            if context.op_config["apply"]:
                report = undo.undo(work.hub, run, by=_WHO, dagster_run_id=dagster)
            else:
                report = undo.plan(work.hub, run)
        except HubError as error:
            raise_for(error, lang, 99)
        yield Output(None, metadata=_undo_metadata(report, lang))

    return undone


def _undo_metadata(report: UndoReport, lang: str) -> dict[str, Any]:
    steps = [_step(one.entity, one.record_id, one.kind, one.path, one.now, one.then) for one in report.steps[:_ROWS]]
    stays = [_step(one.entity, one.record_id, one.reason, one.path, None, None) for one in report.stays[:_ROWS]]
    head = [sentence(f"dg_undo_{name}", lang) for name in ("record", "kind", "field", "now", "then")]
    return {
        sentence("dg_undo_of", lang): report.run.id,
        sentence("dg_why_run", lang): report.run_id or "—",
        sentence("dg_undo_number", lang): sum(report.counts.values()),
        sentence("dg_undo_left", lang): report.left,
        sentence("dg_undo_steps", lang): MetadataValue.md(table(head, steps)),
        sentence("dg_undo_stays", lang): MetadataValue.md(table(head, stays)),
    }


def _step(entity: str, record: int, kind: str, path: str | None, now: str | None, then: str | None) -> list[str]:
    layout, shown = layout_of(entity), [now, then]
    if path is not None:
        shown = [MASK if text is not None and personal(layout, path) else text for text in shown]
    name = masked_path(layout, path) if path else "—"
    return [f"{entity} № {record}", kind, name, *(text or "—" for text in shown)]


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table in Markdown; a dash where there are no rows."""
    if not rows:
        return "—"
    lines = [
        head,
        ["---"] * len(head),
        *([cell.replace("|", "\\|").replace("\n", " ") for cell in row] for row in rows),
    ]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
