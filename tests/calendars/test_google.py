"""Google Calendar by recorded shapes of its published reference. It was not tried against the live service."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from connectors.base import Change, ReadRequest
from connectors.calendars.cloud.base import CloudCalendar
from connectors.calendars.cloud.google import Google
from connectors.calendars.dav.write import uid_of
from hub.model.errors import RetryLater, StopSystem
from hub.model.records import Page
from tests.calendars.servers import account
from tests.connectors.server import Reply, Request, Scripted, serving

EVENTS = ReadRequest("events", key=("href",))
CALENDAR = "anna@example.ru"
NEW = {"summary": "Новая", "start": "2026-02-10T07:00:00Z", "end": "2026-02-10T08:00:00Z"}


def item(key: str, **more: Any) -> dict[str, Any]:
    """An event as the reference shows it."""
    at = {"dateTime": "2026-02-10T10:00:00+03:00", "timeZone": "Europe/Moscow"}
    end = {"dateTime": "2026-02-10T11:00:00+03:00", "timeZone": "Europe/Moscow"}
    base = {
        "kind": "calendar#event",
        "id": key,
        "etag": f'"{key}-1"',
        "status": "confirmed",
        "iCalUID": f"{key}@google.com",
    }
    return {**base, "summary": f"Встреча {key}", "start": at, "end": end, "sequence": 0, **more}


class Service:
    """What the service is told to answer; ``tokens``: items by sync token, ``None`` for one that is too old."""

    def __init__(self) -> None:
        self.events: dict[str, dict[str, Any]] = {}
        self.tokens: dict[str, list[dict[str, Any]] | None] = {}
        self.plain: dict[str, dict[str, Any]] = {}
        self.patches: list[str] = []
        self.first: list[Reply] = []
        self.slept: list[float] = []
        self.server: Scripted | None = None
        self.connector: CloudCalendar | None = None

    def answer(self, request: Request) -> Reply:
        if self.first:
            return self.first.pop(0)
        parts = urlsplit(request.raw.removeprefix("/base"))
        query = {name: value[0] for name, value in parse_qs(parts.query).items()}
        if parts.path == "/users/me/calendarList":
            return told({"items": [{"id": CALENDAR, "summary": "Анна", "accessRole": "owner"}]})
        below = parts.path.partition("/events")[2].strip("/")
        if request.method == "GET" and not below:
            return self.listed(query)
        if below.endswith("/instances"):
            return told({"items": self.instances(below.partition("/")[0], query)})
        if request.method == "POST":
            return self.made(json.loads(request.body), imported=below == "import")
        if request.method == "PATCH":
            return self.patched(below, request)
        return told(self.events[below]) if below in self.events else Reply(404)

    def listed(self, query: dict[str, str]) -> Reply:
        if "iCalUID" in query:
            return told({"items": [one for one in self.events.values() if one["iCalUID"] == query["iCalUID"]]})
        items: list[dict[str, Any]] | None = list(self.events.values())
        if "syncToken" in query:
            items = self.tokens[query["syncToken"]]
        if items is None:
            return Reply(410)
        if "pageToken" in query:
            return told({"items": items[2:], "nextSyncToken": "t1"})
        return told({"items": items[:2], **({"nextPageToken": "p"} if len(items) > 2 else {"nextSyncToken": "t1"})})

    def instances(self, key: str, query: dict[str, str]) -> list[dict[str, Any]]:
        """Four weeks of a series by the days that they fall on; one that was changed is where it was moved to."""
        first, last = (datetime.fromisoformat(query[name]) for name in ("timeMin", "timeMax"))
        found = []
        for week in range(4):
            at = datetime(2026, 2, 10, 7, tzinfo=UTC) + timedelta(weeks=week)
            start, end = ({"dateTime": moment.isoformat()} for moment in (at, at + timedelta(hours=1)))
            name = f"{key}_{at:%Y%m%dT%H%M%SZ}"
            plain = {"recurringEventId": key, "iCalUID": self.events[key]["iCalUID"], "originalStartTime": start}
            self.plain.setdefault(name, item(name, **plain, start=start, end=end))
            one = self.events.get(name, self.plain[name])
            if "start" in one and first < datetime.fromisoformat(one["start"]["dateTime"]) < last:
                found.append(one)
        return found

    def made(self, body: dict[str, Any], *, imported: bool) -> Reply:
        key = str(body.get("id") or "imported")
        if key in self.events and not imported:
            return Reply(409)
        self.events[key] = {**item(key), **body, "id": key, "etag": '"new"'}
        return told(self.events[key])

    def patched(self, key: str, request: Request) -> Reply:
        stands = self.events.get(key) or self.plain[key]
        if request.headers.get("if-match") != stands["etag"]:
            return Reply(412)
        self.patches.append(key)
        self.events[key] = {**stands, **json.loads(request.body), "etag": f'"patched-{len(self.patches)}"'}
        return told(self.events[key])

    def pages(self, position: Any = None) -> list[Page]:
        assert self.connector is not None
        return list(self.connector.read(ReadRequest("events", key=("href",), position=position)))


def told(body: Any) -> Reply:
    """An answer in JSON."""
    return Reply(body=json.dumps(body).encode())


@pytest.fixture
def service() -> Iterator[Service]:
    """A service with two meetings."""
    made = Service()
    made.events = {key: item(key) for key in ("a", "b")}
    with serving(made.answer) as made.server:
        wanted = account(made.server.url, user="", secret="token-1", bearer=True)
        made.connector = CloudCalendar(wanted, Google, made.slept.append)
        yield made
        made.connector.close()


def records(pages: list[Page]) -> dict[str, dict[str, Any]]:
    """Records by external id."""
    found = [json.loads(bytes(raw)) for page in pages for raw in page.records]
    return {one["href"]: one for one in found}


def test_everything_then_the_delta(service: Service) -> None:
    """Pages to the end, then by the token; a cancelled event is gone; the token travels as a bearer."""
    service.events["c"] = item("c", start={"date": "2026-02-11"}, end={"date": "2026-02-12"})
    first = service.pages()
    found = records(first)
    assert sorted(found) == [f"{CALENDAR}/{key}" for key in "abc"]
    assert found[f"{CALENDAR}/c"]["all_day"] is True
    assert found[f"{CALENDAR}/a"]["start"] == "2026-02-10T07:00:00Z"
    service.tokens["t1"] = [{"id": "a", "status": "cancelled"}, item("b", summary="Созвон")]
    later = service.pages(first[-1].position)
    assert [page.deleted for page in later] == [[f"{CALENDAR}/a"]]
    assert records(later)[f"{CALENDAR}/b"]["summary"] == "Созвон"
    assert service.server is not None
    assert service.server.requests[-1].headers["authorization"] == "Bearer token-1"


def test_a_moved_occurrence_brings_its_whole_series(service: Service) -> None:
    """A delta tells the occurrence alone; the record is the series with it."""
    service.events = {"s": item("s", recurrence=["RRULE:FREQ=WEEKLY;COUNT=4", "X-OTHER:1"])}
    first = service.pages()
    assert records(first)[f"{CALENDAR}/s"]["rrule"] == "FREQ=WEEKLY;COUNT=4"
    moved = item("s_20260217", recurringEventId="s", iCalUID="s@google.com", summary="Встреча s",
                 originalStartTime={"dateTime": "2026-02-17T10:00:00+03:00"},
                 start={"dateTime": "2026-02-18T10:00:00+03:00"},
                 end={"dateTime": "2026-02-18T11:00:00+03:00"})  # fmt: skip
    off = {"id": "s_20260224", "status": "cancelled", "recurringEventId": "s", "iCalUID": "s@google.com",
           "originalStartTime": {"dateTime": "2026-02-24T10:00:00+03:00"}}  # fmt: skip
    service.events |= {"s_20260217": moved, "s_20260224": off}
    service.tokens["t1"] = [moved, off]
    [record] = records(service.pages(first[-1].position)).values()
    assert [(row["recurrence_id"], row["start"], row["status"]) for row in record["exceptions"]] == [
        ("2026-02-17T07:00:00Z", "2026-02-18T07:00:00Z", "confirmed"),
        ("2026-02-24T07:00:00Z", "", "cancelled"),
    ]


WEEKLY = item("s", recurrence=["RRULE:FREQ=WEEKLY;COUNT=4"], location="Зал")
MOVED = {"recurrence_id": "2026-02-17T07:00:00Z", "start": "2026-02-18T09:00:00Z", "summary": "Другая"}
OFF = {"recurrence_id": "2026-02-24T07:00:00Z", "status": "cancelled"}


def shown(record: bytes | None) -> list[tuple[str, str, str, str]]:
    """The exceptions of a record."""
    rows = json.loads(record or b"")["exceptions"]
    return [(row["recurrence_id"][:10], row["start"], row["status"], row["summary"]) for row in rows]


def test_exceptions_are_written_one_by_one(service: Service) -> None:
    """An occurrence is moved and another called off, each over its own version; what is not told stays."""
    service.events = {"s": WEEKLY}
    assert service.connector is not None
    key = f"{CALENDAR}/s"
    [made] = service.connector.write("events", [Change(key, {"exceptions": [MOVED, OFF]})])
    assert made.became == "written"
    assert shown(made.record) == [
        ("2026-02-17", "2026-02-18T09:00:00Z", "confirmed", "Другая"),
        ("2026-02-24", "", "cancelled", ""),
    ]
    assert service.patches == ["s_20260217T070000Z", "s_20260224T070000Z"]
    moved = service.events["s_20260217T070000Z"]
    assert (moved["end"]["dateTime"], moved["location"]) == ("2026-02-18T13:00:00+03:00", "Зал")
    [again] = service.connector.write("events", [Change(key, {"exceptions": [MOVED, OFF]})])
    assert again.became == "unchanged"
    first = json.loads(made.record or b"")["_version"]
    rows = [{"recurrence_id": MOVED["recurrence_id"], "summary": "Третья"}]
    [back] = service.connector.write("events", [Change(key, {"exceptions": rows}, version=first)])
    assert shown(back.record) == [("2026-02-17", "2026-02-18T09:00:00Z", "confirmed", "Третья")], "the time stays"
    [none] = service.connector.write("events", [Change(key, {"exceptions": []})])
    assert (none.became, shown(none.record)) == ("written", [])
    assert service.events["s_20260217T070000Z"]["start"]["dateTime"] == "2026-02-17T10:00:00+03:00"


def test_a_series_is_made_with_its_exceptions(service: Service) -> None:
    """The series first, then what differs."""
    assert service.connector is not None
    new = {**NEW, "rrule": "FREQ=WEEKLY;COUNT=4", "exceptions": [OFF]}
    [made] = service.connector.write("events", [Change("k", new, create=True)])
    assert (made.became, shown(made.record)) == ("written", [("2026-02-24", "", "cancelled", "")])


def test_an_occurrence_that_somebody_else_changed(service: Service) -> None:
    """Its series tells no new version of itself; the record does, and an edit in between is not written over."""
    service.events = {"s": WEEKLY}
    assert service.connector is not None
    key = f"{CALENDAR}/s"
    before = json.loads(bytes(service.connector.fetch(EVENTS, [key]).records[0]))["_version"]
    inner = service.answer
    met: list[Request] = []

    def answer(request: Request) -> Reply:
        met.append(request)
        if request.method == "GET" and request.raw.partition("?")[0].endswith("/events/s") and len(met) > 1:
            service.instances("s", {"timeMin": "2026-01-01T00:00:00Z", "timeMax": "2026-12-31T00:00:00Z"})
            plain = service.plain["s_20260217T070000Z"]
            service.events["s_20260217T070000Z"] = {**plain, "summary": "Чужая", "etag": '"theirs"'}
        return inner(request)

    assert service.server is not None
    service.server.becomes(answer)
    change = Change(key, {"exceptions": [MOVED]}, version=before)
    [moved] = service.connector.write("events", [change])
    assert (moved.became, shown(moved.record)) == (
        "moved",
        [("2026-02-17", "2026-02-17T07:00:00Z", "confirmed", "Чужая")],
    )
    assert service.patches == []
    assert moved.version != before


@pytest.mark.parametrize("name", ["2026-02-18T07:00:00Z", "2026-05-19T07:00:00Z", "завтра"])
def test_an_occurrence_that_there_is_not(service: Service, name: str) -> None:
    """It is refused with a reason before anything is sent."""
    service.events = {"s": WEEKLY}
    assert service.connector is not None
    rows = [MOVED, {"recurrence_id": name, "summary": "x"}]
    [refused] = service.connector.write("events", [Change(f"{CALENDAR}/s", {"exceptions": rows})])
    assert refused.became == "refused"
    assert refused.error is not None
    assert refused.error.code in {"calendar_no_occurrence", "calendar_bad_value"}
    assert service.patches == []


def test_410(service: Service) -> None:
    """A token that is too old: everything is read again, and said to be whole, so that what is gone is found."""
    first = service.pages()
    service.tokens["t1"] = None
    del service.events["a"]
    [page] = service.pages(first[-1].position)
    assert list(records([page])) == [f"{CALENDAR}/b"]
    assert list(page.whole) == [f"{CALENDAR}/"]


def test_429_retry_after(service: Service) -> None:
    """It waits as long as it is asked to; a wait that is too long is handed on."""
    service.first = [Reply(429, headers={"Retry-After": "9"})]
    assert len(records(service.pages())) == 2
    assert service.slept == [9.0]
    service.first = [Reply(429, headers={"Retry-After": "7200"})]
    with pytest.raises(RetryLater) as error:
        service.pages()
    assert error.value.retry_after == 7200


def test_401(service: Service) -> None:
    """A token that has run out stops the system at once: it is not tried again and again."""
    service.first = [Reply(401)] * 5
    with pytest.raises(StopSystem) as error:
        service.pages()
    assert (error.value.code, len(service.first)) == ("calendar_auth_failed", 4)


def test_a_repeated_create_makes_one_event(service: Service) -> None:
    """The id comes of the reserved key: 409 is met by adopting; nobody is sent an invitation."""
    assert service.connector is not None
    key = uid_of("k").replace("-", "")
    [made] = service.connector.write("events", [Change("k", NEW, create=True)])
    assert (made.became, made.external_id) == ("written", f"{CALENDAR}/{key}")
    [again] = service.connector.write("events", [Change("k", NEW, create=True)])
    assert (again.became, again.external_id) == ("unchanged", f"{CALENDAR}/{key}")
    assert service.server is not None
    assert all("sendUpdates=none" in one.raw for one in service.server.requests if one.method == "POST")


def test_a_meeting_that_has_a_uid_elsewhere_is_imported_with_it(service: Service) -> None:
    """So that it is known as the same meeting here."""
    assert service.connector is not None
    [made] = service.connector.write("events", [Change("k", {**NEW, "uid": "m-1"}, create=True)])
    assert json.loads(made.record or b"")["uid"] == "m-1"


def test_lost_update(service: Service) -> None:
    """412 of a patch leaves what somebody saved meanwhile; a patch tells only what changed."""
    assert service.connector is not None
    [written] = service.connector.write("events", [Change(f"{CALENDAR}/a", {"start": "2026-02-10T06:00:00Z"})])
    assert written.became == "written"
    assert json.loads(written.record or b"")["summary"] == "Встреча a"
    service.patched = lambda *_: Reply(412)  # type: ignore[method-assign]
    [moved] = service.connector.write("events", [Change(f"{CALENDAR}/a", {"summary": "x"})])
    assert moved.became == "moved"
