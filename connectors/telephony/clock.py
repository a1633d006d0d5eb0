"""Moments of an exchange: it writes its local time without a zone, and an hour that comes twice says not which it is.

Asterisk names a call by the second of UTC that it began in (``1795444998.0``, perhaps after the name of the machine).
That settles the hour that clocks are put back over, and shows an exchange that runs in another zone than is set.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

_EPOCH = re.compile(r"(?:.*\D)?(1\d{9}|[2-9]\d{9})\.\d+")
#: The channel and its first row begin together; menus before the row take longer than a moment.
_NEAR = timedelta(minutes=10)


def named_second(call: str) -> datetime | None:
    """The moment that the name of a call holds, where it holds one."""
    found = _EPOCH.fullmatch(call)
    return datetime.fromtimestamp(int(found[1]), UTC) if found else None


def zone_of(start: datetime, call: str, zone: ZoneInfo) -> tzinfo:
    """The zone that a local time of this call is in: the settings', with the side of the hour that comes twice; another
    one of whole quarters of an hour where the call's name says so.
    """
    named = named_second(call)
    if named is None:
        return zone
    for fold in (0, 1):
        offset = start.replace(tzinfo=zone, fold=fold).utcoffset() or timedelta()
        if abs(start.replace(tzinfo=UTC) - offset - named) <= _NEAR:
            return timezone(offset)
    quarters = round((start.replace(tzinfo=UTC) - named) / timedelta(minutes=15))
    other = timedelta(minutes=15 * quarters)
    close = abs(start.replace(tzinfo=UTC) - other - named) <= timedelta(minutes=2)
    return timezone(other) if close and abs(other) <= timedelta(hours=14) else zone


def local_now(zone: ZoneInfo) -> datetime:
    """The time of day in a zone, as exchanges write it."""
    return datetime.now(zone).replace(tzinfo=None)
