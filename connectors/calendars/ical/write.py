"""A change put into a resource: only what it names, told as the resource tells it (its zone, its way to say an end)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from connectors.calendars.ical.alarms import put_alarms
from connectors.calendars.ical.lines import Component, Line, Malformed, calendars
from connectors.calendars.ical.moments import Moment, Zones, explained, heard, named, rules_of
from connectors.calendars.ical.people import put_attendees
from connectors.calendars.ical.record import COMPONENT, EVENTS, REMOVED, ending, join, master, moment, priority
from connectors.calendars.ical.record import status as standing
from connectors.calendars.ical.series import now_stamp, put_exceptions, rule, shift

PRODID = "-//Obmen//Obmen hub//RU"
_STATUS = {
    "confirmed": "CONFIRMED",
    "tentative": "TENTATIVE",
    "cancelled": "CANCELLED",
    "not_started": "NEEDS-ACTION",
    "in_progress": "IN-PROCESS",
    "done": "COMPLETED",
}
_PRIORITY = {"urgent": "1", "high": "3", "normal": "5", "low": "9"}
_TEXTS = {"summary": "SUMMARY", "description": "DESCRIPTION", "location": "LOCATION"}
_TIMES = frozenset({"start", "end", "due", "all_day", "tz"})
#: What those who were invited have to be told of anew.
_WEIGHTY = _TIMES | {"rrule", "exceptions", "status", "removed"}


def new(stream: str, uid: str) -> Component:
    """An empty resource."""
    made = Component("VCALENDAR")
    made.put("VERSION", "2.0")
    made.put("PRODID", PRODID)
    part = Component(COMPONENT[stream])
    part.put("UID", uid)
    made.parts.append(part)
    return made


def put(calendar: Component, stream: str, fields: Mapping[str, Any], zones: Zones, owner: str, at: datetime) -> None:
    """Change what ``fields`` name (see ``record``); ``Malformed`` or ``ValueError`` where that makes no sense.

    ``owner``: address of whose calendar it is; ``at``: now.
    """
    part = master(calendar, stream)
    if _TIMES & fields.keys():
        _times(calendar, part, stream, fields, zones)
    _plain(part, fields)
    _state(part, stream, fields, at)
    start = moment(part, "DTSTART", zones)
    if "alarms" in fields:
        end = ending(part, start, zones, _end_name(stream))
        put_alarms(part, fields["alarms"], start, end, zones, owner)
    if "attendees" in fields:
        put_attendees(part, fields["attendees"])
    if "exceptions" in fields:
        put_exceptions(calendar, part, fields["exceptions"], zones)
    if _WEIGHTY & fields.keys() and part.line("ORGANIZER") is not None:
        number = part.text("SEQUENCE").strip()
        part.put("SEQUENCE", str(int(number) + 1 if number.isdigit() else 1))
    _stamp(calendar, part, at)


def _plain(part: Component, fields: Mapping[str, Any]) -> None:
    """Properties that stand each for itself."""
    for name, prop in _TEXTS.items():
        if name in fields:
            part.put_text(prop, str(fields[name] or ""))
    if "rrule" in fields and fields["rrule"] != rule(part):
        part.put("RRULE", fields["rrule"] or None)
    if "url" in fields:
        found = join(part)
        part.put(found.name if found is not None else "URL", str(fields["url"] or "") or None)
    if "class" in fields:
        part.put("CLASS", str(fields["class"] or "").upper() or None)
    if "priority" in fields and fields["priority"] != priority(part):
        part.put("PRIORITY", _PRIORITY[fields["priority"]] if fields["priority"] else None)
    if "created" in fields:
        part.put("CREATED", _utc(fields["created"]))


def _end_name(stream: str) -> str:
    return "DTEND" if stream == EVENTS else "DUE"


def _utc(text: Any) -> str | None:
    return heard(text).strftime("%Y%m%dT%H%M%SZ") if text else None


def _state(part: Component, stream: str, fields: Mapping[str, Any], at: datetime) -> None:
    """Its status, and what goes with it. An ended record is cancelled, never removed."""
    if "status" in fields and fields["status"] != standing(part, stream):
        part.put("STATUS", _STATUS[fields["status"]])
        if fields["status"] == "done":
            part.put("PERCENT-COMPLETE", "100")
            if part.line("COMPLETED") is None:
                part.put("COMPLETED", now_stamp(at))
        elif stream != EVENTS:
            part.put("COMPLETED", None)
            part.put("PERCENT-COMPLETE", None)
    if fields.get("completed") or ("completed" in fields and standing(part, stream) != "done"):
        part.put("COMPLETED", _utc(fields["completed"]))
    if "removed" not in fields:
        return
    if fields["removed"]:
        part.put("STATUS", "CANCELLED")
        part.put(REMOVED, "TRUE")
    elif part.line(REMOVED) is not None:
        part.put(REMOVED, None)
        if "status" not in fields:
            part.put("STATUS", "CONFIRMED" if stream == EVENTS else "NEEDS-ACTION")


def _times(calendar: Component, part: Component, stream: str, fields: Mapping[str, Any], zones: Zones) -> None:
    """Start and end. Who moves the start alone means that the end stays where it is."""
    name = _end_name(stream)
    start = moment(part, "DTSTART", zones)
    end = ending(part, start, zones, name)
    lasts = part.line("DURATION") is not None
    form = _form(fields, start or end, zones)
    key = "end" if stream == EVENTS else "due"
    new_start = _new(fields, "start", start, form)
    # An end that nobody has told follows from the start.
    told = key in fields or lasts or part.line(name) is not None
    new_end = _new(fields, key, end, form) if told else None
    if new_start is not None and new_end is not None and new_end.instant < new_start.instant:
        raise Malformed("it would end before it begins")
    if new_start != start:
        if start is not None and new_start is not None and part.line("RRULE") is not None:
            shift(calendar, part, start, new_start, zones)
        part.replace("DTSTART", [new_start.line("DTSTART")] if new_start is not None else [])
    if told and (new_end != end or (lasts and new_start != start)):
        part.put("DURATION", None)
        part.replace(name, [new_end.line(name)] if new_end is not None and _worth(new_start, new_end, stream) else [])
    for at in (new_start, new_end):
        if at is not None and at.tzid:
            explain(calendar, at)


def _worth(start: Moment | None, end: Moment, stream: str) -> bool:
    """A meeting that ends when it begins says no end."""
    return stream != EVENTS or start is None or end.instant > start.instant


def _form(fields: Mapping[str, Any], before: Moment | None, zones: Zones) -> Moment:
    """How moments are to be told: as before, unless the change names a zone, or makes a whole day of it."""
    form = before or Moment(datetime(2000, 1, 1), zones.own, str(zones.own))  # noqa: DTZ001 - only its form counts
    if fields.get("tz"):
        zone = named(fields["tz"])
        if fields["tz"] == "UTC":
            form = Moment(form.local, UTC, utc=True)
        elif zone is not None:
            form = Moment(form.local, zone, fields["tz"])
    if fields.get("all_day"):
        return Moment(form.local, zones.own, whole_day=True)
    if "all_day" in fields and form.whole_day:
        return Moment(form.local, zones.own, str(zones.own))
    return form


def _new(fields: Mapping[str, Any], name: str, before: Moment | None, form: Moment) -> Moment | None:
    if name in fields:
        return form.at(heard(fields[name])) if fields[name] else None
    if before is None or {"all_day", "tz"} & fields.keys():
        return form.at(before.instant) if before is not None else None
    return before


def explain(calendar: Component, at: Moment) -> None:
    """A resource explains the zones that it names."""
    if at.tzid in explained(calendar) or not isinstance(at.zone, ZoneInfo) or at.unknown:
        return
    rules = rules_of(str(at.zone), (at.local - timedelta(days=366)).date())
    (wrapped,) = calendars(b"BEGIN:VCALENDAR\r\n" + rules + b"END:VCALENDAR\r\n")
    (zone,) = wrapped.named("VTIMEZONE")
    zone.put("TZID", at.tzid)
    first = next((n for n, part in enumerate(calendar.parts) if isinstance(part, Component)), len(calendar.parts))
    calendar.parts.insert(first, zone)


def _stamp(calendar: Component, part: Component, at: datetime) -> None:
    """Every component says when it was written; those that were there before keep saying when they were made."""
    for piece in calendar.named(part.name):
        if piece.line("DTSTAMP") is None:
            piece.parts.insert(0, Line("DTSTAMP", now_stamp(at)))
    part.put("LAST-MODIFIED", now_stamp(at))
