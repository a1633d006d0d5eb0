"""Published calendars: whatever the server does, nothing is deleted that is not gone."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from connectors.base import Change, ReadRequest
from connectors.calendars.feed import IcsFeed
from hub.exchange.service import run_exchange
from hub.model.errors import RetryLater, StopRoute
from hub.model.records import Page
from hub.model.settings import RouteSettings, SystemSettings
from hub.store import tables
from hub.store.database import Store
from tests.calendars.servers import account
from tests.connectors.server import Reply, Request, Scripted, serving
from tests.exchange.installation import make_hub

EVENTS = ReadRequest("events", key=("href",))


def feed(uids: dict[str, str], stamp: str = "20260101T000000Z") -> bytes:
    """A feed of meetings: UID by what it is about."""
    parts = "".join(
        f"BEGIN:VEVENT\r\nUID:{uid}\r\nDTSTAMP:{stamp}\r\nDTSTART:20260210T{10 + n:02d}0000Z\r\n"
        f"SUMMARY:{what}\r\nEND:VEVENT\r\n"
        for n, (what, uid) in enumerate(uids.items())
    )
    return f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nX-WR-CALNAME:Отпуска\r\n{parts}END:VCALENDAR\r\n".encode()


class Feed:
    """A server whose feed a test changes, and a connector to it. ``body``: what is given next, made anew each time."""

    def __init__(self) -> None:
        self.body: Callable[[], bytes] = lambda: feed({"один": "1", "два": "2"})
        self.etag = ""
        self.server: Scripted | None = None

    def answer(self, request: Request) -> Reply:
        if self.etag and request.headers.get("if-none-match") == self.etag:
            return Reply(304)
        return Reply(200, self.body(), "text/calendar", {"ETag": self.etag} if self.etag else {})

    def open(self) -> IcsFeed:
        assert self.server is not None
        return IcsFeed(account(self.server.url))

    def pages(self, position: Any = None) -> list[Page]:
        connector = self.open()
        try:
            return list(connector.read(ReadRequest("events", key=("href",), position=position)))
        finally:
            connector.close()


@pytest.fixture
def published() -> Iterator[Feed]:
    """A feed of two meetings."""
    made = Feed()
    with serving(made.answer) as made.server:
        yield made


def about(pages: list[Page]) -> list[str]:
    """What the records are about."""
    return [json.loads(bytes(raw))["summary"] for page in pages for raw in page.records]


def test_it_is_read_whole_and_then_only_when_it_says_something_new(published: Feed) -> None:
    """304 is nothing new; without an ETag the same meaning is nothing new either; a new meeting brings all, whole."""
    published.etag = '"1"'
    first = published.pages()
    assert (about(first), first[-1].whole) == (["один", "два"], ("",))
    assert about(published.pages(first[-1].position)) == []
    published.etag = ""
    published.body = lambda: feed({"один": "1", "два": "2"}, "20260303T030303Z")
    assert [(page.records, page.whole) for page in published.pages(first[-1].position)] == [((), ())]
    published.body = lambda: feed({"один": "1", "два": "2", "три": "3"})
    assert sorted(about(published.pages(first[-1].position))) == ["два", "один", "три"]


@pytest.mark.parametrize("body", [feed({"один": "1"})[:-20], b"", b"<html>login</html>"])
def test_truncated(published: Feed, body: bytes) -> None:
    """Half a feed, an empty answer, a web page: told as what it is, and no record comes of it."""
    first = published.pages()
    published.body = lambda: body
    with pytest.raises(RetryLater) as error:
        published.pages(first[-1].position)
    assert error.value.code == "ics_cut"


def test_empty(published: Feed) -> None:
    """A whole feed without anything in it is not believed while there was something; one that always was is."""
    first = published.pages()
    published.body = lambda: feed({})
    with pytest.raises(RetryLater) as error:
        published.pages(first[-1].position)
    assert error.value.code == "ics_empty"
    assert about(published.pages()) == []


def test_uid_churn(published: Feed) -> None:
    """A server that gives new UIDs and DTSTAMPs at every request: keys are what meetings say, so they stay the same."""
    numbers = itertools.count()
    published.body = lambda: feed(
        {"один": f"u{next(numbers)}", "два": f"u{next(numbers)}"}, f"20260101T0000{next(numbers) % 60:02d}Z"
    )
    first = published.pages()
    keys = [json.loads(bytes(raw))["href"] for page in first for raw in page.records]
    assert about(published.pages(first[-1].position)) == []
    published.body = lambda: feed({"один": f"u{next(numbers)}", "два": f"u{next(numbers)}", "три": f"u{next(numbers)}"})
    again = published.pages(first[-1].position)
    assert set(keys) <= {json.loads(bytes(raw))["href"] for page in again for raw in page.records}
    assert len(about(again)) == 3


def test_it_is_read_only(published: Feed) -> None:
    """Nothing is written to a feed."""
    connector = published.open()
    with pytest.raises(StopRoute) as error:
        list(connector.write("events", [Change("x", {"summary": "y"})]))
    assert error.value.code == "read_only"
    connector.close()


def test_what_left_the_feed_is_cancelled_here(published: Feed, store: Store, tmp_path: Path) -> None:
    """By the hub: a meeting that is not in the feed any more is cancelled, the others stay; an empty feed ends none."""
    published.body = lambda: feed({str(n): str(n) for n in range(12)})
    assert published.server is not None
    system = SystemSettings("hr", "ics", "Europe/Moscow", "calendar", url=published.server.url)
    route = RouteSettings("hr.activity")
    hub = make_hub(store, tmp_path, {"hr": published.open()}, {"hr": system}, {"hr.activity": route})
    run_exchange(hub, ["hr.activity"])
    published.body = lambda: feed({str(n): str(n) for n in range(11)})
    run_exchange(hub, ["hr.activity"])
    published.body = lambda: feed({})
    report = run_exchange(hub, ["hr.activity"])
    assert [one.error.code for one in report.routes if one.error] == ["ics_empty"]
    with store.read() as conn:
        rows = conn.execute(tables.ROOTS["activity"].select()).all()
    assert sorted(row.status for row in rows) == ["cancelled"] + ["planned"] * 11
    assert {row.record_state for row in rows} == {"active"}
