"""A run in which a person acts: a word on a record, an undo. In the journal like any exchange, without routes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import update

from hub.exchange import runs
from hub.exchange.hub import Hub
from hub.store import core


@contextmanager
def acting(
    hub: Hub, mode: str, by: str, *, undoes: int | None = None, dagster_run_id: str | None = None
) -> Iterator[int]:
    """Number of a run that is open while the body works, and failed if that raises. ``by``: who acts."""
    run, table = runs.open_run(hub.store, [], mode=mode, initiator=by, dagster_run_id=dagster_run_id), core.exchange_run
    if undoes is not None:
        with hub.store.begin() as conn:
            conn.execute(update(table).where(table.c.id == run).values(undoes=undoes))
    try:
        yield run
    except BaseException:
        _end(hub, run, "failed")
        raise
    _end(hub, run, "completed")


def _end(hub: Hub, run: int, state: str) -> None:
    table = core.exchange_run
    with hub.store.begin() as conn:
        conn.execute(
            update(table).where(table.c.id == run, table.c.state == "running").values(state=state, ended_at=runs.now())
        )
