"""Executing tasks on the stand: a step of its own, after the fields, done once and for good."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from connectors.base import Change
from connectors.onec_odata.connector import OneC
from connectors.web import Patience
from tests.connectors.front import Act, Front, one, shown
from tests.connectors.server import Reply, fault

TASKS = "Task_ЗадачаИсполнителя"
NEW = "0b7e1c9a-5a6d-4a1e-9d8c-000000000001"
CREATE = Change(NEW, {"Description": "Позвонить", "Описание": "Напомнить об оплате"}, create=True)
DONE = Change(NEW, {"РезультатВыполнения": "Оплатят завтра"}, posting="execute")

Open = Callable[..., OneC]


def test_a_task_is_executed_after_its_fields_are_written(front: Front, opened: Open) -> None:
    """The result is written, then ``/ExecuteTask`` goes without parameters; what 1C fills in with it is told."""
    assert one(opened(), TASKS, CREATE).became == "written"
    result = one(opened(), TASKS, DONE)
    assert (result.became, front.writes) == ("written", ["POST", "PATCH", "POSTExecuteTask"])
    assert (shown(result)["Executed"], shown(result)["РезультатВыполнения"]) == (True, "Оплатят завтра")
    assert result.filled == ("ДатаИсполнения",)
    assert front.requests[-2].path.endswith("/ExecuteTask")


def test_a_task_is_executed_once(front: Front, opened: Open) -> None:
    """One that is done is done: neither a repeat nor a later edit of its fields executes it again."""
    assert one(opened(), TASKS, replace(CREATE, posting="execute")).became == "written"
    assert one(opened(), TASKS, Change(NEW, {}, posting="execute")).became == "unchanged"
    assert one(opened(), TASKS, DONE).became == "written"
    assert front.writes == ["POST", "POSTExecuteTask", "PATCH"]


@pytest.mark.parametrize(("act", "became", "sent"), [("after", "written", 1), ("before", "unknown", 2)])
def test_a_lost_answer_is_settled_by_looking(front: Front, opened: Open, act: Act, became: str, sent: int) -> None:
    """Done and unanswered: seen. Not done: unknown, and executed when it is asked for again, once in the end."""
    connector = opened(patience=Patience(retries=1, first=0.0))
    one(connector, TASKS, CREATE)
    front.on("POST", act, part="/ExecuteTask")
    assert one(connector, TASKS, DONE).became == became
    settled = one(connector, TASKS, replace(DONE, look_first=True))
    assert settled.became == ("written" if sent == 2 else "unchanged")
    assert shown(settled)["Executed"] is True
    assert front.writes.count("POSTExecuteTask") == sent


@pytest.mark.parametrize(
    ("reply", "code"),
    [(fault(500, "-1", "Задача ещё не запущена"), "execution_refused"), (Reply(), "execution_ignored")],
)
def test_a_task_that_stays_open_is_told(front: Front, opened: Open, reply: Reply, code: str) -> None:
    """Refused, or accepted without effect: the fields stand there, the task does not count as done."""
    one(opened(), TASKS, CREATE)
    front.on("POST", reply, part="/ExecuteTask")
    result = one(opened(), TASKS, DONE)
    assert result.error is not None
    assert (result.became, result.error.code) == ("not_posted", code)
    assert (shown(result)["Executed"], shown(result)["РезультатВыполнения"]) == (False, "Оплатят завтра")


def test_the_flag_itself_is_never_sent(front: Front, opened: Open) -> None:
    """A task that is marked as done by a field would leave its business process behind: refused unsent."""
    result = one(opened(), TASKS, replace(CREATE, fields={"Executed": True}))
    assert result.error is not None
    assert (result.became, result.error.code, front.writes) == ("refused", "field_not_writable", [])
