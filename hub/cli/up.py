"""``obmen up``: the hub itself, the hidden ``obmen prepare`` that makes a home ready in one process, and the hidden
``obmen notices`` that hears what services send.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click

from hub.cli.call import DONE, Call, Outcome
from hub.cli.lock import HomeLock
from hub.cli.parser import command, option
from hub.cli.processes import Child
from hub.cli.supervisor import HOST, Supervisor, clear_left_over, port_is_free, run_own, services
from hub.model.errors import NeedsPerson
from hub.model.settings import Settings, load_settings


def commands(lang: str) -> list[click.Command]:
    """The command and its hidden parts."""
    port = option(lang, "--port", "port", type=click.IntRange(1, 65535), metavar="PORT")
    return [
        command(lang, "up", up, [port]),
        command(lang, "prepare", prepare, hidden=True),
        command(lang, "notices", notices, hidden=True),
    ]


def up(call: Call, port: int | None = None) -> Outcome:
    """Keep the hub alive until it is asked to stop."""
    settings = load_settings(call.home)
    with HomeLock(settings.home):
        clear_left_over(settings.home, teller(call))
        return keep_up(call, settings, port)


def keep_up(call: Call, settings: Settings, port: int | None = None, others: Sequence[Child] = ()) -> Outcome:
    """The same for a home whose lock is held; ``others`` run already, are kept alive too and stopped last."""
    home, ui_port = settings.home, port or settings.ui_port
    tell = teller(call)
    if not port_is_free(ui_port):
        raise NeedsPerson("cli_port_taken", port=ui_port)
    hears = settings.notices_port if settings.notified else None
    if hears is not None and (hears == ui_port or not port_is_free(hears)):
        raise NeedsPerson("cli_notices_port_taken", port=hears)
    tell("starting", home=home)
    ready = run_own(call, "prepare")  # one maker for Dagster's databases, before any other process opens them
    if ready != DONE:
        return Outcome(ready)  # it has told why
    url = f"http://{HOST}:{ui_port}"
    children = [*(Child(service) for service in services(home, ui_port, notices=hears is not None)), *others]
    Supervisor(home, url, children, tell).run()
    return Outcome(DONE)


def prepare(call: Call) -> Outcome:
    """Migrate the store, write Dagster's settings, make its databases and the pools; safe to repeat."""
    from hub.exchange.hub import Hub
    from hub.instance import prepare as prepare_dagster

    with Hub.open(call.home) as hub:
        prepare_dagster(hub.settings)
    return Outcome(DONE)


def notices(call: Call) -> Outcome:
    """Hear notices until asked to end."""
    from hub.cli.listening import listen
    from hub.exchange.hub import Hub
    from hub.exchange.notices import Inbox

    with Hub.open(call.home) as hub:
        listen(Inbox(hub), HOST, hub.settings.notices_port)
    return Outcome(DONE)


def teller(call: Call) -> Any:
    """Events of the supervisor for a person as lines, for a machine as JSON lines."""

    def tell(event: str, **params: Any) -> None:
        if call.as_json:
            call.emit({"event": event, **{name: str(value) for name, value in params.items()}})
        else:
            call.say(call.text(f"up_{event}", **params))

    return tell
