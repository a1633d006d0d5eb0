"""Answers lost at every step: what was done is looked up, nothing is sent again, the base holds one record."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from connectors.base import Change, WriteResult
from connectors.onec_odata.connector import OneC
from connectors.web import Patience
from hub.model.errors import RetryLater
from tests.connectors.front import CLIENTS, ORDERS, Act, Front
from tests.connectors.server import Reply, fault

NEW = "0b7e1c9a-5a6d-4a1e-9d8c-000000000001"
TEXT = "Комментарий"
MARK = (TEXT, "[обмен:7f3a_1]")
FIELDS = {"НомерПоДаннымКлиента": "С-17", TEXT: f"С сайта {MARK[1]}"}
HTML = Reply(500, b"<html>1C:Enterprise 8 application error</html>", "text/html")
EXCEPTION = Reply(500, '{"exception": "x", "descr": "Ошибка HTTP", "inner": null}'.encode())


@pytest.fixture
def connector(front: Front) -> Iterator[OneC]:
    """A connector to it."""
    opened = front.open()
    yield opened
    opened.close()


def one(connector: OneC, change: Change, stream: str = ORDERS) -> WriteResult:
    """Write one change."""
    [result] = connector.write(stream, [change])
    return result


def ours(front: Front) -> list[dict[str, Any]]:
    """Orders with our number in them."""
    return [r for r in front.world.records(ORDERS) if r.get("НомерПоДаннымКлиента") == FIELDS["НомерПоДаннымКлиента"]]


CREATE = Change(NEW, FIELDS, create=True, marker=MARK)
LOST_AFTER: list[Act] = ["after", "half"]
PAGE = Reply(200, b"<html>Login</html>", "text/html")
LOST_BEFORE: list[Act] = ["before", HTML, EXCEPTION, Reply(502), Reply(504), Reply(500, b"\x00"), PAGE]


@pytest.mark.parametrize("own_keys", [True, False])
@pytest.mark.parametrize("act", LOST_AFTER)
def test_a_record_whose_answer_was_lost_is_found(front: Front, connector: OneC, act: Act, own_keys: bool) -> None:
    """By the key reserved for it or by its marker; one POST, one record, and its real key comes back."""
    front.own_keys = own_keys
    front.on("POST", act)
    result = one(connector, CREATE)
    [record] = ours(front)
    assert (result.became, result.external_id, result.differences) == ("written", record["Ref_Key"], ())
    assert (front.writes, result.external_id == NEW) == (["POST"], own_keys)


@pytest.mark.parametrize("own_keys", [True, False])
@pytest.mark.parametrize("act", LOST_BEFORE)
def test_a_record_that_was_not_made_is_unknown_and_made_later(
    front: Front, connector: OneC, act: Act, own_keys: bool
) -> None:
    """Looking finds nothing, and the request may still be under way: not sent again now, but when asked for again."""
    front.own_keys = own_keys
    front.on("POST", act)
    result = one(connector, CREATE)
    assert result.error is not None
    assert (result.became, result.error.code, front.writes) == ("unknown", "write_unknown", ["POST"])
    again = one(connector, replace(CREATE, look_first=True))
    assert (again.became, front.writes, len(ours(front))) == ("written", ["POST", "POST"], 1)


@pytest.mark.parametrize("own_keys", [True, False])
def test_a_record_that_could_not_be_looked_for_is_found_later(front: Front, own_keys: bool) -> None:
    """The answer is lost, and so are the answers to looking: unknown; asked for again, nothing is sent."""
    front.own_keys = own_keys
    impatient = front.open(patience=Patience(retries=0))
    front.on("POST", "after")
    front.on("GET", "before")
    assert one(impatient, CREATE).became == "unknown"
    again = one(impatient, replace(CREATE, look_first=True))
    impatient.close()
    [record] = ours(front)
    assert (again.became, again.external_id, front.writes) == ("unchanged", record["Ref_Key"], ["POST"])


def test_a_request_that_takes_long_is_found_when_it_is_done(front: Front, connector: OneC) -> None:
    """The connection broke but 1C goes on: the record appears between two looks."""
    front.on("POST", "before")
    front.on("GET", lambda: None, lambda: front.world.add(ORDERS, {"Ref_Key": NEW, **FIELDS}), part=NEW)
    result = one(connector, CREATE)
    assert (result.became, front.writes, len(ours(front))) == ("written", ["POST"], 1)


def test_two_records_with_one_marker_are_a_question(front: Front, connector: OneC) -> None:
    """Somebody copied it: neither is taken for ours, nothing is sent, and the advice says what to do."""
    front.own_keys = False
    front.on("POST", "after")
    front.on("GET", lambda: front.world.add(ORDERS, {"Ref_Key": NEW[:-1] + "2", **FIELDS}), part=NEW)
    result = one(connector, CREATE)
    assert result.error is not None
    assert (result.became, result.error.code, front.writes) == ("unknown", "marker_twice", ["POST"])
    assert MARK[1] in result.error.sentence("ru")


def test_a_marker_is_found_whatever_comparison_its_field_bears(front: Front, connector: OneC) -> None:
    """``substringof``, then ``like``, then ``eq``; case and wildcards that overmatch are checked by us."""
    front.own_keys = False
    front.world.add(ORDERS, {"Ref_Key": NEW[:-1] + "3", TEXT: MARK[1].upper().replace("_", "x")})
    front.world.add(ORDERS, {"Ref_Key": NEW[:-1] + "4", TEXT: MARK[1].replace("_", "x")})
    wrong = fault(500, "-1", "Неверные параметры в операции сравнения.")
    front.on("POST", "after")
    front.on("GET", wrong, part="substringof")
    result = one(connector, CREATE)
    assert (result.became, len(ours(front))) == ("written", 1)
    asked = [request.path for request in front.requests if "$filter" in request.path]
    assert ["like(" in path for path in asked] == [False, True]


def test_a_field_that_bears_no_comparison_leaves_it_unknown(front: Front, connector: OneC) -> None:
    """1C refuses all three forms: looking did not tell, so nothing more is sent."""
    front.own_keys = False
    front.on("POST", "after")
    front.on("GET", *[fault(500, "-1", "Неверные параметры в операции сравнения.")] * 99, part="$filter")
    result = one(connector, CREATE)
    assert (result.became, front.writes, len(ours(front))) == ("unknown", ["POST"], 1)
    asked = [request.path.partition("$filter=")[2] for request in front.requests if "$filter" in request.path]
    assert [path[:4] for path in asked[:3]] == ["subs", "like", TEXT[:4]]


def test_the_marker_is_written_where_the_fields_do_not_hold_it(front: Front, connector: OneC) -> None:
    """A field that nothing else is sent for gets the marker alone."""
    one(connector, Change(NEW, {"НомерПоДаннымКлиента": "С-17"}, create=True, marker=MARK))
    assert front.record(ORDERS, NEW)[TEXT] == MARK[1]


def test_without_a_marker_a_base_with_its_own_keys_is_not_written_twice(front: Front, connector: OneC) -> None:
    """Learned from an earlier record: the reserved key says nothing there, so an unknown one stays a question."""
    front.own_keys = False
    one(connector, Change(NEW[:-1] + "9", {"Комментарий": "первая"}, create=True))
    front.on("POST", "after")
    blind = replace(CREATE, marker=None)
    assert one(connector, blind).became == "unknown"
    again = one(connector, replace(blind, look_first=True))
    assert again.error is not None
    assert (again.became, again.error.code, len(ours(front))) == ("unknown", "marker_needed", 1)


@pytest.mark.parametrize("act", LOST_AFTER)
def test_a_change_whose_answer_was_lost_is_seen(front: Front, connector: OneC, act: Act) -> None:
    """The version has moved and the values stand: written, by one PATCH."""
    record = front.world.records(CLIENTS)[0]
    front.on("PATCH", act)
    change = Change(record["Ref_Key"], {"Description": "Иначе"}, version=record["DataVersion"])
    result = one(connector, change, CLIENTS)
    assert (result.became, front.writes) == ("written", ["PATCH"])
    assert result.version == front.record(CLIENTS, record["Ref_Key"])["DataVersion"]


@pytest.mark.parametrize("act", LOST_BEFORE)
def test_a_change_that_was_not_made_is_unknown_and_made_later(front: Front, connector: OneC, act: Act) -> None:
    """The version stays: not sent again now, but when asked for again."""
    record = front.world.records(CLIENTS)[0]
    front.on("PATCH", act)
    change = Change(record["Ref_Key"], {"Description": "Иначе"}, version=record["DataVersion"])
    assert (one(connector, change, CLIENTS).became, front.writes) == ("unknown", ["PATCH"])
    again = one(connector, replace(change, look_first=True), CLIENTS)
    assert (again.became, front.writes) == ("written", ["PATCH", "PATCH"])


def test_a_change_that_could_not_be_looked_at_is_settled_later(front: Front) -> None:
    """Asked for again: the version has moved, but by ourselves. A cut value counts, and nothing is sent."""
    record = front.world.records(CLIENTS)[0]
    impatient = front.open(patience=Patience(retries=0))
    change = Change(record["Ref_Key"], {"Description": "Ш" * 120}, version=record["DataVersion"])
    front.on("PATCH", "after")
    front.on("GET", lambda: None, "before")
    assert one(impatient, change, CLIENTS).became == "unknown"
    again = one(impatient, replace(change, look_first=True), CLIENTS)
    impatient.close()
    assert (again.became, [d.how for d in again.differences], front.writes) == ("unchanged", ["cut"], ["PATCH"])


def test_an_edit_by_somebody_else_is_not_taken_for_ours(front: Front, connector: OneC) -> None:
    """Our PATCH never arrived, a user saved another field: unknown; asked for again it has moved."""
    record = front.world.records(CLIENTS)[0]
    key = record["Ref_Key"]
    change = Change(key, {"Description": "Наше"}, version=record["DataVersion"])
    front.on("PATCH", "before")
    front.on("GET", lambda: None, lambda: front.world.edit(CLIENTS, key, {"ИНН": "7701234567"}))
    assert one(connector, change, CLIENTS).became == "unknown"
    assert one(connector, replace(change, look_first=True), CLIENTS).became == "moved"
    assert front.writes == ["PATCH"]


def test_an_edit_of_the_same_field_is_not_taken_for_ours(front: Front, connector: OneC) -> None:
    """It shows neither the old nor our value: looking did not tell."""
    record = front.world.records(CLIENTS)[0]
    change = Change(record["Ref_Key"], {"Description": "Наше"}, version=record["DataVersion"])
    front.on("PATCH", "after")
    front.on("GET", lambda: None, lambda: front.world.edit(CLIENTS, record["Ref_Key"], {"Description": "Чужое"}))
    assert (one(connector, change, CLIENTS).became, front.writes) == ("unknown", ["PATCH"])


def test_a_read_back_that_fails_leaves_it_unproven(front: Front) -> None:
    """1C said yes, but what stands there could not be seen: unknown; asked for again it is unchanged."""
    impatient = front.open(patience=Patience(retries=0))
    front.on("POST", lambda: front.on("GET", "before"))
    assert one(impatient, CREATE).became == "unknown"
    again = one(impatient, replace(CREATE, look_first=True))
    impatient.close()
    assert (again.became, again.external_id, front.writes) == ("unchanged", NEW, ["POST"])


def test_posting_whose_answer_was_lost_is_seen(front: Front, connector: OneC) -> None:
    """The document is posted and another version: done, by one request."""
    front.on("POST", "after", part="/Post")
    result = one(connector, replace(CREATE, posting="post"))
    assert (result.became, front.writes, front.record(ORDERS, NEW)["Posted"]) == ("written", ["POST", "POSTPost"], True)


@pytest.mark.parametrize("act", LOST_BEFORE)
def test_posting_that_was_not_done_is_unknown_and_done_later(front: Front, connector: OneC, act: Act) -> None:
    """Asked for again: the record is there, its fields stand, only the posting is sent."""
    front.on("POST", act, part="/Post")
    change = replace(CREATE, posting="post")
    assert one(connector, change).became == "unknown"
    again = one(connector, replace(change, look_first=True))
    assert (again.became, front.writes) == ("written", ["POST", "POSTPost", "POSTPost"])
    assert (len(ours(front)), front.record(ORDERS, NEW)["Posted"]) == (1, True)


def test_a_posted_document_changed_in_an_unknown_try_is_posted_anew(front: Front) -> None:
    """The fields were written, the posting never sent: its movements are old although it shows as posted."""
    record = front.world.records(ORDERS)[0]
    front.world.edit(ORDERS, record["Ref_Key"], {"Posted": True})
    change = Change(record["Ref_Key"], {TEXT: "Иначе"}, version=record["DataVersion"], posting="post")
    impatient = front.open(patience=Patience(retries=0))
    front.on("PATCH", lambda: front.on("GET", "before"))
    assert (one(impatient, change).became, front.writes) == ("unknown", ["PATCH"])
    again = one(impatient, replace(change, look_first=True))
    impatient.close()
    assert (again.became, front.writes) == ("written", ["PATCH", "POSTPost"])


@pytest.mark.parametrize("sent", [True, False])
def test_a_base_that_goes_away_before_posting(front: Front, sent: bool) -> None:
    """The fields stand and posting was not begun: told as such when something was written, raised when nothing was."""
    key = front.world.records(ORDERS)[0]["Ref_Key"]
    front.world.edit(ORDERS, key, {TEXT: "" if sent else "Иначе", "Posted": False})
    impatient = front.open(patience=Patience(retries=0))
    front.on("POST", Reply(503), part="/Post")
    change = Change(key, {TEXT: "Иначе"}, posting="post")
    if sent:
        result = one(impatient, change)
        assert result.error is not None
        assert (result.became, result.error.code) == ("not_posted", "source_busy")
    else:
        with pytest.raises(RetryLater) as error:
            one(impatient, change)
        assert error.value.code == "source_busy"
    impatient.close()


def test_looking_first_finds_what_no_key_and_no_marker_shows(front: Front, connector: OneC) -> None:
    """Nothing of an earlier try is there: the record is made, once."""
    result = one(connector, replace(CREATE, look_first=True))
    assert (result.became, front.writes, len(ours(front))) == ("written", ["POST"], 1)
    assert [r.method for r in front.requests[:3]] == ["GET", "GET", "POST"]


def test_a_timeout_is_an_answer_lost(front: Front) -> None:
    """Silence after sending: the record is looked for, and found."""
    hasty = front.open(timeout=0.3, patience=Patience(retries=40, first=0.1, longest=0.1))
    front.on("POST", lambda: time.sleep(1.0))
    result = one(hasty, CREATE)
    hasty.close()
    assert (result.became, front.writes, len(ours(front))) == ("written", ["POST"], 1)
