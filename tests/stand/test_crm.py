"""The database of a CRM: what it shares with the 1C stand, that it is the same every time, and how it is asked for."""

from __future__ import annotations

import json
import re
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from stand.crm import SHARED_WITH, build_crm
from stand.crm.__main__ import main
from stand.onec.generate.build import build

README = Path(__file__).parents[2] / "stand" / "crm" / "README.md"


def rows(path: Path, statement: str) -> list[tuple[Any, ...]]:
    """What a question to the file answers."""
    conn = sqlite3.connect(path)
    try:
        return conn.execute(statement).fetchall()
    finally:
        conn.close()


def content(path: Path) -> list[str]:
    """Everything in the file."""
    conn = sqlite3.connect(path)
    try:
        return list(conn.iterdump())
    finally:
        conn.close()


@pytest.mark.parametrize("seed", [1, 7])
def test_a_part_of_the_clients_is_in_1c_as_well(tmp_path: Path, seed: int) -> None:
    """By ИНН and КПП, each once, whatever the seed; the others are nobody's in 1C."""
    path = tmp_path / "crm.db"
    build_crm(path, seed, shared=25, own=15)
    world = build(seed, clients=SHARED_WITH, products=20, orders=20)
    known = {
        (str(row.get("ИНН", "")).strip(), row.get("КПП") or None)
        for row in world.tables["Catalog_Контрагенты"].rows.values()
        if row.get("ИНН")
    }
    found = rows(path, "SELECT inn, kpp FROM clients")
    assert len(found) == 40
    assert len([pair for pair in found if pair in known]) == 25
    assert len({inn for inn, _ in found if inn}) == len([inn for inn, _ in found if inn])


def test_the_same_words_make_the_same_content(tmp_path: Path) -> None:
    """Another seed makes another CRM."""
    for name, seed in (("one.db", 3), ("same.db", 3), ("other.db", 4)):
        build_crm(tmp_path / name, seed)
    assert content(tmp_path / "one.db") == content(tmp_path / "same.db")
    assert content(tmp_path / "one.db") != content(tmp_path / "other.db")


def test_what_is_made_fits_together(tmp_path: Path) -> None:
    """References lead somewhere, an order's total is the sum of its lines, and each line has its place."""
    path = tmp_path / "crm.db"
    held = build_crm(path)
    assert rows(path, "PRAGMA foreign_key_check") == []
    wrong = (
        "SELECT o.id FROM orders o JOIN order_lines l ON l.order_id = o.id"
        " GROUP BY o.id HAVING abs(o.total - sum(l.amount)) > 0.001"
    )
    assert rows(path, wrong) == []
    assert rows(path, "SELECT count(*) FROM orders") == [(60,)] == [(held["orders"],)]
    assert rows(path, "SELECT order_id FROM order_lines GROUP BY order_id, line_no HAVING count(*) > 1") == []


def test_it_is_made_by_a_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One JSON line tells what there is; a file that is there already is left alone."""
    path = tmp_path / "crm.db"
    assert main([str(path), "--seed", "2", "--orders", "5"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["path"], told["orders"], told["clients"]) == (str(path), 5, 48)
    before = path.read_bytes()
    assert main([str(path)]) == 2
    assert path.read_bytes() == before


def test_every_option_is_documented(capsys: pytest.CaptureFixture[str]) -> None:
    """The command line and its README name the same options."""
    with pytest.raises(SystemExit):
        main(["--help"])
    known = set(re.findall(r"--[a-z]+", capsys.readouterr().out)) - {"--help"}
    section = README.read_text(encoding="utf-8").split("From a program")[0]
    assert set(re.findall(r"--[a-z]+", section)) - {"--clients"} == known
