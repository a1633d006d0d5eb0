"""``obmen quarantine export`` and ``import``: a file that a person decides in comes back and is carried out."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook
from sqlalchemy import select

from connectors import registry
from connectors.memory import MemoryBase
from hub.exchange.hub import Hub
from hub.exchange.service import run_exchange
from hub.store import core
from tests.cli.conftest import Obmen
from tests.cli.workbook import cells, decide
from tests.dagster.base import ORDERS, PARTIES, guid, opener, order, party, small_base, write_home
from tests.exchange.quarantine_world import BROKEN_DAY, everything

FORMULA = '=HYPERLINK("http://x";"y")'


@pytest.fixture
def base(home: Path, monkeypatch: pytest.MonkeyPatch) -> MemoryBase:
    """A base in memory with three broken orders, exchanged once."""
    monkeypatch.setitem(registry.KINDS, "memory", opener)
    made = small_base("file")
    write_home(home, "file")
    made.put(PARTIES, party(2) | {"Description": "ООО «Ромашка»"})
    for number in (1, 2):
        made.put(ORDERS, order(number, BROKEN_DAY, client=2))
    made.put(ORDERS, order(3, "2026-03-02") | {"СуммаДокумента": FORMULA})
    return made


@pytest.fixture
def hub(home: Path, base: MemoryBase) -> Iterator[Hub]:
    """The installation, after its first exchange."""
    with Hub.open(home, opener) as opened:
        run_exchange(opened)
        yield opened


def states(hub: Hub) -> dict[str, list[str]]:
    """States of quarantine by external id."""
    table = core.quarantine
    with hub.store.read() as conn:
        rows = conn.execute(select(table.c.external_id, table.c.state).order_by(table.c.id)).all()
    found: dict[str, list[str]] = {}
    for key, state in rows:
        found.setdefault(key, []).append(state)
    return found


def test_the_file_tells_each_record_in_full(obmen: Obmen, hub: Hub, tmp_path: Path) -> None:
    """System, entity, number, client, field, value, reason and advice; moments and numbers of their own types."""
    path = tmp_path / "q.xlsx"
    said = obmen("quarantine", "export", str(path))
    assert (said.code, str(path) in said.out) == (1, True)
    rows = cells(path)
    assert list(rows[0]) == [
        "№", "система", "сущность", "номер/дата", "клиент", "поле", "значение", "причина", "что сделать", "попыток",
        "впервые", "последний раз", "решение", "новое значение", "ключ",
    ]  # fmt: skip
    first = rows[0]
    assert (first["№"], first["система"], first["сущность"]) == (1, "Торговля", "Заказы")
    assert "УТ-000001" in first["номер/дата"]
    assert (first["клиент"], first["поле"], first["значение"]) == ("ООО «Ромашка»", "Date", f"{BROKEN_DAY}T12:00:00")
    assert BROKEN_DAY in first["причина"]
    assert first["что сделать"]
    assert (first["попыток"], isinstance(first["впервые"], datetime)) == (1, True)
    assert [row["значение"] for row in rows if row["поле"] == "СуммаДокумента"] == [FORMULA]
    book = load_workbook(path)
    assert book.active is not None
    assert (book.sheetnames, book.active.title) == (["Карантин", "О файле"], "Карантин")
    about = {str(label.value): value.value for label, value in book["О файле"].iter_rows(max_row=8) if label.value}
    assert (about["Строк"], about["Установка"]) == ("3", str(hub.settings.home.resolve()))
    assert {"Сделан", "Версия Obmen", "С", "По", "Что это"} <= about.keys()


def test_what_is_chosen_is_exported_under_a_name_with_the_day(obmen: Obmen, hub: Hub, tmp_path: Path) -> None:
    """Into a folder; a file that is there is not replaced unasked."""
    assert obmen("quarantine", "export", str(tmp_path), "--cause", "bad_number").code == 1
    (path,) = tmp_path.glob("Карантин_*.xlsx")
    assert len(cells(path)) == 1
    said = obmen("quarantine", "export", str(path))
    assert (said.code, "--force" in said.err) == (2, True)
    assert obmen("quarantine", "export", str(path), "--force").code == 1
    assert len(cells(path)) == 3


def test_decisions_are_shown_first_and_done_with_apply(obmen: Obmen, hub: Hub, tmp_path: Path) -> None:
    """Corrected, left out, undecided: the dry run writes nothing, the real one does exactly what was told."""
    path = tmp_path / "q.xlsx"
    obmen("quarantine", "export", str(path))
    decide(path, {guid(3, 1): ("исправить", datetime(2026, 3, 2)), guid(3, 2): ("Skip", None)})
    before = everything(hub.store)
    dry = obmen("quarantine", "import", str(path), "--json")
    assert everything(hub.store) == before
    told = dry.document["result"]
    (cause,) = told["causes"]
    assert (cause["number"], cause["passed"], cause["skipped"], cause["corrected"]) == (2, 1, 1, 1)
    assert (told["applied"], told["undecided"], told["mistakes"], told["late"]) == (False, 1, [], [])
    assert "--apply" in obmen("quarantine", "import", str(path)).out
    done = obmen("quarantine", "import", str(path), "--apply", "--json").document["result"]
    assert done["causes"] == told["causes"]
    assert states(hub) == {guid(3, 1): ["resolved", "corrected"], guid(3, 2): ["skipped"], guid(3, 3): ["open"]}
    again = obmen("quarantine", "import", str(path), "--apply", "--json").document["result"]
    assert [fault["code"] for fault in again["late"]] == ["decision_gone", "decision_gone"]
    assert again["causes"] == []
    listed = obmen("quarantine")
    assert "по решению человека: 1" in listed.out
    shown = obmen("quarantine", "show", "--id", guid(3, 1))
    assert f"«{BROKEN_DAY}T12:00:00» → «2026-03-02 00:00:00»" in shown.out
    assert run_exchange(hub, ["ut.sales_order"]).routes[0].counters.skipped_by == {"decided": 2}


def test_a_mistake_in_the_file_stops_all_of_it(obmen: Obmen, hub: Hub, tmp_path: Path) -> None:
    """Each line that cannot be used is told with its number and why; nothing of the others is done either."""
    path = tmp_path / "q.xlsx"
    obmen("quarantine", "export", str(path))
    decide(
        path,
        {guid(3, 1): ("удалить", None), guid(3, 2): ("исправить", None), guid(3, 3): ("исправить", "много денег")},
    )
    before = everything(hub.store)
    said = obmen("quarantine", "import", str(path), "--json")
    assert said.code == 1
    found = {fault["row"]: fault["code"] for fault in said.document["result"]["mistakes"]}
    assert sorted(found.values()) == ["decision_unknown", "mend_no_value", "mend_wrong_type"]
    assert sorted(found) == [2, 3, 4]
    refused = obmen("quarantine", "import", str(path), "--apply")
    assert (refused.code, "Ничего не сделано" in refused.out) == (2, True)
    assert "строка 2" in refused.out
    assert everything(hub.store) == before


def tampered(path: Path, change: Any) -> None:
    """Change the cells of the first row: by column number, as ``change`` gives them."""
    book = load_workbook(path)
    for column, value in change.items():
        book["Карантин"].cell(2, column).value = value
    book.save(path)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({15: None, 13: "повторить"}, "decision_no_key"),
        ({15: "x:y", 13: "повторить"}, "decision_no_key"),
        ({15: "999999:ab", 13: "повторить"}, "decision_gone"),
        ({13: None, 14: "2026-01-01"}, "decision_missing"),
        ({13: "исправить", 14: f"{BROKEN_DAY}T12:00:00"}, "mend_wrong_type"),
    ],
)
def test_a_row_that_was_meddled_with_is_told(
    obmen: Obmen, hub: Hub, tmp_path: Path, change: dict[int, Any], code: str
) -> None:
    """A lost or invented key, a value without a decision, a value that is as wrong as the old one."""
    path = tmp_path / "q.xlsx"
    obmen("quarantine", "export", str(path))
    tampered(path, change)
    told = obmen("quarantine", "import", str(path), "--json").document["result"]
    assert [fault["code"] for fault in told["mistakes"] + told["late"]] == [code]


def test_a_row_copied_twice_and_one_whose_record_changed_are_told(
    obmen: Obmen, hub: Hub, base: MemoryBase, tmp_path: Path
) -> None:
    """The second of two equal rows is a mistake; of a record that changed since the export only a retry is done."""
    path = tmp_path / "q.xlsx"
    obmen("quarantine", "export", str(path), "--cause", "bad_date")
    tampered(path, {13: "пропустить"})
    book = load_workbook(path)
    sheet = book["Карантин"]
    sheet.append([cell.value for cell in sheet[2]])
    book.save(path)
    told = obmen("quarantine", "import", str(path), "--json").document["result"]
    assert [(fault["row"], fault["code"]) for fault in told["mistakes"]] == [(4, "decision_twice")]
    for number in (1, 2):
        base.put(ORDERS, order(number, BROKEN_DAY, total=5.0))
    run_exchange(hub, ["ut.sales_order"])
    obmen("quarantine", "export", str(tmp_path / "new.xlsx"))
    told = obmen("quarantine", "import", str(path), "--json").document["result"]
    assert [fault["code"] for fault in told["late"]] == ["decision_changed"]
    tampered(path, {13: "повторить"})
    book = load_workbook(path)
    book["Карантин"].delete_rows(4)
    book.save(path)
    told = obmen("quarantine", "import", str(path), "--json").document["result"]
    assert (told["late"], told["mistakes"], told["causes"][0]["number"]) == ([], [], 1)


def test_a_file_that_is_none_is_a_wrong_call(obmen: Obmen, hub: Hub, tmp_path: Path) -> None:
    """Exit code 2 and a sentence."""
    said = obmen("quarantine", "import", str(tmp_path / "nothing.xlsx"))
    assert (said.code, "nothing.xlsx" in said.err) == (2, True)
