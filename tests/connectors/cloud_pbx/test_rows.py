"""Contract of the rows: answers of each service, written down by hand as its notes show them, and the calls they are.

None of them was recorded from a live service.
"""

from __future__ import annotations

import json
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from connectors.cloud_pbx.answers import Cut, NotService, Unexpected
from connectors.cloud_pbx.rows import legs_of, record_of
from connectors.cloud_pbx.services import SERVICES
from connectors.onec_odata.answers import Answer
from connectors.recordings import Recording, recording_of

MSK = ZoneInfo("Europe/Moscow")
HEAD = "Тип;Статус;Время;Откуда;Куда;Кто ответил;Длительность звонка, сек;Длительность разговора, сек;ID записи"


def calls(service: str, body: str | bytes | Any, status: int = 200) -> list[dict[str, Any]]:
    """The records of an answer."""
    found = SERVICES[service]
    if not isinstance(body, str | bytes):
        body = json.dumps(body, ensure_ascii=False)
    rows = found.listing.rows(Answer(status, {}, body.encode() if isinstance(body, str) else body))
    zone = ZoneInfo(found.zone) if found.zone else MSK
    return [record_of(legs, found, "pbx", MSK, "495")[1] for legs in legs_of(rows, found, zone).values()]


def short(record: dict[str, Any]) -> tuple[Any, ...]:
    """What a call is, in one line."""
    people = [f"{one['role']} {one['kind']} {one['number']}" for one in record["people"]]
    told = [record[name] for name in ("started_at", "direction", "disposition", "wait_s", "talk_s", "agent", "did")]
    return (*told, *people)


CALLER, LINE = "caller phone +79161234567", "callee phone +74951112233"
AGENT = "agent extension 101"


def test_mango_tells_direction_by_extensions_and_groups_legs() -> None:
    """Two telephones ring, the second answers: one call, with the wait of both and the talk of the second."""
    lines = (
        "[];1763636400;1763636410;0;;+79161234567;102;sip:102@x;1110;+74951112233;abonent;e1\r\n"
        "[r1,r2];1763636410;1763636480;1763636415;;+79161234567;101;sip:101@x;1100;+74951112233;abonent;e1\r\n"
    )
    (record,) = calls("mango", lines)
    expected = ("2025-11-20T11:00:00Z", "inbound", "answered", 15, 65, "101", "+74951112233", CALLER, LINE, AGENT)
    assert short(record) == expected
    assert (record["legs"], record["transferred"], record["ended_at"]) == (2, False, "2025-11-20T11:01:20Z")
    parts = recording_of(record["recording"]).parts()
    assert parts == [Recording("mango", "r1"), Recording("mango", "r2")]


def test_mango_unanswered_outgoing_and_menus() -> None:
    """Not answered with 0 or with nothing; an outgoing call; a menu that answers is nobody who talks."""
    lines = (
        "[];1763636400;1763636410;0;;+79161234567;102;sip:102@x;1110;+74951112233;abonent;zero\n"
        "[];1763636400;1763636410;;;+79161234567;102;sip:102@x;1110;+74951112233;abonent;empty\n"
        "[];1763636400;1763636430;1763636410;101;sip:101@x;;+79161234567;1100;+74951112233;abonent;out\n"
        "[];1763636400;1763636430;1763636401;;+79161234567;;74951112233;1100;+74951112233;ivr;menu\n"
    )
    found = {record["id"]: short(record) for record in calls("mango", lines)}
    begun = "2025-11-20T11:00:00Z"
    missed = (begun, "inbound", "no_answer", None, 0, "", "+74951112233", CALLER, LINE)
    assert found["zero"] == found["empty"] == found["menu"] == missed
    ours, theirs = "caller phone +74951112233", "callee phone +79161234567"
    assert found["out"] == (begun, "outbound", "answered", 10, 20, "101", "", theirs, ours, AGENT)


@pytest.mark.parametrize(
    "start", ["2025-11-20T11:00:00Z", "20251120T110000Z", "2025-11-20 11:00:00", "2025-11-20T14:00:00+03:00"]
)
def test_megafon_moments_in_any_spelling(start: str) -> None:
    """With or without punctuation and zone: the same moment."""
    row = {
        "uid": "u1",
        "type": "in",
        "status": "success",
        "client": "79161234567",
        "user": "101",
        "diversion": "74951112233",
    }
    (record,) = calls("megafon", [{**row, "start": start, "wait": 5, "duration": 30, "record": "https://x.ru/1.mp3"}])
    assert short(record) == (
        "2025-11-20T11:00:00Z", "inbound", "answered", 5, 30, "101", "+74951112233", CALLER, LINE, AGENT,
    )  # fmt: skip
    assert recording_of(record["recording"]) == Recording("megafon", "u1", "https://x.ru/1.mp3")


def test_megafon_a_word_that_is_new_is_judged_by_the_talk() -> None:
    """A status nobody knows: seconds of talk decide, and the service's own word is kept as the cause."""
    rows = [
        {"uid": n, "type": "in", "status": "нечто", "client": "1", "start": "2025-11-20T11:00:00Z", "duration": n}
        for n in (1, 0)
    ]
    assert [(r["disposition"], r["talk_s"], r["hangup_cause"]) for r in calls("megafon", rows)] == [
        ("answered", 1, "нечто"),
        ("no_answer", 0, "нечто"),
    ]


def test_uis_reads_local_time_and_whoever_spoke() -> None:
    """Moments are of the account's zone; the agent is who answered, by extension and name; files are two ids."""
    row = {
        "id": 5, "start_time": "2025-11-20 14:00:00", "direction": "in", "is_lost": False,
        "contact_phone_number": "79161234567", "virtual_phone_number": "74951112233", "communication_id": 900,
        "wait_duration": 5, "talk_duration": 30, "total_duration": 35, "finish_reason": "x",
        "employees": [
            {"employee_full_name": "Пётр"},
            {"employee_full_name": "Анна", "is_answered": True, "extension": "101"},
        ],
        "call_records": ["a1"],
    }  # fmt: skip
    lost = {**row, "id": 6, "is_lost": True, "employees": "?", "call_records": None}
    first, second = calls("uis", {"result": {"data": [row, lost]}})
    assert short(first) == (
        "2025-11-20T11:00:00Z", "inbound", "answered", 5, 30, "101", "+74951112233", CALLER, LINE, AGENT,
    )  # fmt: skip
    assert first["people"][2]["name"] == "Анна"
    assert recording_of(first["recording"]) == Recording("uis", "900/a1")
    assert (second["disposition"], second["ring_s"], second["recording"]) == ("no_answer", 5, "")


@pytest.mark.parametrize(
    ("row", "direction", "client", "agent"),
    [
        ({"sip": "+79161234567", "clid": "+79161234567", "destination": "101"}, "inbound", "caller", "101"),
        ({"sip": "101", "clid": "+74951112233", "destination": "+79161234567"}, "outbound", "callee", "101"),
        ({"sip": "101", "clid": "101", "destination": "102"}, "internal", "", "102"),
    ],
)
def test_zadarma_tells_direction_by_the_short_number(
    row: dict[str, str], direction: str, client: str, agent: str
) -> None:
    """Whichever field holds our extension: the other side is the client."""
    told = {
        "pbx_call_id": "in_1",
        "callstart": "2025-11-20 14:00:00",
        "disposition": "answered",
        "seconds": "30",
        "is_recorded": "true",
    }
    (record,) = calls("zadarma", {"status": "success", "stats": [{**told, **row}]})
    numbers = {one["role"]: one["number"] for one in record["people"]}
    assert (record["direction"], record["agent"], record["talk_s"]) == (
        direction,
        "101" if direction != "internal" else agent,
        30,
    )
    assert not client or numbers[client] == "+79161234567"
    assert recording_of(record["recording"]) == Recording("zadarma", "in_1")


def test_beeline_rows_without_ids_are_told_apart() -> None:
    """Either spelling of the fields is one call; another moment, number or person is another."""
    row = {
        "startDate": 1763636400000,
        "direction": "INBOUND",
        "status": "RECIEVED",
        "duration": 30,
        "abonent": {"userId": "u"},
    }
    one = {**row, "phone_from": "9161234567", "phone_to": "4951112233"}
    other = {**row, "phoneFrom": "9161234567", "phoneTo": "4951112233", "duration": 31}
    found = calls("beeline", [one, other])
    assert [record["talk_s"] for record in found] == [31]
    apart = [
        {**one, "startDate": 1763636400001},
        {**one, "phone_from": "9161234568"},
        {**one, "abonent": {"userId": "v"}},
    ]
    assert len(calls("beeline", [one, *apart])) == 4


def test_telphin_lists_under_either_name() -> None:
    """``calls`` or ``call_history``, numbers or user names; UTC; what rang is the length without the talk."""
    row = {
        "call_uuid": "c",
        "init_time_gmt": "2025-11-20 11:00:00",
        "flow": "in",
        "result": "answered",
        "did_number": "74951112233",
    }
    row |= {"duration": 35, "bridged_duration": 30, "cdr": [{"extension_id": 7, "record_uuid": "r"}]}  # type: ignore[dict-item]
    first = calls("telphin", {"calls": [{**row, "from_number": "79161234567", "to_number": "101"}]})
    second = calls("telphin", {"call_history": [{**row, "from_username": "79161234567", "to_username": "101"}]})
    assert short(first[0]) == short(second[0]) == (
        "2025-11-20T11:00:00Z", "inbound", "answered", 5, 30, "101", "+74951112233", CALLER, LINE, AGENT,
    )  # fmt: skip
    assert recording_of(first[0]["recording"]) == Recording("telphin", "7/r")


def test_sipuni_reads_what_headings_there_are() -> None:
    """With a mark of the byte order, fewer headings than usual and a missed call without an id."""
    lines = f"\ufeff{HEAD}\r\nВходящий;Отвечен;20.11.2025 14:00:00;79161234567;74951112233;101;35;30;77.wav\r\n"
    lines += "Входящий;Не отвечен;20.11.2025 14:05:00;79161234567;74951112233;;15;0;\r\n"
    first, second = calls("sipuni", lines)
    assert short(first) == (
        "2025-11-20T11:00:00Z", "inbound", "answered", None, 30, "101", "+74951112233", CALLER, LINE, AGENT,
    )  # fmt: skip
    assert recording_of(first["recording"]) == Recording("sipuni", "77.wav")
    assert (second["status"], second["recording"], len({first["id"], second["id"]})) == ("missed", "", 2)


def test_hidden_and_unknown_callers_are_told_as_such() -> None:
    """A caller who hides is nobody; a direction nobody knows is left to the mapping to refuse, by its own word."""
    row = {"uid": "u", "type": "callback", "status": "success", "start": "2025-11-20T11:00:00Z", "duration": 3}
    (record,) = calls("megafon", [{**row, "client": "anonymous"}])
    assert record["people"][0]["kind"] == "hidden"
    assert record["direction"] == "callback"


def test_broken_answers_are_no_empty_lists() -> None:
    """Half an answer, a web page and another form are three different faults, and none of them is "no calls"."""
    for service in SERVICES:
        with pytest.raises(NotService):
            calls(service, "<!doctype html><html><body>login</body></html>")
    for body, fault in (('[{"uid": 1}', Cut), ('{"rows": []}', Unexpected), ("[1, 2]", Unexpected)):
        with pytest.raises(fault):
            calls("megafon", body)
    with pytest.raises(Cut):
        calls("mango", "[];1763636400;17636")
    with pytest.raises(Unexpected):
        calls("sipuni", "Дата;Номер\r\n1;2\r\n")
    assert calls("mango", "") == calls("megafon", "[]") == calls("sipuni", HEAD + "\r\n") == []
