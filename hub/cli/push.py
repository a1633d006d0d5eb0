"""``obmen push``: send what is owed, now; the same service as the job in the UI."""

from __future__ import annotations

from collections.abc import Sequence

import click

from hub.cli.call import Call, Outcome
from hub.cli.parser import argument, command
from hub.cli.work import told


def commands(lang: str) -> list[click.Command]:
    """The command."""
    return [command(lang, "push", push, [argument("systems", "SYSTEM", many=True)])]


def push(call: Call, systems: Sequence[str] = ()) -> Outcome:
    """Send to the systems (all without any)."""
    from hub.exchange.hub import Hub
    from hub.exchange.sending_run import push_now

    with Hub.open(call.home) as hub:
        return told(call, hub, push_now(hub, systems))
