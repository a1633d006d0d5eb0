"""What rows of an exchange mean as a call: who answered, how long they talked, whose call it was, what it became."""

from __future__ import annotations

from typing import Any

import pytest

from tests.connectors.telephony.asterisk import Exchange, InCsv, InTable, Row, leg

_NAME = "1793602800.1"


@pytest.fixture
def exchange(tmp_path: Any) -> InTable:
    """An exchange with a database."""
    return InTable(f"sqlite:///{tmp_path}/cdr.db")


def the_call(exchange: Exchange, *rows: Row) -> Row:
    """The one call of these rows."""
    exchange.write(*rows)
    ((record,), _) = exchange.poll()
    return record


def one(number: int, start: int, seconds: int, talk: int = 0, disposition: str = "", **more: Any) -> Row:
    """A leg of the call, so many seconds after its start."""
    return leg(_NAME, number, f"2026-11-02T10:00:{start:02}", seconds, talk, disposition, **more)


@pytest.mark.parametrize(
    ("rows", "disposition", "status"),
    [
        ([one(1, 0, 30, 20)], "answered", "held"),
        ([one(1, 0, 10), one(2, 10, 10)], "no_answer", "missed"),
        ([one(1, 0, 4, 0, "BUSY")], "busy", "missed"),
        ([one(1, 0, 4, 0, "BUSY"), one(2, 4, 20)], "no_answer", "missed"),
        ([one(1, 0, 1, 0, "FAILED"), one(2, 1, 3, 0, "BUSY")], "busy", "missed"),
        ([one(1, 0, 0, 0, "CONGESTION")], "failed", "missed"),
        ([one(1, 0, 40, 40, rung="", lastapp="BackGround")], "no_answer", "missed"),
        ([one(1, 0, 20), one(2, 20, 30, 30, rung="", lastapp="VoiceMail")], "voicemail", "missed"),
        ([one(1, 0, 3, lastdata="PJSIP/101,20")], "cancelled", "missed"),
        ([one(1, 0, 20, lastdata="PJSIP/101,20")], "no_answer", "missed"),
        ([one(1, 0, 5, 0, "ANSWERED")], "no_answer", "missed"),
        ([one(1, 0, 9, 9, lastapp="Queue", lastdata="sales,t", disposition="NO ANSWER")], "cancelled", "missed"),
    ],
)
def test_what_became_of_an_inbound_call(exchange: InTable, rows: list[Row], disposition: str, status: str) -> None:
    """A person, nobody, a busy line, a menu, the letter-box, a caller who gave up: a menu that answers is no answer."""
    record = the_call(exchange, *rows)
    assert (record["disposition"], record["status"]) == (disposition, status)


@pytest.mark.parametrize(
    ("talk", "told", "disposition", "status"),
    [
        (30, "ANSWERED", "answered", "held"),
        (0, "NO ANSWER", "no_answer", "failed"),
        (0, "BUSY", "busy", "failed"),
        (0, "CONGESTION", "failed", "failed"),
    ],
)
def test_what_became_of_an_outbound_call(
    exchange: InTable, talk: int, told: str, disposition: str, status: str
) -> None:
    """Nobody of ours missed a call that we made."""
    out = {"channel": "PJSIP/101-00000001", "rung": "beeline", "src": "74951112233", "dst": "89161234567"}
    record = the_call(exchange, one(1, 0, 40, talk, told, **out))
    assert (record["direction"], record["disposition"], record["status"]) == ("outbound", disposition, status)
    people = [(who["role"], who["kind"], who["number"]) for who in record["people"]]
    assert people == [
        ("caller", "extension", "101"),
        ("callee", "phone", "+79161234567"),
        ("agent", "extension", "101"),
    ]
    assert record["line"] == "beeline"


def test_local_channels_do_not_double_the_talk(exchange: InTable) -> None:
    """A queue that rings through Local channels writes the talk twice, for both ends: it is one talk of one person."""
    record = the_call(
        exchange,
        one(1, 0, 50, 40, dstchannel="Local/101@from-queue-0000000a;1", lastapp="Queue", lastdata="sales,t"),
        one(2, 5, 45, 40, channel="Local/101@from-queue-0000000a;2", rung="101", dcontext="from-queue"),
    )
    assert (record["talk_s"], record["agent"], record["transferred"]) == (40, "101", False)
    assert record["direction"] == "inbound"


def test_a_ring_group_is_no_transfer(exchange: InTable) -> None:
    """All telephones ring from the first second, one answers: the others were not transferred to."""
    record = the_call(exchange, one(1, 0, 6, rung="101"), one(2, 0, 36, 30, rung="102"), one(3, 0, 6, rung="103"))
    assert (record["agent"], record["transferred"], record["legs"], record["ring_s"]) == ("102", False, 3, 6)


def test_a_transfer_outside_names_who_talked(exchange: InTable) -> None:
    """An answered call goes on to a mobile telephone: still inbound, the mobile is one who talked, not the client."""
    record = the_call(
        exchange,
        one(1, 0, 20, 15, rung="101"),
        one(2, 20, 30, 25, rung="beeline", dst="89261112233", dcontext="from-internal"),
    )
    assert (record["direction"], record["transferred"], record["talk_s"]) == ("inbound", True, 40)
    assert [(who["kind"], who["number"]) for who in record["people"] if who["role"] == "agent"] == [
        ("extension", "101"),
        ("phone", "+79261112233"),
    ]


def test_channel_events_tell_a_transfer(exchange: InTable) -> None:
    """An attended transfer may leave no leg of its own: the channel event says it."""
    exchange.event("ATTENDEDTRANSFER", _NAME, "2026-11-02T10:00:10")
    assert the_call(exchange, one(1, 0, 30, 25))["transferred"]


def test_the_line_of_a_did_column(exchange: InTable) -> None:
    """FreePBX routes an inbound call to an extension: ``dst`` is that, the number dialled stands in ``did``."""
    record = the_call(exchange, one(1, 0, 30, 25, dst="101", did="4951112233", cnam="Иван", cnum="89161234567"))
    assert (record["line"], record["did"]) == ("+74951112233", "+74951112233")
    assert record["people"][0] == {
        "role": "caller",
        "kind": "phone",
        "number": "+79161234567",
        "raw": "89161234567",
        "ext": "",
        "name": "Иван",
    }


def test_town_numbers_take_the_code_of_the_line(tmp_path: Any) -> None:
    """Seven digits are a number once the settings name the town's code."""
    exchange = InTable(f"sqlite:///{tmp_path}/town.db", area_code="495")
    assert the_call(exchange, one(1, 0, 30, 25, src="1234567"))["people"][0]["number"] == "+74951234567"


def test_extensions_as_the_settings_say(tmp_path: Any) -> None:
    """Seven-digit extensions are told from numbers by the pattern that is set."""
    exchange = InTable(f"sqlite:///{tmp_path}/long.db", extensions=r"70\d{5}")
    record = the_call(exchange, one(1, 0, 30, 25, rung="7000101"))
    assert (record["direction"], record["status"]) == ("inbound", "held")
    inside = InCsv(tmp_path / "inside", extensions=r"70\d{5}")
    record = the_call(inside, one(1, 0, 30, 25, channel="PJSIP/7000101-00000001", rung="beeline", dst="89161234567"))
    assert record["direction"] == "outbound"


def test_a_caller_who_is_ours_makes_the_call_ours(tmp_path: Any) -> None:
    """A gateway that the pattern does not know shows our own number as the caller: the call is outbound."""
    exchange = InTable(f"sqlite:///{tmp_path}/own.db", own_numbers=("8 (495) 111-22-33",))
    told = {"channel": "SIP/gateway-00000001", "rung": "beeline", "dcontext": "office"}
    record = the_call(exchange, one(1, 0, 30, 25, src="74951112233", dst="89161234567", **told))
    assert (record["direction"], record["status"]) == ("outbound", "held")
    assert record["people"][1]["number"] == "+79161234567"


def test_who_left_the_queue_and_was_answered_elsewhere(exchange: InTable) -> None:
    """The queue's time ran out after ten seconds, the reception answered after twenty: the wait is twenty."""
    exchange.log(f"1793602800|{_NAME}|sales|NONE|ENTERQUEUE||", f"1793602810|{_NAME}|sales|NONE|EXITWITHTIMEOUT|1|1|10")
    record = the_call(
        exchange,
        one(1, 0, 10, 10, lastapp="Queue", lastdata="sales,t", disposition="NO ANSWER"),
        one(2, 10, 40, 30, rung="100"),
    )
    assert (record["status"], record["wait_s"], record["queue"], record["talk_s"]) == ("held", 20, "sales", 30)
