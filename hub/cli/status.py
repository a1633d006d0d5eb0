"""``obmen status``: does the hub run, what did the last exchanges do, what waits."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from sqlalchemy import inspect

from hub.cli import lock
from hub.cli.call import DONE, WAITS, Call, Outcome
from hub.cli.parser import command, option
from hub.model.settings import Settings, load_settings

if TYPE_CHECKING:
    from hub.store.database import Store
    from hub.store.journal import RunEntry


def commands(lang: str) -> list[click.Command]:
    """The command."""
    runs = option(lang, "--runs", "runs", type=click.IntRange(1, 1000), metavar="N", default=5, show_default=True)
    return [command(lang, "status", status, [runs])]


def status(call: Call, runs: int = 5) -> Outcome:
    """Read the journal; nothing is written, no system is asked."""
    from hub.store.database import open_store

    settings = load_settings(call.home)
    secret = settings.store_password.resolve() if settings.store_password else None
    hub_data, hub_lines = _hub(call, settings)
    if _not_made(settings.store_url):
        return Outcome(DONE, _nothing(settings, hub_data), [*hub_lines, call.text("status_no_runs")])
    store = open_store(settings.store_url, secret)
    try:
        return _told(call, settings, store, runs, hub_data, hub_lines)
    finally:
        store.close()


def _not_made(url: str) -> bool:
    """True for a file that is not there yet: to look at it would make it."""
    return url.startswith("sqlite:///") and not Path(url.removeprefix("sqlite:///")).exists()


def _nothing(settings: Settings, hub_data: dict[str, Any]) -> dict[str, Any]:
    return {"home": str(settings.home), "hub": hub_data, "runs": [], "last": None}


def _hub(call: Call, settings: Settings) -> tuple[dict[str, Any], list[str]]:
    """Whether ``obmen up`` runs on this home, and where."""
    there = lock.running(settings.home)
    if there is None or not there.alive:
        return {"running": False}, [call.text("status_down")]
    data = {
        "running": True,
        "ready": there.ready,
        "pid": there.pid,
        "url": there.url,
        "started_at": there.started_at,
        "services": {name: pid for name, (pid, _) in there.services.items()},
    }
    return data, [call.text("status_up" if there.ready else "status_starting", url=there.url, pid=there.pid)]


def _told(
    call: Call, settings: Settings, store: Store, limit: int, hub_data: dict[str, Any], hub_lines: list[str]
) -> Outcome:
    from hub.reports.building import build
    from hub.reports.facts import now
    from hub.reports.text import moment, plain
    from hub.store import journal

    data = _nothing(settings, hub_data)
    with store.read() as conn:
        found = journal.last_runs(conn, limit) if inspect(conn).has_table("exchange_run") else []
    if not found:
        return Outcome(DONE, data, [*hub_lines, call.text("status_no_runs")])
    last = build(store, settings, found[0].id, {}, now())
    data["runs"] = [_run(entry) for entry in found]
    data["last"] = last.as_dict(call.lang)
    lines = [*hub_lines, "", *plain(last, call.lang), "", call.text("status_runs")]
    for entry in found:
        started = moment(entry.started_at, settings.company_timezone)
        state = call.state(entry.state)
        lines.append(call.text("status_run", id=entry.id, started=started, mode=call.mode(entry.mode), state=state))
    return Outcome(WAITS if last.todo else DONE, data, lines)


def _run(entry: RunEntry) -> dict[str, Any]:
    return {
        "run_id": entry.id,
        "mode": entry.mode,
        "initiator": entry.initiator,
        "state": entry.state,
        "started_at": entry.started_at.isoformat(),
        "ended_at": entry.ended_at.isoformat() if entry.ended_at else None,
        "silent": entry.silent,
        "dagster_run_id": entry.dagster_run_id,
    }
