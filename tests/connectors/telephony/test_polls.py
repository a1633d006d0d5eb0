"""Polls of an exchange's records: what is written late, twice, in another zone or with the clock ahead is not lost."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from connectors.base import ReadRequest
from tests.connectors.telephony.asterisk import Exchange, InTable, leg, records
from tests.connectors.telephony.conftest import MakeExchange

_MOSCOW = ZoneInfo("Europe/Moscow")


def epoch(local: str, number: int = 1, zone: str = "Europe/Moscow", fold: int = 0) -> str:
    """The name that Asterisk gives a call that begins then."""
    moment = datetime.fromisoformat(local).replace(tzinfo=ZoneInfo(zone), fold=fold)
    return f"{int(moment.timestamp())}.{number}"


def call(local: str, number: int = 1, seconds: int = 20, talk: int = 10, **more: object) -> dict[str, object]:
    """A call of one leg."""
    return leg(epoch(local, number), number, local, seconds, talk, **more)  # type: ignore[arg-type]


def test_a_poll_brings_what_is_new_and_nothing_twice(exchange: Exchange) -> None:
    """The first poll brings all, the second nothing (a duplicate poll), the third the one call that was made since."""
    exchange.write(call("2026-11-02T10:00:00", 1), call("2026-11-02T11:00:00", 2))
    found, position = exchange.poll()
    assert len(found) == 2
    again, position = exchange.poll(position)
    assert again == []
    again, position = exchange.poll(position)
    assert again == []
    exchange.write(call("2026-11-02T11:00:30", 3))
    assert {record["id"] for record in exchange.poll(position)[0]} >= {epoch("2026-11-02T11:00:30", 3)}


def test_a_long_call_written_late_is_not_lost(exchange: Exchange) -> None:
    """A talk of two hours is written when it ends, under its start, after calls that began later were seen."""
    exchange.write(call("2026-11-02T10:00:00", 1), call("2026-11-02T11:30:00", 3))
    _, position = exchange.poll()
    exchange.write(call("2026-11-02T10:05:00", 2, seconds=7210, talk=7200))
    found, position = exchange.poll(position)
    (late,) = [record for record in found if record["id"] == epoch("2026-11-02T10:05:00", 2)]
    assert (late["talk_s"], late["start"]) == (7200, "2026-11-02T10:05:00")
    assert exchange.poll(position)[0] == []


def test_a_late_transfer_leg_opens_the_call_again(exchange: Exchange) -> None:
    """The call was seen whole; then a leg follows to another extension: the same call comes again, transferred.

    Direction and line stay those of the first leg, though the later one is from inside.
    """
    name = epoch("2026-11-02T10:00:00")
    exchange.write(leg(name, 1, "2026-11-02T10:00:00", 65, 60))
    (before,), position = exchange.poll()
    assert (before["transferred"], before["talk_s"]) == (False, 60)
    exchange.write(
        leg(name, 2, "2026-11-02T10:01:05", 125, 120, dst="103", rung="103", dcontext="from-internal"),
    )
    (after,), position = exchange.poll(position)
    assert (after["id"], after["transferred"], after["talk_s"], after["legs"]) == (name, True, 180, 2)
    assert (after["direction"], after["line"], after["agent"]) == ("inbound", "+74951112233", "101")
    assert [one["number"] for one in after["people"] if one["role"] == "agent"] == ["101", "103"]
    assert exchange.poll(position)[0] == []


def test_two_near_calls_of_one_number_stay_two(exchange: Exchange) -> None:
    """One number calls twice within a minute, the second time within the second of the first: each call is its own."""
    exchange.write(
        call("2026-11-02T10:00:00", 1, talk=0),
        call("2026-11-02T10:00:00", 2, talk=5),
        call("2026-11-02T10:00:40", 3, talk=0),
    )
    found, position = exchange.poll()
    assert [record["status"] for record in found] == ["missed", "held", "missed"]
    assert len({record["key"] for record in found}) == 3
    assert len({record["people"][0]["number"] for record in found}) == 1
    assert exchange.poll(position)[0] == []


def test_hidden_callers_are_nobody_and_not_one(exchange: Exchange) -> None:
    """Two calls from hidden numbers are two calls of nobody: no number, no name that could make them one person."""
    exchange.write(
        call("2026-11-02T10:00:00", 1, src="anonymous", clid='"Anonymous" <anonymous>'),
        call("2026-11-02T10:05:00", 2, src="", clid=""),
    )
    found, _ = exchange.poll()
    assert [record["people"][0]["kind"] for record in found] == ["hidden", "hidden"]
    assert [record["people"][0]["name"] for record in found] == ["", ""]
    assert found[0]["id"] != found[1]["id"]


def test_the_hour_that_comes_twice(exchange: Exchange) -> None:
    """Clocks go back: a call before and one after have the same local time, and their moments are an hour apart."""
    exchange.set(zone="Europe/Berlin")
    first = epoch("2026-10-25T02:30:00", 1, "Europe/Berlin")
    second = epoch("2026-10-25T02:30:00", 2, "Europe/Berlin", fold=1)
    exchange.write(
        leg(first, 1, "2026-10-25T02:30:00", 20, 10),
        leg(second, 2, "2026-10-25T02:30:00", 20, 10),
    )
    found, _ = exchange.poll()
    assert [record["started_at"] for record in found] == ["2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z"]


def test_an_exchange_moved_to_another_zone_loses_nothing(exchange: Exchange) -> None:
    """Its clock is put back four hours: new rows are dated before what was seen, and come; so do those after."""
    exchange.write(call("2026-11-02T14:00:00", 1))
    _, position = exchange.poll()
    moved = epoch("2026-11-02T14:10:00", 2)
    exchange.write(leg(moved, 2, "2026-11-02T10:10:00", 20, 10))
    found, position = exchange.poll(position)
    assert [(record["id"], record["started_at"]) for record in found if record["id"] == moved] == [
        (moved, "2026-11-02T11:10:00Z")
    ]
    exchange.write(leg(epoch("2026-11-02T14:20:00", 3), 3, "2026-11-02T10:20:00", 20, 10))
    assert len(exchange.poll(position)[0]) >= 1


def test_a_clock_that_ran_ahead_hides_nothing(exchange: Exchange) -> None:
    """For a moment the clock stood in another year: calls after it was put right are found all the same."""
    exchange.write(call("2026-11-02T10:00:00", 1), leg("1900000000.9", 9, "2030-03-17T20:46:40", 20, 10))
    _, position = exchange.poll()
    exchange.write(call("2026-11-02T10:30:00", 2))
    assert epoch("2026-11-02T10:30:00", 2) in {record["id"] for record in exchange.poll(position)[0]}


def test_a_row_written_twice_is_one_leg(exchange: Exchange) -> None:
    """Two drivers of one exchange write the same row: the talk is not counted twice."""
    row = call("2026-11-02T10:00:00", 1, seconds=40, talk=30)
    exchange.write(row, row)
    ((record,), _) = exchange.poll()
    assert (record["legs"], record["talk_s"]) == (1, 30)


def test_a_call_that_goes_on_waits(exchange: Exchange) -> None:
    """One telephone has stopped ringing, the next may answer yet: the call is not told as missed before it is over."""
    exchange.set(settle=60)
    now = datetime.now(_MOSCOW).replace(tzinfo=None, microsecond=0)
    start = (now - timedelta(seconds=12)).isoformat()
    name = epoch(start)
    exchange.write(leg(name, 1, start, 10, rung="101"))
    found, position = exchange.poll()
    assert found == []
    exchange.write(leg(name, 2, (now - timedelta(seconds=2)).isoformat(), 1, 1, rung="102"))
    exchange.set(settle=0)
    ((record,), _) = exchange.poll(position)
    assert (record["status"], record["agent"], record["legs"]) == ("held", "102", 2)


def test_the_end_of_the_channels_ends_the_waiting(make_exchange: MakeExchange) -> None:
    """Where channel events are kept, the end of the last channel says that no leg will follow."""
    exchange = make_exchange()
    if not isinstance(exchange, InTable):
        pytest.skip("channel events are kept in databases")
    exchange.set(settle=60)
    now = datetime.now(_MOSCOW).replace(tzinfo=None, microsecond=0)
    start = (now - timedelta(seconds=10)).isoformat()
    exchange.write(leg(epoch(start), 1, start, 9))
    assert exchange.poll()[0] == []
    exchange.event("LINKEDID_END", epoch(start), now.isoformat())
    assert [record["status"] for record in exchange.poll()[0]] == ["missed"]


def test_a_read_broken_off_goes_on_and_misses_no_change(exchange: Exchange) -> None:
    """The hub is killed after a page; meanwhile a call of that page got a leg: the next poll brings the call again."""
    names = [epoch(f"2026-11-02T10:0{n}:00", n) for n in range(6)]
    exchange.write(*(leg(names[n], n + 1, f"2026-11-02T10:0{n}:00", 20, 10) for n in range(6)))
    connector = exchange.connect()
    first = next(iter(connector.read(ReadRequest("calls", key=("id",), page_size=2))))
    assert [record["id"] for record in records([first])] == names[:2]
    exchange.write(leg(names[0], 20, "2026-11-02T10:00:20", 30, 25, rung="103", dst="103"))
    rest, position = exchange.poll(first.position)
    assert [record["id"] for record in rest] == names[2:]
    found, position = exchange.poll(position)
    assert {record["id"]: record["transferred"] for record in found}[names[0]]
    assert exchange.poll(position)[0] == []


def test_days_are_cut_by_the_first_leg(exchange: Exchange) -> None:
    """A call over midnight is of the day that it began on, whole there and absent from the next."""
    name = epoch("2026-11-02T23:59:30")
    exchange.write(
        leg(name, 1, "2026-11-02T23:59:30", 40, 20),
        leg(name, 2, "2026-11-03T00:00:10", 50, 45, rung="103", dst="103"),
        call("2026-11-03T09:00:00", 5),
    )
    assert [(record["id"], record["legs"]) for record in exchange.day("2026-11-02", "2026-11-03")] == [(name, 2)]
    assert [record["id"] for record in exchange.day("2026-11-03", "2026-11-04")] == [epoch("2026-11-03T09:00:00", 5)]
    assert exchange.day("2026-11-04", "2026-11-05") == []


@pytest.mark.parametrize("chunk", [1, 2, 3, 100])
def test_calls_are_whole_wherever_they_are_cut(exchange: Exchange, chunk: int) -> None:
    """Legs of calls that overlap in time: read a few rows at a time, each call comes once and whole."""
    rows = []
    for n in range(12):
        start = datetime.fromisoformat("2026-11-02T10:00:00") + timedelta(seconds=7 * n)
        name = f"{int(start.replace(tzinfo=_MOSCOW).timestamp())}.{n}"
        for part in range(n % 4 + 1):
            begins = start + timedelta(seconds=20 * part)
            rows.append(leg(name, 10 * n + part + 1, begins.isoformat(), 20, 15, rung=f"10{part}"))
    exchange.write(*rows)
    exchange.set(chunk=chunk)
    found, _ = exchange.poll(size=5)
    assert [record["legs"] for record in found] == [n % 4 + 1 for n in range(12)]


def test_columns_of_an_old_version_do(make_exchange: MakeExchange) -> None:
    """Without ``linkedid`` and ``sequence`` the channel names the call, and legs are told apart by what they say."""
    told = {"left_out": ("linkedid", "sequence", "cnum", "cnam", "did", "recordingfile", "peeraccount")}
    try:
        exchange = make_exchange(**told)
    except TypeError:
        pytest.skip("a file has the columns that it has")
    name = epoch("2026-11-02T10:00:00")
    exchange.write(
        leg(name, 0, "2026-11-02T10:00:00", 10, rung="101"),
        leg(name, 0, "2026-11-02T10:00:10", 30, 25, rung="102"),
    )
    ((record,), position) = exchange.poll()
    assert (record["id"], record["legs"], record["agent"], record["talk_s"]) == (name, 2, "102", 25)
    assert exchange.poll(position)[0] == []
