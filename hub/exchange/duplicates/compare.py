"""All clients compared anew because somebody asked for it: a run of its own."""

from __future__ import annotations

from hub.exchange.acting import acting
from hub.exchange.duplicates.rebuild import Rebuilt, rebuild
from hub.exchange.duplicates.weighing import in_force, named
from hub.exchange.hub import Hub


def compare_all(hub: Hub, *, by: str, weights: str | None = None, dagster_run_id: str | None = None) -> Rebuilt:
    """Make statistics, pairs and groups anew. Nothing is merged. ``weights``: the table to be in force from now on.

    ``NeedsPerson``: ``dedup_weights_unknown``, ``dedup_weights_unfit``, ``dedup_unsound``.
    """
    with hub.store.read() as conn:  # what cannot be leaves no run behind
        table = named(conn, weights) if weights else in_force(conn)
    with acting(hub, "compare", by, dagster_run_id=dagster_run_id) as run_id, hub.store.begin() as conn:
        return rebuild(conn, run_id, table)
