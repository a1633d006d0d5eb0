"""Events of Google Calendar as records, and changes as its patches. Not tried against the live service."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from connectors.calendars.account import Account
from connectors.calendars.cloud.occurrences import Occurrence, differing, version
from connectors.calendars.ical.moments import heard, named, told
from connectors.calendars.ical.record import VERSION
from connectors.calendars.ical.series import ordered
from hub.model.identity import email_norm

Item = Mapping[str, Any]
_RSVP = {
    "needsAction": "needs_action",
    "accepted": "accepted",
    "declined": "declined",
    "tentative": "tentative",
}
_METHODS = {"popup": "display", "email": "email"}
_REMOVED = "obmenRemoved"


def read(item: Item, exceptions: Sequence[Item], zone: ZoneInfo) -> dict[str, Any]:
    """A whole meeting."""
    start = item["start"]
    cancelled = item.get("status") == "cancelled"
    private = item.get("extendedProperties", {}).get("private", {})
    rules = [str(line) for line in item.get("recurrence", ())]
    made = {
        "uid": str(item.get("iCalUID") or ""),
        "summary": str(item.get("summary") or ""),
        "description": str(item.get("description") or ""),
        "location": str(item.get("location") or ""),
        "url": str(item.get("hangoutLink") or ""),
        "start": told(moment(start, zone)),
        "end": told(moment(item.get("end") or start, zone)),
        "all_day": bool(start.get("date")),
        "tz": "" if start.get("date") else str(start.get("timeZone") or ""),
        "status": "cancelled" if cancelled else "tentative" if item.get("status") == "tentative" else "confirmed",
        "class": {"public": "public", "private": "private", "confidential": "confidential"}.get(
            str(item.get("visibility")), ""
        ),
        "rrule": next((ordered(line[6:]) for line in rules if line.startswith("RRULE:")), ""),
        "removed": cancelled and private.get(_REMOVED) == "1",
        "attendees": _people(item),
        "alarms": _alarms(item),
    }
    rows = differing((_exception(one, item, zone) for one in exceptions), made, zone)
    return {VERSION: version(str(item.get("etag") or ""), rows), **made, "exceptions": rows}


def moment(at: Item, zone: ZoneInfo) -> datetime:
    """``{date}`` or ``{dateTime, timeZone}`` in UTC."""
    if at.get("date"):
        return datetime.fromisoformat(str(at["date"])).replace(tzinfo=zone).astimezone(UTC)
    found = datetime.fromisoformat(str(at["dateTime"]))
    if found.tzinfo is None:
        found = found.replace(tzinfo=named(str(at.get("timeZone") or "")) or zone)
    return found.astimezone(UTC)


def written(body: Item, before: Item, account: Account) -> dict[str, Any]:
    """A patch that makes the event show the fields. ``before``: the record that stands there, empty for a new one."""
    made: dict[str, Any] = {}
    for name in ("summary", "description", "location"):
        if name in body:
            made[name] = body[name]
    if {"start", "end", "all_day", "tz"} & body.keys():
        whole = bool(body.get("all_day", before.get("all_day", False)))
        zone = str(body.get("tz") or before.get("tz") or account.timezone)
        for name in ("start", "end"):
            at = body.get(name) or before.get(name) or body.get("start") or before.get("start")
            other = {"date" if not whole else "dateTime": None} if before else {}  # a patch keeps what it does not name
            made[name] = {**other, **_told(str(at), zone, account.zone, whole=whole)}
    if "status" in body or "removed" in body:
        removed = bool(body.get("removed"))
        made["status"] = "cancelled" if removed else body.get("status", "confirmed")
        if "removed" in body:
            made["extendedProperties"] = {"private": {_REMOVED: "1" if removed else "0"}}
    if "class" in body:
        made["visibility"] = body["class"] or "default"
    if "rrule" in body:
        made["recurrence"] = [f"RRULE:{body['rrule']}"] if body["rrule"] else []
    if "attendees" in body:
        made["attendees"] = [_person(row) for row in body["attendees"] if row["role"] == "attendee"]
    if "alarms" in body:
        made["reminders"] = {"useDefault": False, "overrides": [_reminder(row) for row in body["alarms"]]}
    return made


def occurrence(goal: Occurrence, series: Item, account: Account) -> dict[str, Any]:
    """A patch that makes an occurrence what it must be."""
    if goal.off:
        return {"status": "cancelled"}
    texts = {"summary": goal.summary, "location": goal.location}
    times = {"start": goal.start, "end": goal.end}
    return {"status": "confirmed", **written({**texts, **times}, series, account)}


def _told(at: str, zone: str, own: ZoneInfo, *, whole: bool) -> dict[str, Any]:
    if whole:
        return {"date": heard(at).astimezone(own).strftime("%Y-%m-%d")}
    local = heard(at).astimezone(named(zone) or own)
    return {"dateTime": local.isoformat(), "timeZone": zone}


def _people(item: Item) -> list[dict[str, Any]]:
    rows: dict[tuple[str, str, str], dict[str, Any]] = {}
    organizer = item.get("organizer")
    people = [("organizer", organizer)] if organizer else []
    for role, one in [*people, *(("attendee", one) for one in item.get("attendees", ()))]:
        norm, valid = email_norm(str(one.get("email") or ""))
        kind = "other" if not valid else "service" if one.get("resource") else "email"
        said = _RSVP.get(str(one.get("responseStatus")), "")
        row = {"role": role, "kind": kind, "email": norm, "address": str(one.get("email") or "")}
        rows.setdefault((role, kind, norm), {**row, "name": str(one.get("displayName") or ""), "rsvp": said})
    return [rows[key] for key in sorted(rows) if key[2]]


def _person(row: Item) -> dict[str, Any]:
    back = {word: name for name, word in _RSVP.items()}
    made = {"email": row.get("address") or row["email"]}
    if row.get("name"):
        made["displayName"] = row["name"]
    if row.get("rsvp") in back:
        made["responseStatus"] = back[row["rsvp"]]
    return made


def _alarms(item: Item) -> list[dict[str, Any]]:
    found = item.get("reminders", {}).get("overrides", ())
    rows = {-60 * int(one["minutes"]): _METHODS.get(str(one.get("method")), "") for one in found}
    return [{"offset_s": offset, "at": "", "action": rows[offset]} for offset in sorted(rows)]


def _reminder(row: Item) -> dict[str, Any]:
    minutes = max(0, -int(row.get("offset_s") or 0) // 60)
    return {"method": "email" if row.get("action") == "email" else "popup", "minutes": minutes}


def name_of(original: Item, zone: ZoneInfo) -> str:
    """What an occurrence is known by: when it would have been."""
    if original.get("date"):
        return str(original["date"])
    return told(moment(original, zone)) if original.get("dateTime") else ""


def _exception(one: Item, whole: Item, zone: ZoneInfo) -> dict[str, Any]:
    name = name_of(one.get("originalStartTime", {}), zone)
    if one.get("status") == "cancelled" or "start" not in one:
        return {"recurrence_id": name, "start": "", "end": "", "status": "cancelled", "summary": "", "location": ""}
    own = {
        field: "" if one.get(field) == whole.get(field) else str(one.get(field) or "")
        for field in ("summary", "location")
    }
    ends = {"start": told(moment(one["start"], zone)), "end": told(moment(one.get("end") or one["start"], zone))}
    return {"recurrence_id": name, **ends, "status": "confirmed", **own}
