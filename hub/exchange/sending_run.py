"""A run that only sends: what the command ``obmen push`` and the job ``push_now`` are."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from hub.exchange import runs
from hub.exchange.hub import Hub
from hub.exchange.sending import push_all, writing
from hub.exchange.service import RunReport

MODE = "push"


def push_now(
    hub: Hub,
    systems: Iterable[str] | None = None,
    *,
    initiator: str = "cli",
    should_stop: Callable[[], bool] | None = None,
) -> RunReport:
    """Send all that is owed to ``systems`` (all when None or empty) in a run of its own."""
    wanted = [code for code in hub.settings.systems if code in {hub.system(name).code for name in systems or ()}]
    wanted = wanted or list(hub.settings.systems)
    planned = [route.code for route in writing(hub, wanted)]
    run_id = runs.open_run(hub.store, planned, mode=MODE, initiator=initiator)
    report = RunReport(run_id, MODE)
    report.pushes = push_all(hub, run_id, wanted, should_stop=should_stop)
    if not planned:
        with hub.store.begin() as conn:
            runs.end_run_if_done(conn, run_id)
    return report
