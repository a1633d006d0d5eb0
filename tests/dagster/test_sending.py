"""Sending as assets and as a job: the numbers of the journal, why the rest is not sent, and one with the command."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from connectors import registry
from hub.cli.main import main
from hub.exchange import pauses
from hub.exchange.runs import now
from hub.exchange.service import run_exchange
from hub.model.errors import StopSystem
from hub.store import core
from tests.dagster.base import opener
from tests.dagster.test_exchange import failures
from tests.exchange.two.home import Home, evaluations, home_at, numbers

COMMENT = "звонить Марье Ивановне"


@pytest.fixture
def two(tmp_path: Path) -> Iterator[Home]:
    with home_at(tmp_path / "home", "sending", dagster=True) as home:
        yield home


def journal(home: Home) -> list[Any]:
    """Runs, routes and pushes without what differs by clock and by the way of starting."""
    run, part, push, route = core.exchange_run, core.run_route, core.run_push, core.route
    counted = [column for column in push.c if column.name not in {"run_id", "route_id"}]
    query = (
        select(run.c.mode, run.c.state, run.c.planned, route.c.code, part.c.state, part.c.received, *counted)
        .join(part, part.c.run_id == run.c.id)
        .join(route, route.c.id == part.c.route_id)
        .outerjoin(push, (push.c.run_id == part.c.run_id) & (push.c.route_id == part.c.route_id))
        .order_by(run.c.id, route.c.id)
    )
    with home.hub.store.read() as conn:
        return [tuple(row) for row in conn.execute(query)]


def test_a_night_sends_at_its_end(two: Home) -> None:
    """The nightly job writes what it has learnt to the other system within the same exchange, and tells it."""
    assert two.run("nightly_exchange").success
    two.edit("crm", two.keys["crm"], ДополнительнаяИнформация=COMMENT)
    result = two.run("nightly_exchange")
    assert result.success
    assert two.shows("ut", two.keys["ut"])["ДополнительнаяИнформация"] == COMMENT
    told = numbers(result, "ut/outgoing")
    assert (told["к отправке"], told["подтверждено чтением"], told["режим"]) == (1, 1, "ночной")
    last = two.rows(core.exchange_run)[-1]
    assert (last["state"], told["обмен №"]) == ("completed", last["id"])
    assert "ut.party.push" in last["planned"]
    checks = evaluations(result, "ut/outgoing")
    assert set(checks) == {"outbox_empty", "mass_change", "first_contact", "conflicts_open"}
    assert all(one.passed for one in checks.values())
    order = [str(event.step_key) for event in result.get_step_success_events()]
    assert order.index("ut__outgoing") > max(order.index("ut__party"), order.index("crm__party"))
    assert order[-1] == "obmen__morning_summary"


def test_what_is_not_sent_is_told_with_its_reason(two: Home) -> None:
    """A refused write turns the check red, with a sentence and an advice, and no word of the record in Dagster."""
    run_exchange(two.hub)
    two.edit("crm", two.keys["crm"], ДополнительнаяИнформация=COMMENT)
    two.bases["ut"].habits.rule = lambda _stream, record: f"нельзя: {record['ДополнительнаяИнформация']}"
    result = two.run("exchange_now")
    told = numbers(result, "ut/outgoing")
    assert (told["к отправке"], told["не принято"], told["подтверждено чтением"]) == (1, 1, 0)
    (row,) = told["что не отправлено и почему"].records
    assert row.data["сколько"] == 1
    assert "1С не записала" in row.data["причина"]
    assert "Устраните причину" in row.data["что делать"]
    check = evaluations(result, "ut/outgoing")["outbox_empty"]
    assert (check.passed, check.severity.value) == (False, "ERROR")
    assert "1С не записала" in check.description
    assert COMMENT not in repr(result.all_events)
    summary = numbers(result, "obmen/morning_summary")
    assert "не принято системой — 1" in summary["сводка"]


def test_what_waits_for_more_than_a_day_is_yellow(two: Home) -> None:
    """A row that only waits is nothing for a day; then it is a warning."""
    run_exchange(two.hub)
    two.edit("crm", two.keys["crm"], ДополнительнаяИнформация=COMMENT)
    pauses.pause(two.hub, "ut.party", "ремонт", "анна", until=None, direction="push")
    result = two.run("exchange_now")
    assert evaluations(result, "ut/outgoing")["outbox_empty"].passed
    with two.hub.store.begin() as conn:
        conn.execute(update(core.outbox).values(created_at=now() - timedelta(days=2)))
    check = evaluations(two.run("push_now"), "ut/outgoing")["outbox_empty"]
    assert (check.passed, check.severity.value) == (False, "WARN")


@pytest.mark.parametrize("job", ["push_now", "exchange_now"])
def test_command_and_job_leave_the_same_journal(job: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same sending by either: the same rows of runs, routes and counters, the same card in the other system."""
    monkeypatch.setitem(registry.KINDS, "memory", opener)
    found = []
    for way in ("command", "job"):
        with home_at(tmp_path / way, way, dagster=True) as home:
            run_exchange(home.hub)
            home.edit("crm", home.keys["crm"], ДополнительнаяИнформация=COMMENT)
            if job == "push_now":  # it was not sent when it was read
                pauses.pause(home.hub, "ut.party", "ремонт", "анна", until=None, direction="push")
                run_exchange(home.hub)
                pauses.resume(home.hub, "ut.party")
            if way == "job":
                assert home.run(job).success
            else:
                words = ["push"] if job == "push_now" else ["exchange"]
                assert main(["--home", str(home.home), *words]) == 0
            found.append((journal(home), home.shows("ut", home.keys["ut"])["ДополнительнаяИнформация"]))
    assert found[0] == found[1]


def test_a_system_that_is_down_is_sent_nothing_and_asked_nothing_more(two: Home) -> None:
    """What it is owed waits, the other system gets its own, and the run ends."""
    run_exchange(two.hub)
    two.edit("crm", two.keys["crm"], ДополнительнаяИнформация=COMMENT)
    two.bases["ut"].fail(*[StopSystem("auth_failed", system="Торговля") for _ in range(40)])
    result = two.run("exchange_now")
    assert "ut__party" in failures(result)
    told = numbers(result, "ut/outgoing")
    assert (told["к отправке"], told["ждёт"]) == (1, 1)
    assert two.rows(core.exchange_run)[-1]["state"] == "failed"
