"""Ten calls that a real Asterisk recorded come out as what they were, from its file and from three databases."""

from __future__ import annotations

import csv
from typing import Any

import pytest

from tests.connectors.telephony.asterisk import COLUMNS, Exchange
from tests.connectors.telephony.conftest import NO_SHARED, SHARED

pytestmark = pytest.mark.skipif(not SHARED.is_dir(), reason=NO_SHARED)

#: direction, disposition, status, agent, talk, legs, queue
_WERE = {
    "A": ("1795444998.0", "inbound", "answered", "held", "101", 2, 1, ""),
    "B": ("1795445002.2", "inbound", "answered", "held", "102", 2, 2, ""),
    "C": ("1795445016.5", "inbound", "answered", "held", "102", 2, 2, ""),
    "D": ("1795445020.8", "inbound", "cancelled", "missed", "", 0, 1, ""),
    "E": ("1795445024.10", "inbound", "no_answer", "missed", "", 0, 2, ""),
    "F": ("1795445046.13", "inbound", "answered", "held", "102", 1, 2, "sales"),
    "G": ("1795445049.16", "inbound", "cancelled", "missed", "", 0, 2, "sales"),
    "H": ("1795445052.19", "inbound", "no_answer", "missed", "", 0, 5, "sales"),
    "I": ("1795445065.24", "internal", "answered", "held", "102", 2, 1, ""),
    "J": ("1795445070.26", "outbound", "answered", "held", "101", 2, 1, ""),
}
_CLIENTS = {
    "A": ("caller", "phone", "+79161234567"),
    "B": ("caller", "phone", "+79031112233"),
    "C": ("caller", "phone", "+74957654321"),
    "F": ("caller", "hidden", "hidden"),
    "H": ("caller", "phone", "+79260000004"),
    "I": ("caller", "extension", "101"),
    "J": ("callee", "phone", "+74951234567"),
}


def fill(exchange: Exchange, *, log: bool) -> None:
    """The recorded rows, and the log of queues."""
    with (SHARED / "Master.csv").open(encoding="utf-8", newline="") as file:
        exchange.write(*(dict(zip(COLUMNS, row, strict=True)) for row in csv.reader(file)))
    if log:
        exchange.log(*(SHARED / "queue_log").read_text(encoding="utf-8").splitlines())


def by_id(found: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Records by the name of the call."""
    return {record["id"]: record for record in found}


@pytest.mark.parametrize("log", [True, False], ids=["with the queue log", "without it"])
def test_the_ten_calls_are_what_they_were(exchange: Exchange, log: bool) -> None:
    """Each of A to J: whose it was, how it ended, who answered, how long they talked, how many legs, which queue.

    The end of the queue's time in H is a row that says ANSWERED; the rows of G, whom nobody answered, carry seconds.
    """
    exchange.set(zone="UTC")
    fill(exchange, log=log)
    found = by_id(exchange.poll()[0])
    assert len(found) == 10
    for letter, (name, *were) in _WERE.items():
        record = found[name]
        told = ("direction", "disposition", "status", "agent", "talk_s", "legs", "queue")
        assert [record[key] for key in told] == were, letter
        assert record["key"] == f"pbx:{name}"
        assert not record["transferred"]


def test_clients_and_lines_of_the_ten_calls(exchange: Exchange) -> None:
    """Numbers in four spellings come out as E.164, a hidden caller as hidden, and the line is what was dialled."""
    exchange.set(zone="UTC")
    fill(exchange, log=True)
    found = by_id(exchange.poll()[0])
    for letter, (role, kind, number) in _CLIENTS.items():
        people = found[_WERE[letter][0]]["people"]
        assert [(one["kind"], one["number"]) for one in people if one["role"] == role] == [(kind, number)], letter
    assert found["1795445016.5"]["line"] == "+74951112255"
    assert found["1795445065.24"]["people"][0]["name"] == "Иван Петров"


def test_how_long_the_ten_calls_waited(exchange: Exchange) -> None:
    """The log of queues tells the wait and the talk; where there is no queue the rows do."""
    exchange.set(zone="UTC")
    fill(exchange, log=True)
    found = by_id(exchange.poll()[0])
    waits = {letter: found[_WERE[letter][0]]["wait_s"] for letter in "ABEFGH"}
    assert waits == {"A": 1, "B": 11, "E": 20, "F": 1, "G": 2, "H": 12}


@pytest.mark.parametrize("zone", ["UTC", "Europe/Moscow", "Asia/Vladivostok"])
def test_the_moment_is_true_whatever_zone_is_set(exchange: Exchange, zone: str) -> None:
    """Asterisk names a call by the second of UTC: a zone that was set wrongly moves no call."""
    exchange.set(zone=zone)
    fill(exchange, log=False)
    first = by_id(exchange.poll()[0])["1795444998.0"]
    assert (first["started_at"], first["ended_at"]) == ("2026-11-23T14:43:18Z", "2026-11-23T14:43:21Z")
    notes = [note.code for note in exchange.connect().check().notes]
    assert notes == ([] if zone == "UTC" else ["calls_zone"])
