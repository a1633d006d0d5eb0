"""What a resource says, as the record that a mapping reads: one meeting or task, a series with its exceptions.

Names are the hub's own and the same for every kind of calendar. Moments are UTC (``2026-01-31T10:00:00Z``), a whole day
is its midnight in the account's zone. What tells nothing is left empty, so a server that reorders, refolds or completes
a resource does not change the record.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connectors.base import StreamInfo
from connectors.calendars.ical.alarms import alarms
from connectors.calendars.ical.lines import Component, Line, Malformed
from connectors.calendars.ical.moments import Moment, Zones, duration, told
from connectors.calendars.ical.people import attendees
from connectors.calendars.ical.series import exceptions, rule

EVENTS, TODOS = "events", "todos"
KEY, VERSION = "href", "_version"
#: Component of each stream.
COMPONENT = {EVENTS: "VEVENT", TODOS: "VTODO"}
#: A record that an exchange has ended is cancelled, and says so: a person may cancel a meeting without ending its card.
REMOVED = "X-OBMEN-REMOVED"
#: Where clients put the address of a call, the first that is there.
JOIN = ("CONFERENCE", "X-GOOGLE-CONFERENCE", "X-MICROSOFT-SKYPETEAMSMEETINGURL", "URL")

_TEXT, _MOMENT, _FLAG = "text", "timestamp", "boolean"
_SHARED = {
    KEY: _TEXT,
    VERSION: _TEXT,
    "calendar": _TEXT,
    "uid": _TEXT,
    "summary": _TEXT,
    "description": _TEXT,
    "start": _MOMENT,
    "all_day": _FLAG,
    "tz": _TEXT,
    "status": _TEXT,
    "class": _TEXT,
    "rrule": _TEXT,
    "removed": _FLAG,
    "broken": _TEXT,
}
_ALARMS = {"offset_s": "integer", "at": _MOMENT, "action": _TEXT}
_PEOPLE = dict.fromkeys(("role", "kind", "email", "address", "name", "rsvp"), _TEXT)
_EXCEPTION = {
    "recurrence_id": _TEXT,
    "start": _MOMENT,
    "end": _MOMENT,
    "status": _TEXT,
    "summary": _TEXT,
    "location": _TEXT,
}

STREAMS: Mapping[str, StreamInfo] = {
    EVENTS: StreamInfo(
        EVENTS,
        {**_SHARED, "end": _MOMENT, "location": _TEXT, "url": _TEXT},
        {"attendees": _PEOPLE, "alarms": _ALARMS, "exceptions": _EXCEPTION},
        (KEY,),
    ),
    TODOS: StreamInfo(
        TODOS,
        {**_SHARED, "due": _MOMENT, "completed": _MOMENT, "created": _MOMENT, "priority": _TEXT},
        {"alarms": _ALARMS},
        (KEY,),
    ),
}

_STATUS = {
    EVENTS: {"TENTATIVE": "tentative", "CANCELLED": "cancelled"},
    TODOS: {"IN-PROCESS": "in_progress", "COMPLETED": "done", "CANCELLED": "cancelled"},
}
_USUAL = {EVENTS: "confirmed", TODOS: "not_started"}
_CLASS = {"PUBLIC": "public", "PRIVATE": "private", "CONFIDENTIAL": "confidential"}
_PRIORITY = ("", "urgent", "high", "high", "high", "normal", "low", "low", "low", "low")


def stream_of(calendar: Component) -> str | None:
    """The stream that a resource belongs to; ``None`` for what is neither a meeting nor a task (a journal)."""
    return next((stream for stream, name in COMPONENT.items() if calendar.named(name)), None)


def master(calendar: Component, stream: str) -> Component:
    """The component that the others are exceptions of; of an invitation to one occurrence alone, that occurrence."""
    parts = calendar.named(COMPONENT[stream])
    if not parts:
        raise Malformed(f"no {COMPONENT[stream]}")
    return next((part for part in parts if part.line("RECURRENCE-ID") is None), parts[0])


def record(stream: str, calendar: Component, zones: Zones) -> dict[str, Any]:
    """All fields but key, version and calendar; ``Malformed`` where it cannot be read."""
    part = master(calendar, stream)
    start = moment(part, "DTSTART", zones)
    end = ending(part, start, zones, "DTEND" if stream == EVENTS else "DUE")
    anchor = start or end
    made: dict[str, Any] = {
        "uid": part.text("UID"),
        "summary": part.text("SUMMARY"),
        "description": part.text("DESCRIPTION"),
        "start": _said(start),
        "all_day": bool(anchor and anchor.whole_day),
        "tz": zone_name(anchor),
        "status": status(part, stream),
        "class": _CLASS.get(part.text("CLASS").upper(), ""),
        "rrule": rule(part),
        "removed": part.line(REMOVED) is not None and status(part, stream) == "cancelled",
        "alarms": alarms(part, start, end, zones),
    }
    if stream == EVENTS:
        if start is None:
            raise Malformed("a meeting without DTSTART")
        made["end"] = _said(end)
        made["location"] = part.text("LOCATION")
        call = join(part)
        made["url"] = call.text if call is not None else ""
        made["attendees"] = attendees(part)
        made["exceptions"] = exceptions(calendar, part, zones)
        return made
    made["due"] = _said(end)
    made["completed"] = _said(moment(part, "COMPLETED", zones))
    made["created"] = _said(moment(part, "CREATED", zones))
    made["priority"] = priority(part)
    return made


def broken(why: Malformed) -> dict[str, Any]:
    """A resource that cannot be read: without what a mapping needs, so that it goes to quarantine with its reason."""
    return {"broken": str(why)}


def moment(part: Component, name: str, zones: Zones) -> Moment | None:
    """A property that is a moment."""
    line = part.line(name)
    return zones.read(line) if line is not None and line.value.strip() else None


def ending(part: Component, start: Moment | None, zones: Zones, name: str) -> Moment | None:
    """When it ends or is due: told, or so long after its start; a whole day without either ends with the day."""
    found = moment(part, name, zones)
    if found is not None or start is None:
        return found
    lasts = part.line("DURATION")
    if lasts is not None:
        return start.later(duration(lasts.value))
    if name == "DUE":
        return None
    return start.later(duration("P1D")) if start.whole_day else start


def zone_name(at: Moment | None) -> str:
    """The zone a moment is told in: its ``TZID``, ``UTC``, or nothing for a whole day and everybody's own clock."""
    if at is None or at.whole_day:
        return ""
    return "UTC" if at.utc else at.tzid


def status(part: Component, stream: str) -> str:
    """How it stands, in the hub's words."""
    return _STATUS[stream].get(part.text("STATUS").upper(), _USUAL[stream])


def priority(part: Component) -> str:
    """1 is the highest of nine, 0 is none."""
    text = part.text("PRIORITY").strip()
    return _PRIORITY[int(text)] if len(text) == 1 and text.isdigit() else ""


def join(part: Component) -> Line | None:
    """The property that holds the address of the call."""
    return next((line for name in JOIN if (line := part.line(name)) is not None and line.value.strip()), None)


def _said(at: Moment | None) -> str:
    return "" if at is None else told(at.instant)
