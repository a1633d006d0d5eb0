"""``obmen demo``: works without anything configured, keeps its hands off real homes, leaves nothing running."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from hub.cli import demo_stands, lock
from hub.cli.demo import ORDERS, remembered
from hub.cli.demo_stands import make_files
from hub.cli.processes import Service
from hub.model.errors import NeedsPerson
from hub.model.process import alive
from hub.model.settings import load_settings
from tests.cli.conftest import Obmen, all_files, settings, write
from tests.cli.test_processes import until
from tests.house.source import ROOT

SMALL = ["--orders", "40"]


def called(home: Path, *words: str) -> subprocess.Popen[bytes]:
    """The demo as a process of its own on a home that nothing else names."""
    return subprocess.Popen(
        [sys.executable, "-m", "hub.cli", "demo", "--home", str(home), *SMALL, *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=ROOT,
        env={**os.environ, "PYTHONUTF8": "1"},
    )


def stand_pids(home: Path) -> list[int]:
    """Ids of the stands that were started for the home, as they told them."""
    told = (home / "logs" / "stand.log").read_text(encoding="utf-8")
    return [int(found) for found in re.findall(r'"pid": (\d+)', told)]


def document(process: subprocess.Popen[bytes]) -> dict[str, Any]:
    """The exchange's JSON document of a demo that ends by itself."""
    out, err = process.communicate(timeout=100)
    assert process.returncode == 0, err.decode()
    (line,) = out.decode().splitlines()
    found: dict[str, Any] = json.loads(line)["result"]
    return found


def read_whole(told: dict[str, Any]) -> int:
    """Records received of the systems that are read whole each time."""
    return sum(one["received"] for one in told["routes"] if one["route"].startswith(("ut.", "crm.")))


def test_once_shows_an_exchange_and_leaves_nothing_running(tmp_path: Path) -> None:
    """From an empty folder to a filled store; the second time nothing has changed, and what people wrote has stayed."""
    home = tmp_path / "demo"
    first = document(called(home, "--once", "--json"))
    assert first["totals"]["created"] > 5000
    assert first["balanced"] is True
    assert first["totals"]["quarantined"] == 0
    sent = {one["route"]: one for one in first["pushes"]}
    assert {code: one["failed"] for code, one in sent.items()} == dict.fromkeys(sent, 0)
    assert sent["ut.product"]["confirmed"] == 24
    for code in ("ut.party", "crm.party"):
        why = {one["reason"]: one["number"] for one in first["owing"] if one["route"] == code}
        assert why == {"first_contact": sent[code]["held"]}
        assert sent[code]["held"] > 20, "clients of both wait for a person"
    assert sent["crm.party"]["confirmed"] == 0, "the first night writes nothing over the CRM's clients"
    crm = (home / "crm.db").read_bytes()
    second = document(called(home, "--once", "--json"))
    made = sum(one["confirmed"] for code, one in sent.items() if code.startswith("ut."))
    assert read_whole(second) == read_whole(first) + made, "what was made in 1C is still there"
    kinds = [one["received"] for one in first["routes"] if one["route"] in {"mail.activity", "pbx.activity"}]
    assert min(kinds) > 100, "letters and calls are there"
    assert (second["totals"]["created"], second["totals"]["updated"]) == (0, 0)
    assert sum(one["confirmed"] for one in second["pushes"]) == 0
    assert (home / "crm.db").read_bytes() == crm
    assert len(stand_pids(home)) == 2
    assert [pid for pid in stand_pids(home) if alive(pid, "")] == []
    assert not (home / "up.json").exists()
    hub_yaml = load_settings(home)
    assert hub_yaml.demo
    password = yaml.safe_load((home / "hub.yaml").read_text(encoding="utf-8"))["systems"]["ut"]["password"]["plain"]
    assert all_files(home).count(password.encode()) == 1, "the stand's password stands in hub.yaml alone"


def test_a_person_reads_progress_summary_and_where_to_look(tmp_path: Path) -> None:
    """In words: what is being done, the counters by route, the totals, and the next step."""
    process = called(tmp_path / "demo", "--once", "--lang", "en")
    out, err = process.communicate(timeout=100)
    text = out.decode()
    assert process.returncode == 0
    assert "Making the demonstration bases" in text
    assert "ut.sales_order · Sales orders" in text
    assert re.search(r"^  Total +[\d,]+", text, flags=re.MULTILINE)
    assert "store.db" in text
    assert re.search(r"^  in the CRM another .*stand\.crm\.people .*crm\.db phone \d+ ", text, flags=re.MULTILINE)
    assert "stand.onec.people" not in text, "1C's stand does not run any more"
    assert "ut.sales_order" in err.decode(), "progress"


def test_asked_to_end_in_the_middle_it_takes_its_stand_along(tmp_path: Path) -> None:
    """SIGTERM during the exchange: exit code 130 and no process left."""
    home = tmp_path / "demo"
    process = called(home, "--once")
    log = home / "logs" / "stand.log"
    assert until(lambda: log.exists() and b'"url"' in log.read_bytes(), 60)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=60)
    assert process.returncode == 130
    (pid,) = stand_pids(home)
    assert until(lambda: not alive(pid, ""))
    assert lock.running(home) is None


def test_a_real_home_is_not_touched(obmen: Obmen, home: Path) -> None:
    """A folder with the settings of a real installation is refused, whatever they are."""
    for text in (settings("http://srv/ut"), "demo: false\n", "# demo: true\n", "\udcff"):
        (home / "hub.yaml").write_bytes(text.encode("utf-8", "surrogateescape"))
        said = obmen("demo", "--once", "--home", str(home), "--json")
        assert (said.code, said.document["error"]["code"]) == (2, "cli_demo_taken")
        assert (home / "hub.yaml").read_bytes() == text.encode("utf-8", "surrogateescape")


def test_the_environment_does_not_lead_the_demo_to_a_real_home(
    obmen: Obmen, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without --home the demo lives in the current folder, even where $OBMEN_HOME names an installation."""
    write(home, settings("http://srv/ut"))
    before = all_files(home)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(demo_stands, "stand_services", broken_stands)
    assert obmen("demo", "--once").code == 2
    assert (tmp_path / ".obmen" / "demo" / "logs").is_dir()
    assert all_files(home) == before


def broken_stands(home: Path, *_: object) -> list[Service]:
    """A stand that dies at once."""
    return [Service("stand", [sys.executable, "-c", "raise SystemExit('no luck')"], home / "logs" / "stand.log")]


def test_a_stand_that_does_not_start_is_told_with_its_log(
    obmen: Obmen, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No traceback and no waiting for a process that is dead."""
    monkeypatch.setattr(demo_stands, "stand_services", broken_stands)
    said = obmen("demo", "--once", "--home", str(tmp_path / "demo"))
    assert said.code == 2
    log = tmp_path / "demo" / "logs" / "stand.log"
    assert str(log) in said.err
    assert "no luck" in log.read_text(encoding="utf-8")
    assert "Traceback" not in said.both


def test_the_day_of_the_base_is_kept(tmp_path: Path) -> None:
    """The base ends on the day of the first demo for ever; a broken note is written anew."""
    first = remembered(tmp_path)
    (tmp_path / "demo.json").write_text('{"today": "2026-02-03"}', encoding="utf-8")
    assert remembered(tmp_path) == {"today": "2026-02-03", "orders": ORDERS}
    for broken in ("{", "[]", '{"today": "soon"}'):
        (tmp_path / "demo.json").write_text(broken, encoding="utf-8")
        assert remembered(tmp_path) == first


def test_the_size_of_the_base_is_kept(obmen: Obmen, tmp_path: Path) -> None:
    """What was written to a base is not carried to one of another size: refused before anything is started."""
    assert remembered(tmp_path, 40)["orders"] == 40
    assert remembered(tmp_path)["orders"] == 40
    said = obmen("demo", "--once", "--home", str(tmp_path), "--orders", "50", "--json")
    assert (said.code, said.document["error"]["code"]) == (2, "cli_demo_other_size")
    assert not (tmp_path / "logs" / "stand.log").exists()


def test_the_crm_is_made_once_and_never_by_halves(tmp_path: Path) -> None:
    """A file that is there is left alone; what a crash left of a file is made anew; a failure names its log."""
    (tmp_path / "logs").mkdir()
    (tmp_path / "crm.new").write_bytes(b"half a file")
    make_files(tmp_path, {"today": "2026-02-03"})
    made = (tmp_path / "crm.db").read_bytes()
    assert made.startswith(b"SQLite format 3")
    make_files(tmp_path, {"today": "2026-03-04"})
    assert (tmp_path / "crm.db").read_bytes() == made
    (tmp_path / "crm.db").unlink()
    with pytest.raises(NeedsPerson) as failed:
        make_files(tmp_path, {"today": "no day"})
    assert failed.value.code == "cli_demo_stand_failed"
    assert not (tmp_path / "crm.db").exists()
