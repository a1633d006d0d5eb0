"""``obmen exchange`` and ``obmen backfill``: the same services as the jobs in the UI."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import click

from hub.cli.call import Call, Outcome
from hub.cli.parser import argument, command, option
from hub.cli.progress import watching
from hub.cli.trouble import as_dict
from hub.model.errors import NeedsPerson
from hub.model.records import Window

if TYPE_CHECKING:
    from hub.exchange.hub import Hub
    from hub.exchange.service import RouteReport, RunReport


def commands(lang: str) -> list[click.Command]:
    """The two commands."""
    routes = argument("routes", "ROUTE", many=True)
    ways = [option(lang, "--changes", "changes", is_flag=True), option(lang, "--plan", "plan", is_flag=True)]
    days = [
        option(lang, "--from", "first", metavar="DAY", required=True),
        option(lang, "--to", "last", metavar="DAY", required=True),
    ]
    return [
        command(lang, "exchange", exchange, [routes, *ways]),
        command(lang, "backfill", backfill, [argument("routes", "ROUTE", many=True, required=True), *days]),
    ]


def exchange(call: Call, routes: Sequence[str] = (), *, changes: bool = False, plan: bool = False) -> Outcome:
    """Pull the routes now (all without any); a system's code stands for all of its routes.

    ``changes``: the names are systems', and only what changed is taken. ``plan``: nothing is; a plan is saved.
    """
    from hub.cli import plan as planning
    from hub.exchange.hub import Hub
    from hub.exchange.service import exchange_changes, run_exchange

    if changes and plan:
        raise NeedsPerson("cli_plan_changes")
    with Hub.open(call.home) as hub:
        wanted = list(routes) if changes else _wanted(hub, routes)
        if plan:
            return planning.save(call, hub, wanted)
        with watching(call, hub) as show:
            if changes:
                report = exchange_changes(hub, wanted, on_progress=show)
            else:
                report = run_exchange(hub, wanted or None, mode="manual", initiator="cli", on_progress=show)
        return told(call, hub, report)


def backfill(call: Call, routes: Sequence[str], first: str, last: str) -> Outcome:
    """Re-read the days from ``first`` to ``last``, both included, silently and resumably."""
    from hub.exchange import service
    from hub.exchange.hub import Hub

    window = period(first, last)
    with Hub.open(call.home) as hub:
        wanted = _wanted(hub, routes)
        for code in wanted:
            if not hub.route(code).entity.dated_by:
                raise NeedsPerson("cli_not_dated", route=code, valid=", ".join(_dated(hub)))
        with watching(call, hub) as show:
            report = service.backfill(hub, wanted, window, initiator="cli", on_progress=show)
        return told(call, hub, report)


def period(first: str, last: str) -> Window:
    """Days as an admin writes them (both included) as a window (its end excluded); ``NeedsPerson`` for bad ones."""
    days = []
    for flag, text in (("--from", first), ("--to", last)):
        try:
            days.append(date.fromisoformat(text))
        except ValueError:
            raise NeedsPerson("cli_bad_day", flag=flag, value=text) from None
    if days[0] > days[1]:
        raise NeedsPerson("cli_bad_period", first=days[0], last=days[1])
    return Window(days[0], days[1] + timedelta(days=1))


def _wanted(hub: Hub, asked: Sequence[str]) -> list[str]:
    """Codes of routes; a system's code becomes those of all its routes, an unknown one is refused."""
    codes: list[str] = []
    for name in asked:
        of_system = [code for code, route in hub.routes.items() if route.system == name]
        codes += of_system or [hub.route(name).code]
    return list(dict.fromkeys(codes))


def _dated(hub: Hub) -> list[str]:
    return [code for code, route in hub.routes.items() if route.entity.dated_by]


def told(call: Call, hub: Hub, report: RunReport) -> Outcome:
    """The run as the summary tells it, with what only this process still knows."""
    from hub.reports.summary import summary
    from hub.reports.text import plain

    errors = {item.route: item.error for item in report.routes if item.error is not None}
    found = summary(hub, report.run_id, errors)
    data = found.as_dict(call.lang)
    data["reports"] = [_report(item, call.lang) for item in report.routes]
    return Outcome(report.exit_code, data, plain(found, call.lang))


def _report(item: RouteReport, lang: str) -> dict[str, Any]:
    """What the journal does not keep of a route."""
    return {
        "route": item.route,
        "state": item.state,
        "writes": item.writes,
        "resumed": item.resumed,
        "paused": list(item.paused),
        "later": list(item.later),
        "error": as_dict(item.error, lang) if item.error is not None else None,
    }
