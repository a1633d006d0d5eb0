"""``obmen conflicts``: cells that wait for a person, by field and rule; answered one by one or in a file."""

from __future__ import annotations

import getpass
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hub.cli.call import DONE, WAITS, WRONG, Call, Outcome
from hub.cli.faults import fault_data, fault_lines
from hub.cli.parser import argument, command, family, option
from hub.model.errors import NeedsPerson

if TYPE_CHECKING:
    from hub.exchange.conflicts import Group, Question, Wanted
    from hub.exchange.conflicts_decided import Answer, Resolved
    from hub.exchange.hub import Hub

_OF = "conflicts"


def commands(lang: str) -> list[click.Command]:
    """The family of commands."""
    from hub.exchange.conflicts_decided import WORDS

    routes = argument("routes", "ROUTE", many=True)
    fields = option(lang, "--field", "fields", metavar="FIELD", multiple=True)
    ids = option(lang, "--id", "numbers", metavar="N", type=int, multiple=True)
    apply = option(lang, "--apply", "apply", is_flag=True)
    limit = option(
        lang, "--limit", "limit", type=click.IntRange(1, 100_000), metavar="N", default=50, show_default=True
    )
    file, force = argument("path", "FILE.xlsx", required=True), option(lang, "--force", "force", is_flag=True)
    word = click.Argument(["word"], type=click.Choice(WORDS), metavar="|".join(WORDS))
    value = option(lang, "--value", "value", metavar="VALUE")
    members = [
        command(lang, "list", listing, [routes, fields], of=_OF),
        command(lang, "show", show, [routes, fields, ids, limit], of=_OF),
        command(lang, "resolve", resolve, [word, routes, fields, ids, value, apply], of=_OF),
        command(lang, "export", export, [file, routes, fields, force], of=_OF),
        command(lang, "import", bring, [file, apply], of=_OF),
    ]
    return [family(lang, _OF, members)]


def _wanted(hub: Hub, routes: Sequence[str], fields: Sequence[str], numbers: Sequence[int] = ()) -> Wanted:
    from hub.exchange.conflicts import Wanted

    for code in routes:
        hub.route(code)
    return Wanted(tuple(routes), tuple(fields), tuple(numbers))


def listing(call: Call, routes: tuple[str, ...] = (), fields: tuple[str, ...] = ()) -> Outcome:
    """The queue by field and rule, and its oldest questions."""
    from hub.exchange.conflicts import groups, questions
    from hub.exchange.hub import Hub

    with Hub.open(call.home) as hub:
        wanted = _wanted(hub, routes, fields)
        queue, found = groups(hub, wanted), questions(hub, wanted, 20)
    lines = [_group_line(call, group) for group in queue] or [call.text("conflicts_empty")]
    lines += ["", *(line for one in found for line in _lines(call, one))] if found else []
    lines += [call.text("conflicts_how")] if found else []
    data = {"groups": [_group(group) for group in queue], "questions": [_data(call, one) for one in found]}
    return Outcome(WAITS if queue else DONE, data, lines)


def show(
    call: Call,
    routes: tuple[str, ...] = (),
    fields: tuple[str, ...] = (),
    numbers: tuple[int, ...] = (),
    limit: int = 50,
) -> Outcome:
    """Questions with all that is known of them, masked in nothing: the terminal is the admin's own."""
    from hub.exchange.conflicts import questions
    from hub.exchange.hub import Hub

    with Hub.open(call.home) as hub:
        found = questions(hub, _wanted(hub, routes, fields, numbers), limit)
    lines = [line for one in found for line in _lines(call, one)] or [call.text("conflicts_empty")]
    return Outcome(WAITS if found else DONE, {"questions": [_data(call, one) for one in found]}, lines)


def resolve(
    call: Call,
    word: Any,
    routes: tuple[str, ...] = (),
    fields: tuple[str, ...] = (),
    numbers: tuple[int, ...] = (),
    value: str | None = None,
    *,
    apply: bool = False,
) -> Outcome:
    """One answer to all that is chosen."""
    from hub.exchange.conflicts import questions
    from hub.exchange.conflicts_decided import Answer
    from hub.exchange.conflicts_decided import resolve as run
    from hub.exchange.hub import Hub

    if not (routes or fields or numbers) or (word == "value") != (value is not None):
        raise NeedsPerson("conflicts_which")
    with Hub.open(call.home) as hub:
        found = questions(hub, _wanted(hub, routes, fields, numbers))
        answers = [Answer(one.id, word, value or "") for one in found]
        done = run(hub, answers, by=getpass.getuser()) if apply else None
    return told(call, answers, done)


def told(call: Call, answers: Sequence[Answer], done: Resolved | None) -> Outcome:
    """What came of answers, or would come of them."""
    if done is None:
        lines = [call.text("conflicts_would", number=len(answers)), call.text("held_dry")]
        lines = lines if answers else [call.text("conflicts_empty")]
        return Outcome(WAITS if answers else DONE, {"applied": False, "run": None, "answers": len(answers)}, lines)
    data = {
        "applied": True,
        "run": done.run_id,
        "answered": done.answered,
        "put_off": done.put_off,
        "gone": done.gone,
        "by_word": done.by_word,
    }
    lines = [call.text("conflicts_done", run=done.run_id or "—", answered=done.answered, put_off=done.put_off)]
    lines += [call.text("held_gone", number=done.gone)] if done.gone else []
    return Outcome(DONE, data, lines)


def export(
    call: Call, path: str, routes: tuple[str, ...] = (), fields: tuple[str, ...] = (), *, force: bool = False
) -> Outcome:
    """Write the file with a column for decisions."""
    from hub.exchange.hub import Hub
    from hub.reports.decision_book import export_conflicts

    with Hub.open(call.home) as hub:
        written, number = export_conflicts(hub, Path(path), _wanted(hub, routes, fields), call.lang, force=force)
    lines = [call.text("conflicts_exported", path=written, number=number)]
    return Outcome(WAITS if number else DONE, {"path": str(written), "records": number}, lines)


def bring(call: Call, path: str, *, apply: bool = False) -> Outcome:
    """Take a file with answers."""
    from hub.exchange.conflicts_decided import check
    from hub.exchange.conflicts_decided import resolve as run
    from hub.exchange.hub import Hub
    from hub.reports.decision_book import read_conflicts

    with Hub.open(call.home) as hub:
        checked = check(hub, read_conflicts(Path(path)))
        refused = apply and bool(checked.mistakes)
        done = run(hub, checked.answers, by=getpass.getuser()) if apply and not refused else None
    data, lines = fault_data(call, checked), fault_lines(call, checked)
    if refused:
        return Outcome(WRONG, {**data, "applied": False}, [*lines, call.text("import_refused")])
    outcome = told(call, checked.answers, done)
    code = max(outcome.exit_code, WAITS if checked.mistakes or checked.late else DONE)
    return Outcome(code, {**data, **outcome.data}, [*lines, *outcome.lines])


def _group(group: Group) -> dict[str, Any]:
    return {
        "entity": group.entity,
        "field": group.field,
        "title": group.title,
        "rule": group.rule,
        "systems": list(group.systems),
        "number": group.number,
        "oldest": group.oldest.isoformat(),
    }


def _group_line(call: Call, group: Group) -> str:
    since, systems = f"{group.oldest:%d.%m.%Y}", ", ".join(group.systems)
    told = {"entity": group.entity, "field": group.title, "name": group.field, "rule": group.rule}
    return call.text("conflicts_group", number=group.number, since=since, systems=systems, **told)


def _data(call: Call, one: Question) -> dict[str, Any]:
    from hub.reports.decision_book import rule_told, suggestion_told

    plain = {name: getattr(one, name) for name in one.__slots__}
    return plain | {
        "at": one.at.isoformat(),
        "because": rule_told(one, call.lang),
        "advice": suggestion_told(one, call.lang),
    }


def _lines(call: Call, one: Question) -> list[str]:
    from hub.reports.decision_book import rule_told, suggestion_told

    values = {name: getattr(one, name) or "—" for name in ("base", "ours", "theirs")}
    lines = [
        call.text("conflicts_question", id=one.id, label=one.label or one.record_id, field=one.title),
        call.text("conflicts_values", system=one.system, at=f"{one.at:%d.%m.%Y %H:%M}", **values),
        f"    {rule_told(one, call.lang)} {suggestion_told(one, call.lang)}",
    ]
    lines += [call.text("conflicts_together", fields=", ".join(one.together))] if one.together else []
    return lines + ([call.text("conflicts_put_off", who=one.put_off)] if one.put_off else [])
