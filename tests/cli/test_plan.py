"""``obmen exchange --plan`` and ``obmen apply``: what is told, exit codes, and that nothing happens before."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from openpyxl import load_workbook
from sqlalchemy import select

from connectors import registry
from connectors.memory import MemoryBase
from hub.exchange.hub import Hub
from hub.store import core
from tests.cli.conftest import Obmen
from tests.dagster.base import PARTIES, opener, party, small_base, write_home


@pytest.fixture
def base(home: Path, monkeypatch: pytest.MonkeyPatch) -> MemoryBase:
    """A small base in memory, and a home for it."""
    monkeypatch.setitem(registry.KINDS, "memory", opener)
    write_home(home, "plan")
    return small_base("plan")


def test_a_plan_is_told_saved_and_applied(obmen: Obmen, home: Path, base: MemoryBase) -> None:
    """The code, the counts, samples and the files; `apply` does it once, then refuses with a sentence."""
    said = obmen("exchange", "ut.party", "--plan")
    assert said.code == 0, said.both
    code = next(path.stem for path in (home / "plans").glob("*.json"))
    for part in (code, "ut.party", "новая запись", f"{code}.xlsx", f"obmen apply {code}"):
        assert part in said.out
    with Hub.open(home, opener) as hub, hub.store.read() as conn:
        assert conn.execute(select(core.exchange_run)).all() == []
        assert conn.execute(select(core.link)).all() == []
    listed = obmen("apply")
    assert listed.code == 1
    assert code in listed.out
    said = obmen("apply", code, "--json")
    found = said.document["result"]
    assert (said.code, found["plan"], found["moved"], found["state"]) == (0, code, [], "completed")
    assert found["applied"] == len(base.records[PARTIES])
    again = obmen("apply", code)
    assert again.code == 2
    assert "уже применён" in again.err
    assert obmen("apply").code == 0


def test_what_has_moved_is_listed(obmen: Obmen, home: Path, base: MemoryBase) -> None:
    """Exit code 1, the record with its name and the reason, and what to do about the rest."""
    assert obmen("exchange", "ut.party").code == 0
    key = next(iter(base.records[PARTIES]))
    base.put(PARTIES, base.records[PARTIES][key] | {"НаименованиеПолное": "ООО Первое"})
    found = obmen("exchange", "ut.party", "--plan", "--json").document["result"]
    assert found["counts"]["items"] == {"ut.party": {"update": 1}}
    assert found["samples"]["items"][0]["changes"][0]["after"] == "ООО Первое"
    base.put(PARTIES, base.records[PARTIES][key] | {"НаименованиеПолное": "ООО Второе"})
    said = obmen("apply", found["plan"])
    assert said.code == 1
    assert "в системе с тех пор изменилась" in said.out
    assert "obmen exchange --plan" in said.out


def test_nothing_to_change(obmen: Obmen, base: MemoryBase) -> None:
    """An empty plan says so, and offers nothing to apply."""
    assert obmen("exchange", "ut.party").code == 0
    said = obmen("exchange", "ut.party", "--plan")
    assert said.code == 0
    assert "Менять нечего" in said.out
    assert "obmen apply" not in said.out


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (("exchange", "--plan", "--changes"), "--plan и --changes"),
        (("apply", "P-20200101-0001"), "P-20200101-0001"),
        (("exchange", "ut.nothing", "--plan"), "ut.nothing"),
    ],
)
def test_what_cannot_be_done_is_refused(obmen: Obmen, base: MemoryBase, call: tuple[str, ...], told: str) -> None:
    """One sentence with an advice and exit code 2."""
    said = obmen(*call)
    assert said.code == 2
    assert told in said.err


def test_the_workbook_is_the_plan(obmen: Obmen, home: Path, base: MemoryBase) -> None:
    """Each field of the JSON stands in the workbook with what it was and would be, beside what it is about."""
    assert obmen("exchange", "ut.party").code == 0
    key = next(iter(base.records[PARTIES]))
    base.put(PARTIES, base.records[PARTIES][key] | {"НаименованиеПолное": "=ООО Формула"})
    base.put(PARTIES, party(77) | {"ЮрФизЛицо": "Нечто"})
    found = obmen("exchange", "ut.party", "--plan", "--json").document["result"]
    whole = json.loads(Path(found["path"]).read_text(encoding="utf-8"))
    book = load_workbook(found["book"])
    assert book.sheetnames == ["Итоги", "Изменения", "Отправка", "Останется", "О файле"]
    rows = list(book["Изменения"].iter_rows(min_row=2, values_only=True))
    cells = [(cell["before"], cell["after"]) for item in whole["items"] for cell in item["changes"]]
    assert [(row[5], row[6]) for row in rows] == [(before or None, after or None) for before, after in cells]
    assert "=ООО Формула" in {row[6] for row in rows}
    assert len(list(book["Останется"].iter_rows(min_row=2))) == len(whole["left"])
