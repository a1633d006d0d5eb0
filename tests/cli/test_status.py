"""``obmen status``: read-only, before and after exchanges, with and without a hub."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import update

from hub.cli.lock import Running
from hub.model.process import process_mark
from hub.store import core
from hub.store.database import open_store
from stand.onec.server import OneCStand
from tests.cli.conftest import Obmen, settings, write


def test_before_the_first_exchange(obmen: Obmen, home: Path) -> None:
    """It says what to do, and looking makes nothing: the store's file is not there afterwards either."""
    write(home, settings("http://127.0.0.1:9/ut"))
    said = obmen("status")
    assert said.code == 0
    assert "Служба не запущена" in said.out
    assert "Обменов ещё не было" in said.out
    assert not (home / "store.db").exists()
    assert obmen("status", "--json").document["result"] == {
        "home": str(home),
        "hub": {"running": False},
        "runs": [],
        "last": None,
    }


def test_a_store_without_tables_is_no_crash(obmen: Obmen, home: Path) -> None:
    """A store that was opened once and never migrated has no exchanges yet."""
    write(home, settings("http://127.0.0.1:9/ut"))
    open_store(f"sqlite:///{home}/store.db").close()
    said = obmen("status")
    assert (said.code, "Обменов ещё не было" in said.out) == (0, True)


def test_after_exchanges(obmen: Obmen, home: Path, stand: OneCStand) -> None:
    """The last exchange as its summary, the ones before as lines, the newest first; no request to the base."""
    write(home, settings(stand.url))
    obmen("exchange", "ut.currency")
    obmen("exchange", "ut.currency", "ut.unit")
    stand.requests.clear()
    said = obmen("status", "--runs", "1")
    assert said.code == 0
    assert "№ 2" in said.out
    assert "№ 1" not in said.out
    found = obmen("status", "--json").document["result"]
    assert [entry["run_id"] for entry in found["runs"]] == [2, 1]
    assert found["last"]["run_id"] == 2
    assert {entry["initiator"] for entry in found["runs"]} == {"cli"}
    assert len(stand.requests) == 0


def test_what_waits_makes_it_end_with_1(obmen: Obmen, home: Path, stand: OneCStand) -> None:
    """A script can tell by the exit code alone that somebody should look."""
    write(home, settings(stand.url))
    obmen("exchange", "ut.currency")
    stand.quirks.fail_status = 404
    assert obmen("exchange", "ut.currency").code > 0
    assert obmen("status").code == 1


def test_an_exchange_that_was_killed_is_not_told_as_going_on(obmen: Obmen, home: Path, stand: OneCStand) -> None:
    """A run whose process is gone is told as broken off, with the way to go on."""
    write(home, settings(stand.url))
    obmen("exchange", "ut.currency")
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    store = open_store(f"sqlite:///{home}/store.db")
    with store.begin() as conn:
        conn.execute(update(core.exchange_run).values(state="running", ended_at=None, pid=gone.pid))
        conn.execute(update(core.run_route).values(state="running", ended_at=None))
    store.close()
    said = obmen("status")
    assert said.code == 1
    assert "ИДЁТ СЕЙЧАС" not in said.out
    assert "Обмен прерван" in said.out


def test_a_running_hub_is_told_with_its_address(obmen: Obmen, home: Path) -> None:
    """What the supervisor wrote about itself counts only while that very process lives."""
    write(home, settings("http://127.0.0.1:9/ut"))
    about = Running.of_this_process("http://127.0.0.1:3000", datetime.now(UTC).isoformat())
    about.services = {"web": (os.getpid(), process_mark(os.getpid()))}
    about.write(home)
    assert "Служба запускается: http://127.0.0.1:3000" in obmen("status").out
    about.ready = True
    about.write(home)
    said = obmen("status", "--json").document["result"]["hub"]
    assert (said["running"], said["ready"], said["url"]) == (True, True, "http://127.0.0.1:3000")
    about.mark = "another process"
    about.write(home)
    assert "Служба не запущена" in obmen("status").out
    (home / "up.json").write_text("{", encoding="utf-8")
    assert "Служба не запущена" in obmen("status").out
