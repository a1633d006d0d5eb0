"""All clients compared anew because somebody asked for it: a run of its own."""

from __future__ import annotations

from hub.exchange.acting import acting
from hub.exchange.duplicates.rebuild import Rebuilt, rebuild
from hub.exchange.hub import Hub


def compare_all(hub: Hub, *, by: str, dagster_run_id: str | None = None) -> Rebuilt:
    """Make statistics, pairs and groups anew. Nothing is merged."""
    with acting(hub, "compare", by, dagster_run_id=dagster_run_id) as run_id, hub.store.begin() as conn:
        return rebuild(conn, run_id)
