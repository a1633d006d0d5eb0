"""``obmen demo``: a stand, an exchange with it, the summary, and the hub on top; nothing to configure.

The stand is a program of its own that this one only starts: an emulator of a 1C trade base on this machine.
"""

from __future__ import annotations

import json
import secrets
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from types import FrameType
from typing import Any

import click

from hub.cli.call import DONE, WAITS, Call, Outcome
from hub.cli.lock import HomeLock, Running, forget
from hub.cli.parser import command, option
from hub.cli.processes import Child, Service
from hub.cli.supervisor import clear_left_over, free_port, port_is_free, run_own
from hub.cli.trouble import log_to
from hub.cli.up import keep_up, teller
from hub.model.errors import NeedsPerson
from hub.model.process import process_mark
from hub.model.settings import FILE_NAME, load_settings

#: Seconds that the stand may take to make its base.
PATIENCE = 120.0
USER = "obmen"
_POLL = 0.1
_SIZE = click.IntRange(1, 1_000_000)


def commands(lang: str) -> list[click.Command]:
    """The command."""
    options = [
        option(lang, "--once", "once", is_flag=True),
        option(lang, "--port", "port", type=click.IntRange(1, 65535), metavar="PORT"),
        option(
            lang, "--orders", "orders", type=click.IntRange(1, 1_000_000), metavar="N", default=20000, show_default=True
        ),
    ]
    return [command(lang, "demo", demo, options)]


def demo(call: Call, port: int | None = None, orders: int = 20000, *, once: bool = False) -> Outcome:
    """Set up the demo's home, exchange, tell, and keep the hub up until asked to stop (not with ``once``)."""
    home = Path(call.named_home).expanduser().resolve() if call.named_home else Path.cwd() / ".obmen" / "demo"
    call.named_home = str(home)
    refuse_foreign(home)
    with HomeLock(home), _terminated_as_interrupted():
        log_to(home)
        clear_left_over(home, teller(call))
        if not once and not port_is_free(port or 3000):
            raise NeedsPerson("cli_port_taken", port=port or 3000)
        stand = Child(stand_service(home, orders, remembered(home)))
        try:
            call.say(call.text("demo_stand"))
            url = start(stand, home)
            write_settings(call, home, url, stand.service.env["STAND_PASSWORD"])
            return _work(call, home, stand, port, once=once)
        finally:
            stand.stop()
            forget(home)


def _work(call: Call, home: Path, stand: Child, port: int | None, *, once: bool) -> Outcome:
    call.say(call.text("demo_exchange", home=home))
    done = run_own(call, "exchange")
    if done not in (DONE, WAITS):
        return Outcome(done)  # it has told why
    if once:
        call.say("", call.text("demo_once", home=home))
        return Outcome(DONE)  # what waits for a person in a demo is part of the show
    return keep_up(call, load_settings(home), port, [stand])


def refuse_foreign(home: Path) -> None:
    """``NeedsPerson(cli_demo_taken)`` for a home with settings that are no demo's."""
    path = home / FILE_NAME
    if path.exists() and "\ndemo: true\n" not in path.read_text(encoding="utf-8", errors="replace"):
        raise NeedsPerson("cli_demo_taken", home=home)


def remembered(home: Path) -> dict[str, Any]:
    """What stays the same from one demo to the next, so that the second one finds nothing changed."""
    path = home / "demo.json"
    try:
        known = json.loads(path.read_text(encoding="utf-8"))
        date.fromisoformat(known["today"])
    except (OSError, ValueError, KeyError, TypeError):
        known = {"today": datetime.now().astimezone().date().isoformat()}
        path.write_text(json.dumps(known), encoding="utf-8")
    return dict(known)


def stand_service(home: Path, orders: int, known: dict[str, Any]) -> Service:
    """The stand as a process, on a free port, with its own password; its base ends on the day of the first demo."""
    line = [sys.executable, "-m", "stand.onec", "--control", "--port", str(free_port()), "--user", USER]
    line += ["--orders", str(orders), "--today", known["today"]]
    env = {"STAND_PASSWORD": secrets.token_urlsafe(18), "PYTHONUNBUFFERED": "1"}
    return Service("stand", line, home / "logs" / "stand.log", env)


def start(stand: Child, home: Path) -> str:
    """Start the stand; the address it announces. ``NeedsPerson(cli_demo_stand_failed)`` when it does not."""
    log = stand.service.log
    before = log.stat().st_size if log.exists() else 0
    stand.start()
    about = Running.of_this_process("", datetime.now(UTC).isoformat(timespec="seconds"))
    about.services = {"stand": (stand.pid or 0, process_mark(stand.pid or 0))}
    about.write(home)
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until and stand.process is not None and stand.process.poll() is None:
        for line in log.read_bytes()[before:].splitlines():
            if line.startswith(b'{"url"'):
                return str(json.loads(line)["url"])
        time.sleep(_POLL)
    raise NeedsPerson("cli_demo_stand_failed", log=log)


def write_settings(call: Call, home: Path, url: str, password: str) -> None:
    """``hub.yaml`` of the demo, written anew each time: the stand is somewhere else each time."""
    text = call.text("demo_file", locale=call.lang, url=json.dumps(url), user=USER, password=json.dumps(password))
    path = home / FILE_NAME
    path.write_text(f"{text}\n", encoding="utf-8", newline="\n")
    path.chmod(0o600)


@contextmanager
def _terminated_as_interrupted() -> Iterator[None]:
    """A request to end, while there is no supervisor yet, must not leave the stand behind."""

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
