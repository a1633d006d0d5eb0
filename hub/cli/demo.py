"""``obmen demo``: stands, an exchange between them, the summary, and the hub on top; nothing to configure."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from types import FrameType
from typing import Any

import click

from hub.cli import demo_stands
from hub.cli.call import DONE, WAITS, Call, Outcome
from hub.cli.demo_edits import ways_to_edit
from hub.cli.lock import HomeLock, forget
from hub.cli.parser import command, option
from hub.cli.processes import Child
from hub.cli.supervisor import clear_left_over, port_is_free, run_own
from hub.cli.trouble import log_to
from hub.cli.up import keep_up, teller
from hub.model.errors import NeedsPerson
from hub.model.settings import FILE_NAME, load_settings

#: Orders of the 1C base unless told otherwise.
ORDERS = 20_000
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
        stands = [Child(service) for service in demo_stands.stand_services(home, known)]
        try:
            call.say(call.text("demo_stand"))
            urls = demo_stands.start(stands, home)
            demo_stands.make_files(home, known)
            write_settings(call, home, demo_stands.words(home, stands, urls))
            return _work(call, home, stands, urls[demo_stands.ONEC], port, once=once)
        finally:
            for stand in stands:
                stand.stop()
            forget(home)


def _work(call: Call, home: Path, stands: list[Child], url: str, port: int | None, *, once: bool) -> Outcome:
    call.say(call.text("demo_exchange", home=home))
    done = run_own(call, "exchange")
    if done not in (DONE, WAITS):
        return Outcome(done)  # it has told why
    call.say("", *ways_to_edit(call, load_settings(home), home / demo_stands.CRM, "" if once else url))
    if once:
        call.say("", call.text("demo_once", home=home))
        return Outcome(DONE)  # what waits for a person in a demo is part of the show
    return keep_up(call, load_settings(home), port, stands)


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


def write_settings(call: Call, home: Path, words: Mapping[str, str]) -> None:
    """``hub.yaml`` of the demo, written anew each time: the stands are somewhere else each time."""
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
