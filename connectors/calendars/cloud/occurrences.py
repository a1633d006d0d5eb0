"""Occurrences of a series that differ from it, where a service keeps each as an event of its own.

A record shows them as rows by ``recurrence_id``: when the occurrence would have been, a date for whole days. That the
series is another version when one of its occurrences was changed neither service promises, so the version of a record
is made of both.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol
from zoneinfo import ZoneInfo

import msgspec

from connectors.calendars.account import Account
from connectors.calendars.ical.moments import heard, told
from connectors.calendars.ical.record import EVENTS
from connectors.writing import Overtaken, Refused
from hub.model.errors import SkipRecord

Row = Mapping[str, Any]
_MARK = " +"
#: Letters of a name that is a date.
_DAY = 10


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One occurrence, every field told. ``name``: its ``recurrence_id``; ``off``: it does not take place; ``start``,
    ``end``: moments in UTC.
    """

    name: str
    off: bool
    start: str
    end: str
    summary: str
    location: str


class Series(Protocol):  # pragma: no cover - a declaration
    """A service that keeps occurrences as events."""

    def get(self, calendar: str, event: str) -> dict[str, Any] | None:
        """The series as it is now."""

    def occurrence(self, calendar: str, event: str, name: str) -> tuple[str, str] | None:
        """Id and ETag of the occurrence of that name, moved or not; ``None`` where there is none."""

    def tell(self, calendar: str, one: tuple[str, str], goal: Occurrence, series: Row) -> None:
        """Make that occurrence what it must be. ``Overtaken``, ``Refused``."""


def put(
    service: Series,
    account: Account,
    calendar: str,
    event: str,
    wanted: Iterable[Row],
    decided: Iterable[Row] | None,
    keeps_off: bool = False,
) -> None:
    """Give a series the exceptions ``wanted``, one request each. ``decided``: see ``to_be_changed``.

    ``keeps_off``: an occurrence that was called off cannot be had back. Nothing is sent when any of them cannot be met.
    """
    series = service.get(calendar, event)
    if series is None:
        raise Overtaken
    try:
        due = list(to_be_changed(wanted, decided, series, account.zone))
    except ValueError:
        raise _refused("calendar_bad_value", account, "exceptions") from None
    found = [(service.occurrence(calendar, event, goal.name), now, goal) for now, goal in due]
    if any(one is None or (keeps_off and now.off) for one, now, _ in found):
        raise _refused("calendar_no_occurrence", account, "exceptions")
    for one, _, goal in found:
        if one is not None:
            service.tell(calendar, one, goal, series)


def version(etag: str, rows: Sequence[Row]) -> str:
    """Of a series with its exceptions."""
    if not rows:
        return etag
    return f"{etag}{_MARK}{hashlib.sha256(msgspec.json.encode(list(rows), order='sorted')).hexdigest()[:16]}"


def etag_of(shown: str) -> str:
    """The service's own version of the series."""
    return shown.partition(_MARK)[0]


def differing(rows: Iterable[dict[str, Any]], series: Row, zone: ZoneInfo) -> list[dict[str, Any]]:
    """Those that are not as the series has them, by name: a service goes on showing one that was put back."""
    found = {str(row["recurrence_id"]): row for row in rows}

    def plain(name: str) -> bool:
        return _as_told(name, found[name], series, zone) == _as_told(name, {}, series, zone)

    return [found[name] for name in sorted(found) if not plain(name)]


def to_be_changed(
    wanted: Iterable[Row], decided: Iterable[Row] | None, series: Row, zone: ZoneInfo
) -> Iterator[tuple[Occurrence, Occurrence]]:
    """Occurrences as they are and as they must be for ``series``, as it is now, to have the exceptions ``wanted``.

    ``decided``: the rows that this was decided on, ``None`` where they need not be the same. A moment that a row does
    not tell stays. ``Overtaken`` for an occurrence that is another one since; ``ValueError`` for a name of none.
    """
    asked, there = _by_name(wanted, zone), _by_name(series["exceptions"], zone)
    known = there if decided is None else _by_name(decided, zone)
    for name in sorted(asked.keys() | there.keys()):
        now = _as_told(name, there.get(name, {}), series, zone)
        row = asked.get(name, {})
        if row and not row.get("start") and not now.off:
            row = {"start": now.start, "end": now.end, **row}
        goal = _as_told(name, row, series, zone)
        if now == goal or (now.off and goal.off):
            continue
        if there.get(name) != known.get(name):
            raise Overtaken
        yield now, goal


def around(name: str) -> tuple[datetime, datetime]:
    """Between which moments the occurrence of that name lies when it was not moved, whatever its zone."""
    if len(name) == _DAY:
        day = datetime.fromisoformat(name).replace(tzinfo=UTC)
        return day - timedelta(days=1), day + timedelta(days=2)
    return heard(name) - timedelta(seconds=1), heard(name) + timedelta(seconds=1)


def _by_name(rows: Iterable[Row], zone: ZoneInfo) -> dict[str, Row]:
    """A name without a zone is read by the account's clock."""
    names = ((str(row["recurrence_id"]), row) for row in rows)
    return {name if len(name) == _DAY else told(_planned(name, zone)): row for name, row in names}


def _planned(name: str, zone: ZoneInfo) -> datetime:
    """When the occurrence would have been."""
    return heard(name) if name.endswith("Z") else datetime.fromisoformat(name).replace(tzinfo=zone).astimezone(UTC)


def _as_told(name: str, row: Row, series: Row, zone: ZoneInfo) -> Occurrence:
    """What a row leaves empty is as the series has it."""
    off = row.get("status") == "cancelled"
    start = str(row.get("start") or told(_planned(name, zone)))
    end = str(row.get("end") or _end(start, series, zone))
    summary, location = (str(row.get(field) or series.get(field) or "") for field in ("summary", "location"))
    return Occurrence(name, off, start, end, summary, location)


def _end(start: str, series: Row, zone: ZoneInfo) -> str:
    """As long as the series lasts; whole days by the calendar."""
    first, last = heard(str(series["start"])), heard(str(series["end"]))
    if not series.get("all_day"):
        return told(heard(start) + (last - first))
    days = last.astimezone(zone).date() - first.astimezone(zone).date()
    midnight = heard(start).astimezone(zone).replace(tzinfo=None) + days
    return told(midnight.replace(tzinfo=zone))


def _refused(code: str, account: Account, field: str) -> Refused:
    return Refused(SkipRecord(code, field, system=account.title, stream=EVENTS))
