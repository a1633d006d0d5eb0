"""The stands of the demo: programs of their own that are only started here, and files that they make once.

1C, the mailbox and the calendar run as long as the demo does; the CRM and the telephone exchange are databases. What
people write to any of them but the mailbox stays in the demo's home.
"""

from __future__ import annotations

import json
import secrets
import subprocess
import sys
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from hub.cli.lock import Running
from hub.cli.processes import Child, Service
from hub.cli.supervisor import free_port
from hub.model.errors import NeedsPerson
from hub.model.process import process_mark

#: Seconds that a stand may take to make its base.
PATIENCE = 120.0
USER, MAILBOX, MANAGER = "obmen", "zakaz@firma.example", "manager"
#: Files of the demo in its home: the CRM, what was written to the 1C base, the calls.
CRM, JOURNAL, CALLS = "crm.db", "onec.jsonl", "pbx.db"
#: Names of the stands that run.
ONEC, MAIL, CALENDAR = "stand", "mail", "calendar"
_POLL = 0.1


def stand_services(home: Path, known: Mapping[str, Any]) -> list[Service]:
    """The stands that run, each on a free port with its own password; what they hold ends with the first demo's day."""
    return [_onec(home, known), _mail(home, known), _calendar(home, known)]


def _onec(home: Path, known: Mapping[str, Any]) -> Service:
    line = [sys.executable, "-m", "stand.onec", "--control", "--port", str(free_port()), "--user", USER]
    line += ["--orders", str(known["orders"]), "--today", known["today"], "--journal", str(home / JOURNAL)]
    return Service(ONEC, line, home / "logs" / "stand.log", _secret())


def _mail(home: Path, known: Mapping[str, Any]) -> Service:
    line = [sys.executable, "-m", "stand.mail", "--port", "0", "--user", MAILBOX, "--today", known["today"]]
    return Service(MAIL, line, home / "logs" / "stand-mail.log", _secret())


def _calendar(home: Path, known: Mapping[str, Any]) -> Service:
    line = [sys.executable, "-m", "stand.calendar", "--folder", str(home / CALENDAR), "--port", str(free_port())]
    line += ["--user", MANAGER, "--today", known["today"]]
    return Service(CALENDAR, line, home / "logs" / "stand-calendar.log", _secret())


def _secret() -> dict[str, str]:
    return {"STAND_PASSWORD": secrets.token_urlsafe(18), "PYTHONUNBUFFERED": "1"}


def start(stands: list[Child], home: Path) -> dict[str, str]:
    """Start them at once; the address that each announces, by name. ``NeedsPerson(cli_demo_stand_failed)``."""
    logs = {stand.service.name: stand.service.log for stand in stands}
    before = {name: log.stat().st_size if log.exists() else 0 for name, log in logs.items()}
    about = Running.of_this_process("", datetime.now(UTC).isoformat(timespec="seconds"))
    for stand in stands:
        stand.start()
        about.services[stand.service.name] = (stand.pid or 0, process_mark(stand.pid or 0))
        about.write(home)
    return {stand.service.name: _announced(stand, before[stand.service.name]) for stand in stands}


def _announced(stand: Child, start_at: int) -> str:
    log, until = stand.service.log, time.monotonic() + PATIENCE
    while time.monotonic() < until and stand.process is not None and stand.process.poll() is None:
        for line in log.read_bytes()[start_at:].splitlines():
            if line.startswith(b'{"url"'):
                return str(json.loads(line)["url"])
        time.sleep(_POLL)
    raise NeedsPerson("cli_demo_stand_failed", log=log)


def make_files(home: Path, known: Mapping[str, Any]) -> None:
    """The CRM's file and that of the calls, unless they are there: people's work is in them.

    ``NeedsPerson(cli_demo_stand_failed)``.
    """
    _make(home / CRM, ["stand.crm"], home / "logs" / "crm.log", known)
    _make(home / CALLS, ["stand.pbx", "make"], home / "logs" / "pbx.log", known)


def _make(path: Path, words: list[str], log: Path, known: Mapping[str, Any]) -> None:
    if path.exists():
        return
    unfinished = path.with_suffix(".new")
    unfinished.unlink(missing_ok=True)
    line = [sys.executable, "-m", *words, str(unfinished), "--today", str(known["today"])]
    with log.open("ab") as out:
        done = subprocess.run(line, stdout=out, stderr=out, timeout=PATIENCE, check=False)
    if done.returncode:
        raise NeedsPerson("cli_demo_stand_failed", log=log)
    unfinished.replace(path)


def words(home: Path, stands: list[Child], urls: Mapping[str, str]) -> dict[str, str]:
    """What the demo's ``hub.yaml`` is filled in with, as YAML writes it."""
    told = {f"{stand.service.name}_password": stand.service.env["STAND_PASSWORD"] for stand in stands}
    told |= {f"{name}_url": url for name, url in urls.items()}
    told |= {f"{name}_url": f"sqlite:///{(home / file).as_posix()}" for name, file in (("crm", CRM), ("pbx", CALLS))}
    return {
        "user": USER,
        "mailbox": MAILBOX,
        "manager": MANAGER,
        **{name: json.dumps(one) for name, one in told.items()},
    }
