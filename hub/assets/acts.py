"""An admin's words as ops: held changes, open questions, pauses. The same services as the command calls."""

# No postponed annotations here: Dagster reads those of a step's context and result as they stand.

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from dagster import Array, Enum, EnumValue, Field, Noneable, OpDefinition, OpExecutionContext, Out, Output, op

from hub.assets.outcome import raise_for
from hub.assets.sending import evaluated
from hub.assets.workplace import Workplace
from hub.exchange import conflicts, conflicts_decided, held, held_words, pauses
from hub.exchange.decisions import Fault
from hub.exchange.held_decided import decide
from hub.exchange.hub import Hub
from hub.model.errors import HubError, NeedsPerson
from hub.model.settings import Settings
from hub.reports.decision_book import read_conflicts, read_held
from hub.texts import sentence

#: Lines of a file that are told one by one.
_MOST_LINES = 50
#: What an act did: numbers by label, and the systems whose checks it may have changed.
Done = tuple[dict[str, Any], list[str]]
Act = Callable[[OpExecutionContext, Hub, str], Done]


class _Asked:
    """Fields of an op's configuration, described in the language of the installation."""

    def __init__(self, settings: Settings) -> None:
        self.lang = settings.locale

    def text(self, code: str, default: str | None = None) -> Field:
        """A text that may be left out."""
        return Field(Noneable(str), default_value=default, is_required=False, description=sentence(code, self.lang))

    def many(self, code: str, kind: Any) -> Field:
        """A list that may be left out."""
        return Field(Array(kind), default_value=[], is_required=False, description=sentence(code, self.lang))

    def word(self, name: str, words: tuple[str, ...], code: str, default: str | None = None) -> Field:
        """One of these words."""
        told = Enum(name, [EnumValue(word) for word in words])
        text = sentence(code, self.lang)
        if default is None:
            return Field(told, description=text)
        return Field(told, default_value=default, is_required=False, description=text)

    def dry_run(self) -> Field:
        """Whether it only tells what would come of it, which it does unless told otherwise."""
        text = sentence("dg_act_dry_run", self.lang)
        return Field(bool, default_value=True, is_required=False, description=text)

    def by(self) -> Field:
        """Who decides."""
        return Field(str, default_value="dagster", is_required=False, description=sentence("dg_act_by", self.lang))


def act_ops(settings: Settings, work: Workplace) -> list[OpDefinition]:
    """Every act, by the names of their jobs."""
    asked = _Asked(settings)
    routes = {"route": asked.text("dg_act_route"), "dry_run": asked.dry_run(), "by": asked.by()}
    direction = asked.word("Direction", ("both", "pull", "push"), "dg_act_direction", "both")
    held_config = {
        **routes,
        "word": asked.word("HeldWord", held_words.WORDS, "dg_act_word", "approve"),
        "cause": asked.text("dg_act_cause"),
        "ids": asked.many("dg_act_ids", str),
        "decisions": asked.text("dg_act_decisions"),
    }
    conflict_config = {
        **routes,
        "word": asked.word("Answer", conflicts_decided.WORDS, "dg_act_word", "later"),
        "field": asked.text("dg_act_field"),
        "ids": asked.many("dg_act_ids", int),
        "value": asked.text("dg_act_value"),
        "decisions": asked.text("dg_act_decisions"),
    }
    route = Field(str, description=sentence("dg_act_route", settings.locale))
    pause_config = {
        "route": route,
        "direction": direction,
        "reason": Field(str, description=sentence("dg_act_reason", settings.locale)),
        "until": asked.text("dg_act_until"),
        "by": asked.by(),
    }
    return [
        _op(settings, work, "approve_held", held_config, _held),
        _op(settings, work, "resolve_conflicts", conflict_config, _conflicts),
        _op(settings, work, "pause_route", pause_config, _pause),
        _op(settings, work, "resume_route", {"route": route, "direction": direction}, _resume),
    ]


def _op(settings: Settings, work: Workplace, name: str, config: dict[str, Field], act: Act) -> OpDefinition:
    lang = settings.locale

    @op(
        name=f"{name}_act",
        description=sentence(f"dg_op_{name}", lang),
        config_schema=config,
        tags={"dagster/kind": "decision"},
        out=Out(Any, is_required=False),
    )
    def carry_out(context: OpExecutionContext) -> Iterator[Any]:
        try:
            numbers, systems = act(context, work.hub, lang)
            for system in systems:
                yield from evaluated(work.hub, system, lang)
        except HubError as error:
            raise_for(error, lang, context.retry_number)
        yield Output(None, metadata={sentence(label, lang): value for label, value in numbers.items()})

    return carry_out


def _held(context: OpExecutionContext, hub: Hub, lang: str) -> Done:
    asked = context.op_config
    if asked["decisions"]:
        checked = held_words.check(hub, read_held(Path(asked["decisions"])))
        _heed(context, checked.mistakes, checked.late, lang)
        words = checked.words
    else:
        if not (asked["route"] or asked["cause"] or asked["ids"]):
            raise NeedsPerson("held_which")
        one = held.Wanted(_one(asked["route"]), _one(asked["cause"]), tuple(asked["ids"]))
        if asked["route"]:
            hub.route(asked["route"])
        words = [(item, asked["word"]) for item in held.items(hub, one, cells=False)]
    systems = list(dict.fromkeys(item.system for item, _ in words))
    numbers: dict[str, Any] = {"dg_act_chosen": len(words), "dg_dry_run": asked["dry_run"]}
    if asked["dry_run"]:
        return numbers, []
    done = decide(
        hub,
        words,
        by=asked["by"],
        dagster_run_id=context.run.run_id,
        supersedes=context.run.parent_run_id,
    )
    if done.error is not None:
        raise done.error
    numbers |= {"dg_act_approved": done.approved, "dg_act_rejected": done.rejected, "dg_act_gone": done.gone}
    return numbers | ({"dg_run": done.run_id} if done.run_id else {}), systems


def _conflicts(context: OpExecutionContext, hub: Hub, lang: str) -> Done:
    asked = context.op_config
    if asked["decisions"]:
        checked = conflicts_decided.check(hub, read_conflicts(Path(asked["decisions"])))
        _heed(context, checked.mistakes, checked.late, lang)
        answers = checked.answers
        found = (
            conflicts.questions(hub, conflicts.Wanted(ids=tuple(answer.id for answer in answers))) if answers else []
        )
    else:
        if not (asked["route"] or asked["field"] or asked["ids"]) or (asked["word"] == "value") != bool(asked["value"]):
            raise NeedsPerson("conflicts_which")
        if asked["route"]:
            hub.route(asked["route"])
        one = conflicts.Wanted(_one(asked["route"]), _one(asked["field"]), tuple(asked["ids"]))
        found = conflicts.questions(hub, one)
        answers = [conflicts_decided.Answer(one.id, asked["word"], asked["value"] or "") for one in found]
    numbers: dict[str, Any] = {"dg_act_chosen": len(answers), "dg_dry_run": asked["dry_run"]}
    if asked["dry_run"]:
        return numbers, []
    done = conflicts_decided.resolve(hub, answers, by=asked["by"], dagster_run_id=context.run.run_id)
    numbers |= {"dg_act_answered": done.answered, "dg_act_put_off": done.put_off, "dg_act_gone": done.gone}
    systems = list(dict.fromkeys(one.system for one in found))
    return numbers | ({"dg_run": done.run_id} if done.run_id else {}), systems


def _one(value: str | None) -> tuple[str, ...]:
    return (value,) if value else ()


def _heed(context: OpExecutionContext, mistakes: list[Fault], late: list[Fault], lang: str) -> None:
    """Lines that cannot be used, by number and code; with a person's mistake in it the file does nothing."""
    for fault in [*mistakes, *late][:_MOST_LINES]:
        context.log.warning(sentence("dg_replay_line", lang, row=fault.row, fault=fault.error.code))
    asked = context.op_config
    if mistakes and not asked["dry_run"]:
        raise NeedsPerson("decisions_wrong", path=asked["decisions"], number=len(mistakes))


def _pause(context: OpExecutionContext, hub: Hub, _: str) -> Done:
    asked = context.op_config
    until = pauses.until_of(hub, asked["until"])
    pauses.pause(hub, asked["route"], asked["reason"], asked["by"], until=until, direction=asked["direction"])
    return {"dg_act_pauses": _standing(hub, asked["route"])}, []


def _resume(context: OpExecutionContext, hub: Hub, _: str) -> Done:
    asked = context.op_config
    pauses.resume(hub, asked["route"], direction=asked["direction"])
    return {"dg_act_pauses": _standing(hub, asked["route"])}, []


def _standing(hub: Hub, route: str) -> int:
    """How many directions of the route are paused now."""
    return sum(one.route in {route, f"{route}.push"} for one in pauses.pauses(hub))
