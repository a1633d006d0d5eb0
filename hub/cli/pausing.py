"""``obmen pause`` and ``obmen resume``: stop one route, or one direction of it, for a while."""

from __future__ import annotations

import getpass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import click

from hub.cli.call import DONE, Call, Outcome
from hub.cli.parser import argument, command, option

if TYPE_CHECKING:
    from hub.exchange.hub import Hub


def commands(lang: str) -> list[click.Command]:
    """The two commands."""
    route = argument("route", "ROUTE", required=True)
    direction = option(
        lang, "--direction", "direction", type=click.Choice(["pull", "push", "both"]), default="both", show_default=True
    )
    until = option(lang, "--until", "until", metavar="TIME")
    reason = option(lang, "--reason", "reason", metavar="TEXT", required=True)
    return [
        command(lang, "pause", pause, [route, direction, until, reason]),
        command(lang, "resume", resume, [route, direction]),
    ]


def pause(call: Call, route: str, reason: str, direction: Any = "both", until: str | None = None) -> Outcome:
    """Stop it from its next page, or its next batch, on."""
    from hub.exchange import pauses
    from hub.exchange.hub import Hub

    with Hub.open(call.home) as hub:
        moment = pauses.until_of(hub, until)
        pauses.pause(hub, route, reason, getpass.getuser(), until=moment, direction=direction)
        return _told(call, hub, route)


def resume(call: Call, route: str, direction: Any = "both") -> Outcome:
    """Let it go on."""
    from hub.exchange import pauses
    from hub.exchange.hub import Hub

    with Hub.open(call.home) as hub:
        pauses.resume(hub, route, direction=direction)
        return _told(call, hub, route)


def _told(call: Call, hub: Hub, route: str) -> Outcome:
    """How the route stands now."""
    from hub.exchange import pauses
    from hub.store.outgoing import pull_code

    zone = ZoneInfo(hub.settings.company_timezone)
    found = [one for one in pauses.pauses(hub) if pull_code(one.route) == route]
    lines, data = [], []
    for one in found:
        direction = "push" if one.route.endswith(".push") else "pull"
        until = one.until.astimezone(zone) if one.until else None
        shown = f"{until:%d.%m.%Y %H:%M}" if until else call.text("pause_no_end")
        lines.append(call.text(f"pause_{direction}", route=route, until=shown, reason=one.reason))
        told = {"route": route, "direction": direction, "reason": one.reason, "by": one.by}
        data.append({**told, "until": one.until.astimezone(UTC).isoformat() if one.until else None})
    return Outcome(
        DONE, {"pauses": data, "at": datetime.now(UTC).isoformat()}, lines or [call.text("pause_none", route=route)]
    )
