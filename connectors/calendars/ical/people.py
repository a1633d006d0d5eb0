"""Who takes part: the organiser and those who are asked, by their e-mail addresses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import unquote

from connectors.calendars.ical.lines import Component, Line
from hub.model.identity import email_norm

_PARTSTAT = ("NEEDS-ACTION", "ACCEPTED", "DECLINED", "TENTATIVE", "DELEGATED")
_THINGS = {"ROOM", "RESOURCE"}
_ROLES = {"ORGANIZER": "organizer", "ATTENDEE": "attendee"}
Row = Mapping[str, Any]


def attendees(part: Component) -> list[dict[str, Any]]:
    """A row for each person and role, sorted. ``kind``: ``email``, ``service`` (a room), ``other`` (no address)."""
    found: dict[tuple[str, str, str], dict[str, Any]] = {}
    for name in _ROLES:
        for line in part.lines(name):
            row = _row(line)
            if row["email"]:
                found.setdefault(key(row), row)
    return [found[one] for one in sorted(found)]


def key(row: Row) -> tuple[str, str, str]:
    """What tells one participant from another."""
    return str(row.get("role") or ""), str(row.get("kind") or ""), str(row.get("email") or "")


def put_attendees(part: Component, rows: Sequence[Row]) -> None:
    """Make the participants those of ``rows``. Who is added is sent no invitation by the server: the hub only notes."""
    left = {key(row): row for row in rows}
    for name, role in _ROLES.items():
        lines = [line for line in part.lines(name) if not _row(line)["email"] or key(_row(line)) in left]
        for line in lines:
            row = left.pop(key(_row(line)), None)
            if row is not None:
                _tell(line, row)
        lines += [_made(name, row) for row in left.values() if row.get("role") == role]
        part.replace(name, lines)


def _row(line: Line) -> dict[str, Any]:
    value = line.value.strip()
    address = line.params.get("EMAIL") or (unquote(value[7:]) if value[:7].lower() == "mailto:" else value)
    norm, valid = email_norm(address)
    kind = "other" if not valid else "service" if line.params.get("CUTYPE", "").upper() in _THINGS else "email"
    said = line.params.get("PARTSTAT", "").upper()
    return {
        "role": _ROLES[line.name],
        "kind": kind,
        "email": norm,
        "address": address,
        "name": line.params.get("CN", ""),
        "rsvp": said.lower().replace("-", "_") if said in _PARTSTAT else "",
    }


def _tell(line: Line, row: Row) -> None:
    """Change what the row says otherwise."""
    now = _row(line)
    if row.get("name") and row["name"] != now["name"]:
        line.params["CN"], line.raw = row["name"], ""
    if row.get("rsvp") and row["rsvp"] != now["rsvp"]:
        line.params["PARTSTAT"], line.raw = str(row["rsvp"]).upper().replace("_", "-"), ""


def _made(name: str, row: Row) -> Line:
    line = Line(name, f"mailto:{row.get('address') or row['email']}")
    if row.get("kind") == "service":
        line.params["CUTYPE"] = "RESOURCE"
    _tell(line, row)
    line.params["SCHEDULE-AGENT"] = "NONE"
    return line
