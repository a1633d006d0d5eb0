"""One letter, one meeting: one record, wherever it is seen and wherever it has gone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hub.exchange.undo import undo
from hub.store import core, tables
from tests.exchange.comms.world import Firm

Make = Callable[..., Firm]
DETAIL = tables.CHILDREN["email_detail"]
PEOPLE = tables.CHILDREN["activity_participant"]


def test_a_moved_letter_stays_one_and_stays(firm: Firm) -> None:
    """Moved to another folder, then deleted there: one record all the time, its folder the living one."""
    firm.letter("1@INBOX", "ivan@romashka.ru", "sales@firm.ru", message_id="<a@romashka.ru>")
    firm.night()
    firm.bases["post"].delete("messages", "1@INBOX")
    firm.letter("7@Архив", "ivan@romashka.ru", "sales@firm.ru", message_id="<a@romashka.ru>", folder="Архив")
    firm.night()
    assert len(firm.root("activity")) == 1
    assert firm.record("post", "1@INBOX") == firm.record("post", "7@Архив")
    assert [row["folder"] for row in firm.rows(DETAIL)] == ["Архив"]
    firm.bases["post"].delete("messages", "7@Архив")
    firm.night()
    assert [row["record_state"] for row in firm.root("activity")] == ["active"]
    assert firm.match("post", "1@INBOX")[0] == "unmatched"


def test_a_letter_that_left_is_back_by_itself(firm: Firm) -> None:
    """A letter deleted before it was ever joined stays; put back under its old number it is the same one, unasked."""
    firm.letter("1@INBOX", "ivan@romashka.ru", "sales@firm.ru")
    firm.night()
    record = dict(firm.bases["post"].records["messages"]["1@INBOX",])
    firm.bases["post"].delete("messages", "1@INBOX")
    firm.night()
    firm.bases["post"].put("messages", record)
    firm.night()
    assert [row["record_state"] for row in firm.root("activity")] == ["active"]
    assert firm.rows(core.conflict) == []


def test_sent_and_inbox_of_two_accounts_are_one(make: Make) -> None:
    """What a colleague sent and another received is one letter of two accounts, with the participants of both."""
    firm = make(systems=(("post", "letters"), ("post2", "letters")))
    firm.night()
    one: dict[str, Any] = {"message_id": "<m@firm.ru>", "subject": "План"}
    firm.letter("1@Sent", "sales@firm.ru", "ivan@romashka.ru", direction="outbound", folder="Sent", **one)
    firm.letter("5@INBOX", "sales@firm.ru", "ivan@romashka.ru", "boss@firm.ru", system="post2", **one)
    firm.night()
    assert firm.record("post", "1@Sent") == firm.record("post2", "5@INBOX")
    assert {row["handle_norm"] for row in firm.rows(PEOPLE)} == {"sales@firm.ru", "ivan@romashka.ru", "boss@firm.ru"}
    assert firm.rows(core.outbox) == []


def test_an_undone_joining_gives_each_account_its_own(make: Make) -> None:
    """The run that brought the copy is undone: two letters, each on the client's card, neither without a match."""
    firm = make(systems=(("post", "letters"), ("post2", "letters")))
    firm.client("romashka", "Ромашка", "ivan@romashka.ru")
    firm.night()
    firm.letter("1", "ivan@romashka.ru", "sales@firm.ru", message_id="<m@x>")
    firm.night()
    firm.letter("2", "ivan@romashka.ru", "sales@firm.ru", message_id="<m@x>", system="post2")
    run = firm.night()
    assert firm.record("post", "1") == firm.record("post2", "2")
    undo(firm.hub, run.run_id, by="админ")
    assert firm.record("post", "1") != firm.record("post2", "2")
    assert firm.match("post", "1") == firm.match("post2", "2") == ("matched", "handle", {("matched", "Ромашка")})


def test_copies_that_come_in_one_page_are_one(make: Make) -> None:
    """A first reading meets a letter in three folders at once; a letter without a key is joined with nothing."""
    firm = make()
    for folder in ("INBOX", "Важное", "Архив"):
        firm.letter(f"1@{folder}", "ivan@romashka.ru", "sales@firm.ru", message_id="<a@romashka.ru>", folder=folder)
        firm.letter(f"2@{folder}", "ivan@romashka.ru", "sales@firm.ru", key="")
    report = firm.night()
    assert len(firm.root("activity")) == 4
    (post,) = [one for one in report.routes if one.route == "post.activity"]
    assert (post.counters.received, post.counters.created, post.counters.unchanged) == (6, 4, 2)


def test_two_near_calls_of_one_number_are_two(firm: Firm) -> None:
    """Calls are told apart by the exchange's own key, however near they are."""
    firm.call("1", "+79160000001")
    firm.call("2", "+79160000001", minutes=0.1)
    firm.night()
    assert len(firm.root("activity")) == 2


def test_a_meeting_in_two_calendars_ends_with_the_last(make: Make) -> None:
    """One meeting of two accounts lives while one of them has it; dropped by both it is cancelled, and stays known."""
    firm = make(systems=(("calendar", "meetings"), ("calendar2", "meetings")))
    firm.night()
    firm.meeting("uid-1", "boss@firm.ru", "ivan@romashka.ru")
    firm.meeting("uid-1", "boss@firm.ru", "ivan@romashka.ru", system="calendar2")
    firm.night()
    (meeting,) = firm.root("activity")
    firm.bases["calendar"].delete("events", "uid-1")
    firm.night()
    assert [row["status"] for row in firm.root("activity")] == ["planned"]
    firm.bases["calendar2"].delete("events", "uid-1")
    firm.night()
    assert [(row["id"], row["status"], row["record_state"]) for row in firm.root("activity")] == [
        (meeting["id"], "cancelled", "active")
    ]


def test_a_meeting_that_one_calendar_has_is_cancelled_with_it(firm: Firm) -> None:
    """The only calendar drops it: cancelled. It comes back as it was: planned again."""
    firm.meeting("uid-1", "boss@firm.ru", "ivan@romashka.ru")
    firm.night()
    record = dict(firm.bases["calendar"].records["events"]["uid-1",])
    firm.bases["calendar"].delete("events", "uid-1")
    firm.night()
    assert [row["status"] for row in firm.root("activity")] == ["cancelled"]
    firm.bases["calendar"].put("events", record)
    firm.night()
    assert [row["status"] for row in firm.root("activity")] == ["planned"]
