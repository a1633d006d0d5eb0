"""The exchange of the demo: whose calls it has, that they come out as what they were made as, how it is asked for."""

from __future__ import annotations

import json
import re
import sqlite3
from collections import Counter
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from connectors.base import ReadRequest, Traffic
from connectors.sql_tables.config import SqlSettings
from connectors.telephony.config import PbxSettings
from connectors.telephony.connector import InDatabase, Pbx
from hub.model.phones import read_phone
from stand.crm import SHARED_WITH
from stand.onec.generate.build import build
from stand.pbx import KINDS, OWN, add_call, build_pbx
from stand.pbx.__main__ import main, parsers

README = Path(__file__).parents[2] / "stand" / "pbx" / "README.md"


def calls(path: Path, position: dict[str, Any] | None = None) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """What the connector reads in it, and the position after that."""
    settings = PbxSettings(SqlSettings(f"sqlite:///{path}", title="АТС", timezone="Europe/Moscow"), "pbx", settle=0)
    traffic = Traffic()
    connector = Pbx(settings, InDatabase(settings, traffic), traffic)
    pages = list(connector.read(ReadRequest("calls", key=("id",), position=position)))
    connector.close()
    return [json.loads(raw) for page in pages for raw in page.records], pages[-1].position


def clients(record: dict[str, Any]) -> list[str]:
    """Numbers of the other side."""
    role = "callee" if record["direction"] == "outbound" else "caller"
    return [one["number"] for one in record["people"] if one["role"] == role and one["kind"] == "phone"]


@pytest.mark.parametrize("seed", [1, 5])
def test_most_callers_are_clients_of_1c(tmp_path: Path, seed: int) -> None:
    """Their numbers, read by the rule that cards are read by, are telephones of the 1C stand of the same seed."""
    build_pbx(tmp_path / "pbx.db", seed)
    world = build(seed, clients=SHARED_WITH, products=20, orders=20)
    known = {
        read_phone(row["Представление"]).norm
        for record in world.records("Catalog_Партнеры")
        for row in record.get("КонтактнаяИнформация", list)()
        if row["Тип"] == "Телефон"
    }
    found = [number for record in calls(tmp_path / "pbx.db")[0] for number in clients(record)]
    shared = sum(number in known for number in found)
    assert 0.75 < shared / len(found) < 0.98


def test_there_is_something_of_each_kind(tmp_path: Path) -> None:
    """Held, missed and failed calls, in, out and within, hidden callers, transfers, queues, recordings."""
    build_pbx(tmp_path / "pbx.db")
    found, _ = calls(tmp_path / "pbx.db")
    assert set(Counter((record["direction"], record["status"]) for record in found)) >= {
        ("inbound", "held"),
        ("inbound", "missed"),
        ("outbound", "held"),
        ("outbound", "failed"),
        ("internal", "held"),
    }
    for told in ("queue", "transferred", "recording"):
        assert any(record[told] for record in found), told
    assert any(one["kind"] == "hidden" for record in found for one in record["people"])
    assert {record["line"] for record in found if record["direction"] == "inbound"} == {f"+{OWN}"}


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        ("answered", ["inbound answered held"]),
        ("missed", ["inbound no_answer missed"]),
        ("given_up", ["inbound cancelled missed"]),
        ("called_back", ["inbound no_answer missed", "outbound answered held"]),
        ("queue", ["inbound answered held"]),
        ("abandoned", ["inbound cancelled missed"]),
        ("transfer", ["inbound answered held"]),
        ("outbound", ["outbound answered held"]),
        ("busy", ["outbound busy failed"]),
        ("hidden", ["inbound answered held"]),
        ("internal", ["internal answered held"]),
    ],
)
def test_one_more_call_comes_with_the_next_poll(tmp_path: Path, kind: str, told: list[str]) -> None:
    """A call of each kind is placed after a poll: the next poll brings it as what it was placed as."""
    path = tmp_path / "pbx.db"
    build_pbx(path, calls=3)
    before, position = calls(path)
    row = add_call(path, kind, "+7 916 123-45-67", at=datetime.fromisoformat("2026-11-14T10:00:00"))
    found, _ = calls(path, position)
    new = [record for record in found if record["id"] not in {old["id"] for old in before}]
    assert [f"{record['direction']} {record['disposition']} {record['status']}" for record in new] == told
    assert new[0]["id"] == row["linkedid"]
    assert new[0]["transferred"] == (kind == "transfer")
    assert new[0]["started_at"] == "2026-11-14T07:00:00Z"


def test_the_same_words_make_the_same_calls(tmp_path: Path) -> None:
    """Another seed makes others."""
    told = []
    for name, seed in (("one", 3), ("same", 3), ("other", 4)):
        build_pbx(tmp_path / f"{name}.db", seed)
        with closing(sqlite3.connect(tmp_path / f"{name}.db")) as conn:
            told.append(list(conn.iterdump()))
    assert told[0] == told[1]
    assert told[0] != told[2]


def test_from_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A file is made once, and added to only where it is there."""
    path = str(tmp_path / "pbx.db")
    assert main(["add", path]) == 2
    assert main(["make", path, "--calls", "5"]) == 0
    assert json.loads(capsys.readouterr().out)["cdr"] >= 5
    assert main(["make", path]) == 2
    assert main(["add", path, "--kind", "missed", "--from", "8 916 123-45-67"]) == 0
    assert json.loads(capsys.readouterr().out)["src"] == "89161234567"


def test_every_option_and_kind_is_documented() -> None:
    """The page lists them all, and none that is not there."""
    text = README.read_text(encoding="utf-8")
    known = set(re.findall(r"--[a-z]+", "".join(of.format_help() for of in parsers()))) - {"--help"}
    told = re.findall(r"^\| `([\w-]+)` \|", text, flags=re.MULTILINE)
    assert {word for word in told if word.startswith("--")} == known
    assert {word for word in told if not word.startswith("--")} == set(KINDS)
