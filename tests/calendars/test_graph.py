"""Microsoft Graph by recorded shapes of its published reference. It was not tried against the live service."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit
from zoneinfo import ZoneInfo

import pytest

from connectors.base import Change, ReadRequest
from connectors.calendars.cloud.base import CloudCalendar
from connectors.calendars.cloud.graph import Graph
from connectors.calendars.cloud.graph_shape import rule
from connectors.calendars.dav.write import uid_of
from hub.model.errors import StopSystem
from hub.model.records import Page
from tests.calendars.servers import account
from tests.calendars.test_google import MOVED, OFF, records, shown, told
from tests.connectors.server import Reply, Request, Scripted, serving

NEW = {"summary": "Новая", "start": "2026-02-10T07:00:00Z", "end": "2026-02-10T08:00:00Z"}


def item(key: str, **more: Any) -> dict[str, Any]:
    """An event as the reference shows it."""
    at = {"dateTime": "2026-02-10T07:00:00.0000000", "timeZone": "UTC"}
    end = {"dateTime": "2026-02-10T08:00:00.0000000", "timeZone": "UTC"}
    base = {"@odata.etag": f'W/"{key}-1"', "id": key, "iCalUId": f"uid-{key}", "type": "singleInstance"}
    mail = {"emailAddress": {"name": "Клиент", "address": "Client@example.ru"}}
    people = {"attendees": [{**mail, "type": "required", "status": {"response": "accepted"}}]}
    return {**base, "subject": f"Встреча {key}", "start": at, "end": end, **people, **more}


class Service:
    """What the service is told to answer. ``deltas``: by the token in a link, ``None`` for one that is too old."""

    def __init__(self) -> None:
        self.events: dict[str, dict[str, Any]] = {}
        self.deltas: dict[str, list[dict[str, Any]] | None] = {}
        self.windows: list[dict[str, str]] = []
        self.plain: dict[str, dict[str, Any]] = {}
        self.sent: list[tuple[str, str]] = []
        self.elsewhere = False
        self.server: Scripted | None = None
        self.connector: CloudCalendar | None = None

    def answer(self, request: Request) -> Reply:
        parts = urlsplit(request.raw.removeprefix("/base"))
        query = {name: value[0] for name, value in parse_qs(parts.query).items()}
        if parts.path == "/me/calendars":
            return told({"value": [{"id": "c1", "name": "Календарь"}]})
        if parts.path.endswith("/calendarView/delta"):
            return self.delta(query)
        if parts.path.endswith("/instances"):
            return told({"value": self.instances(parts.path.split("/")[-2], query)})
        if parts.path.startswith("/me/events/"):
            return self.event(parts.path.rpartition("/")[2], request)
        if request.method == "POST":
            return self.made(json.loads(request.body))
        found = [one for one in self.events.values() if self.fits(one, query.get("$filter", ""))]
        return told({"value": [{"id": one["id"]} for one in found]})

    @staticmethod
    def fits(one: dict[str, Any], wanted: str) -> bool:
        values = [prop["value"] for prop in one.get("singleValueExtendedProperties", ())]
        return any(f"'{value}'" in wanted for value in (*values, one["iCalUId"]))

    def delta(self, query: dict[str, str]) -> Reply:
        assert self.server is not None
        link = f"{'http://evil.example' if self.elsewhere else self.server.url}/me/calendars/c1/calendarView/delta"
        if "startDateTime" in query:
            self.windows.append(query)
            items = [{"id": one["id"], "type": one["type"]} for one in self.events.values()]
            return told({"value": items[:1], "@odata.nextLink": f"{link}?$skiptoken=rest"})
        if query.get("$skiptoken") == "rest":
            items = [{"id": one["id"], "type": one["type"]} for one in self.events.values()]
            return told({"value": items[1:], "@odata.deltaLink": f"{link}?$deltatoken=d1"})
        found = self.deltas.get(query["$deltatoken"], [])
        return Reply(410) if found is None else told({"value": found, "@odata.deltaLink": f"{link}?$deltatoken=d2"})

    def instances(self, key: str, query: dict[str, str]) -> list[dict[str, Any]]:
        """Four weeks of a series; those that were deleted are not among them."""
        first, last = (datetime.fromisoformat(query[name]) for name in ("startDateTime", "endDateTime"))
        found = []
        for week in range(4):
            at = datetime(2026, 2, 10, 7, tzinfo=UTC) + timedelta(weeks=week)
            name = f"{key}-{at:%Y-%m-%d}"
            times = {
                side: {"dateTime": f"{moment:%Y-%m-%dT%H:%M:%S}", "timeZone": "UTC"}
                for side, moment in (("start", at), ("end", at + timedelta(hours=1)))
            }
            self.plain.setdefault(name, item(name, type="occurrence", subject=self.events[key]["subject"], **times))
            if first < at < last and f"OID.{key}.{at:%Y-%m-%d}" not in self.events[key].get("cancelledOccurrences", ()):
                found.append(self.plain[name])
        return found

    def occurrence(self, key: str, request: Request) -> Reply:
        """One that is changed is told with its series from then on."""
        series = self.events[key.partition("-")[0]]
        there = series.setdefault("exceptionOccurrences", [])
        one = next((one for one in there if one["id"] == key), self.plain[key])
        if request.headers.get("if-match") != one["@odata.etag"]:
            return Reply(412)
        self.sent.append((request.method, key))
        series["exceptionOccurrences"] = [other for other in there if other["id"] != key]
        if request.method == "DELETE":
            series.setdefault("cancelledOccurrences", []).append(f"OID.{key.partition('-')[0]}.{key.partition('-')[2]}")
            return Reply(204)
        made = {"originalStart": f"{key.partition('-')[2]}T07:00:00Z", **one, **json.loads(request.body)}
        for side in ("start", "end"):  # the answer is in UTC, as it is asked for
            local = datetime.fromisoformat(made[side]["dateTime"]).replace(tzinfo=ZoneInfo(made[side]["timeZone"]))
            made[side] = {"dateTime": f"{local.astimezone(UTC):%Y-%m-%dT%H:%M:%S}", "timeZone": "UTC"}
        series["exceptionOccurrences"].append({**made, "@odata.etag": f'W/"{key}-{len(self.sent)}"'})
        return told(made)

    def event(self, key: str, request: Request) -> Reply:
        if key in self.plain and request.method != "GET":
            return self.occurrence(key, request)
        if key not in self.events:
            return Reply(404)
        if request.method == "PATCH":
            if request.headers.get("if-match") != self.events[key]["@odata.etag"]:
                return Reply(412)
            self.events[key] = {**self.events[key], **json.loads(request.body), "@odata.etag": 'W/"patched"'}
        return told(self.events[key])

    def made(self, body: dict[str, Any]) -> Reply:
        same = [one for one in self.events.values() if one.get("transactionId") == body["transactionId"]]
        key = same[0]["id"] if same else f"new{len(self.events)}"
        self.events[key] = {**item(key), "attendees": [], **body, "id": key}
        return told(self.events[key])

    def pages(self, position: Any = None) -> list[Page]:
        assert self.connector is not None
        return list(self.connector.read(ReadRequest("events", key=("href",), position=position)))


@pytest.fixture
def service() -> Iterator[Service]:
    """A mailbox with two meetings."""
    made = Service()
    made.events = {key: item(key) for key in ("a", "b")}
    with serving(made.answer) as made.server:
        wanted = account(made.server.url, user="", secret="token-1", bearer=True, past=10, ahead=20)
        made.connector = CloudCalendar(wanted, Graph, lambda _: None)
        yield made
        made.connector.close()


def aged(position: dict[str, Any], days: int) -> dict[str, Any]:
    """The place as it was begun so many days ago."""
    place = dict(position["at"]["c1"])
    place["since"] = (datetime.now(UTC).date() - timedelta(days=days)).isoformat()
    return {"at": {"c1": place}}


def test_the_window_then_the_delta(service: Service) -> None:
    """All pages of the window, then by the link; participants by their addresses in small letters."""
    first = service.pages()
    found = records(first)
    assert sorted(found) == ["c1/a", "c1/b"]
    assert found["c1/a"]["attendees"][0]["email"] == "client@example.ru"
    days = [datetime.fromisoformat(service.windows[0][name]) for name in ("startDateTime", "endDateTime")]
    assert days[1] - days[0] == timedelta(days=30)
    service.events["b"]["subject"] = "Созвон"
    service.deltas["d1"] = [{"id": "b", "type": "singleInstance"}]
    later = service.pages(first[-1].position)
    assert {key: one["summary"] for key, one in records(later).items()} == {"c1/b": "Созвон"}
    assert len(service.windows) == 1


def test_removed(service: Service) -> None:
    """``@removed`` is asked for: what is not there is gone, what only left the window is a record like any other."""
    first = service.pages()
    del service.events["a"]
    service.deltas["d1"] = [{"id": key, "@removed": {"reason": "deleted"}} for key in ("a", "b")]
    later = service.pages(first[-1].position)
    assert [list(page.deleted) for page in later] == [["c1/a"]]
    assert list(records(later)) == ["c1/b"]


def test_window_roll(service: Service) -> None:
    """After a week: the old link a last time, so that no deletion is lost, then a window of new days."""
    first = service.pages()
    del service.events["a"]
    service.deltas["d1"] = [{"id": "a", "@removed": {"reason": "deleted"}}]
    service.events["c"] = item("c")
    later = service.pages(aged(first[-1].position, 8))
    assert [key for page in later for key in page.deleted] == ["c1/a"]
    assert sorted(records(later)) == ["c1/b", "c1/c"]
    assert len(service.windows) == 2
    assert later[-1].position["at"]["c1"]["since"] == datetime.now(UTC).date().isoformat()


def test_410(service: Service) -> None:
    """A link that is too old: a new window is begun."""
    first = service.pages()
    service.deltas["d1"] = None
    assert sorted(records(service.pages(first[-1].position))) == ["c1/a", "c1/b"]
    assert len(service.windows) == 2


def test_a_link_to_another_server_is_not_followed(service: Service) -> None:
    """The token is meant for the service that it was given for."""
    service.elsewhere = True
    with pytest.raises(StopSystem) as error:
        service.pages()
    assert error.value.code == "address_moved"


def test_an_occurrence_brings_its_series(service: Service) -> None:
    """A window shows occurrences; the record is the series with its exceptions, once."""
    exception = item("x1", type="exception", originalStart="2026-02-17T07:00:00Z", subject="Другая",
                     start={"dateTime": "2026-02-18T07:00:00", "timeZone": "UTC"},
                     end={"dateTime": "2026-02-18T08:00:00", "timeZone": "UTC"})  # fmt: skip
    pattern = {"type": "weekly", "interval": 1, "daysOfWeek": ["tuesday"]}
    series = item("s", type="seriesMaster", exceptionOccurrences=[exception],
                  recurrence={"pattern": pattern, "range": {"type": "numbered", "numberOfOccurrences": 4}})  # fmt: skip
    first = service.pages()
    service.events["s"] = series
    service.deltas["d1"] = [{"id": f"o{n}", "type": "occurrence", "seriesMasterId": "s"} for n in range(3)]
    [record] = records(service.pages(first[-1].position)).values()
    assert record["rrule"] == "FREQ=WEEKLY;COUNT=4;BYDAY=TU"
    assert [(row["recurrence_id"], row["summary"]) for row in record["exceptions"]] == [
        ("2026-02-17T07:00:00Z", "Другая")
    ]


def weekly() -> dict[str, Any]:
    """A series on Tuesdays."""
    pattern = {"type": "weekly", "interval": 1, "daysOfWeek": ["tuesday"]}
    span = {"type": "numbered", "numberOfOccurrences": 4}
    zone = {"originalStartTimeZone": "Russian Standard Time", "location": {"displayName": "Зал"}}
    return item("s", type="seriesMaster", recurrence={"pattern": pattern, "range": span}, **zone)


def test_an_occurrence_that_was_called_off_is_told_by_its_day(service: Service) -> None:
    """At the time of the series by its own clock: by its name in Windows, and in whole days."""
    assert service.connector is not None
    service.events = {"s": {**weekly(), "cancelledOccurrences": ["OID.s.2026-02-17"]}}
    asked = ReadRequest("events", key=("href",))
    assert shown(bytes(service.connector.fetch(asked, ["c1/s"]).records[0])) == [("2026-02-17", "", "cancelled", "")]
    assert service.server is not None
    assert "cancelledOccurrences" in service.server.requests[-1].raw
    service.events["s"] |= {"isAllDay": True, "start": {"dateTime": "2026-02-10T00:00:00", "timeZone": "UTC"},
                            "end": {"dateTime": "2026-02-11T00:00:00", "timeZone": "UTC"}}  # fmt: skip
    [row] = json.loads(bytes(service.connector.fetch(asked, ["c1/s"]).records[0]))["exceptions"]
    assert row["recurrence_id"] == "2026-02-17"


def test_exceptions_are_written_one_by_one(service: Service) -> None:
    """One is moved, another deleted; the moved one is put back; a deleted one cannot be, which is told."""
    assert service.connector is not None
    service.events = {"s": weekly()}
    [made] = service.connector.write("events", [Change("c1/s", {"exceptions": [MOVED, OFF]})])
    assert (made.became, shown(made.record)) == (
        "written",
        [("2026-02-17", "2026-02-18T09:00:00Z", "confirmed", "Другая"), ("2026-02-24", "", "cancelled", "")],
    )
    assert service.sent == [("PATCH", "s-2026-02-17"), ("DELETE", "s-2026-02-24")]
    [again] = service.connector.write("events", [Change("c1/s", {"exceptions": [MOVED, OFF]})])
    assert again.became == "unchanged"
    [back] = service.connector.write("events", [Change("c1/s", {"exceptions": [OFF]})])
    assert (back.became, shown(back.record)) == ("written", [("2026-02-24", "", "cancelled", "")])
    [refused] = service.connector.write("events", [Change("c1/s", {"exceptions": [MOVED]})])
    assert (refused.became, refused.error and refused.error.code) == ("refused", "calendar_no_occurrence")
    assert len(service.sent) == 3


def test_an_occurrence_that_somebody_else_changed(service: Service) -> None:
    """412 of the occurrence: nothing is written over it."""
    assert service.connector is not None
    service.events = {"s": weekly()}
    service.occurrence = lambda *_: Reply(412)  # type: ignore[method-assign]
    [moved] = service.connector.write("events", [Change("c1/s", {"exceptions": [MOVED]})])
    assert moved.became == "moved"


@pytest.mark.parametrize(
    ("pattern", "span", "expected"),
    [
        ({"type": "daily", "interval": 2}, {"type": "noEnd"}, "FREQ=DAILY;INTERVAL=2"),
        (
            {"type": "relativeMonthly", "interval": 1, "daysOfWeek": ["friday"], "index": "last"},
            {"type": "endDate", "endDate": "2026-12-31"},
            "FREQ=MONTHLY;UNTIL=20261231;BYDAY=-1FR",
        ),
        (
            {"type": "absoluteYearly", "interval": 1, "dayOfMonth": 9, "month": 5},
            {"type": "noEnd"},
            "FREQ=YEARLY;BYMONTH=5;BYMONTHDAY=9",
        ),
        ({}, {}, ""),
    ],
)
def test_patterns_are_rules(pattern: dict[str, Any], span: dict[str, Any], expected: str) -> None:
    """What Microsoft calls a pattern and a range is a rule of iCalendar."""
    assert rule({"pattern": pattern, "range": span}) == expected


def test_a_repeated_create_makes_one_event(service: Service) -> None:
    """The same ``transactionId``, and a property to find it by."""
    assert service.connector is not None
    [made] = service.connector.write("events", [Change("k", NEW, create=True)])
    assert made.became == "written"
    assert service.events[made.external_id.partition("/")[2]]["transactionId"] == uid_of("k")
    [looked] = service.connector.write("events", [Change("k", NEW, create=True, look_first=True)])
    [again] = service.connector.write("events", [Change("k", NEW, create=True)])
    assert (looked.became, looked.external_id) == ("unchanged", made.external_id)
    assert again.external_id == made.external_id
    assert len(service.events) == 3


def test_lost_update(service: Service) -> None:
    """412 of a patch leaves what somebody saved meanwhile; what Outlook decides itself is refused."""
    assert service.connector is not None
    [written] = service.connector.write("events", [Change("c1/a", {"summary": "x", "location": "Зал"})])
    assert written.became == "written"
    [refused] = service.connector.write("events", [Change("c1/a", {"status": "cancelled"})])
    assert refused.became == "refused"
    inner = service.event
    service.event = lambda key, request: Reply(412) if request.method == "PATCH" else inner(key, request)  # type: ignore[method-assign]
    [moved] = service.connector.write("events", [Change("c1/a", {"summary": "y"})])
    assert moved.became == "moved"
