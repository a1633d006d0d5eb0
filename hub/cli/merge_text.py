"""A merge, its undo or a split, as the command tells of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from hub.cli.call import Call
from hub.texts import sentence

if TYPE_CHECKING:
    from hub.exchange.merging.told import Moved, Stays


def data(call: Call, report: Moved) -> dict[str, Any]:
    """For machines: the report, what speaks against it as sentences too."""
    told = [{**asdict(veto), "sentence": sentence(veto.code, call.lang, **veto.params)} for veto in report.vetoes]
    return {**asdict(report), "vetoes": told}


def lines(call: Call, report: Moved, limit: int) -> Iterator[str]:
    """For people, at most ``limit`` changes."""
    runs = ", ".join(map(str, report.undone))
    label = report.labels.get(report.record_id, "")
    yield call.text(f"merge_{report.op}", record=report.record_id, label=label, runs=runs)
    if report.already is not None:
        yield call.text("merge_already", run=report.already)
        return
    for number in report.others if report.op == "merge" else ():
        yield call.text("merge_other", record=number, label=report.labels.get(number, ""))
    for veto in report.vetoes:
        yield call.text("merge_veto", reason=sentence(veto.code, call.lang, **veto.params))
    for link in report.links:
        told = {"system": link.system, "key": link.external_id}
        yield call.text("merge_link", before=link.before, after=link.after, **told)
    yield from _changes(call, report, limit)
    for stay in report.stays:
        yield _stay(call, stay)
    for one, other in report.judged:
        yield call.text("merge_judged", one=one, other=other)
    if report.run_id:
        yield call.text("merge_done", run=report.run_id)
    else:
        yield call.text("merge_how_force" if report.vetoes else "merge_how")


def _changes(call: Call, report: Moved, limit: int) -> Iterator[str]:
    empty = call.text("why_empty")
    for cell in report.cells[:limit]:
        before, after = (empty if value is None else value for value in (cell.before, cell.after))
        yield call.text("merge_cell", record=cell.record_id, field=cell.path, before=before, after=after)
    if len(report.cells) > limit:
        yield call.text("merge_more", number=len(report.cells) - limit)
    if report.pins:
        yield call.text("merge_pins", fields=", ".join(report.pins))
    for told in report.told:
        yield call.text("merge_told", system=told.system, key=told.external_id, fields=", ".join(told.paths))


def _stay(call: Call, stay: Stays) -> str:
    run = call.text("merge_by_run", run=stay.run) if stay.run else ""
    if stay.reason == "link_moved":
        return call.text("merge_stays_link_moved", what=stay.what, run=run)
    if stay.reason == "link_new":
        return call.text("merge_stays_link_new", what=stay.what, record=stay.record_id, run=run)
    return call.text("merge_stays_pin_gone", what=stay.what)
