"""Posting and unposting on the stand: a step of its own, after the fields, and what becomes of it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from connectors.base import Change
from connectors.onec_odata.connector import OneC
from connectors.web import Patience
from tests.connectors.front import ORDERS, Front, one, order, shown
from tests.connectors.server import Reply, fault

NEW = "0b7e1c9a-5a6d-4a1e-9d8c-000000000001"

Open = Callable[..., OneC]


def test_a_document_is_posted_after_its_fields_are_written(front: Front, opened: Open) -> None:
    """POST, then ``/Post``; the mark that came back is proven, and is no default that 1C filled in."""
    result = one(opened(), ORDERS, Change(NEW, {"Комментарий": "x"}, create=True, posting="post"))
    assert (result.became, front.writes) == ("written", ["POST", "POSTPost"])
    assert shown(result)["Posted"] is True
    assert "Posted" not in result.filled
    again = one(opened(), ORDERS, Change(NEW, {"Комментарий": "x"}, posting="post"))
    assert (again.became, len(front.writes)) == ("unchanged", 2)


def test_a_posted_document_that_is_changed_is_posted_anew(front: Front, opened: Open) -> None:
    """PATCH leaves its movements as they were; ``keep`` leaves them so, ``post`` brings them up to date."""
    record = order(front, posted=True)
    for posting in ("keep", "post"):
        change = Change(record["Ref_Key"], {"Комментарий": posting}, version=record["DataVersion"], posting=posting)
        assert one(opened(), ORDERS, change).became == "written"
    assert front.writes == ["PATCH", "PATCH", "POSTPost"]


def test_a_document_that_moved_is_not_posted_unseen(front: Front, opened: Open) -> None:
    """The values stand there, but somebody has edited since it was decided to post it: decided anew."""
    record = order(front, posted=False)
    version = record["DataVersion"]
    front.world.edit(ORDERS, record["Ref_Key"], {"Комментарий": "x"})
    result = one(opened(), ORDERS, Change(record["Ref_Key"], {"Комментарий": "x"}, version=version, posting="post"))
    assert (result.became, front.writes) == ("moved", [])


def test_unposting_is_a_step_of_its_own(front: Front, opened: Open) -> None:
    """Fields first, then ``/Unpost``; one that is not posted is left alone."""
    record = order(front, posted=True)
    change = Change(record["Ref_Key"], {"Комментарий": "x"}, posting="unpost")
    assert [one(opened(), ORDERS, change).became for _ in range(2)] == ["written", "unchanged"]
    assert front.writes == ["PATCH", "POSTUnpost"]
    assert front.record(ORDERS, record["Ref_Key"])["Posted"] is False


def test_a_document_to_be_marked_is_unposted_first(front: Front, opened: Open) -> None:
    """A record is given up by its mark, never by DELETE, and 1C lets no posted document be marked."""
    record = order(front, posted=True)
    change = Change(record["Ref_Key"], {"DeletionMark": True}, version=record["DataVersion"], posting="unpost")
    result = one(opened(), ORDERS, change)
    assert (result.became, front.writes) == ("written", ["POSTUnpost", "PATCH"])
    stored = front.record(ORDERS, record["Ref_Key"])
    assert (stored["DeletionMark"], stored["Posted"]) == (True, False)


def test_a_base_that_goes_away_between_unposting_and_marking(front: Front, opened: Open) -> None:
    """Half is done: that is an unknown outcome and no error that says that nothing was sent."""
    record = order(front, posted=True)
    front.on("PATCH", Reply(503))
    change = Change(record["Ref_Key"], {"DeletionMark": True}, version=record["DataVersion"], posting="unpost")
    result = one(opened(patience=Patience(retries=0)), ORDERS, change)
    assert result.error is not None
    assert (result.became, result.error.code) == ("unknown", "source_busy")


@pytest.mark.parametrize(("zone", "operational"), [("Pacific/Kiritimati", "true"), ("Etc/GMT+12", "false")])
def test_posting_is_operational_when_the_document_is_of_today(
    front: Front, opened: Open, zone: str, operational: str
) -> None:
    """Today is the base's own: of two zones that never share a day, one posts operationally."""
    now = datetime.now(ZoneInfo("Pacific/Kiritimati"))
    fields = {"Date": f"{now:%Y-%m-%dT%H:%M:%S}"}
    one(opened(timezone=zone), ORDERS, Change(NEW, fields, create=True, posting="post"))
    first = next(request.path for request in front.requests if "/Post" in request.path)
    assert first.endswith(f"?PostingModeOperational={operational}")


def test_a_document_that_cannot_be_posted_operationally_is_posted_otherwise(front: Front, opened: Open) -> None:
    """1C will have none of the mode: refused, so not done, so the other mode is asked for."""
    front.on("POST", fault(500, "-1", "Оперативное проведение документа запрещено"), part="/Post")
    now = datetime.now(ZoneInfo("UTC")) + timedelta(seconds=1)
    change = Change(NEW, {"Date": f"{now:%Y-%m-%dT%H:%M:%S}"}, create=True, posting="post")
    assert one(opened(), ORDERS, change).became == "written"
    modes = [request.path.rpartition("=")[2] for request in front.requests if "/Post" in request.path]
    assert modes == ["true", "false"]


def test_a_document_that_1c_will_not_post_is_written_all_the_same(front: Front, opened: Open) -> None:
    """The fields stand there, 1C's own reason is told, and the version is the one that shows."""
    front.on("POST", fault(500, "-1", "Не хватает 3 шт. товара «Стол»: остатков на складе нет"), part="/Post")
    result = one(opened(), ORDERS, Change(NEW, {"Комментарий": "x"}, create=True, posting="post"))
    assert result.error is not None
    assert (result.became, result.error.code) == ("not_posted", "stock_short")
    assert (shown(result)["Posted"], result.version) == (False, front.record(ORDERS, NEW)["DataVersion"])


def test_a_marked_document_is_not_posted(front: Front, opened: Open) -> None:
    """The stand refuses as 1C does; the mark stands, the document is not posted."""
    change = Change(NEW, {"DeletionMark": True}, create=True, posting="post")
    result = one(opened(), ORDERS, change)
    assert result.error is not None
    assert (result.became, result.error.code) == ("not_posted", "document_marked")


def test_posting_that_changed_nothing_is_noticed(front: Front, opened: Open) -> None:
    """A success that the document does not show is no success."""
    front.on("POST", Reply(), part="/Post")
    result = one(opened(), ORDERS, Change(NEW, {"Комментарий": "x"}, create=True, posting="post"))
    assert result.error is not None
    assert (result.became, result.error.code) == ("not_posted", "posting_ignored")
