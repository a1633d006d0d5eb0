"""The stand of a manager's calendar: its content, and a Radicale that serves it."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

from stand.calendar.__main__ import parser
from stand.calendar.make import people, resources
from stand.onec.generate.build import build
from stand.onec.world import rows_of
from tests.connectors.installed import free_port

README = Path(__file__).parents[2] / "stand" / "calendar" / "README.md"


def test_the_same_words_make_the_same_content() -> None:
    """Two makings are equal; every ninth meeting is a series with one exception."""
    one, other = (list(resources(1, "m@firma.example", 20, 5)) for _ in range(2))
    assert one == other
    assert [text.count("BEGIN:VEVENT") for _, text in one[:20]].count(2) == 2


def test_those_who_are_met_are_clients_of_1c() -> None:
    """Their addresses stand in the cards of the 1C stand of the same seed."""
    world = build(seed=1, clients=120, products=5, orders=5)
    rows = [row for record in world.records("Catalog_Партнеры") for row in rows_of(record.get("КонтактнаяИнформация"))]
    known = {str(row.get("АдресЭП") or row.get("АдресЭП") or "").replace(" ", "") for row in rows}
    met = {person.email for person in people(1)}
    assert len(met) > 20
    assert met <= known


def test_radicale_serves_it_until_it_is_stopped(tmp_path: Path) -> None:
    """The command prints where the calendar is; run again on the same folder, nothing is put twice."""
    for _ in range(2):
        command = [sys.executable, "-m", "stand.calendar", "--folder", str(tmp_path), "--port", str(free_port())]
        process = subprocess.Popen(
            [*command, "--meetings", "9", "--tasks", "3"],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "STAND_PASSWORD": "secret-1"},
            cwd=README.parents[2],
        )
        assert process.stdout is not None
        said = json.loads(process.stdout.readline())
        process.send_signal(signal.SIGTERM)
        process.wait(20)
        process.stdout.close()
        assert said["resources"] == 12
        assert len(list(tmp_path.glob("store/collection-root/manager/work/*.ics"))) == 12


def test_every_option_is_documented() -> None:
    """The table and the parser name the same options."""
    options = {name for action in parser()._actions for name in action.option_strings if name.startswith("--")}
    listed = re.findall(r"^\| `(--[a-z]+)` \|", README.read_text(encoding="utf-8"), re.MULTILINE)
    assert set(listed) == options - {"--help"}
