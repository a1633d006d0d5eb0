"""``obmen held``, ``conflicts``, ``pause``, ``resume`` and ``push`` on a home with two systems."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from openpyxl import load_workbook

from connectors import registry
from hub.exchange import pauses
from hub.exchange.service import run_exchange
from hub.store import core
from tests.cli.conftest import Obmen
from tests.dagster.base import opener
from tests.exchange.two.home import Home, home_at

COMMENT = "ДополнительнаяИнформация"
BRAKED = "    change_budget: {absolute: 0, minimum: 0}\n"
ASKED = "    policies:\n      comment: {policy: manual}\n"


@pytest.fixture
def memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """The command opens bases in memory as well."""
    monkeypatch.setitem(registry.KINDS, "memory", opener)


@pytest.fixture
def braked(home: Path, memory: None) -> Iterator[Home]:
    """Every change of a client is held back; one came from the CRM."""
    with home_at(home, "braked", route=BRAKED) as two:
        run_exchange(two.hub)
        two.edit("crm", two.keys["crm"], **{COMMENT: "перезвонить"})
        run_exchange(two.hub)
        yield two


@pytest.fixture
def asked(home: Path, memory: None) -> Iterator[Home]:
    """One comment that both sides changed."""
    with home_at(home, "asked", route=ASKED) as two:
        run_exchange(two.hub)
        two.edit("ut", two.keys["ut"], **{COMMENT: "наше"})
        pauses.pause(two.hub, "crm.party", "перерыв", "анна", until=None)
        run_exchange(two.hub)
        two.edit("crm", two.keys["crm"], **{COMMENT: "их"})
        pauses.resume(two.hub, "crm.party")
        run_exchange(two.hub)
        yield two


def comment(two: Home, system: str) -> str:
    """What the system shows."""
    return str(two.shows(system, two.keys[system])[COMMENT])


def test_held_is_listed_approved_and_sent(braked: Home, obmen: Obmen) -> None:
    """The list shows before and after and the limit; dry nothing happens; approved twice it is in the other system."""
    said = obmen("held")
    assert said.code == 1
    assert "перезвонить" in said.out
    assert "при пределе 0" in said.out
    assert obmen("held", "approve", "--apply").code == 2
    assert "--apply" in obmen("held", "approve", "crm.party").out
    assert {row["state"] for row in braked.rows(core.held)} == {"open"}
    assert obmen("held", "approve", "crm.party", "--apply").code == 0
    assert obmen("push", "ut").code == 1
    (group,) = obmen("held", "list", "--json").document["result"]["groups"]
    assert (group["direction"], group["route"], group["reason"], group["number"]) == (
        "out",
        "ut.party",
        "mass_change",
        1,
    )
    number = group["samples"][0]["id"]
    assert obmen("held", "approve", "--id", number, "--apply").code == 0
    assert obmen("push").code == 0
    assert comment(braked, "ut") == "перезвонить"
    assert obmen("held").code == 0


def test_what_waits_is_in_status_and_after_an_exchange(braked: Home, obmen: Obmen) -> None:
    """Both tell how many wait, with what to do, and no word of the card."""
    for words in (("status",), ("exchange",)):
        said = obmen(*words)
        assert "Задержано до решения: 1" in said.out
        assert "obmen held" in said.out
        assert "перезвонить" not in said.out


def test_held_comes_back_in_a_file(braked: Home, obmen: Obmen, tmp_path: Path) -> None:
    """Exported with what would change; the word in it is carried out, once."""
    path = tmp_path / "з.xlsx"
    assert obmen("held", "export", str(path)).code == 1
    book = load_workbook(path)
    sheet = book["Задержано"]
    head = [cell.value for cell in sheet[1]]
    assert "перезвонить" in str(sheet.cell(2, head.index("было → станет") + 1).value)
    sheet.cell(2, head.index("решение") + 1).value = "отклонить"
    book.save(path)
    assert obmen("held", "import", str(path)).code == 1
    assert {row["state"] for row in braked.rows(core.held)} == {"open"}
    assert obmen("held", "import", str(path), "--apply").code == 0
    assert [row["state"] for row in braked.rows(core.held)] == ["rejected"]
    late = obmen("held", "import", str(path), "--apply", "--json").document["result"]
    assert (len(late["late"]), late["rejected"]) == (1, 0)
    obmen("push")
    assert comment(braked, "crm") == ""


def test_conflicts_are_shown_and_resolved(asked: Home, obmen: Obmen) -> None:
    """Both values and the system are told; the answer reaches who shows the other one."""
    said = obmen("conflicts")
    assert said.code == 1
    assert "наше" in said.out
    assert "их" in said.out
    (question,) = obmen("conflicts", "show", "--json").document["result"]["questions"]
    number = str(question["id"])
    assert obmen("conflicts", "resolve", "value", "--id", number, "--apply").code == 2
    assert obmen("conflicts", "resolve", "theirs", "--id", number).code == 1
    assert asked.rows(core.conflict)[0]["state"] == "open"
    assert obmen("conflicts", "resolve", "theirs", "--id", number, "--apply").code == 0
    assert obmen("push").code == 0
    assert comment(asked, "ut") == "их"
    assert obmen("conflicts").code == 0


def test_conflicts_come_back_in_a_file(asked: Home, obmen: Obmen, tmp_path: Path) -> None:
    """A value of a person's own goes to both systems; a wrong word stops the file."""
    path = tmp_path / "к.xlsx"
    assert obmen("conflicts", "export", str(path)).code == 1
    book = load_workbook(path)
    sheet = book["Конфликты"]
    head = [cell.value for cell in sheet[1]]
    word, value = head.index("решение") + 1, head.index("новое значение") + 1
    sheet.cell(2, word).value = "чудо"
    book.save(path)
    assert obmen("conflicts", "import", str(path), "--apply").code == 2
    sheet.cell(2, word).value, sheet.cell(2, value).value = "значение", "третье"
    book.save(path)
    assert obmen("conflicts", "import", str(path), "--apply").code == 0
    obmen("push")
    assert (comment(asked, "ut"), comment(asked, "crm")) == ("третье", "третье")


def test_a_paused_route_drains_nothing_and_goes_on_by_itself(asked: Home, obmen: Obmen) -> None:
    """The pause is in every summary with its reason and end; once its time is over the rest is sent."""
    from datetime import timedelta

    from sqlalchemy import update

    from hub.exchange.runs import now

    obmen("conflicts", "resolve", "theirs", "--field", "comment", "--apply")
    assert obmen("pause", "ut.party", "--reason", "сверка", "--until", "вчера").code == 2
    assert obmen("pause", "ut.party", "--reason", "сверка", "--direction", "push", "--until", "23:59").code == 0
    said = obmen("push")
    assert (said.code, comment(asked, "ut")) == (0, "наше")
    assert "приостановлен" in said.out
    assert "сверка" in obmen("status").out
    data = obmen("status", "--json").document["result"]["last"]
    assert [(one["route"], one["direction"], one["reason"]) for one in data["pauses"]] == [
        ("ut.party", "push", "сверка")
    ]
    assert [(one["route"], one["number"]) for one in data["owing"]] == [("ut.party", 1)]
    with asked.hub.store.begin() as conn:
        conn.execute(
            update(core.route)
            .where(core.route.c.paused_at.is_not(None))
            .values(paused_until=now() - timedelta(hours=1))
        )
    assert obmen("push").code == 0
    assert comment(asked, "ut") == "их"
    assert obmen("resume", "ut.party").code == 0
