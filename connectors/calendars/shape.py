"""Records of every kind of calendar: what may be asked for, what may be written, and in which form."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from connectors.base import Change, ReadRequest, StreamInfo
from connectors.calendars.ical import alarms, people
from connectors.calendars.ical.moments import heard, told
from connectors.calendars.ical.record import KEY, STREAMS, VERSION
from connectors.calendars.ical.series import ordered
from connectors.writing import Refused
from hub.model.errors import SkipRecord, StopRoute
from hub.model.records import Window

Record = dict[str, Any]
_OPEN_FROM, _OPEN_TO = date.min, date(9999, 1, 1)
_OWN = frozenset({KEY, VERSION, "calendar", "broken"})
_WORDS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "events": {"status": ("confirmed", "tentative", "cancelled")},
    "todos": {
        "status": ("not_started", "in_progress", "done", "cancelled"),
        "priority": ("", "low", "normal", "high", "urgent"),
    },
}
_UNSAID: Mapping[str, tuple[str, ...]] = {"attendees": ("address", "name", "rsvp"), "exceptions": ("start", "end")}
_CLASSES = ("", "public", "private", "confidential")
_ROW_KEYS: Mapping[str, Callable[[Mapping[str, Any]], Any]] = {
    "alarms": lambda row: tuple(str(part) for part in alarms.key(row)),
    "attendees": people.key,
    "exceptions": lambda row: str(row.get("recurrence_id") or ""),
}


def info_of(stream: str, system: str) -> StreamInfo:
    """What a stream offers; ``StopRoute(unknown_set)``."""
    found = STREAMS.get(stream)
    if found is None:
        raise StopRoute("unknown_set", system=system, stream=stream)
    return found


def checked(request: ReadRequest, system: str) -> StreamInfo:
    """The stream of a request whose fields are all there; ``StopRoute(unknown_set | unknown_field)``."""
    info = info_of(request.stream, system)
    named = (*request.fields, *filter(None, (request.date_field,)))
    for name in named:
        if name not in info.fields and name not in info.tables:
            raise StopRoute("unknown_field", system=system, stream=request.stream, field=name)
    return info


def fingerprint() -> str:
    """SHA-256 of what is offered."""
    told_of = {name: (info.fields, info.tables, info.key) for name, info in STREAMS.items()}
    return hashlib.sha256(msgspec.json.encode(told_of, order="sorted")).hexdigest()


def encoded(record: Record, fields: Sequence[str]) -> bytes:
    """A record with the key and the fields that were asked for, all without any."""
    wanted = record if not fields else {name: record[name] for name in (KEY, *fields) if name in record}
    return msgspec.json.encode(wanted)


def only_versions(request: ReadRequest) -> bool:
    """Whether nothing is asked for but keys and versions."""
    return request.fields == (VERSION,) and not bounded(request)


def bounded(request: ReadRequest) -> Window | None:
    """The window of a request, if it has one that leaves anything out."""
    window = request.window
    if window is None or not request.date_field or (window.start <= _OPEN_FROM and window.end >= _OPEN_TO):
        return None
    return window


def inside(request: ReadRequest, record: Record, zone: ZoneInfo) -> bool:
    """Whether a record is dated within the window of a request, by the account's own calendar."""
    window = bounded(request)
    if window is None:
        return True
    at = record.get(request.date_field)
    return bool(at) and window.start <= heard(str(at)).astimezone(zone).date() < window.end


def body(stream: str, change: Change, system: str, fixed: frozenset[str] = frozenset()) -> Record:
    """The fields of a change in the form that a record shows them; ``Refused`` for what cannot be written.

    ``fixed``: fields that this kind of calendar keeps itself.
    """
    info = info_of(stream, system)
    made: Record = {}
    for name, value in change.fields.items():
        writable = name in {*info.fields, *info.tables} and name not in _OWN | fixed
        if not writable or (name == "uid" and not change.create):
            raise Refused(SkipRecord("field_not_writable", name, system=system, stream=stream))
        try:
            made[name] = _rows(info, name, value) if name in info.tables else _value(stream, info.fields, name, value)
        except (ValueError, TypeError, KeyError):
            raise Refused(SkipRecord("calendar_bad_value", name, system=system, stream=stream)) from None
    if change.create and stream == "events" and not made.get("start"):
        raise Refused(SkipRecord("calendar_bad_value", "start", system=system, stream=stream))
    return made


def _value(stream: str, kinds: Mapping[str, str], name: str, value: Any) -> Any:
    if kinds[name] == "boolean":
        return bool(value)
    if value is None or value == "":
        if name == "status":
            raise ValueError(name)
        return ""
    if kinds[name] == "timestamp":
        return told(heard(value))
    if kinds[name] == "integer":
        return int(value)
    text = str(value)
    words = _CLASSES if name == "class" else _WORDS.get(stream, {}).get(name)
    if words is not None and text not in words:
        raise ValueError(text)
    return ordered(text) if name == "rrule" else text.replace("\r\n", "\n")


def _rows(info: StreamInfo, name: str, value: Any) -> list[Record]:
    """Rows in the order in which a record shows them, without the numbers that no calendar has."""
    kinds = info.tables[name]
    rows = []
    for row in value:
        told_of = {key: one for key, one in row.items() if key != "LineNumber"}
        rows.append({key: _value("", {key: kinds[key]}, key, one) for key, one in told_of.items() if key != "status"})
        if "status" in told_of:
            rows[-1]["status"] = str(told_of["status"] or "confirmed")
        for key in _UNSAID.get(name, ()):  # an empty one says nothing of what stands there
            if rows[-1].get(key) == "":
                del rows[-1][key]
        if "offset_s" in told_of and told_of["offset_s"] in {None, ""}:
            rows[-1]["offset_s"] = None
    return sorted(rows, key=lambda row: _sort_key(name, row))


def _sort_key(name: str, row: Record) -> Any:
    if name == "alarms":
        offset, at = alarms.key(row)
        return (offset is None, offset or 0, at)
    return _ROW_KEYS[name](row)


def whole(request: ReadRequest) -> ReadRequest:
    """The same request for all fields."""
    return replace(request, fields=())


def now_in(zone: ZoneInfo) -> datetime:
    """The account's own time."""
    return datetime.now(zone)
