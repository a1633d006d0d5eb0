"""How databases hold a moment of a call: as a moment, as a text, as a Julian day, as seconds."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Literal
from zoneinfo import ZoneInfo

#: ``moment``: a type of its own · ``text``, ``text_t``: with a blank or a T · ``julian``: days of UTC, as Kamailio's
#: driver for SQLite writes them · ``epoch``: seconds of UTC.
Style = Literal["moment", "aware", "text", "text_t", "julian", "epoch"]
#: What no row is older or younger than; a column holds such things where a day was never set, or a text is no day.
FIRST, LAST = datetime.fromisoformat("1971-01-01"), datetime.fromisoformat("9000-01-01")
_JULIAN_EPOCH = 2440587.5


def style_of(sample: Any) -> Style:
    """By a value that stands there."""
    if isinstance(sample, datetime):
        return "moment" if sample.tzinfo is None else "aware"
    if isinstance(sample, int | float):
        return "julian" if sample < 1e8 else "epoch"
    return "text_t" if "T" in str(sample)[:11] else "text"


def local(value: Any, style: Style, zone: ZoneInfo) -> datetime | None:
    """A value as the exchange's local time without a zone; ``None`` for what is no moment."""
    if isinstance(value, datetime):
        return value if value.tzinfo is None else value.astimezone(zone).replace(tzinfo=None)
    try:
        if style in {"julian", "epoch"}:
            seconds = (float(value) - _JULIAN_EPOCH) * 86400 if style == "julian" else float(value)
            moment = datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=round(seconds * 1000))
            return moment.astimezone(zone).replace(tzinfo=None)
        moment = datetime.fromisoformat(str(value))
        return moment if moment.tzinfo is None else moment.astimezone(zone).replace(tzinfo=None)
    except (ValueError, TypeError, OverflowError):
        return None


def bound(moment: datetime, style: Style, zone: ZoneInfo) -> Any:
    """The way back, for a comparison in the database."""
    if style in {"moment", "text", "text_t"}:
        return moment if style == "moment" else moment.isoformat("T" if style == "text_t" else " ")
    aware = moment.replace(tzinfo=zone)
    if style == "aware":
        return aware
    return aware.timestamp() / 86400 + _JULIAN_EPOCH if style == "julian" else aware.timestamp()
