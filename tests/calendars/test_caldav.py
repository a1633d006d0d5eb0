"""The connector on two real servers, wherever they differ, and every way in which an exchange with them may fail."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

import pytest

from connectors.base import Change, ReadRequest, WriteResult
from connectors.calendars.dav.connector import CalDav
from connectors.calendars.dav.write import uid_of
from hub.model.errors import NeedsPerson, StopSystem
from hub.model.records import Page
from tests.calendars.servers import Between, DavServer, account, between, component, event, todo
from tests.connectors.server import Reply, Request

EVENTS, TODOS = ReadRequest("events", key=("href",)), ReadRequest("todos", key=("href",))
NEW = {"summary": "Новая", "start": "2026-02-10T07:00:00Z", "end": "2026-02-10T08:00:00Z"}


class Calendar:
    """One calendar, the way to it, and a connector along that way."""

    def __init__(self, server: DavServer, way: Between) -> None:
        self.server, self.way, self.path = server, way, server.calendar()
        self.connector = CalDav(account(way.root + self.path))

    def add(self, name: str, text: str) -> str:
        href = f"{self.path}{name}.ics"
        assert self.server.put(href, text)[0] in {201, 204}
        return href

    def pages(self, position: Any = None, request: ReadRequest = EVENTS) -> list[Page]:
        found = list(self.connector.read(replace(request, position=json.loads(json.dumps(position)))))
        assert [page.last for page in found] == [False] * (len(found) - 1) + [True]
        return found

    def write(self, *changes: Change, stream: str = "events") -> list[WriteResult]:
        return list(self.connector.write(stream, changes))

    def asked(self, part: str) -> list[Request]:
        return [one for one in self.way.requests if part in one.body.decode()]


@pytest.fixture
def own(dav: DavServer) -> Iterator[Calendar]:
    """An empty calendar on either server."""
    with between(dav) as way:
        made = Calendar(dav, way)
        yield made
        made.connector.close()


def _decoded(raw: Any) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(bytes(raw))
    return found


def hrefs(pages: list[Page]) -> list[str]:
    """Paths of the records."""
    return [json.loads(bytes(raw))["href"] for page in pages for raw in page.records]


def deleted(pages: list[Page]) -> list[str]:
    """Paths that are said to be gone."""
    return [key for page in pages for key in page.deleted]


@pytest.mark.parametrize("start", ["", "home", "calendar"])
def test_calendars_are_found_from_any_address(dav: DavServer, start: str) -> None:
    """From the address of the server over principal and home, from the home, and from the calendar itself."""
    path = dav.calendar()
    dav.put(f"{path}a.ics", event("a"))
    name = path.rstrip("/").rpartition("/")[2]
    url = dav.root + {"": "", "home": dav.home.rstrip("/"), "calendar": path.rstrip("/")}[start]
    connector = CalDav(account(url, calendars=(name,)))
    assert hrefs(list(connector.read(EVENTS))) == [f"{path}a.ics"]
    assert connector.check().problems == []
    connector.close()


def test_a_calendar_that_is_not_there_is_named(dav: DavServer) -> None:
    """A wrong name in the settings lists the right ones."""
    path = dav.calendar()
    connector = CalDav(account(dav.root, calendars=("НетТакого",)))
    with pytest.raises(NeedsPerson) as error:
        list(connector.read(EVENTS))
    assert error.value.code == "calendar_unknown"
    assert path.rstrip("/").rpartition("/")[2] in error.value.params["known"]
    connector.close()


def test_a_wrong_password_stops_the_system(radicale: DavServer) -> None:
    """401 is told as what it is."""
    connector = CalDav(account(radicale.root, secret="другой"))
    with pytest.raises(StopSystem) as error:
        list(connector.read(EVENTS))
    assert error.value.code == "calendar_auth_failed"
    connector.close()


def test_a_delta_brings_what_is_new_changed_and_gone(own: Calendar) -> None:
    """After the first read only what happened since comes; nothing happened: one empty page and the same token."""
    a, b = own.add("a", event("a")), own.add("b", event("b"))
    task = own.add("t", todo("t"))
    first = own.pages()
    assert hrefs(first) == [a, b]
    assert own.pages(first[-1].position)[0].position == first[-1].position
    own.server.delete(a)
    own.server.edit(b, "Встреча", "Созвон")
    c = own.add("c", event("c"))
    later = own.pages(first[-1].position)
    assert sorted(hrefs(later)) == [b, c]
    assert a in deleted(later)
    assert task not in deleted(later)


def test_unknown_404s_of_a_first_read_are_skipped(own: Calendar) -> None:
    """What was deleted before anybody read it is not told."""
    own.server.delete(own.add("a", event("a")))
    b = own.add("b", event("b"))
    pages = own.pages()
    assert (hrefs(pages), deleted(pages)) == ([b], [])


def test_no_limit_is_ever_sent(own: Calendar) -> None:
    """A server that cuts a delta off and tells its newest token would lose the rest for ever."""
    first = own.pages()
    for n in range(5):
        own.add(f"m{n}", event(f"m{n}"))
    assert len(hrefs(own.pages(first[-1].position, replace(EVENTS, page_size=2)))) == 5
    assert own.asked("sync-collection")
    assert not own.asked("nresults")


def test_token_expired(own: Calendar) -> None:
    """403 of Radicale, 412 of Xandikos: paths and ETags of all are listed, whole, and nothing is downloaded."""
    a, b = own.add("a", event("a")), own.add("b", event("b"))
    own.add("t", todo("t"))
    own.pages()
    old = {"at": {own.path: {"token": "http://radicale.org/ns/sync/" + "0" * 64}}}
    gets = len(own.asked("calendar-multiget"))
    [page] = own.pages(old)
    assert [href for href, _ in page.listed] == [a, b]
    assert all(etag for _, etag in page.listed)
    assert list(page.whole) == [own.path]
    assert (hrefs([page]), len(own.asked("calendar-multiget"))) == ([], gets)
    assert own.pages(page.position)[0].listed == ()
    status = {"radicale": 403, "xandikos": 412}[own.server.name]
    body = next(one.body for one in own.asked("sync-collection") if b"0" * 64 in one.body)
    assert own.server.ask("REPORT", own.path, body, Depth="0", Content_Type="application/xml")[0] == status


def test_a_server_without_history_is_compared(own: Calendar) -> None:
    """No sync-collection: each read lists paths and ETags, and the ETags are those that records carry."""
    own.way.rule = lambda request: Reply(501) if b"sync-collection" in request.body else None
    a = own.add("a", event("a"))
    first = own.pages()
    record = json.loads(bytes(first[0].records[0]))
    [page] = own.pages(first[-1].position)
    assert list(page.listed) == [(a, record["_version"])]
    assert list(page.whole) == [own.path]
    own.server.edit(a, "Встреча", "Созвон")
    assert own.pages(page.position)[0].listed[0][1] != record["_version"]


def test_a_first_read_that_was_broken_off_goes_on(own: Calendar) -> None:
    """After each page: what comes is what was missing, and what changed meanwhile comes with the next delta."""
    paths = [own.add(f"m{n}", event(f"m{n}")) for n in range(6)]
    pages = own.pages(request=replace(EVENTS, page_size=2))
    own.server.edit(paths[0], "Встреча", "Созвон")
    rest = own.pages(pages[0].position, replace(EVENTS, page_size=2))
    assert hrefs(rest) == paths[2:]
    assert hrefs(own.pages(rest[-1].position)) == [paths[0]]


def test_server_rewrites_body(own: Calendar) -> None:
    """What the server adds and reorders is no difference, and an identical PUT is no change."""
    fields = {**NEW, "description": "а, б; в\nг", "rrule": "COUNT=3;FREQ=WEEKLY;BYDAY=TU"}
    [made] = own.write(Change("k", fields, create=True))
    assert (made.became, made.differences) == ("written", ())
    text = own.server.get(made.external_id) or ""
    first = own.pages()
    own.server.put(made.external_id, text)
    assert hrefs(own.pages(first[-1].position)) == []
    assert own.write(Change(made.external_id, fields))[0].became == "unchanged"


def test_a_created_resource_has_a_path_and_a_uid_of_its_own(own: Calendar) -> None:
    """Both come of the reserved key, so whoever asks again meets the same resource."""
    [made] = own.write(Change("7c1e", NEW, create=True))
    assert made.external_id == f"{own.path}{uid_of('7c1e')}.ics"
    assert json.loads(made.record or b"")["uid"] == uid_of("7c1e")
    [again] = own.write(Change("7c1e", NEW, create=True))
    assert (again.became, again.external_id) == ("unchanged", made.external_id)
    assert own.server.hrefs(own.path) == [made.external_id]


def test_lost_update(own: Calendar) -> None:
    """A person saves between the look and the write: 412, nothing is written over."""
    a = own.add("a", event("a"))
    own.way.on("PUT", lambda: own.server.edit(a, "Встреча", "Созвон"))
    [result] = own.write(Change(a, {"location": "Зал"}))
    assert result.became == "moved"
    text = own.server.get(a) or ""
    assert "Созвон" in text
    assert "Зал" not in text


def test_same_uid_under_another_href(own: Calendar) -> None:
    """409 of Radicale, 412 of Xandikos, told from a stale ETag by its body: the one that is there is adopted."""
    other = own.add("imported", event("m-1", ";TZID=Europe/Moscow:20260210T100000", SUMMARY=":Новая"))
    [result] = own.write(Change("k", {**NEW, "uid": "m-1"}, create=True))
    assert (result.became, result.external_id) == ("unchanged", other)
    [moved] = own.write(Change("k", {**NEW, "summary": "Совсем другая", "uid": "m-1"}, create=True))
    assert moved.became == "moved"
    assert own.server.hrefs(own.path) == [other]
    status, _, _ = own.server.put(f"{own.path}third.ics", event("m-1"), If_None_Match="*")
    assert status == {"radicale": 409, "xandikos": 412}[own.server.name]


def test_delete_vs_edit(own: Calendar) -> None:
    """What was deleted meanwhile is not made anew by an edit of it."""
    a = own.add("a", event("a"))
    own.server.delete(a)
    [result] = own.write(Change(a, {"location": "Зал"}))
    assert result.became == "refused"
    assert result.error is not None
    assert result.error.code == "record_gone"
    assert own.server.hrefs(own.path) == []


def test_poison_item(own: Calendar) -> None:
    """A resource that cannot be read comes as a record that says so, beside all others, and is never written over."""
    a = own.add("a", event("a"))
    bad = own.add("bad", event("bad"))
    spoil(own, bad)
    records = [json.loads(bytes(raw)) for page in own.pages() for raw in page.records]
    assert {record["href"]: bool(record.get("broken")) for record in records} == {a: False, bad: True}
    [result] = own.write(Change(bad, {"location": "Зал"}))
    assert result.became == "refused"


def spoil(own: Calendar, href: str) -> None:
    """The way spoils the resource: servers that let it in are rare, and lived with all the same."""
    inner = own.way.answer

    def spoiled(request: Request) -> Reply:
        reply = inner(request)
        at = reply.body.find(href.encode())
        if request.method == "GET" and request.raw == href:
            return replace(reply, body=reply.body.replace(b"DTSTART", b"XTSTART"))
        if b"calendar-multiget" in request.body and at >= 0:
            end = reply.body.find(b"END:VEVENT", at)
            return replace(
                reply, body=reply.body[:at] + reply.body[at:end].replace(b"DTSTART", b"XTSTART") + reply.body[end:]
            )
        return reply

    assert own.way.scripted is not None
    own.way.scripted.becomes(spoiled)


def test_what_the_servers_let_in(own: Calendar) -> None:
    """Radicale takes neither rubbish nor a meeting without DTSTART, Xandikos takes the latter: it is no record here."""
    assert own.server.put(f"{own.path}x.ics", "rubbish")[0] == {"radicale": 400, "xandikos": 412}[own.server.name]
    bare = component("VEVENT", "x", {"LOCATION": ":Зал"})
    assert own.server.put(f"{own.path}x.ics", bare)[0] == {"radicale": 400, "xandikos": 201}[own.server.name]
    [made] = own.write(Change("k", NEW, create=True))
    assert "DTSTAMP:" in (own.server.get(made.external_id) or "")
    found = {record["href"]: record.get("broken") for page in own.pages() for record in map(_decoded, page.records)}
    assert bool(found.pop(f"{own.path}x.ics", None)) == (own.server.name == "xandikos")
    assert found == {made.external_id: None}


def test_a_delta_tells_the_kind_or_is_asked(own: Calendar) -> None:
    """Radicale tells what each resource is, Xandikos does not: tasks come among tasks only, meetings among meetings."""
    first, tasks = own.pages(), own.pages(request=TODOS)
    a, t = own.add("a", event("a")), own.add("t", todo("t"))
    assert hrefs(own.pages(first[-1].position)) == [a]
    assert hrefs(own.pages(tasks[-1].position, TODOS)) == [t]
    known = {"radicale": True, "xandikos": False}[own.server.name]
    asked = own.asked("sync-collection")[0].body
    status, _, body = own.server.ask("REPORT", own.path, asked, Depth="0", Content_Type="application/xml")
    assert (status, b"component=VEVENT" in body) == (207, known)


@pytest.mark.parametrize("act", ["cancel", "restore"])
def test_an_ended_record_is_cancelled_and_never_deleted(own: Calendar, act: str) -> None:
    """``removed`` cancels and says why; taken back, it is confirmed again."""
    a = own.add("a", event("a"))
    [result] = own.write(Change(a, {"removed": True}))
    assert (result.became, json.loads(result.record or b"")["status"]) == ("written", "cancelled")
    assert "STATUS:CANCELLED" in (own.server.get(a) or "")
    if act == "restore":
        [back] = own.write(Change(a, {"removed": False}))
        assert json.loads(back.record or b"")["status"] == "confirmed"


@pytest.mark.parametrize(
    "change", [{"href": "/x"}, {"uid": "other"}, {"calendar": "x"}, {"start": "завтра"}, {"no": 1}]
)
def test_what_cannot_be_written_is_refused(own: Calendar, change: dict[str, Any]) -> None:
    """Keys, the UID of what exists, no moments, unknown names: nothing is sent."""
    a = own.add("a", event("a"))
    [result] = own.write(Change(a, change))
    assert result.became == "refused"
    assert own.connector.traffic.writes == 0


def test_a_wait_that_is_too_long_is_handed_on(dav: DavServer) -> None:
    """``Retry-After`` of an hour is not slept through: the route is told when to come again."""
    slept: list[float] = []
    with ExitStack() as stack:
        way = stack.enter_context(between(dav))
        make: Callable[..., CalDav] = CalDav
        connector = make(account(way.root + dav.calendar()), slept.append)
        stack.callback(connector.close)
        way.always = Reply(429, headers={"Retry-After": "3600"})
        with pytest.raises(Exception, match="подождать") as error:
            list(connector.read(EVENTS))
        assert getattr(error.value, "retry_after", None) == 3600
        way.always, way.orders = None, [("*", Reply(503, headers={"Retry-After": "7"}))]
        list(connector.read(EVENTS))
    assert slept == [7.0]
