"""An admin's words as jobs: dry unless told otherwise, on record, and one with the command."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from dagster import ExecuteInProcessResult

from hub.exchange import conflicts, pauses
from hub.exchange.service import run_exchange
from hub.reports.decision_book import export_held
from hub.store import core
from tests.dagster.test_exchange import failures
from tests.exchange.two.home import Home, evaluations, home_at

COMMENT = "ДополнительнаяИнформация"
RULES = "    change_budget: {absolute: 0, minimum: 0}\n    policies:\n      comment: {policy: manual}\n"


@pytest.fixture
def two(tmp_path: Path) -> Iterator[Home]:
    """Every change is held back; one came from the CRM."""
    with home_at(tmp_path / "home", "acts", dagster=True, route=RULES) as home:
        run_exchange(home.hub)
        home.edit("crm", home.keys["crm"], **{COMMENT: "позвонить Марье"})
        run_exchange(home.hub)
        yield home


def told(result: ExecuteInProcessResult) -> dict[str, Any]:
    """Metadata of the op's output."""
    (event,) = [one for one in result.all_events if one.is_successful_output]
    return {label: value.value for label, value in event.step_output_data.metadata.items()}


def test_held_is_decided_by_the_job(two: Home) -> None:
    """As it stands it only tells; told so it approves, names who, and renews the check, with no word of the card."""
    result = two.run("approve_held", route="crm.party")
    assert result.success
    assert (told(result)["выбрано"], told(result)["пробный прогон"]) == (1, True)
    assert {row["state"] for row in two.rows(core.held)} == {"open"}
    result = two.run("approve_held", route="crm.party", dry_run=False, by="анна")
    assert (told(result)["разрешено"], told(result)["отклонено"]) == (1, 0)
    assert [(row["state"], row["decided_by"]) for row in two.rows(core.held)] == [("approved", "анна")]
    assert evaluations(result, "crm/outgoing")["mass_change"].passed
    run = two.rows(core.exchange_run)[-1]
    assert (run["mode"], run["state"], run["dagster_run_id"]) == ("decide", "completed", result.run_id)
    assert "Марье" not in repr(result.all_events)
    assert "held_which" not in failures(two.run("approve_held"))["approve_held_act"]


def test_the_check_of_held_changes_is_red(two: Home) -> None:
    """What a brake holds back turns the system's check red, with its sentence."""
    check = evaluations(two.run("push_now"), "crm/outgoing")["mass_change"]
    assert (check.passed, check.severity.value) == (False, "ERROR")
    assert "1 пришедших" in check.description


def test_a_file_of_decisions_is_carried_out(two: Home, tmp_path: Path) -> None:
    """The same file as the command takes."""
    from openpyxl import load_workbook

    from hub.exchange.held import Wanted

    path, _ = export_held(two.hub, tmp_path / "з.xlsx", Wanted(), "ru")
    book = load_workbook(path)
    sheet = book["Задержано"]
    sheet.cell(2, [cell.value for cell in sheet[1]].index("решение") + 1).value = "отклонить"
    book.save(path)
    assert told(two.run("approve_held", decisions=str(path), dry_run=False))["отклонено"] == 1
    assert "xlsx" in failures(two.run("approve_held", decisions="nowhere.xlsx"))["approve_held_act"]


def test_conflicts_and_pauses_by_job(two: Home) -> None:
    """A question is answered, a route is paused until resumed, an unknown one is refused with a sentence."""
    assert two.run("pause_route", route="crm.party", reason="сверка", by="анна", direction="pull").success
    assert [(one.route, one.reason, one.by) for one in pauses.pauses(two.hub)] == [("crm.party", "сверка", "анна")]
    assert two.run("resume_route", route="crm.party").success
    assert pauses.pauses(two.hub) == []
    assert "ut.nothing" in failures(two.run("pause_route", route="ut.nothing", reason="?"))["pause_route_act"]
    two.edit("ut", two.keys["ut"], **{COMMENT: "наше"})
    two.run("approve_held", route="crm.party", dry_run=False)
    run_exchange(two.hub)
    two.run("approve_held", route="ut.party", cause="mass_change", dry_run=False)
    found = conflicts.questions(two.hub, conflicts.Wanted())
    assert len(found) == 1
    result = two.run("resolve_conflicts", ids=[found[0].id], word="theirs", dry_run=False, by="анна")
    assert told(result)["решено"] == 1
    assert [(row["state"], row["resolved_by"]) for row in two.rows(core.conflict)] == [("resolved", "анна")]
    assert evaluations(result, f"{found[0].system}/outgoing")["conflicts_open"].passed
