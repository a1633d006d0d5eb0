"""The jobs that make a plan and carry it out, one with the command."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from dagster import ExecuteInProcessResult
from sqlalchemy import select

from connectors import registry
from hub.cli.main import main
from hub.exchange.service import run_exchange
from hub.store import core
from tests.dagster.base import PARTIES, opener
from tests.dagster.conftest import Site, numbers, site_at
from tests.dagster.test_exchange import contents, failures, journal
from tests.exchange.quarantine_world import everything

SECRET = "Василий Тайный"


def plan(site: Site, **config: Any) -> ExecuteInProcessResult:
    return site.run("plan_exchange", day=None, run_config={"ops": {"plan": {"config": config}}} if config else {})


def apply(site: Site, code: str) -> ExecuteInProcessResult:
    return site.run("apply_plan", day=None, run_config={"ops": {"apply": {"config": {"plan": code}}}})


def told(result: ExecuteInProcessResult) -> dict[str, Any]:
    """Metadata of the op's output."""
    (event,) = [one for one in result.all_events if one.is_successful_output]
    return {label: value.value for label, value in event.step_output_data.metadata.items()}


def edit(site: Site, name: str) -> None:
    """One client is renamed."""
    key = next(iter(site.base.records[PARTIES]))
    site.base.put(PARTIES, site.base.records[PARTIES][key] | {"НаименованиеПолное": name})


def test_a_dry_run_shows_numbers_and_hides_persons(site: Site) -> None:
    """Counts, samples with hidden values, where the files lie; nothing of a card in any event, nothing else written."""
    run_exchange(site.hub)
    edit(site, SECRET)
    before = {name: rows for name, rows in everything(site.hub.store).items() if name != core.plan.name}
    result = plan(site, routes=["ut.party"])
    assert result.success
    after = {name: rows for name, rows in everything(site.hub.store).items() if name != core.plan.name}
    assert after == before
    found = told(result)
    assert (found["Изменений"], found["К отправке"], found["Останется"]) == (1, 0, 0)
    (sample,) = [row.data for row in found["Примеры"].records]
    assert (sample["поле"], sample["станет"]) == ("legal_name", "•••")
    path = Path(str(found["Файл плана"]))
    assert SECRET in path.read_text(encoding="utf-8")
    assert SECRET not in repr(result.all_events)
    assert SECRET not in repr(site.instance.all_logs(result.run_id))


def test_a_plan_is_carried_out_by_the_job(site: Site) -> None:
    """Its numbers, the mode on the page of the asset, and the run in the journal; a second time it is refused."""
    run_exchange(site.hub)
    edit(site, SECRET)
    code = str(told(plan(site))["Код плана, например P-20261126-0001."])
    result = apply(site, code)
    assert result.success
    found = told(result)
    assert (found["Применено записей"], found["Отправлено"], found["Не выполнено"]) == (1, 0, 0)
    page = numbers(result, "ut/party")
    assert (page["изменено"], page["режим"]) == (1, "применение плана")
    (row,) = site.rows(select(core.exchange_run).where(core.exchange_run.c.id == found["обмен №"]))
    assert (row.mode, row.initiator, row.dagster_run_id, row.state) == ("apply", "dagster", result.run_id, "completed")
    assert "уже применён" in failures(apply(site, code))["apply"]
    assert SECRET not in repr(result.all_events)


def test_command_and_job_leave_the_same_journal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same plan by either: the same rows of runs and routes, the same business data."""
    monkeypatch.setitem(registry.KINDS, "memory", opener)
    found = []
    for way in ("command", "job"):
        with site_at(tmp_path / way, way) as site:
            if way == "job":
                assert plan(site).success
            else:
                assert main(["--home", str(site.home), "exchange", "--plan"]) in {0, 1}
            with site.hub.store.read() as conn:
                code = conn.execute(select(core.plan.c.code)).scalar_one()
            if way == "job":
                assert apply(site, code).success
            else:
                assert main(["--home", str(site.home), "apply", code]) in {0, 1}
            found.append((journal(site), contents(site)))
    assert found[0] == found[1]
    assert "apply" in {row[2] for row in found[0][0]}
