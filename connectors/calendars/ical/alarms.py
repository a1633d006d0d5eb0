"""Reminders: so many seconds from the start (of a task without one: from when it is due), or at a moment told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from connectors.calendars.ical.lines import Component, Line, Malformed, escaped
from connectors.calendars.ical.moments import Moment, Zones, duration, heard, spelled, told

_ACTIONS = {"DISPLAY": "display", "EMAIL": "email", "AUDIO": "audio"}
Row = Mapping[str, Any]


def alarms(part: Component, start: Moment | None, end: Moment | None, zones: Zones) -> list[dict[str, Any]]:
    """One row for each reminder whose time can be told, in a stable order, each time once."""
    found: dict[tuple[int | None, str], dict[str, Any]] = {}
    for alarm in part.named("VALARM"):
        row = _row(alarm, start, end, zones)
        if row is not None:
            found.setdefault(key(row), row)
    return [found[one] for one in sorted(found, key=lambda one: (one[0] is None, one[0] or 0, one[1]))]


def key(row: Row) -> tuple[int | None, str]:
    """What tells one reminder from another."""
    offset = row.get("offset_s")
    return (int(offset) if offset is not None and offset != "" else None, str(row.get("at") or ""))


def put_alarms(
    part: Component, rows: Sequence[Row], start: Moment | None, end: Moment | None, zones: Zones, owner: str
) -> None:
    """Make the reminders those of ``rows``: what is there already stays as it is, what nobody wants goes."""
    left = {key(row): row for row in rows}
    kept: list[Line | Component] = []
    for piece in part.parts:
        row = _row(piece, start, end, zones) if isinstance(piece, Component) and piece.name == "VALARM" else None
        if row is None or not isinstance(piece, Component):
            kept.append(piece)
        elif key(row) in left:
            _act(piece, left.pop(key(row)), part, owner)
            kept.append(piece)
    part.parts = [*kept, *(_made(row, part, start is None and end is not None, owner) for row in left.values())]


def _row(alarm: Component, start: Moment | None, end: Moment | None, zones: Zones) -> dict[str, Any] | None:
    trigger = alarm.line("TRIGGER")
    if trigger is None:
        return None
    action = _ACTIONS.get(alarm.text("ACTION").upper(), "")
    try:
        if trigger.params.get("VALUE", "").upper() == "DATE-TIME":
            return {"offset_s": None, "at": told(zones.read(trigger).instant), "action": action}
        offset = int(duration(trigger.value).total_seconds())
    except Malformed:
        return None  # it reminds nobody; the meeting is worth more
    if trigger.params.get("RELATED", "").upper() == "END" and start is not None and end is not None:
        offset += int((end.instant - start.instant).total_seconds())
    return {"offset_s": offset, "at": "", "action": action}


def _made(row: Row, part: Component, by_end: bool, owner: str) -> Component:
    offset, at = key(row)
    alarm = Component("VALARM")
    if offset is None:
        alarm.put("TRIGGER", heard(at).strftime("%Y%m%dT%H%M%SZ"), {"VALUE": "DATE-TIME"})
    else:
        alarm.put("TRIGGER", spelled(offset), {"RELATED": "END"} if by_end else {})
    _act(alarm, {"action": row.get("action") or "display"}, part, owner)
    return alarm


def _act(alarm: Component, row: Row, part: Component, owner: str) -> None:
    action = str(row.get("action") or "").upper()
    if not action or alarm.text("ACTION").upper() == action:
        return
    alarm.put("ACTION", action)
    if action in {"DISPLAY", "EMAIL"} and alarm.line("DESCRIPTION") is None:
        alarm.put("DESCRIPTION", escaped(part.text("SUMMARY") or "."))
    if action == "EMAIL":
        alarm.put("SUMMARY", escaped(part.text("SUMMARY") or "."))
        if alarm.line("ATTENDEE") is None and owner:
            alarm.put("ATTENDEE", f"mailto:{owner}")
