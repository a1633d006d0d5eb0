"""``obmen demo``: two stands, an exchange between them, the summary, and the hub on top; nothing to configure.

The stands are programs of their own that this one only starts: an emulator of a 1C trade base on this machine, and the
database of a CRM, a file. What people write to either stays there from one demo to the next.
"""

from __future__ import annotations

import json
import secrets
import signal
import subprocess
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
from hub.cli.demo_edits import ways_to_edit
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
#: Orders of the 1C base unless told otherwise.
ORDERS = 20_000
#: Files of the demo in its home: the CRM, and what was written to the 1C base.
CRM, JOURNAL = "crm.db", "onec.jsonl"
_POLL = 0.1
#: What was written to more of them could not be kept.
_SIZE = click.IntRange(1, 100_000)


def commands(lang: str) -> list[click.Command]:
    """The command."""
    options = [
        option(lang, "--once", "once", is_flag=True),
        option(lang, "--port", "port", type=click.IntRange(1, 65535), metavar="PORT"),
        option(lang, "--orders", "orders", type=_SIZE, metavar="N", show_default=str(ORDERS)),
    ]
    return [command(lang, "demo", demo, options)]


def demo(call: Call, port: int | None = None, orders: int | None = None, *, once: bool = False) -> Outcome:
    """Set up the demo's home, exchange, tell, and keep the hub up until asked to stop (not with ``once``)."""
    home = Path(call.named_home).expanduser().resolve() if call.named_home else Path.cwd() / ".obmen" / "demo"
    call.named_home = str(home)
    refuse_foreign(home)
    with HomeLock(home), _terminated_as_interrupted():
        log_to(home)
        clear_left_over(home, teller(call))
        if not once and not port_is_free(port or 3000):
            raise NeedsPerson("cli_port_taken", port=port or 3000)
        known = remembered(home, orders)
        stand = Child(stand_service(home, known))
        try:
            call.say(call.text("demo_stand"))
            url = start(stand, home)
            make_crm(home, known)
            write_settings(call, home, url, stand.service.env["STAND_PASSWORD"])
            return _work(call, home, stand, url, port, once=once)
        finally:
            stand.stop()
            forget(home)


def _work(call: Call, home: Path, stand: Child, url: str, port: int | None, *, once: bool) -> Outcome:
    call.say(call.text("demo_exchange", home=home))
    done = run_own(call, "exchange")
    if done not in (DONE, WAITS):
        return Outcome(done)  # it has told why
    call.say("", *ways_to_edit(call, load_settings(home), home / CRM, "" if once else url))
    if once:
        call.say("", call.text("demo_once", home=home))
        return Outcome(DONE)  # what waits for a person in a demo is part of the show
    return keep_up(call, load_settings(home), port, [stand])


def refuse_foreign(home: Path) -> None:
    """``NeedsPerson(cli_demo_taken)`` for a home with settings that are no demo's."""
    path = home / FILE_NAME
    if path.exists() and "\ndemo: true\n" not in path.read_text(encoding="utf-8", errors="replace"):
        raise NeedsPerson("cli_demo_taken", home=home)


def remembered(home: Path, orders: int | None = None) -> dict[str, Any]:
    """What stays the same from one demo to the next: the last day of its data, and how many orders there are.

    ``NeedsPerson(cli_demo_other_size)`` when another number is asked for than the home's base has.
    """
    path = home / "demo.json"
    try:
        known = json.loads(path.read_text(encoding="utf-8"))
        date.fromisoformat(known["today"])
    except (OSError, ValueError, KeyError, TypeError):
        known = {"today": datetime.now().astimezone().date().isoformat()}
    size = int(known.setdefault("orders", orders or ORDERS))
    if orders not in (None, size):
        raise NeedsPerson("cli_demo_other_size", home=home, orders=size)
    path.write_text(json.dumps(known), encoding="utf-8")
    return dict(known)


def stand_service(home: Path, known: dict[str, Any]) -> Service:
    """The 1C stand as a process, on a free port, with its own password; its base ends on the day of the first demo."""
    line = [sys.executable, "-m", "stand.onec", "--control", "--port", str(free_port()), "--user", USER]
    line += ["--orders", str(known["orders"]), "--today", known["today"], "--journal", str(home / JOURNAL)]
    env = {"STAND_PASSWORD": secrets.token_urlsafe(18), "PYTHONUNBUFFERED": "1"}
    return Service("stand", line, home / "logs" / "stand.log", env)


def make_crm(home: Path, known: dict[str, Any]) -> None:
    """The CRM's file, unless it is there: people's work is in it. ``NeedsPerson(cli_demo_stand_failed)``."""
    path, log = home / CRM, home / "logs" / "crm.log"
    if path.exists():
        return
    unfinished = path.with_suffix(".new")
    unfinished.unlink(missing_ok=True)
    line = [sys.executable, "-m", "stand.crm", str(unfinished), "--today", known["today"]]
    with log.open("ab") as out:
        done = subprocess.run(line, stdout=out, stderr=out, timeout=PATIENCE, check=False)
    if done.returncode:
        raise NeedsPerson("cli_demo_stand_failed", log=log)
    unfinished.replace(path)


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
    crm = json.dumps(f"sqlite:///{(home / CRM).as_posix()}")
    words = {"url": json.dumps(url), "user": USER, "password": json.dumps(password), "crm": crm}
    path = home / FILE_NAME
    path.write_text(f"{call.text('demo_file', locale=call.lang, **words)}\n", encoding="utf-8", newline="\n")
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
