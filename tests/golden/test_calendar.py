"""Golden scenarios of meetings: what people who keep a calendar and a CRM expect."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import icalendar
import pytest
import recurring_ical_events

from hub.store.database import Store
from tests.calendars.servers import DavServer, event, running
from tests.calendars.world import World, unfolded, world


@pytest.fixture(scope="module")
def servers() -> Iterator[dict[str, DavServer]]:
    """Radicale and Xandikos."""
    with running("radicale") as one, running("xandikos") as other:
        yield {"anna": one, "boris": other}


@pytest.fixture
def pair(store: Store, tmp_path: Path, servers: dict[str, DavServer]) -> Iterator[World]:
    """A meeting of Anna's calendar is to be in Boris's as well."""
    with world(store, tmp_path, servers) as made:
        yield made


def occurrences(text: str) -> list[str]:
    """When the meeting takes place in February, as a calendar program shows it."""
    calendar = icalendar.Calendar.from_ical(text)
    found = recurring_ical_events.of(calendar).between((2026, 2, 1), (2026, 3, 5))
    found = [one for one in found if one.get("STATUS") != "CANCELLED"]
    return sorted(f"{one['DTSTART'].dt.astimezone(UTC):%m-%d %H:%M} {one['SUMMARY']}" for one in found)


def test_27_a_recurring_meeting_is_moved_once(pair: World) -> None:
    """Anna moves one Tuesday of a weekly meeting: one card, one exception, and at Boris's that Tuesday alone has moved.

    Boris calls off another one: it is off for Anna too, and the moved one stays moved.
    """
    anna, boris = pair.desks["anna"], pair.desks["boris"]
    pair.exchange()
    ours = anna.add("weekly", event("weekly", RRULE=":FREQ=WEEKLY;COUNT=4;BYDAY=TU"))
    pair.exchange()
    [theirs] = boris.says("UID:weekly\n")
    moved = (
        "BEGIN:VEVENT\r\nUID:weekly\r\nDTSTAMP:20260101T000000Z\r\nRECURRENCE-ID;TZID=Europe/Moscow:20260217T100000\r\n"
        "DTSTART;TZID=Europe/Moscow:20260218T150000\r\nDURATION:PT1H\r\nSUMMARY:Встреча weekly\r\nEND:VEVENT\r\n"
    )
    anna.server.edit(ours, "END:VCALENDAR", f"{moved}END:VCALENDAR")
    pair.exchange()
    as_moved = ["02-10 07:00", "02-18 12:00", "02-24 07:00", "03-03 07:00"]
    for desk, href in ((anna, ours), (boris, theirs)):
        assert occurrences(desk.server.get(href) or "") == [f"{at} Встреча weekly" for at in as_moved]
    [card] = pair.meetings()
    [exception] = pair.children("meeting_exception")
    assert card["started_at"] == "2026-02-10 07:00:00"
    assert (exception["recurrence_id"], exception["started_at"]) == ("2026-02-17T07:00:00Z", "2026-02-18 12:00:00")
    off = moved.replace("0217T100000", "0224T100000").replace("20260218T150000", "20260224T100000")
    boris.server.edit(
        theirs,
        "END:VCALENDAR",
        f"{off.replace('DURATION', 'STATUS:CANCELLED' + chr(13) + chr(10) + 'DURATION')}END:VCALENDAR",
    )
    pair.exchange()
    for desk, href in ((anna, ours), (boris, theirs)):
        left = [f"{at} Встреча weekly" for at in as_moved if not at.startswith("02-24")]
        assert occurrences(desk.server.get(href) or "") == left
    assert "UID:weekly\n" in unfolded(anna.server.get(ours) or "")
    assert len(pair.meetings()) == 1
    assert datetime.fromisoformat(pair.meetings()[0]["ended_at"]).hour == 8
    pair.quiet()
