"""What a resource of iCalendar means, and that a change of it changes nothing else."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import icalendar
import pytest
import recurring_ical_events
from hypothesis import given
from hypothesis import strategies as st

from connectors.calendars.ical.lines import Malformed, calendars, escaped
from connectors.calendars.ical.moments import Zones, duration, spelled
from connectors.calendars.ical.record import record
from connectors.calendars.ical.series import ordered
from connectors.calendars.ical.write import new, put
from tests.calendars.servers import component, event, todo

MOSCOW, BERLIN = ZoneInfo("Europe/Moscow"), ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 2, 1, 12, tzinfo=UTC)


def read(text: str, zone: ZoneInfo = MOSCOW) -> dict[str, Any]:
    """The record of a resource."""
    calendar = calendars(text.encode())[0]
    return record("todos" if "BEGIN:VTODO" in text else "events", calendar, Zones(zone, calendar))


def changed(text: str, zone: ZoneInfo = MOSCOW, owner: str = "", **fields: Any) -> str:
    """The resource after a change."""
    calendar = calendars(text.encode())[0]
    put(calendar, "todos" if "BEGIN:VTODO" in text else "events", fields, Zones(zone, calendar), owner, NOW)
    return calendar.encode().decode().replace("\r\n ", "").replace("\r\n", "\n")


@pytest.mark.parametrize(
    ("start", "told", "tz"),
    [
        (";TZID=Europe/Moscow:20260210T100000", "2026-02-10T07:00:00Z", "Europe/Moscow"),
        (":20260210T100000Z", "2026-02-10T10:00:00Z", "UTC"),
        (";TZID=Russian Standard Time:20260210T100000", "2026-02-10T07:00:00Z", "Russian Standard Time"),
        (";TZID=/freeassociation.sourceforge.net/Europe/Berlin:20260710T100000", "2026-07-10T08:00:00Z", None),
        (";VALUE=DATE:20260210", "2026-02-09T21:00:00Z", ""),
    ],
)
def test_moments_are_told_in_utc(start: str, told: str, tz: str | None) -> None:
    """A zone by its IANA name, by its name in Windows, by a path; UTC; a whole day by the account's own zone."""
    found = read(event("a", start))
    assert found["start"] == told
    assert found["tz"] == (start.partition("=")[2].partition(":")[0] if tz is None else tz)


def test_floating() -> None:
    """A time without a zone is everybody's own: read by the account's zone, and floating still after it was moved."""
    text = event("a", ":20260210T100000")
    assert (read(text)["start"], read(text)["tz"]) == ("2026-02-10T07:00:00Z", "")
    assert read(text, BERLIN)["start"] == "2026-02-10T09:00:00Z"
    assert "DTSTART:20260210T103000\n" in changed(text, start="2026-02-10T07:30:00Z")


def test_unknown_tzid() -> None:
    """A zone that nobody explains is the account's own; its name stays when the meeting is moved."""
    text = event("a", ";TZID=Nowhere/Land:20260210T100000")
    assert read(text)["start"] == "2026-02-10T07:00:00Z"
    assert "DTSTART;TZID=Nowhere/Land:20260210T110000\n" in changed(text, start="2026-02-10T08:00:00Z")


def test_a_zone_that_only_the_resource_explains() -> None:
    """A name of its own with a VTIMEZONE beside it is what that says."""
    rules = (
        "BEGIN:VTIMEZONE\nTZID:Ours\nBEGIN:STANDARD\nDTSTART:20000101T000000\nTZOFFSETFROM:+0500\nTZOFFSETTO:+0500\n"
        "END:STANDARD\nEND:VTIMEZONE\n"
    )
    text = event("a", ";TZID=Ours:20260210T100000").replace("BEGIN:VEVENT", f"{rules}BEGIN:VEVENT")
    assert read(text)["start"] == "2026-02-10T05:00:00Z"


def test_dst_and_a_local_time_that_never_happens() -> None:
    """Half past two of the last Sunday of March is read with the offset before the jump; in October the first one."""
    assert read(event("a", ";TZID=Europe/Berlin:20260329T023000"))["start"] == "2026-03-29T01:30:00Z"
    assert read(event("a", ";TZID=Europe/Berlin:20261025T023000"))["start"] == "2026-10-25T00:30:00Z"
    assert read(event("a", ":20261025T013000Z"), BERLIN)["start"] == "2026-10-25T01:30:00Z"


def test_a_whole_day_is_a_day_when_clocks_change() -> None:
    """The day of 25 hours ends at midnight, not at eleven."""
    text = component("VEVENT", "a", {"DTSTART": ";VALUE=DATE:20261025"})
    found = read(text, BERLIN)
    assert (found["start"], found["end"], found["all_day"]) == ("2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z", True)


def test_due_only_vtodo_alarm() -> None:
    """A task that is only due is reminded of before that, whether the program wrote RELATED=END or not."""
    alarm = "BEGIN:VALARM\nACTION:DISPLAY\nDESCRIPTION:x\nTRIGGER{}:-PT30M\nEND:VALARM\n"
    for related in ("", ";RELATED=END", ";RELATED=START"):
        text = component("VTODO", "a", {"DUE": ":20260210T100000Z"}, alarm.format(related))
        assert read(text)["alarms"] == [{"offset_s": -1800, "at": "", "action": "display"}]
    made = changed(todo("a", DUE=":20260210T100000Z"), alarms=[{"offset_s": -900, "at": "", "action": "display"}])
    assert "TRIGGER;RELATED=END:-PT15M\n" in made
    assert read(made)["alarms"] == [{"offset_s": -900, "at": "", "action": "display"}]


def test_alarms_by_the_end_and_at_a_moment() -> None:
    """Five minutes before the end of an hour are 55 after its start; a moment stays one; rubbish is left out."""
    inner = "".join(
        f"BEGIN:VALARM\nACTION:{action}\nTRIGGER{trigger}\nEND:VALARM\n"
        for action, trigger in (
            ("AUDIO", ";RELATED=END:-PT5M"),
            ("DISPLAY", ";VALUE=DATE-TIME:20260210T060000Z"),
            ("DISPLAY", ":soon"),
        )
    )
    text = component("VEVENT", "a", {"DTSTART": ":20260210T100000Z", "DTEND": ":20260210T110000Z"}, inner)
    assert read(text)["alarms"] == [
        {"offset_s": 3300, "at": "", "action": "audio"},
        {"offset_s": None, "at": "2026-02-10T06:00:00Z", "action": "display"},
    ]


def test_an_alarm_that_stands_is_left_as_it_is() -> None:
    """Of two reminders one is kept with all that its program wrote into it, one goes, one is new."""
    kept = "BEGIN:VALARM\nX-APPLE:7\nACTION:DISPLAY\nDESCRIPTION:x\nTRIGGER:-PT15M\nX-SEEN:1\nEND:VALARM\n"
    gone = "BEGIN:VALARM\nACTION:AUDIO\nTRIGGER:-P1D\nEND:VALARM\n"
    text = component("VEVENT", "a", {"DTSTART": ":20260210T100000Z"}, kept + gone)
    rows = [{"offset_s": -900, "at": "", "action": "display"}, {"offset_s": -300, "at": "", "action": "email"}]
    made = changed(text, alarms=rows, owner="anna@example.ru")
    assert kept in made
    assert "TRIGGER:-P1D" not in made
    assert "ATTENDEE:mailto:anna@example.ru\n" in made
    assert read(made)["alarms"] == sorted(rows, key=lambda row: row["offset_s"])  # type: ignore[arg-type,return-value]


STRANGE = component(
    "VEVENT",
    "a",
    {
        'DTSTART;X-P="q:r;s"': ";TZID=Europe/Berlin:20260210T100000",
        "DTEND": ";TZID=Europe/Berlin:20260210T110000",
        'ATTENDEE;X-NUM-GUESTS=2;CN="Ли, Анна"': ":mailto:anna@example.ru",
        "X_APPLE_STRUCTURED;VALUE=URI": ":geo:55.7,37.6",
        "ATTACH;FMTTYPE=image/png;ENCODING=BASE64;VALUE=BINARY": ":AAAA",
        "CATEGORIES": ":Работа,Клиенты\\, VIP",
        "COMMENT": ":a\\nb\\;c",
    },
    "BEGIN:X-WHATEVER\nX-A:1\nEND:X-WHATEVER\n",
).replace("BEGIN:VEVENT", "X-WR-CALNAME:Ы\nBEGIN:VEVENT")


@pytest.mark.parametrize(
    ("fields", "touched"),
    [
        ({"summary": "Новое, с «кавычками»; и\nстрокой"}, {"SUMMARY"}),
        ({"start": "2026-02-10T08:00:00Z"}, {"DTSTART"}),
        ({"location": "Зал"}, {"LOCATION"}),
        ({"status": "cancelled"}, {"STATUS"}),
        ({"removed": True}, {"STATUS", "X-OBMEN-REMOVED"}),
        ({"class": "private"}, {"CLASS"}),
        ({"attendees": [{"role": "attendee", "kind": "email", "email": "anna@example.ru"}]}, set()),
    ],
)
def test_unknown_properties_and_components_survive(fields: dict[str, Any], touched: set[str]) -> None:
    """Only the property that a change means is another one: all other lines are there, letter by letter, in order."""
    before = [line for line in STRANGE.splitlines() if not _is(line, touched)]
    made = changed(STRANGE, BERLIN, **fields)
    after = [line for line in made.splitlines() if not _is(line, {*touched, "LAST-MODIFIED"})]
    assert [line for line in after if not _zone_of(line, made)] == before
    assert read(made, BERLIN) == {**read(STRANGE, BERLIN), **_shown(fields)}


def _is(line: str, names: set[str]) -> bool:
    return line.partition(":")[0].partition(";")[0] in names


def _zone_of(line: str, whole: str) -> bool:
    """Whether it belongs to the zone that a moved meeting explains."""
    begin, end = whole.find("BEGIN:VTIMEZONE"), whole.find("END:VTIMEZONE")
    return begin >= 0 and line in whole[begin : end + 13].splitlines() and line not in STRANGE.splitlines()


def _shown(fields: dict[str, Any]) -> dict[str, Any]:
    if "attendees" in fields:
        return {}
    return {**fields, "status": "cancelled"} if fields.get("removed") else fields


def test_a_series_that_moves_takes_its_exceptions_along() -> None:
    """The series goes from ten to eleven: the occurrence that was moved and the one that was called off still are."""
    text = event("a", RRULE=":FREQ=WEEKLY;COUNT=4", EXDATE=";TZID=Europe/Moscow:20260224T100000")
    moved = (
        "BEGIN:VEVENT\nUID:a\nDTSTAMP:20260101T000000Z\nRECURRENCE-ID;TZID=Europe/Moscow:20260217T100000\n"
        "DTSTART;TZID=Europe/Moscow:20260218T150000\nDURATION:PT1H\nSUMMARY:Другая\nEND:VEVENT\n"
    )
    text = text.replace("END:VCALENDAR", f"{moved}END:VCALENDAR")
    made = changed(text, start="2026-02-10T08:00:00Z", end="2026-02-10T09:00:00Z")
    names = [row["recurrence_id"] for row in read(made)["exceptions"]]
    assert names == ["2026-02-17T08:00:00Z", "2026-02-24T08:00:00Z"]
    assert _times(made) == ["02-10 08:00", "02-18 12:00", "03-03 08:00"]


def test_one_occurrence_is_changed_called_off_and_put_back() -> None:
    """An edit of one occurrence is an override of it; without its row it is as the series has it again."""
    text = event("a", RRULE=":FREQ=DAILY;COUNT=3", LOCATION=":Зал")
    name = "2026-02-11T07:00:00Z"
    row = {"recurrence_id": name, "start": "2026-02-11T09:00:00Z", "end": "2026-02-11T10:00:00Z", "status": "confirmed"}
    moved = changed(text, exceptions=[{**row, "summary": "Другая", "location": ""}])
    assert _times(moved) == ["02-10 07:00", "02-11 09:00", "02-12 07:00"]
    assert read(moved)["exceptions"] == [{**row, "summary": "Другая", "location": ""}]
    off = changed(moved, exceptions=[{"recurrence_id": name, "status": "cancelled"}])
    assert _times(off) == ["02-10 07:00", "02-12 07:00"]
    assert _times(changed(off, exceptions=[])) == ["02-10 07:00", "02-11 07:00", "02-12 07:00"]


def _times(text: str) -> list[str]:
    found = recurring_ical_events.of(icalendar.Calendar.from_ical(text)).between((2026, 2, 1), (2026, 3, 10))
    return sorted(f"{e['DTSTART'].dt.astimezone(UTC):%m-%d %H:%M}" for e in found if e.get("STATUS") != "CANCELLED")


def test_a_rule_is_the_same_in_any_order() -> None:
    """Servers reorder the parts of a rule and fill in what goes without saying."""
    assert ordered("COUNT=3;FREQ=WEEKLY;BYDAY=MO;INTERVAL=1") == ordered("freq=weekly;byday=MO;count=3")


def test_an_end_before_the_start_makes_no_sense() -> None:
    """Such a change is refused before anything is sent."""
    with pytest.raises(Malformed):
        changed(event("a"), end="2026-02-10T06:00:00Z")


def test_who_moves_the_start_alone_leaves_the_end() -> None:
    """A meeting told by its duration keeps its end, not its length."""
    found = read(changed(event("a"), start="2026-02-10T07:30:00Z"))
    assert (found["start"], found["end"]) == ("2026-02-10T07:30:00Z", "2026-02-10T08:00:00Z")


def test_a_task_is_done_and_reopened() -> None:
    """Done says when and how much; reopened, it says neither."""
    done = changed(todo("a"), status="done")
    assert {"STATUS:COMPLETED", "PERCENT-COMPLETE:100", "COMPLETED:20260201T120000Z"} <= set(done.splitlines())
    again = changed(done, status="in_progress")
    assert "COMPLETED:" not in again
    assert "PERCENT-COMPLETE" not in again


@pytest.mark.parametrize("text", ["", "BEGIN:VCALENDAR\nBEGIN:VEVENT\n", "<html></html>", "BEGIN:VCARD\nEND:VCARD\n"])
def test_what_is_no_calendar_is_malformed(text: str) -> None:
    """Nothing, half a calendar, a web page, a card."""
    with pytest.raises(Malformed):
        calendars(text.encode())


@given(st.text(st.characters(blacklist_categories=("Cs", "Cc")), max_size=200))
def test_any_text_comes_back(text: str) -> None:
    """A text with separators, breaks and letters of several bytes is the same after folding and reading."""
    calendar = new("events", "u")
    part = calendar.components[0]
    part.put("DTSTART", "20260101T000000Z")
    part.put("SUMMARY", escaped(text))
    read_back = calendars(calendar.encode())[0].components[0]
    assert read_back.text("SUMMARY") == text
    assert all(len(line) <= 75 for line in calendar.encode().split(b"\r\n"))


@given(st.integers(-(10**8), 10**8))
def test_any_duration_comes_back(seconds: int) -> None:
    """Seconds, written and read."""
    assert duration(spelled(seconds)).total_seconds() == seconds
