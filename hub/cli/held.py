"""``obmen held``: what waits for an admin's approval, by route and reason; approved or rejected, one by one or all."""

from __future__ import annotations

import getpass
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hub.cli.call import DONE, WAITS, WRONG, Call, Outcome
from hub.cli.faults import fault_data, fault_lines
from hub.cli.parser import argument, command, family, option
from hub.cli.trouble import as_dict, as_lines
from hub.model.errors import NeedsPerson
from hub.texts import advice, sentence

if TYPE_CHECKING:
    from hub.exchange.held import Group, Item, Wanted
    from hub.exchange.held_decided import Decided, Word
    from hub.exchange.hub import Hub

_OF = "held"


def commands(lang: str) -> list[click.Command]:
    """The family of commands."""
    routes = argument("routes", "ROUTE", many=True)
    causes = option(lang, "--cause", "causes", metavar="CODE", multiple=True)
    ids = option(lang, "--id", "item_ids", metavar="ID", multiple=True)
    apply = option(lang, "--apply", "apply", is_flag=True)
    limit = option(
        lang, "--limit", "limit", type=click.IntRange(1, 100_000), metavar="N", default=20, show_default=True
    )
    file, force = argument("path", "FILE.xlsx", required=True), option(lang, "--force", "force", is_flag=True)
    members = [
        command(lang, "list", listing, [routes, causes], of=_OF),
        command(lang, "show", show, [routes, causes, ids, limit], of=_OF),
        command(lang, "approve", approve, [routes, causes, ids, apply], of=_OF),
        command(lang, "reject", reject, [routes, causes, ids, apply], of=_OF),
        command(lang, "export", export, [file, routes, causes, force], of=_OF),
        command(lang, "import", bring, [file, apply], of=_OF),
    ]
    return [family(lang, _OF, members)]


def _wanted(hub: Hub, routes: Sequence[str], causes: Sequence[str], item_ids: Sequence[str] = ()) -> Wanted:
    """What the arguments choose; an unknown route and an id that is none are refused."""
    from hub.exchange.held import Wanted, number

    for code in routes:
        hub.route(code)
    wrong = [one for one in item_ids if not number(one)]
    if wrong:
        raise NeedsPerson("held_no_id", value=", ".join(wrong))
    return Wanted(tuple(routes), tuple(causes), tuple(item_ids))


def listing(call: Call, routes: tuple[str, ...] = (), causes: tuple[str, ...] = ()) -> Outcome:
    """Groups with their limits and a few examples."""
    from hub.exchange.held import groups
    from hub.exchange.hub import Hub

    with Hub.open(call.home) as hub:
        found = groups(hub, _wanted(hub, routes, causes))
    lines = [line for group in found for line in _group_lines(call, group)] or [call.text("held_empty")]
    lines += [call.text("held_how")] if found else []
    return Outcome(WAITS if found else DONE, {"groups": [_group(call, group) for group in found]}, lines)


def show(
    call: Call,
    routes: tuple[str, ...] = (),
    causes: tuple[str, ...] = (),
    item_ids: tuple[str, ...] = (),
    limit: int = 20,
) -> Outcome:
    """Records with every cell that would change, masked in nothing: the terminal is the admin's own."""
    from hub.exchange.held import items
    from hub.exchange.hub import Hub

    with Hub.open(call.home) as hub:
        found = items(hub, _wanted(hub, routes, causes, item_ids), limit)
    lines = [line for item in found for line in _item_lines(call, item, whole=True)]
    data = {"items": [_item(call, item) for item in found]}
    return Outcome(WAITS if found else DONE, data, lines or [call.text("held_empty")])


def approve(call: Call, **chosen: Any) -> Outcome:
    """Let what is chosen go its way."""
    return _say(call, "approve", **chosen)


def reject(call: Call, **chosen: Any) -> Outcome:
    """Keep our values against what is chosen."""
    return _say(call, "reject", **chosen)


def _say(
    call: Call,
    word: Word,
    routes: tuple[str, ...] = (),
    causes: tuple[str, ...] = (),
    item_ids: tuple[str, ...] = (),
    *,
    apply: bool = False,
) -> Outcome:
    from hub.exchange.held import items
    from hub.exchange.held_decided import decide
    from hub.exchange.hub import Hub

    with Hub.open(call.home) as hub:
        if not (routes or causes or item_ids):
            raise NeedsPerson("held_which")
        found = items(hub, _wanted(hub, routes, causes, item_ids), cells=False)
        done = decide(hub, [(item, word) for item in found], by=getpass.getuser()) if apply else None
    return told(call, [(item, word) for item in found], done)


def told(call: Call, words: Sequence[tuple[Item, Word]], done: Decided | None) -> Outcome:
    """What came of words, or would come of them."""
    counts = {name: sum(said == name for _, said in words) for name in ("approve", "reject")}
    if done is None:
        lines = [call.text("held_would", **counts), call.text("held_dry")] if words else [call.text("held_empty")]
        return Outcome(WAITS if words else DONE, {"applied": False, "run": None, **counts}, lines)
    data = {
        "applied": True,
        "run": done.run_id,
        "approved": done.approved,
        "rejected": done.rejected,
        "gone": done.gone,
        "error": as_dict(done.error, call.lang) if done.error else None,
    }
    lines = [call.text("held_done", run=done.run_id or "—", approved=done.approved, rejected=done.rejected)]
    lines += [call.text("held_gone", number=done.gone)] if done.gone else []
    lines += [f"✗ {line}" for line in as_lines(done.error, call.lang)] if done.error else []
    return Outcome(WAITS if done.error else DONE, data, lines)


def export(
    call: Call, path: str, routes: tuple[str, ...] = (), causes: tuple[str, ...] = (), *, force: bool = False
) -> Outcome:
    """Write the file with a column for decisions."""
    from hub.exchange.hub import Hub
    from hub.reports.decision_book import export_held

    with Hub.open(call.home) as hub:
        written, number = export_held(hub, Path(path), _wanted(hub, routes, causes), call.lang, force=force)
    lines = [call.text("held_exported", path=written, number=number)]
    return Outcome(WAITS if number else DONE, {"path": str(written), "records": number}, lines)


def bring(call: Call, path: str, *, apply: bool = False) -> Outcome:
    """Take a file with decisions."""
    from hub.exchange.held_decided import decide
    from hub.exchange.held_words import check
    from hub.exchange.hub import Hub
    from hub.reports.decision_book import read_held

    with Hub.open(call.home) as hub:
        checked = check(hub, read_held(Path(path)))
        refused = apply and bool(checked.mistakes)
        done = decide(hub, checked.words, by=getpass.getuser()) if apply and not refused else None
    data, lines = fault_data(call, checked), fault_lines(call, checked)
    if refused:
        return Outcome(WRONG, {**data, "applied": False}, [*lines, call.text("import_refused")])
    outcome = told(call, checked.words, done)
    code = max(outcome.exit_code, WAITS if checked.mistakes or checked.late else DONE)
    return Outcome(code, {**data, **outcome.data}, [*lines, *outcome.lines])


def _reason(call: Call, item: Item | Group, **more: Any) -> tuple[str, str]:
    from hub.reports.reasons import known, unfilled

    params = {"system": item.system, "route": item.route, **item.params, **more}
    code = known(item.reason)
    return unfilled(sentence(code, call.lang, **params)), unfilled(advice(code, call.lang, **params))


def _group(call: Call, group: Group) -> dict[str, Any]:
    said, advise = _reason(call, group)
    return {
        "direction": group.direction,
        "route": group.route,
        "reason": group.reason,
        "number": group.number,
        "oldest": group.oldest.isoformat(),
        "sentence": said,
        "advice": advise,
        "limits": {name: group.params[name] for name in ("wanted", "limit", "population") if name in group.params},
        "samples": [_item(call, item) for item in group.samples],
    }


def _item(call: Call, item: Item) -> dict[str, Any]:
    return {
        "id": item.id,
        "direction": item.direction,
        "route": item.route,
        "stream": item.stream,
        "external_id": item.external_id,
        "label": item.label,
        "op": item.op,
        "reason": item.reason,
        "sentence": _reason(call, item)[0],
        "at": item.at.isoformat(),
        "cells": [
            {"path": cell.path, "label": cell.label, "before": cell.before, "after": cell.after} for cell in item.cells
        ],
    }


def _group_lines(call: Call, group: Group) -> list[str]:
    said, advise = _reason(call, group)
    way = sentence(f"held_{group.direction}", call.lang)
    told = {"route": group.route, "way": way, "number": group.number, "since": f"{group.oldest:%d.%m.%Y}"}
    lines = [call.text("held_group", reason=said, cause=group.reason, **told)]
    lines += [f"  {advise}"] if advise else []
    lines += [line for item in group.samples for line in _item_lines(call, item)]
    more = group.number - len(group.samples)
    return [*lines, *([call.text("quarantine_more", number=more)] if more > 0 else []), ""]


def _item_lines(call: Call, item: Item, *, whole: bool = False) -> list[str]:
    op = sentence(f"held_op_{item.op}", call.lang)
    lines = [call.text("held_item", id=item.id, label=item.label or item.external_id, op=op, route=item.route)]
    cells = item.cells if whole else item.cells[:3]
    lines += [f"    {cell.label}: {cell.before or '—'} → {cell.after or '—'}" for cell in cells]
    if whole:
        lines.append(f"    {_reason(call, item)[0]}")
    return lines
