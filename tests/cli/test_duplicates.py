"""``obmen duplicates`` on a home with two systems that hold some clients twice."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from openpyxl import load_workbook

from connectors import registry
from hub.exchange.service import run_exchange
from hub.store import core
from tests.cli.conftest import Obmen
from tests.dagster.base import opener
from tests.exchange.two.home import Home, home_at
from tests.exchange.two.systems import CLIENTS, client, phone

PAIRS = (("ООО Ландыш", "Ландыш ООО", "+7 916 5550101"), ("ООО Сирень", "Сирень", "+7 916 5550102"),
         ("ООО Пион", "ООО Пион", "+7 916 5550103"))  # fmt: skip


@pytest.fixture
def two(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Home]:
    """Three clients that each system knows under a key of its own, without requisites, with one mobile number."""
    monkeypatch.setitem(registry.KINDS, "memory", opener)
    with home_at(home, "twice") as two:
        for names in PAIRS:
            for code, name in zip(("ut", "crm"), names[:2], strict=True):
                record = client(name, inn="", kpp="", КонтактнаяИнформация=[phone(names[2])])
                two.bases[code].put(CLIENTS, record)
        run_exchange(two.hub)
        yield two


def test_the_queue_is_listed_decided_and_empty(two: Home, obmen: Obmen) -> None:
    """Three pairs by what they share, with reasons; dry nothing happens; applied they are one card each."""
    said = obmen("duplicates")
    assert said.code == 1
    assert "Ландыш" in said.out
    assert "телефон" in said.out
    found = obmen("duplicates", "list", "--json").document["result"]
    assert found["pairs"] == 3
    assert obmen("duplicates", "decide", "merge", "--apply").code == 2
    dry = obmen("duplicates", "decide", "merge", "--band", "auto", "--json").document["result"]
    assert (dry["applied"], dry["decisions"]) == (False, 3)
    assert two.rows(core.redirect) == []
    done = obmen("duplicates", "decide", "merge", "--band", "auto", "--apply", "--json").document["result"]
    assert done["by_word"] == {"merge": 3}
    assert len(two.rows(core.redirect)) == 3
    assert obmen("duplicates").code == 0
    run_exchange(two.hub)
    assert obmen("duplicates").code == 0


def test_a_file_goes_out_and_comes_back(two: Home, obmen: Obmen, tmp_path: Path) -> None:
    """One line merged, one different, one left alone; brought again, what was overtaken is told and nothing is done."""
    path = tmp_path / "Дубли.xlsx"
    assert obmen("duplicates", "export", str(path)).code == 1
    (written,) = tmp_path.glob("*.xlsx")
    book = load_workbook(written)
    page = book["Дубли"]
    head = {str(cell.value): place for place, cell in enumerate(page[1])}
    words = {"Ландыш": "слить", "Сирень": "не дубли"}
    for row in page.iter_rows(min_row=2):
        shown = str(row[head["карточка"]].value)
        row[head["решение"]].value = next((word for name, word in words.items() if name in shown), None)
    book.save(written)
    dry = obmen("duplicates", "import", str(written), "--json").document["result"]
    assert (dry["applied"], dry["decisions"], dry["undecided"]) == (False, 2, 1)
    done = obmen("duplicates", "import", str(written), "--apply", "--json").document["result"]
    assert done["by_word"] == {"merge": 1, "different": 1}
    assert obmen("duplicates", "list", "--json").document["result"]["pairs"] == 1
    again = obmen("duplicates", "import", str(written), "--apply", "--json").document["result"]
    assert len(again["late"]) == 2
    assert [row["verdict"] for row in two.rows(core.judgement)] == ["different"]


def test_what_is_put_off_returns_when_a_card_changes(two: Home, obmen: Obmen) -> None:
    """Put off, a pair is away; when somebody changes one of the cards it is there again, with who put it off."""
    record = str(next(row["record_id"] for row in two.rows(core.link) if row["external_id"] in _keys(two, "Пион")))
    assert obmen("duplicates", "decide", "later", "--record", record, "--apply").code == 0
    assert obmen("duplicates", "list", "--json").document["result"]["pairs"] == 2
    key = next(key for key in _keys(two, "Пион") if (key,) in two.bases["ut"].records[CLIENTS])
    two.edit("ut", key, ДополнительнаяИнформация="новое")
    run_exchange(two.hub)
    (pair,) = [
        one
        for one in obmen("duplicates", "show", "--json").document["result"]["pairs"]
        if "Пион" in "".join(one["labels"])
    ]
    assert pair["put_off"]


def _keys(two: Home, name: str) -> set[str]:
    bases = two.bases.values()
    return {
        str(record["Ref_Key"])
        for base in bases
        for record in base.records[CLIENTS].values()
        if name in str(record["НаименованиеПолное"])
    }


def test_all_are_compared_anew_on_demand(two: Home, obmen: Obmen) -> None:
    """The command tells what it compared, and comes to what the nights came to."""
    before = obmen("duplicates", "list", "--json").document["result"]
    told = obmen("duplicates", "compare", "--json").document["result"]
    assert (told["units"], told["groups"]) == (8, 4)
    assert obmen("duplicates", "list", "--json").document["result"] == before


def test_weights_are_fitted_to_judgements_only_when_there_are_enough(two: Home, obmen: Obmen) -> None:
    """With three pairs the command says how many are needed and where they come from; a mistyped table is named."""
    said = obmen("duplicates", "refit", "--apply")
    assert said.code == 2
    assert "200" in said.err
    assert "obmen duplicates export" in said.err
    said = obmen("duplicates", "compare", "--weights", "ru-9")
    assert said.code == 2
    assert "ru-1" in said.err
    assert obmen("duplicates", "compare", "--weights", "ru-1").code == 0
