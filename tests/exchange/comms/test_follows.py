"""Leads of strangers, and whom to call back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from hub.model.settings import RouteSettings
from hub.store import comms_tables, tables
from tests.exchange.comms.world import Firm

Make = Callable[..., Firm]


@pytest.fixture
def keen(make: Make) -> Firm:
    """A firm that makes leads of strangers and has read its systems once."""
    made = make(unknown="create")
    made.night()
    return made


def tasks(firm: Firm) -> list[tuple[Any, ...]]:
    """(key, status) of the tasks."""
    return [(row["dedupe_key"], row["status"]) for row in firm.root("task")]


def test_a_stranger_is_a_lead_once(keen: Firm) -> None:
    """A sender and a caller become a lead each, however often they come; what they said is theirs."""
    keen.letter("one", "ivan@romashka.ru", "sales@firm.ru", subject="Цены")
    keen.letter("two", "ivan@romashka.ru", "sales@firm.ru", minutes=5)
    keen.call("three", "+79160000001", "held")
    keen.night()
    keen.letter("four", "ivan@romashka.ru", "sales@firm.ru", minutes=9)
    keen.night()
    leads = keen.root("lead")
    assert sorted((row["dedupe_key"], row["source"], row["status"]) for row in leads) == [
        ("lead:email:ivan@romashka.ru", "email", "new"),
        ("lead:phone:+79160000001", "call", "new"),
    ]
    mine = ("matched", "lead", {("matched", "lead:email:ivan@romashka.ru")})
    assert keen.match("post", "one") == keen.match("post", "two") == keen.match("post", "four") == mine
    assert {row["comment"] for row in leads} == {"Цены", None}


def test_nobody_is_made_of_robots_and_our_own(keen: Firm) -> None:
    """Lists, bounces, answering machines, junk, no-reply, colleagues, hidden callers, and those we wrote to first."""
    keen.letter("list", "news@shop.ru", "sales@firm.ru", auto=True)
    keen.letter("reply", "no-reply@shop.ru", "sales@firm.ru")
    keen.letter("junk", "spam@shop.ru", "sales@firm.ru", folder="[Gmail]/Спам")
    keen.letter("ours", "petr@firm.ru", "sales@firm.ru")
    keen.letter("out", "sales@firm.ru", "first@shop.ru", direction="outbound")
    keen.call("hidden", "hidden", kind="hidden")
    keen.call("strange", "123456", kind="other")
    keen.night()
    assert keen.root("lead") == []
    assert [keen.match("post", key)[:2] for key in ("list", "reply", "junk")] == [
        ("ignored", "robot"),
        ("ignored", "robot"),
        ("ignored", "junk"),
    ]
    assert keen.match("post", "out")[0] == "unmatched"


@pytest.mark.parametrize(("unknown", "state"), [("ignore", ("ignored", "unknown")), ("keep", ("unmatched", "nobody"))])
def test_a_mailbox_may_ignore_strangers_or_keep_them(make: Make, unknown: str, state: tuple[str, str]) -> None:
    """``ignore`` keeps the letter off every list, ``keep`` leaves it unmatched; neither makes a lead."""
    firm = make(unknown=unknown)
    firm.night()
    firm.letter("one", "ivan@romashka.ru", "sales@firm.ru")
    firm.night()
    assert (firm.match("post", "one")[:2], firm.root("lead")) == (state, [])


def test_a_line_may_have_its_own_word(make: Make) -> None:
    """One number of an exchange that keeps strangers makes leads of them, in whatever spelling it is told."""
    firm = make(unknown_lines=(("8 (495) 000-00-02", "create"),))
    firm.night()
    firm.call("one", "+79160000001", "held")
    firm.call("two", "+79160000002", "held", line="+74950000002")
    firm.night()
    assert [row["dedupe_key"] for row in firm.root("lead")] == ["lead:phone:+79160000002"]


def test_a_lead_whose_address_a_client_has_is_that_client(keen: Firm) -> None:
    """The address turns up on a client: the lead is converted to it, and what the lead said is the client's."""
    keen.letter("one", "ivan@gmail.com", "sales@firm.ru")
    keen.night()
    keen.client("romashka", "Ромашка", "ivan@gmail.com")
    keen.night()
    (lead,) = keen.root("lead")
    assert (lead["status"], lead["party_link_id"] is not None) == ("converted", True)
    assert keen.match("post", "one") == ("matched", "handle", {("matched", "Ромашка")})
    keen.client("romashka", "Ромашка")
    keen.night()
    assert keen.match("post", "one") == ("matched", "lead", {("matched", "Ромашка")})


def test_a_missed_call_is_one_task_until_somebody_answers(keen: Firm) -> None:
    """Three missed calls, one task, given to the client's manager; the call back closes it; a later one begins anew."""
    keen.client("masha", "Маша", "masha@home.ru", role="employee")
    keen.client("romashka", "Ромашка", "+79160000001", owner="masha")
    keen.night()
    keen.call("1", "+79160000001")
    keen.call("2", "+79160000001", minutes=5)
    keen.night()
    keen.call("3", "+79160000001", minutes=9)
    keen.night()
    (task,) = keen.root("task")
    assert (task["dedupe_key"], task["status"], task["kind"]) == ("missed:+79160000001:pbx:1", "not_started", "call")
    assert None not in (task["assignee_link_id"], task["party_link_id"], task["activity_link_id"], task["due_at"])
    assert [(row["calls"], row["task_id"]) for row in keen.rows(comms_tables.call_back)] == [(3, task["id"])]
    keen.call("4", "+79160000001", "failed", direction="outbound", minutes=11)
    keen.night()
    assert tasks(keen) == [("missed:+79160000001:pbx:1", "not_started")]
    keen.call("5", "+79160000001", "held", direction="outbound", minutes=12)
    keen.night()
    assert tasks(keen) == [("missed:+79160000001:pbx:1", "done")]
    assert keen.rows(comms_tables.call_back) == []
    keen.call("6", "+79160000001", minutes=20)
    keen.night()
    assert tasks(keen) == [("missed:+79160000001:pbx:1", "done"), ("missed:+79160000001:pbx:6", "not_started")]


def test_a_new_call_that_is_answered_closes_it_too(keen: Firm) -> None:
    """The client got through by himself; two numbers wait apart; who is called back in the same page never waited."""
    keen.call("1", "+79160000001")
    keen.call("2", "+79160000002", minutes=1)
    keen.call("3", "+79160000003", minutes=2)
    keen.call("4", "+79160000003", "held", direction="outbound", minutes=3)
    keen.night()
    keen.call("5", "+79160000001", "held", minutes=4)
    keen.night()
    assert sorted(tasks(keen)) == [
        ("missed:+79160000001:pbx:1", "done"),
        ("missed:+79160000002:pbx:2", "not_started"),
    ]


def test_a_late_leg_takes_the_task_back(keen: Firm) -> None:
    """A call that shows as answered once its last leg is written was never missed: its task is cancelled."""
    keen.call("1", "+79160000001")
    keen.night()
    keen.call("1", "+79160000001", "held")
    keen.night()
    assert tasks(keen) == [("missed:+79160000001:pbx:1", "cancelled")]
    assert keen.rows(comms_tables.call_back) == []


def test_a_person_s_done_is_done(keen: Firm) -> None:
    """A task that was closed without a call is not opened again by the same calls; a new missed call is a new task."""
    keen.call("1", "+79160000001")
    keen.night()
    root = tables.ROOTS["task"]
    with keen.store.begin() as conn:
        conn.execute(root.update().values(status="done"))
    keen.call("1", "+79160000001", minutes=0.1)
    keen.night()
    assert tasks(keen) == [("missed:+79160000001:pbx:1", "done")]
    keen.call("2", "+79160000001", minutes=5)
    keen.night()
    assert tasks(keen)[1:] == [("missed:+79160000001:pbx:2", "not_started")]


def test_nobody_is_to_be_called_back_in_vain(keen: Firm) -> None:
    """No task for hidden callers, for our own people, for calls inside, or for what was missed a week ago."""
    keen.client("masha", "Маша", "+79169990000", role="employee")
    keen.night()
    keen.call("1", "hidden", kind="hidden")
    keen.call("2", "+79169990000")
    keen.call("3", "+79160000001", direction="internal")
    keen.call("4", "+79160000002", minutes=-60 * 24 * 8)
    keen.night()
    assert keen.root("task") == []


def test_what_the_hub_makes_goes_where_a_route_makes_it(make: Make) -> None:
    """Without a route that makes leads they stay here: nothing is owed to anybody."""
    firm = make(unknown="create", routes={"post.activity": RouteSettings("post.activity")})
    firm.night()
    firm.letter("one", "ivan@gmail.com", "sales@firm.ru")
    report = firm.night()
    assert (len(firm.root("lead")), report.pushes) == (1, [])
