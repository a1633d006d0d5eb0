"""Series: the rule, and the occurrences that differ from it.

An occurrence is known by when it would have been (``recurrence_id``), which never changes: one that was moved is still
that one, never a new meeting. One that is called off says only that.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from connectors.calendars.ical.lines import Component, Line, Malformed, escaped
from connectors.calendars.ical.moments import Moment, Zones, duration, heard, told

_ORDER = (
    "FREQ", "INTERVAL", "COUNT", "UNTIL", "BYMONTH", "BYWEEKNO", "BYYEARDAY", "BYMONTHDAY", "BYDAY", "BYHOUR",
    "BYMINUTE", "BYSECOND", "BYSETPOS", "WKST",
)  # fmt: skip
#: What an occurrence does not take over from its series.
_MASTERS = {"RRULE", "RDATE", "EXDATE", "EXRULE", "RECURRENCE-ID", "DTSTART", "DTEND", "DURATION", "STATUS"}
_FUTURE = "/future"
Row = Mapping[str, Any]


def rule(part: Component) -> str:
    """The rule of a series, its parts in one order whatever order they were written in; empty for a single meeting."""
    return ordered(part.text("RRULE"))


def ordered(text: str) -> str:
    """A rule in that order."""
    parts = dict(piece.split("=", 1) for piece in text.strip().upper().split(";") if "=" in piece)
    if parts.get("INTERVAL") == "1":
        del parts["INTERVAL"]  # a server may fill it in, or leave it out
    names = sorted(parts, key=lambda name: (_ORDER.index(name) if name in _ORDER else len(_ORDER), name))
    return ";".join(f"{name}={parts[name]}" for name in names)


def exceptions(calendar: Component, whole: Component, zones: Zones) -> list[dict[str, Any]]:
    """A row for each occurrence that differs, by ``recurrence_id``; of texts only what is not that of the series."""
    found: dict[str, dict[str, Any]] = {}
    for line in whole.lines("EXDATE"):
        for value in line.value.split(","):
            at = zones.value(value.strip(), line.params.get("TZID", ""))
            found[at.key] = _called_off(at.key)
    for part in occurrences(calendar, whole):
        row = _row(part, whole, zones)
        found[row["recurrence_id"]] = row
    return [found[one] for one in sorted(found)]


def occurrences(calendar: Component, whole: Component) -> list[Component]:
    """The components of single occurrences."""
    return [part for part in calendar.named(whole.name) if part is not whole and part.line("RECURRENCE-ID") is not None]


def recurrence_id(part: Component, zones: Zones) -> str:
    """Which occurrence it is; one that stands for all after it as well says so."""
    line = part.line("RECURRENCE-ID")
    if line is None:
        raise Malformed("no RECURRENCE-ID")
    return zones.read(line).key + (_FUTURE if line.params.get("RANGE") else "")


def put_exceptions(calendar: Component, whole: Component, rows: Sequence[Row], zones: Zones) -> None:
    """Make the occurrences that differ those of ``rows``; one that is not among them is as the series has it again."""
    wanted = {str(row["recurrence_id"]): row for row in rows}
    _put_back(whole, wanted, zones)
    standing = {_row(part, whole, zones)["recurrence_id"]: part for part in occurrences(calendar, whole)}
    excluded = {row["recurrence_id"] for row in exceptions(calendar, whole, zones)} - standing.keys()
    calendar.parts = [part for name, part in _placed(calendar, standing) if not name or name in wanted]
    for name, row in wanted.items():
        if name in excluded and row.get("status") == "cancelled":
            continue
        part = standing.get(name)
        if part is None:
            part = _begun(whole, name, zones)
            calendar.parts.append(part)
        _tell(part, whole, row, zones)


def shift(calendar: Component, whole: Component, before: Moment, after: Moment, zones: Zones) -> None:
    """The series has moved: what names its occurrences moves along, or they would name none."""
    for line in whole.lines("EXDATE"):
        days = [zones.value(value.strip(), line.params.get("TZID", "")) for value in line.value.split(",")]
        moved = [_moved(day, before, after).line("EXDATE") for day in days]
        line.value, line.params, line.raw = ",".join(one.value for one in moved), moved[0].params, ""
    for part in occurrences(calendar, whole):
        named = part.line("RECURRENCE-ID")
        if named is not None:
            new = _moved(zones.read(named), before, after).line("RECURRENCE-ID")
            named.value, named.params, named.raw = new.value, {**_besides(named), **new.params}, ""


def _besides(line: Line) -> dict[str, str]:
    return {name: value for name, value in line.params.items() if name not in {"TZID", "VALUE"}}


def _moved(at: Moment, before: Moment, after: Moment) -> Moment:
    """By the clock on the wall: a series that moves by an hour does so in summer and in winter."""
    local = at.instant.astimezone(before.zone).replace(tzinfo=None) + (after.local - before.local)
    if after.whole_day:
        local = local.replace(hour=0, minute=0, second=0)
    return Moment(local, after.zone, after.tzid, after.utc, after.whole_day, after.unknown)


def _placed(calendar: Component, standing: Mapping[str, Component]) -> list[tuple[str, Line | Component]]:
    names = {id(part): name for name, part in standing.items()}
    return [(names.get(id(part), ""), part) for part in calendar.parts]


def _called_off(name: str) -> dict[str, Any]:
    return {"recurrence_id": name, "start": "", "end": "", "status": "cancelled", "summary": "", "location": ""}


def _row(part: Component, whole: Component, zones: Zones) -> dict[str, Any]:
    name = recurrence_id(part, zones)
    if part.text("STATUS").upper() == "CANCELLED":
        return _called_off(name)
    start = part.line("DTSTART")
    at = zones.read(start) if start is not None else None
    return {
        "recurrence_id": name,
        "start": told(at.instant) if at is not None else "",
        "end": _end(part, at, zones),
        "status": "confirmed",
        "summary": _own(part, whole, "SUMMARY"),
        "location": _own(part, whole, "LOCATION"),
    }


def _own(part: Component, whole: Component, name: str) -> str:
    text = part.text(name)
    return "" if text == whole.text(name) else text


def _end(part: Component, start: Moment | None, zones: Zones) -> str:
    line, lasts = part.line("DTEND"), part.line("DURATION")
    if line is not None:
        return told(zones.read(line).instant)
    if start is None:
        return ""
    span = duration(lasts.value if lasts is not None else "P1D" if start.whole_day else "PT0S")
    return told(start.later(span).instant)


def _put_back(whole: Component, wanted: Mapping[str, Row], zones: Zones) -> None:
    """Take an occurrence that is to be again off the list of those that are not."""
    lines = []
    for line in whole.lines("EXDATE"):
        values = [value.strip() for value in line.value.split(",")]
        names = {value: zones.value(value, line.params.get("TZID", "")).key for value in values}
        kept = [one for one in values if wanted.get(names[one], {}).get("status") == "cancelled"]
        if kept != values:
            line.value, line.raw = ",".join(kept), ""
        lines += [line] if kept else []
    whole.replace("EXDATE", lines)


def named_moment(name: str, like: Moment) -> Moment:
    """The moment that an occurrence is named after, told as its series tells its start; ``ValueError`` for no name."""
    bare = name.removesuffix(_FUTURE)
    if len(bare) == 10:
        return Moment(datetime.fromisoformat(bare), like.zone, whole_day=True)
    if bare.endswith("Z"):
        return like.at(heard(bare))
    return Moment(datetime.fromisoformat(bare), like.zone)


def _begun(whole: Component, name: str, zones: Zones) -> Component:
    """A new occurrence: what its series says, at the moment that the series has it."""
    line = whole.line("DTSTART")
    if line is None:
        raise Malformed("no DTSTART")
    start = zones.read(line)
    at = named_moment(name, start)
    part = Component(whole.name)
    for piece in whole.parts:
        if not isinstance(piece, Line) or piece.name not in _MASTERS:
            part.parts.append(copy.deepcopy(piece))
    part.replace("RECURRENCE-ID", [at.line("RECURRENCE-ID")])
    part.replace("DTSTART", [at.line("DTSTART")])
    ended = _end(whole, start, zones)
    if ended:
        span = start.at(heard(ended)).local - start.local
        part.replace("DTEND", [at.later(span).line("DTEND")])
    return part


def _tell(part: Component, whole: Component, row: Row, zones: Zones) -> None:
    if row.get("status") == "cancelled":
        part.put("STATUS", "CANCELLED")
        return
    if part.text("STATUS").upper() == "CANCELLED":
        part.put("STATUS", "CONFIRMED")
    line = part.line("DTSTART") or whole.line("DTSTART")
    if line is None:
        raise Malformed("no DTSTART")
    start = zones.read(line)
    ends = {"start": told(start.instant), "end": _end(part, start, zones)}
    if row.get("start") and row["start"] != ends["start"]:
        part.replace("DTSTART", [start.at(heard(row["start"])).line("DTSTART")])
    if row.get("end") and (row["end"] != ends["end"] or part.line("DURATION") is not None):
        part.put("DURATION", None)
        part.replace("DTEND", [start.at(heard(row["end"])).line("DTEND")])
    for name, prop in (("summary", "SUMMARY"), ("location", "LOCATION")):
        if name in row and (row[name] or "") != _own(part, whole, prop):
            text = row[name] or whole.text(prop)
            part.put(prop, escaped(text) if text else None)


def now_stamp(at: datetime) -> str:
    """A moment as ``DTSTAMP`` writes it."""
    return at.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
