"""``obmen check``: settings, store, and of each system its connection, rights, publication and mappings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from hub.cli import trouble
from hub.cli.call import DONE, WAITS, Call, Outcome
from hub.cli.parser import argument, command
from hub.model.errors import HubError, exit_code

if TYPE_CHECKING:
    from hub.exchange.check import CheckResult
    from hub.model.settings import SystemSettings


def commands(lang: str) -> list[click.Command]:
    """The command."""
    return [command(lang, "check", check, [argument("systems", "SYSTEM", many=True)])]


def check(call: Call, systems: Sequence[str] = ()) -> Outcome:
    """Try the systems (all without any) one after another; the worst of them decides the exit code."""
    from hub.exchange.check import check_system
    from hub.exchange.hub import Hub

    with Hub.open(call.home) as hub:
        wanted = [hub.system(code) for code in systems or hub.settings.systems]
        lines = [call.text("check_home", home=hub.settings.home, store=hub.store.dialect)]
        found = []
        for system in wanted:
            result = check_system(hub, system.code)
            found.append(as_dict(result, system, call.lang))
            lines += as_lines(result, system, call)
            codes = [_exit_code(result)]
            found[-1]["exit_code"] = codes[0]
    worst = max(item["exit_code"] for item in found)
    data = {"home": str(hub.settings.home), "store": hub.store.dialect, "systems": found}
    return Outcome(worst, data, [*lines, "", call.text("check_good" if worst == DONE else "check_bad")])


def _exit_code(result: CheckResult) -> int:
    codes = [exit_code(problem) or WAITS for problem in result.problems]  # what was put off is not ready
    return max(codes, default=WAITS if result.paused else DONE)


def as_dict(result: CheckResult, system: SystemSettings, lang: str) -> dict[str, Any]:
    """The result for machines."""
    report = result.report
    return {
        "system": system.code,
        "title": system.title,
        "reachable": report.reachable,
        "product": report.product,
        "streams": report.streams,
        "server_time": report.server_time.isoformat() if report.server_time else None,
        "mappings": result.mappings,
        "problems": [trouble.as_dict(problem, lang) for problem in result.problems],
        "notes": [trouble.as_dict(note, lang) for note in report.notes],
        "not_found": [trouble.as_dict(item, lang) for item in result.not_found],
        "left_out": {name: list(names) for name, names in result.left_out.items()},
        "paused": {name: [trouble.as_dict(item, lang) for item in items] for name, items in result.paused.items()},
    }


def as_lines(result: CheckResult, system: SystemSettings, call: Call) -> list[str]:
    """The result for a person."""
    report = result.report
    lines = ["", call.text("check_system", title=system.title, system=system.code)]
    if report.reachable:
        lines.append(_marked(not report.problems, call.text("check_answers", product=report.product or "?")))
        lines.append(_marked(bool(report.streams), call.text("check_streams", number=report.streams)))
    if result.mappings:
        fit = call.text("check_mappings", number=result.mappings, paused=len(result.paused))
        lines.append(_marked(not result.paused, fit))
    lines += [_marked(False, _whole(problem, call.lang)) for problem in result.problems]
    for name, problems in result.paused.items():
        lines.append(_marked(False, call.text("check_paused", name=name)))
        lines += [f"      {_whole(problem, call.lang)}" for problem in problems]
    for name, names in result.left_out.items():
        lines.append(f"  ! {call.text('check_left_out', name=name, names=', '.join(names))}")
    lines += [f"  ! {_whole(item, call.lang)}" for item in result.not_found]
    lines += [f"  ! {_whole(note, call.lang)}" for note in report.notes]
    return lines


def _marked(good: bool, text: str) -> str:
    return f"  {'✓' if good else '✗'} {text}"


def _whole(error: HubError, lang: str) -> str:
    return " ".join(trouble.as_lines(error, lang))
