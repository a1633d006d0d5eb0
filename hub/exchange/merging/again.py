"""The undo of a run that merged, split, or undid such a run: what ``obmen undo RUN`` does with it."""

from __future__ import annotations

from hub.exchange.acting import acting
from hub.exchange.hub import Hub
from hub.exchange.merging import log, unmerge
from hub.exchange.merging.finish import rehearsing
from hub.exchange.merging.log import Entry
from hub.exchange.merging.merge import Asked, merge_in
from hub.exchange.merging.split import Parting, split_in
from hub.exchange.merging.told import Moved
from hub.store.database import Store


def concerns(store: Store, run_id: int) -> bool:
    """Whether the run moved links by a merge, a split, or the undo of one."""
    with store.read() as conn:
        return bool(log.entries(conn, run_id=run_id) or log.entries(conn, undone_run=run_id))


def take_back(hub: Hub, run_id: int, *, by: str, apply: bool, dagster_run_id: str | None = None) -> Moved:
    """Undo the run, or, without ``apply``, what that would be. A merge that was undone is made again."""
    with hub.store.read() as conn:
        undone = log.entries(conn, undone_run=run_id)
        mine = log.entries(conn, run_id=run_id)
    if mine and not undone:
        chosen = unmerge.of_run(hub, run_id, by=by)
        return unmerge.unmerge(hub, chosen, dagster_run_id=dagster_run_id) if apply else unmerge.plan(hub, chosen)
    report = _again(hub, undone, run_id, by, 0)
    if not apply:
        return report
    mode = report.op
    with acting(hub, mode, by, undoes=run_id, dagster_run_id=dagster_run_id) as number:
        return _again(hub, undone, run_id, by, number)


def _again(hub: Hub, entries: list[Entry], undone: int, by: str, run_id: int) -> Moved:
    first = entries[0]
    report = Moved(first.op, first.entity, first.record_id, [], run_id)
    with hub.store.begin() if run_id else rehearsing(hub.store) as conn:
        for entry in entries:
            reason = entry.reason or f"undo {undone}"
            if entry.op == "merge":
                report.others.append(entry.other_id)
                pair = (entry.record_id, (entry.other_id,))
                merge_in(conn, hub, Asked(entry.entity, *pair, by, reason, entry.rule, confirm=True), report)
            else:
                split_in(
                    conn, hub, Parting(entry.entity, entry.record_id, tuple(sorted(entry.links)), by, reason), report
                )
    return report
