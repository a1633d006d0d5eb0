"""Two calendars on two servers and the hub between them: meetings and tasks both ways, by the engine."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import update

from hub.store import core
from hub.store.database import Store
from tests.calendars.servers import DavServer, component, event, todo
from tests.calendars.world import World, unfolded, world
from tests.connectors.server import Reply


@pytest.fixture
def pair(store: Store, tmp_path: Path, radicale: DavServer, xandikos: DavServer) -> Iterator[World]:
    """Anna's calendar on Radicale, Boris's on Xandikos."""
    with world(store, tmp_path, {"anna": radicale, "boris": xandikos}) as made:
        yield made


def test_a_meeting_and_a_task_come_into_the_other_calendar(pair: World) -> None:
    """What one makes stands in the other calendar with its reminder, under the same UID; the next night is quiet."""
    alarm = "BEGIN:VALARM\nACTION:DISPLAY\nDESCRIPTION:x\nTRIGGER:-PT15M\nEND:VALARM\n"
    lines = {"DTSTART": ";TZID=Europe/Moscow:20260210T100000", "DTEND": ";TZID=Europe/Moscow:20260210T113000"}
    pair.exchange()
    pair.desks["anna"].add("m", component("VEVENT", "m-1", lines, alarm))
    pair.desks["boris"].add("t", todo("t-1", DUE=":20260211T090000Z", PRIORITY=":1"))
    pair.exchange()
    [made] = [unfolded(text) for text in pair.desks["boris"].texts().values() if "BEGIN:VEVENT" in text]
    assert "UID:m-1\n" in made
    assert "DTSTART;TZID=Europe/Moscow:20260210T100000\n" in made
    assert "DTEND;TZID=Europe/Moscow:20260210T113000\n" in made
    assert "TRIGGER:-PT15M\n" in made
    [task] = [unfolded(text) for text in pair.desks["anna"].texts().values() if "BEGIN:VTODO" in text]
    assert "PRIORITY:1\n" in task
    [card] = pair.meetings()
    assert (card["started_at"], card["ended_at"]) == ("2026-02-10 07:00:00", "2026-02-10 08:30:00")
    assert pair.tasks()[0]["due_at"] == "2026-02-11 09:00:00"
    pair.quiet()


def known_to_both(pair: World, uid: str = "m-1", **lines: str) -> tuple[str, str]:
    """A meeting that stands in both calendars; its paths at Anna's and at Boris's."""
    pair.exchange()
    ours = pair.desks["anna"].add(uid, event(uid, **lines))
    pair.exchange()
    [theirs] = pair.desks["boris"].says(f"UID:{uid}\n")
    return ours, theirs


def text(pair: World, code: str, href: str) -> str:
    """A resource with its lines whole."""
    return unfolded(pair.desks[code].server.get(href) or "")


def test_edits_of_both_go_both_ways(pair: World) -> None:
    """Anna moves a meeting, Boris renames it the same day: both see both, and what nobody touched stays as it was."""
    ours, theirs = known_to_both(pair, X_ANNA=":note", LOCATION=":Зал 1")
    pair.desks["anna"].server.edit(ours, "T100000", "T120000")
    pair.desks["boris"].server.edit(theirs, "SUMMARY:Встреча m-1", "SUMMARY:Переговоры")
    pair.exchange()
    for code, href in (("anna", ours), ("boris", theirs)):
        assert "DTSTART;TZID=Europe/Moscow:20260210T120000\n" in text(pair, code, href)
        assert "SUMMARY:Переговоры\n" in text(pair, code, href)
        assert "LOCATION:Зал 1\n" in text(pair, code, href)
    assert "X-ANNA:note\n" in text(pair, "anna", ours)
    pair.quiet()


def test_echo_loop(pair: World) -> None:
    """Our own writes come back with the next delta and move nothing: three nights write what the first one wrote."""
    ours, _ = known_to_both(pair)
    pair.desks["anna"].server.edit(ours, "Встреча", "Созвон")
    pair.exchange()
    writes = pair.writes()
    for _ in range(3):
        pair.quiet()
    assert pair.writes() == writes


def test_lost_update(pair: World) -> None:
    """Boris saves while the hub is writing: 412, the hub looks again, and neither edit is lost."""
    ours, theirs = known_to_both(pair)
    boris = pair.desks["boris"]
    boris.way.on("PUT", lambda: boris.server.edit(theirs, "DTSTAMP", "LOCATION:У Бориса\r\nDTSTAMP"))
    pair.desks["anna"].server.edit(ours, "Встреча", "Созвон")
    pair.exchange()
    pair.exchange()
    for code, href in (("anna", ours), ("boris", theirs)):
        assert "SUMMARY:Созвон m-1\n" in text(pair, code, href)
        assert "LOCATION:У Бориса\n" in text(pair, code, href)
    pair.quiet()


def test_same_uid_under_another_href(pair: World) -> None:
    """Boris has imported the invitation himself: the server takes no second one (409, 412), and his stays as it is."""
    pair.exchange("anna.activity", "boris.activity")
    other = pair.desks["boris"].add("imported", event("m-1"))
    pair.desks["anna"].add("m", event("m-1"))
    before = text(pair, "boris", other)
    pair.exchange()
    assert pair.desks["boris"].says("UID:m-1\n") == [other]
    assert text(pair, "boris", other) == before
    assert {row["last_error"] for row in pair.rows(core.outbox)} <= {"key_of_another"}


def test_delete_vs_edit(pair: World) -> None:
    """Anna deletes, Boris edits the same day: his meeting is still there, nothing of his is lost."""
    ours, theirs = known_to_both(pair)
    pair.desks["boris"].server.edit(theirs, "Встреча", "Важная встреча")
    pair.desks["anna"].server.delete(ours)
    pair.exchange()
    assert "SUMMARY:Важная встреча m-1\n" in text(pair, "boris", theirs)
    assert "UID:m-1\n" in text(pair, "boris", theirs)


def test_what_is_deleted_here_is_cancelled_there(pair: World) -> None:
    """The hub deletes nothing physically: in the other calendar the meeting is called off and says why."""
    ours, theirs = known_to_both(pair)
    pair.desks["anna"].server.delete(ours)
    pair.exchange()
    assert "STATUS:CANCELLED\n" in text(pair, "boris", theirs)
    assert "X-OBMEN-REMOVED:TRUE\n" in text(pair, "boris", theirs)
    pair.quiet()


def test_mass_delete(pair: World) -> None:
    """Anna's server is empty one morning: the deletions wait for a person, nothing is cancelled at Boris's."""
    anna, boris = pair.desks["anna"], pair.desks["boris"]
    for n in range(110):
        anna.add(f"m{n}", event(f"m-{n}"))
    pair.exchange("anna.activity")
    for href in anna.server.hrefs(anna.path)[:100]:
        anna.server.delete(href)
    pair.exchange("anna.activity")
    assert len(pair.rows(core.held)) == 100
    assert {row["reason_code"] for row in pair.rows(core.held)} == {"mass_delete"}
    assert [one["record_state"] for one in pair.meetings()] == ["active"] * 110
    assert boris.says("STATUS:CANCELLED") == []


@pytest.mark.parametrize("code", ["anna", "boris"])
def test_token_expired(pair: World, code: str) -> None:
    """The server has forgotten where we stopped: only what differs is fetched, what was deleted meanwhile is found."""
    desk, route = pair.desks[code], f"{code}.activity"
    for n in range(4):
        desk.add(f"m{n}", event(f"m-{n}"))
    pair.exchange(route)
    desk.server.delete(f"{desk.path}m0.ics")
    desk.server.edit(f"{desk.path}m1.ics", "Встреча", "Созвон")
    with pair.store.begin() as conn:
        conn.execute(update(core.cursor).values(position={"at": {desk.path: {"token": "forgotten"}}}))
    before = len(desk.way.requests)
    pair.exchange(route)
    asked = [one.body.decode() for one in desk.way.requests[before:] if b"calendar-multiget" in one.body]
    named = [re.findall(r"<href>.*?/(m\d)\.ics</href>", body) for body in asked]
    assert named[-2:] == [["m1"], ["m0"]]  # the one that changed, and the one that is missed
    cards = {row["subject"]: row["record_state"] for row in pair.meetings()}
    assert cards.pop("Созвон m-1") == "active"
    assert cards == {"Встреча m-0": "deleted", "Встреча m-2": "active", "Встреча m-3": "active"}


def test_a_server_without_history_by_the_hub(pair: World) -> None:
    """No sync-collection: each exchange compares ETags, fetches what differs, and finds what is gone."""
    desk = pair.desks["anna"]
    desk.way.rule = lambda request: Reply(501) if b"sync-collection" in request.body else None
    for n in range(3):
        desk.add(f"m{n}", event(f"m-{n}"))
    pair.exchange("anna.activity")
    desk.server.delete(f"{desk.path}m0.ics")
    desk.server.edit(f"{desk.path}m1.ics", "Встреча", "Созвон")
    pair.exchange("anna.activity")
    assert sorted((row["subject"], row["record_state"]) for row in pair.meetings()) == [
        ("Встреча m-0", "deleted"),
        ("Встреча m-2", "active"),
        ("Созвон m-1", "active"),
    ]


def test_poison_item(pair: World) -> None:
    """A resource without a start waits in quarantine with its reason; what comes with it passes."""
    boris = pair.desks["boris"]  # the server that takes such a thing
    boris.add("bad", component("VEVENT", "bad", {"LOCATION": ":Зал"}))
    boris.add("good", event("good"))
    pair.exchange("boris.activity")
    assert [row["subject"] for row in pair.meetings()] == ["Встреча good"]
    [refused] = pair.rows(core.quarantine)
    assert refused["external_id"] == f"{boris.path}bad.ics"
