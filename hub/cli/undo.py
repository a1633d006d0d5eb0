"""``obmen undo``: what a run changed is set back; first as a plan, then, with ``--apply``, really."""

from __future__ import annotations

import getpass
from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import click

from hub.cli.call import DONE, WAITS, Call, Outcome
from hub.cli.parser import command, option

if TYPE_CHECKING:
    from hub.exchange.undo import Stays, Step, UndoReport


def commands(lang: str) -> list[click.Command]:
    """The command."""
    run = click.Argument(["run"], metavar="RUN", type=click.IntRange(1))
    apply = option(lang, "--apply", "apply", is_flag=True)
    limit = option(lang, "--limit", "limit", type=click.IntRange(1, 1000), metavar="N", default=50, show_default=True)
    return [command(lang, "undo", undo, [run, apply, limit])]


def undo(call: Call, run: int, *, apply: bool = False, limit: int = 50) -> Outcome:
    """Plan or carry out. What somebody edited after the run is left alone and makes the exit code 1."""
    from hub.exchange import undo as service
    from hub.exchange.hub import Hub

    with Hub.open(call.home) as hub:
        report = service.undo(hub, run, by=getpass.getuser()) if apply else service.plan(hub, run)
        lines = list(_lines(call, report, ZoneInfo(hub.settings.company_timezone), limit))
    return Outcome(WAITS if report.left else DONE, _data(report), lines)


def _data(report: UndoReport) -> dict[str, Any]:
    return {
        "undoes": report.run.id,
        "run_id": report.run_id,
        "undone_by": report.undone_by,
        "counts": dict(report.counts),
        "left": report.left,
        "already": report.already,
        "made_elsewhere": report.made,
        "steps": [asdict(step) for step in report.steps],
        "stays": [asdict(stay) for stay in report.stays],
    }


def _lines(call: Call, report: UndoReport, zone: ZoneInfo, limit: int) -> Iterator[str]:
    run, total = report.run, sum(report.counts.values())
    at = f"{run.started_at.astimezone(zone):%d.%m.%Y %H:%M}"
    yield call.text("undo_of", run=run.id, mode=call.mode(run.mode).lower(), at=at)
    if report.undone_by:
        yield call.text("undo_undone", run=report.undone_by)
    if not total:
        yield call.text("undo_nothing")
    for step in report.steps[:limit]:
        yield "  " + _step(call, step)
    if total > limit:
        yield "  " + call.text("undo_more", number=total - limit)
    if report.left:
        yield call.text("undo_left", number=report.left)
    for stay in report.stays[:limit]:
        yield "  " + _stay(call, stay, zone)
    if report.already:
        yield call.text("undo_already", number=report.already)
    if report.made:
        yield call.text("undo_made", number=report.made)
    if report.run_id:
        yield call.text("undo_done", run=report.run_id, number=total)
    elif total:
        yield call.text("undo_how", run=run.id)


def _step(call: Call, step: Step) -> str:
    empty = call.text("why_empty")
    told = {"record": step.record_id, "label": step.label, "entity": step.entity, "field": step.path}
    now, then = (empty if value is None else value for value in (step.now, step.then))
    return call.text(f"undo_step_{step.kind}", now=now, then=then, **told)


def _stay(call: Call, stay: Stays, zone: ZoneInfo) -> str:
    told = {"record": stay.record_id, "label": stay.label, "entity": stay.entity, "field": stay.path or "—"}
    if stay.run is None:
        return call.text(f"undo_stays_{stay.reason}", who="", **told)
    at = f"{stay.at.astimezone(zone):%d.%m.%Y %H:%M}" if stay.at else "—"
    mode = call.mode(stay.mode).lower() if stay.mode else "—"
    who = call.text("undo_who", run=stay.run, mode=mode, by=stay.initiator, at=at)
    return call.text(f"undo_stays_{stay.reason}", who=who, **told)
