"""Dates of iCalendar: with a zone, in UTC, floating (the reader's own time), whole days; zones by any of their names.

A local time that never happens (clocks go forward) is read with the offset before the jump, one that happens twice is
its first occurrence (RFC 5545 3.3.5; ``fold=0`` of PEP 495). A ``TZID`` that nobody can explain is the account's own
zone: a wrong hour is seen and mended, a meeting that is left out is not.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from icalendar import Timezone
from icalendar.timezone.windows_to_olson import WINDOWS_TO_OLSON

from connectors.calendars.ical.lines import Component, Line, Malformed

_DATE = re.compile(r"\d{8}")
_MOMENT = re.compile(r"\d{8}T\d{6}Z?")
_DURATION = re.compile(r"([+-]?)P(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?", re.IGNORECASE)
#: What a zone is told for: a series may run for long, and the rules of no zone are known for ever.
_KNOWN_UNTIL = date(2038, 1, 1)


@dataclass(frozen=True, slots=True)
class Moment:
    """``local``, ``tzid``: as they stand there (midnight of a whole day; no ``tzid`` for UTC and for no zone).
    ``zone``: what ``local`` is in, the account's own zone where it says none that is known.
    """

    local: datetime
    zone: tzinfo
    tzid: str = ""
    utc: bool = False
    whole_day: bool = False
    unknown: bool = False

    @property
    def floating(self) -> bool:
        """It says no zone: everybody reads it by his own clock."""
        return not self.whole_day and not self.utc and not self.tzid

    @property
    def instant(self) -> datetime:
        """The moment in UTC."""
        return self.local.replace(tzinfo=self.zone).astimezone(UTC)

    @property
    def key(self) -> str:
        """What tells an occurrence of a series apart: UTC where the moment has a zone, else as it stands there."""
        if self.whole_day:
            return self.local.strftime("%Y-%m-%d")
        return self.local.strftime("%Y-%m-%dT%H:%M:%S") if self.floating else told(self.instant)

    def at(self, instant: datetime) -> Moment:
        """Another moment, told in the same way."""
        local = instant.astimezone(self.zone).replace(tzinfo=None)
        if self.whole_day:
            local = local.replace(hour=0, minute=0, second=0)
        return replace(self, local=local)

    def later(self, lasts: timedelta) -> Moment:
        """So much later: whole days by the calendar (one of them may have 23 hours), anything else by the clock."""
        if not lasts % timedelta(days=1):
            return replace(self, local=self.local + lasts)
        return self.at(self.instant + lasts)

    def line(self, name: str) -> Line:
        """As a property."""
        if self.whole_day:
            return Line(name, self.local.strftime("%Y%m%d"), {"VALUE": "DATE"})
        value = self.local.strftime("%Y%m%dT%H%M%S")
        return Line(name, value + "Z" if self.utc else value, {"TZID": self.tzid} if self.tzid else {})


class Zones:
    """The zones of one resource. ``own``: the account's zone."""

    def __init__(self, own: ZoneInfo, calendar: Component | None = None) -> None:
        self.own = own
        self._calendar = calendar
        self._found: dict[str, tzinfo | None] = {}

    def of(self, tzid: str) -> tzinfo | None:
        """The zone of a ``TZID``; ``None`` where nobody can explain it."""
        if tzid not in self._found:
            self._found[tzid] = named(tzid) or self._told(tzid)
        return self._found[tzid]

    def read(self, line: Line) -> Moment:
        """A moment; ``Malformed`` where the value is none."""
        return self.value(line.value.strip(), line.params.get("TZID", ""))

    def value(self, text: str, tzid: str = "") -> Moment:
        """The same of a bare value."""
        try:
            if _DATE.fullmatch(text):
                day = datetime(int(text[:4]), int(text[4:6]), int(text[6:]))  # noqa: DTZ001 - a day has no zone
                return Moment(day, self.own, whole_day=True)
            if _MOMENT.fullmatch(text) is None:
                raise Malformed(f"no date: {text[:40]}")
            second = min(int(text[13:15]), 59)  # 60 is a leap second
            clock = (int(text[9:11]), int(text[11:13]), second)
            local = datetime(int(text[:4]), int(text[4:6]), int(text[6:8]), *clock)  # noqa: DTZ001 - its zone stands apart
        except ValueError:
            raise Malformed(f"no date: {text[:40]}") from None
        if text.endswith("Z"):
            return Moment(local, UTC, utc=True)
        zone = self.of(tzid) if tzid else self.own
        return Moment(local, zone or self.own, tzid, unknown=zone is None)

    def _told(self, tzid: str) -> tzinfo | None:
        """What the resource itself says of the zone."""
        for part in self._calendar.named("VTIMEZONE") if self._calendar is not None else ():
            if part.text("TZID") == tzid:
                return _from_rules(part.encode())
        return None


@lru_cache(512)
def named(tzid: str) -> ZoneInfo | None:
    """A zone by its IANA name, by its name in Windows, or by a path that ends in an IANA name."""
    parts = tzid.strip().strip("/").split("/")
    names = [tzid, WINDOWS_TO_OLSON.get(tzid, ""), *("/".join(parts[at:]) for at in range(1, len(parts)))]
    for name in filter(None, names):
        try:
            return ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            continue
    return None


@lru_cache(64)
def _from_rules(rules: bytes) -> tzinfo | None:
    try:
        found = Timezone.from_ical(rules)
        return found.to_tz() if isinstance(found, Timezone) else None
    except (ValueError, KeyError, IndexError, OverflowError):
        return None


@lru_cache(64)
def rules_of(zone: str, since: date) -> bytes:
    """A ``VTIMEZONE`` for an IANA zone."""
    rules: bytes = Timezone.from_tzid(zone, first_date=since, last_date=_KNOWN_UNTIL).to_ical(sorted=False)
    return rules


def explained(calendar: Component) -> set[str]:
    """Zones that the resource itself explains."""
    return {part.text("TZID") for part in calendar.named("VTIMEZONE")}


def told(instant: datetime) -> str:
    """A moment as records tell it: ``2026-01-31T10:00:00Z``."""
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def heard(text: str) -> datetime:
    """The way back; ``ValueError`` for anything else."""
    if not text.endswith("Z") or len(text) != 20:
        raise ValueError(text)
    return datetime.fromisoformat(text)


def duration(text: str) -> timedelta:
    """``PT1H30M``, ``-P1D`` …; ``Malformed`` for what is none."""
    found = _DURATION.fullmatch(text.strip())
    if found is None or text.strip()[-1:].upper() in {"P", "T"}:
        raise Malformed(f"no duration: {text[:40]}")
    weeks, days, hours, minutes, seconds = (int(part or 0) for part in found.groups()[1:])
    try:
        whole = timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes, seconds=seconds)
    except OverflowError:
        raise Malformed(f"no duration: {text[:40]}") from None
    return -whole if found[1] == "-" else whole


def spelled(seconds: int) -> str:
    """Seconds as a duration."""
    sign, left = ("-" if seconds < 0 else ""), abs(seconds)
    days, left = divmod(left, 86400)
    hours, left = divmod(left, 3600)
    minutes, left = divmod(left, 60)
    clock = "".join(f"{number}{unit}" for number, unit in ((hours, "H"), (minutes, "M"), (left, "S")) if number)
    if not days and not clock:
        return "PT0S"
    return f"{sign}P{f'{days}D' if days else ''}{f'T{clock}' if clock else ''}"
