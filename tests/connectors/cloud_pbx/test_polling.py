"""Polling a FAKE: what overlaps, what comes late, what moves while it is read, and when the place moves on."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from connectors.base import ReadRequest
from connectors.certify.reading import decoded, told
from hub.model.errors import RetryLater, StopRoute
from tests.connectors.cloud_pbx.base import NAMES, Account, some
from tests.connectors.cloud_pbx.fake import FAULTS, NOW, FakeCall, FakeCloud, Reply

At = Callable[[str], Account]
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)


def poll(account: Account, position: dict[str, Any] | None, later: timedelta) -> tuple[dict[str, Any], dict[str, Any]]:
    """Some time passes, then everything since the position is read: calls by id, and the new position."""
    account.now += later
    found, last = account.read(position)
    return found, last.position


@pytest.mark.parametrize("service", NAMES)
def test_what_overlaps_comes_again_unchanged(at: At, service: str) -> None:
    """The next read goes two hours back (or to yesterday): the same bytes of the same calls, and the new one."""
    account = at(service)
    account.cloud.add(FakeCall("1", NOW - HOUR), FakeCall("2", NOW - 30 * MINUTE, client="+79990000001"))
    first, position = poll(account, None, timedelta())
    assert len(first) == 2
    account.cloud.add(FakeCall("3", NOW + 5 * MINUTE, client="+79990000002"))
    second, position = poll(account, position, 10 * MINUTE)
    assert {key: second[key] for key in first} == first
    assert len(second) == 3
    assert position == {"to": (NOW + 9 * MINUTE).isoformat()}


@pytest.mark.parametrize("service", NAMES)
def test_a_missed_call_that_is_answered_later_is_the_same_call(at: At, service: str) -> None:
    """What a service corrects afterwards comes under the id that it had."""
    account = at(service)
    account.cloud.add(FakeCall("1", NOW - 20 * MINUTE, answered=False))
    first, position = poll(account, None, timedelta())
    ((key, missed),) = first.items()
    assert (missed["status"], missed["disposition"], missed["talk_s"], missed["recording"]) == (
        "missed",
        "no_answer",
        0,
        "",
    )
    account.cloud.change("1", answered=True, talk=42)
    second, _ = poll(account, position, 5 * MINUTE)
    assert list(second) == [key]
    assert (second[key]["status"], second[key]["talk_s"]) == ("held", 42)
    assert second[key]["recording"]


@pytest.mark.parametrize("service", NAMES)
def test_the_newest_minute_is_left_to_the_next_read(at: At, service: str) -> None:
    """A call that began within the last sixty seconds is not read yet, and not lost."""
    account = at(service)
    account.cloud.add(FakeCall("1", NOW - timedelta(seconds=30)))
    first, position = poll(account, None, timedelta())
    second, _ = poll(account, position, 5 * MINUTE)
    assert (len(first), len(second)) == (0, 1)


def test_a_call_written_late_is_found(at: At) -> None:
    """A conversation of an hour and a half is listed when it ends, with its start long past: the overlap brings it."""
    account = at("uis")
    _, position = poll(account, None, timedelta())
    account.cloud.add(FakeCall("9", NOW - 90 * MINUTE, talk=5400))
    second, _ = poll(account, position, 5 * MINUTE)
    assert list(second) == ["9"]


def test_once_a_day_a_read_goes_back_a_day(at: At) -> None:
    """What took longer than the overlap is found by the first read of the next day."""
    account = at("uis")
    account.now = NOW + 11 * HOUR  # 23:00
    _, position = poll(account, None, timedelta())
    account.cloud.add(FakeCall("9", NOW + 4 * HOUR, talk=5 * 3600))
    same_day, position = poll(account, position, 30 * MINUTE)
    next_day, _ = poll(account, position, HOUR)
    assert (list(same_day), list(next_day)) == ([], ["9"])


def test_whole_days_are_read_from_yesterday_on(at: At) -> None:
    """A service that answers by days is asked for today and yesterday each time, in its own zone."""
    account = at("sipuni")
    account.cloud.add(FakeCall("1", NOW - timedelta(hours=30)), FakeCall("2", NOW - timedelta(days=3)))
    found, _ = poll(account, {"to": (NOW - MINUTE).isoformat()}, 5 * MINUTE)
    assert [record["start"] for record in found.values()] == ["2026-11-19T09:00:00"]
    assert {(got.params["from"], got.params["to"]) for got in account.cloud.got} == {("19.11.2026", "20.11.2026")}


@pytest.mark.parametrize("service", ["uis", "zadarma", "beeline", "telphin"])
def test_a_page_that_moves_on_loses_no_call(at: At, service: str) -> None:
    """A call that gets into the list between two pages pushes others to the next page: each is there once."""
    account = at(service)
    account.cloud.add(
        *(FakeCall(str(n), NOW - timedelta(minutes=100 - n), client=f"+7916000{n:04d}") for n in range(20))
    )

    def one_more(cloud: FakeCloud) -> None:
        cloud.add(FakeCall("777", NOW - timedelta(minutes=101), client="+79167777777"))

    account.cloud.on_list = one_more
    first, position = poll(account, None, timedelta())
    assert len(first) in {20, 21}
    second, _ = poll(account, position, 2 * MINUTE)
    assert len(second) == 21


def test_pages_shorter_than_asked_for_are_not_the_end(at: At) -> None:
    """A service that gives fewer rows at once than it was asked for is read to its end all the same."""
    account = at("zadarma")
    account.cloud.cap = 2
    account.cloud.add(*(FakeCall(str(n), NOW - timedelta(minutes=90 - n)) for n in range(9)))
    assert len(account.read()[0]) == 9


@pytest.mark.parametrize("first", [0, 1])
def test_beeline_pages_may_be_counted_from_either_number(at: At, first: int) -> None:
    """Whichever number its first page has: all calls, each once."""
    account = at("beeline")
    account.cloud.pages_from = first
    account.cloud.add(*(FakeCall(str(n), NOW - timedelta(minutes=90 - n), client=f"+7916{n:07d}") for n in range(16)))
    assert len(account.read()[0]) == 16


def test_a_list_that_may_be_cut_short_is_asked_for_in_halves(at: At) -> None:
    """As many rows as the limit are taken for a cut list: no call of a busy hour is lost."""
    account = at("megafon")
    account.cloud.add(*(FakeCall(str(n), NOW - timedelta(hours=3) + timedelta(seconds=20 * n)) for n in range(430)))
    assert len(account.read()[0]) == 430


def test_legs_of_one_call_at_the_edge_of_a_read_stay_together(at: At) -> None:
    """A call half of which lies before the overlap is not told anew with that half missing."""
    for service in ("mango", "zadarma"):
        account = at(service)
        edge = NOW - MINUTE - 2 * HOUR
        account.cloud.add(FakeCall("1", edge - timedelta(seconds=7), legs=("102", "103")))
        first, position = poll(account, None, timedelta())
        assert first["1"]["legs"] == 3
        second, _ = poll(account, position, timedelta())
        assert second == {}
        third, _ = poll(account, {"to": (NOW - 2 * MINUTE).isoformat()}, timedelta())
        assert third == first


@pytest.mark.parametrize("service", NAMES)
def test_the_place_moves_only_after_the_whole_time_was_read(at: At, service: str) -> None:
    """A fault in the middle raises before the last page; going on from what came brings exactly the rest."""
    account = at(service)
    account.cloud.add(*some(36, days=12))
    whole = list(account.read(history_days=16)[0])
    connector, pages = account.open(history_days=16), []
    read = connector.read(ReadRequest("calls", key=("id",), page_size=5))
    pages.append(next(read))
    account.cloud.failing = ["busy!"]
    with pytest.raises(RetryLater) as error:
        pages.extend(iter(lambda: next(read), None))
    assert told(error.value)
    assert not any(page.last or "to" not in page.position or "chunk" not in page.position for page in pages)
    account.cloud.failing = []
    account.now += MINUTE
    found = [record["id"] for record in decoded(pages)]
    rest = ReadRequest("calls", key=("id",), position=pages[-1].position)
    assert found + [record["id"] for record in decoded(account.open().read(rest))] == whole


def test_a_report_that_is_never_ready_is_given_up(at: At) -> None:
    """204 without end: so long and no longer, and nothing is taken for an empty list."""
    account = at("mango")
    account.cloud.not_ready = 10_000
    account.cloud.add(FakeCall("1", NOW - HOUR))
    with pytest.raises(RetryLater) as error:
        account.read(ready_seconds=120.0)
    assert error.value.code == "cloud_not_ready"
    assert told(error.value)
    assert 90 < sum(account.slept) <= 120
    account.cloud.not_ready = 5
    assert list(account.read()[0]) == ["1"]


def test_a_pause_that_is_asked_for_is_kept(at: At) -> None:
    """Retry-After within reason is waited; a longer one ends the run instead of sleeping through it."""
    account = at("megafon")
    FAULTS["later"], FAULTS["much_later"] = (Reply(429, b"{}", headers={"Retry-After": s}) for s in ("11", "3000"))
    account.cloud.failing = ["later"]
    account.read()
    assert account.slept == [11.0]
    account.cloud.failing = ["much_later"]
    with pytest.raises(RetryLater) as error:
        account.read()
    assert (error.value.retry_after, account.slept) == (3000.0, [11.0])


@pytest.mark.parametrize(("service", "seconds"), [("uis", 17.0), ("zadarma", 23.0)])
def test_the_last_request_of_a_minute_is_followed_by_a_rest(at: At, service: str, seconds: float) -> None:
    """When an answer says that nothing is left of the minute's limit, the next one is asked after its end."""
    account = at(service)
    account.cloud.state["left"] = 0
    account.open().check()
    assert set(account.slept) == {seconds}


def test_a_token_that_ran_out_is_renewed_once(at: At) -> None:
    """Telphin: 401 with a token means a new one; 401 with the new one is a wrong key."""
    account = at("telphin")
    account.cloud.add(FakeCall("1", NOW - HOUR))
    connector = account.open()
    assert connector.check().problems == []
    account.cloud.state["token"] = "another"
    assert connector.check().problems == []
    logins = [got for got in account.cloud.got if got.path == "/oauth/token"]
    assert len(logins) == 2
    account.cloud.failing = ["key!"]
    (problem,) = connector.check().problems
    assert problem.code == "cloud_key_refused"


def test_calls_dated_in_the_future_are_not_passed_over(at: At) -> None:
    """Dates in another zone than the settings say would all fall out of the time asked for: that is an error."""
    account = at("sipuni")
    account.cloud.add(FakeCall("1", NOW - timedelta(days=2)))
    inner = account.cloud._answer

    def shifted(cloud: FakeCloud, got: Any) -> Any:
        reply = inner(cloud, got)
        reply.body = reply.body.replace(b"18.11.2026 15", b"28.11.2026 15")
        return reply

    account.cloud._answer = shifted
    with pytest.raises(StopRoute) as error:
        account.read()
    assert error.value.code == "cloud_zone"
    assert told(error.value)


def test_what_has_no_moment_goes_to_the_quarantine_as_a_record(at: At) -> None:
    """A row that cannot be read does not stop the others: it comes as a record that the mapping refuses."""
    account = at("mango")
    account.cloud.add(FakeCall("1", NOW - HOUR), FakeCall("2", NOW - HOUR, client="+79990000000"))
    inner = account.cloud._answer

    def broken(cloud: FakeCloud, got: Any) -> Any:
        reply = inner(cloud, got)
        if got.path == "/stats/result" and reply.status == 200:
            first, second = reply.body.split(b"\r\n")
            reply.body = b"\r\n".join([b";".join([b"[]", b"soon", *first.split(b";")[2:]]), second])
        return reply

    account.cloud._answer = broken
    found, _ = account.read(history_days=1)
    assert (found["1"]["started_at"], found["2"]["status"]) == (None, "held")
