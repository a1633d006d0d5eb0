"""Events of Microsoft Graph as records, and changes as its patches. Not tried against the live service."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from connectors.calendars.account import Account
from connectors.calendars.cloud.occurrences import Occurrence, differing, version
from connectors.calendars.ical.moments import heard, named, told
from connectors.calendars.ical.record import VERSION
from connectors.calendars.ical.series import ordered
from hub.model.identity import email_norm

Item = Mapping[str, Any]
#: Under this name an event remembers which record of the hub it was made for.
KEY_PROPERTY = "String {6f0d3c3e-8a54-5b1e-9c1b-0b6d5f7a2e11} Name ObmenKey"
#: What a record is made of; the last two only come when they are asked for by name.
FIELDS = (
    "subject", "body", "location", "onlineMeeting", "start", "end", "isAllDay", "originalStartTimeZone", "isCancelled",
    "sensitivity", "recurrence", "attendees", "organizer", "isReminderOn", "reminderMinutesBeforeStart", "iCalUId",
    "changeKey", "type", "exceptionOccurrences", "cancelledOccurrences",
)  # fmt: skip
_RSVP = {
    "none": "needs_action",
    "notResponded": "needs_action",
    "accepted": "accepted",
    "organizer": "accepted",
    "declined": "declined",
    "tentativelyAccepted": "tentative",
}
_CLASS = {"private": "private", "personal": "private", "confidential": "confidential"}
_FREQ = {"daily": "DAILY", "weekly": "WEEKLY", "absoluteMonthly": "MONTHLY", "relativeMonthly": "MONTHLY",
         "absoluteYearly": "YEARLY", "relativeYearly": "YEARLY"}  # fmt: skip
_WEEKS = {"first": 1, "second": 2, "third": 3, "fourth": 4, "last": -1}
_TAG = re.compile(r"(?s)<(?:style|script)\b.*?</(?:style|script)\s*>|<[^>]*>")


def read(item: Item, zone: ZoneInfo) -> dict[str, Any]:
    """A whole meeting, with the exceptions that came with it."""
    start, end = moment(item["start"], zone), moment(item.get("end") or item["start"], zone)
    whole = bool(item.get("isAllDay"))
    if whole:  # midnight of the mailbox's day is told as midnight of UTC
        start, end = _day(item["start"], zone), _day(item.get("end") or item["start"], zone)
    made = {
        "uid": str(item.get("iCalUId") or ""),
        "summary": str(item.get("subject") or ""),
        "description": text_of(item.get("body") or {}),
        "location": str((item.get("location") or {}).get("displayName") or ""),
        "url": str((item.get("onlineMeeting") or {}).get("joinUrl") or ""),
        "start": told(start),
        "end": told(end),
        "all_day": whole,
        "tz": "" if whole else str(item.get("originalStartTimeZone") or ""),
        "status": "cancelled" if item.get("isCancelled") else "confirmed",
        "class": _CLASS.get(str(item.get("sensitivity")), ""),
        "rrule": rule(item.get("recurrence") or {}),
        "removed": False,
        "attendees": _people(item),
        "alarms": _alarms(item),
    }
    rows = differing([*_moved(item, zone), *_called_off(item, start, zone)], made, zone)
    etag = str(item.get("@odata.etag") or item.get("changeKey") or "")
    return {VERSION: version(etag, rows), **made, "exceptions": rows}


def moment(at: Item, zone: ZoneInfo) -> datetime:
    """``{dateTime, timeZone}`` in UTC."""
    found = datetime.fromisoformat(str(at["dateTime"])[:19])
    name = str(at.get("timeZone") or "UTC")
    return found.replace(tzinfo=UTC if name == "UTC" else named(name) or zone).astimezone(UTC)


def _day(at: Item, zone: ZoneInfo) -> datetime:
    return datetime.fromisoformat(str(at["dateTime"])[:10]).replace(tzinfo=zone).astimezone(UTC)


def text_of(body: Item) -> str:
    """A body as a text."""
    content = str(body.get("content") or "")
    if body.get("contentType") == "html":
        content = html.unescape(_TAG.sub("", content.replace("<br>", "\n").replace("</p>", "\n")))
    return content.replace("\r\n", "\n").strip()


def rule(recurrence: Item) -> str:
    """A pattern with its range as a rule of RFC 5545."""
    pattern, span = recurrence.get("pattern") or {}, recurrence.get("range") or {}
    kind = str(pattern.get("type") or "")
    if kind not in _FREQ:
        return ""
    parts = [f"FREQ={_FREQ[kind]}", f"INTERVAL={pattern.get('interval') or 1}"]
    days = [str(day)[:2].upper() for day in pattern.get("daysOfWeek") or ()]
    if kind.startswith("relative"):
        week = _WEEKS.get(str(pattern.get("index") or "first"), 1)
        days = [f"{week}{day}" for day in days]
    if days and kind != "daily":
        parts.append(f"BYDAY={','.join(days)}")
    if kind.startswith("absolute") and pattern.get("dayOfMonth"):
        parts.append(f"BYMONTHDAY={pattern['dayOfMonth']}")
    if kind.endswith("Yearly") and pattern.get("month"):
        parts.append(f"BYMONTH={pattern['month']}")
    if span.get("type") == "numbered":
        parts.append(f"COUNT={span['numberOfOccurrences']}")
    elif span.get("type") == "endDate":
        parts.append(f"UNTIL={date.fromisoformat(str(span['endDate'])):%Y%m%d}")
    return ordered(";".join(parts))


def written(body: Item, before: Item, account: Account) -> dict[str, Any]:
    """A patch that makes the event show the fields. ``before``: the record that stands there, empty for a new one."""
    made: dict[str, Any] = {}
    if "summary" in body:
        made["subject"] = body["summary"]
    if "description" in body:
        made["body"] = {"contentType": "text", "content": body["description"]}
    if "location" in body:
        made["location"] = {"displayName": body["location"]}
    if {"start", "end", "all_day", "tz"} & body.keys():
        whole = bool(body.get("all_day", before.get("all_day", False)))
        made["isAllDay"] = whole
        zone = str(body.get("tz") or before.get("tz") or account.timezone)
        for name in ("start", "end"):
            at = body.get(name) or before.get(name) or body.get("start") or before.get("start")
            own = account.zone if whole else named(zone) or account.zone
            local = heard(str(at)).astimezone(own).strftime("%Y-%m-%dT%H:%M:%S")
            made[name] = {"dateTime": local, "timeZone": str(own)}
    if "class" in body:
        made["sensitivity"] = "normal" if body["class"] in {"", "public"} else body["class"]
    if "attendees" in body:
        made["attendees"] = [_person(row) for row in body["attendees"] if row["role"] == "attendee"]
    if "alarms" in body:
        offsets = [-int(row["offset_s"]) // 60 for row in body["alarms"] if row.get("offset_s") is not None]
        made["isReminderOn"] = bool(offsets)
        if offsets:
            made["reminderMinutesBeforeStart"] = max(0, *offsets[:1])
    return made


def occurrence(goal: Occurrence, series: Item, account: Account) -> dict[str, Any]:
    """A patch that makes an occurrence what it must be."""
    texts = {"summary": goal.summary, "location": goal.location}
    return written({**texts, "start": goal.start, "end": goal.end}, series, account)


def name_of(moment_in_utc: str, *, whole: bool) -> str:
    """What an occurrence is known by: when it would have been. Of whole days midnight of UTC is told."""
    at = datetime.fromisoformat(moment_in_utc[:19])
    return f"{at:%Y-%m-%d}" if whole else told(at.replace(tzinfo=UTC))


def _people(item: Item) -> list[dict[str, Any]]:
    rows: dict[tuple[str, str, str], dict[str, Any]] = {}
    people: list[tuple[str, Item, Item]] = [("attendee", one, one) for one in item.get("attendees") or ()]
    if item.get("organizer"):
        people.insert(0, ("organizer", item["organizer"], {}))
    for role, one, said in people:
        mail = one.get("emailAddress") or {}
        norm, valid = email_norm(str(mail.get("address") or ""))
        kind = "other" if not valid else "service" if said.get("type") == "resource" else "email"
        rsvp = _RSVP.get(str((said.get("status") or {}).get("response")), "")
        row = {"role": role, "kind": kind, "email": norm, "address": str(mail.get("address") or "")}
        rows.setdefault((role, kind, norm), {**row, "name": str(mail.get("name") or ""), "rsvp": rsvp})
    return [rows[key] for key in sorted(rows) if key[2]]


def _person(row: Item) -> dict[str, Any]:
    mail = {"address": row.get("address") or row["email"], "name": row.get("name") or row["email"]}
    return {"type": "resource" if row.get("kind") == "service" else "required", "emailAddress": mail}


def _alarms(item: Item) -> list[dict[str, Any]]:
    if not item.get("isReminderOn"):
        return []
    return [{"offset_s": -60 * int(item.get("reminderMinutesBeforeStart") or 0), "at": "", "action": "display"}]


def _moved(item: Item, zone: ZoneInfo) -> list[dict[str, Any]]:
    rows = []
    for one in item.get("exceptionOccurrences") or ():
        name = name_of(str(one["originalStart"]), whole=bool(item.get("isAllDay")))
        if one.get("isCancelled"):
            rows.append(_off(name))
            continue
        at = _day if one.get("isAllDay") else moment
        rows.append(
            {
                "recurrence_id": name,
                "start": told(at(one["start"], zone)),
                "end": told(at(one["end"], zone)),
                "status": "confirmed",
                "summary": "" if one.get("subject") == item.get("subject") else str(one.get("subject") or ""),
                "location": "" if _place(one) == _place(item) else _place(one),
            }
        )
    return rows


def _called_off(item: Item, start: datetime, zone: ZoneInfo) -> list[dict[str, Any]]:
    """Told as ``OID.<id of the series>.<day>``: of that day, at the time of the series by its own clock."""
    own = named(str(item.get("originalStartTimeZone") or "")) or zone
    rows = []
    for text in item.get("cancelledOccurrences") or ():
        day = str(text).rpartition(".")[2]
        if item.get("isAllDay"):
            rows.append(_off(day))
        else:
            local = datetime.combine(date.fromisoformat(day), start.astimezone(own).time(), own)
            rows.append(_off(told(local)))
    return rows


def _off(name: str) -> dict[str, Any]:
    return {"recurrence_id": name, "start": "", "end": "", "status": "cancelled", "summary": "", "location": ""}


def _place(item: Item) -> str:
    return str((item.get("location") or {}).get("displayName") or "")
