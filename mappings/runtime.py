"""What generated code calls: the slow or careful half of each transform.

The fast half stands inline in the generated source (see ``mappings.generate``); whatever is not plainly right there
(a rounding, a first day of a month in a new zone, an unknown word) comes here. Values are in travelling form
(``hub.model.fields``).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation
from operator import itemgetter
from typing import Any, NoReturn
from zoneinfo import ZoneInfo

import msgspec

from hub.model import identity
from hub.model.fields import SCALE, Kind

#: 1C's empty reference.
ZERO = "00000000-0000-0000-0000-000000000000"
#: What counts as no reference.
EMPTY: frozenset[str | None] = frozenset({None, "", ZERO})
#: Scaled integers stay below this: exact in a double, and within what the store's columns hold.
LIMIT = 2**53
#: The valid ends of a timestamp after its hour.
MMSS = frozenset(f":{minute:02}:{second:02}" for minute in range(60) for second in range(60))
#: Told apart from every value, ``None`` included.
MISS: Any = object()
_CACHED = 50_000
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}")
_GUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE)


@dataclass
class Bad(Exception):
    """This record cannot pass: a reject code, and the source field and value that are to blame."""

    code: str
    field: str = ""
    value: Any = None


def bad(code: str, field: str, value: Any = None) -> NoReturn:
    """Refuse the record at hand."""
    raise Bad(code, field, value)


def text(value: str) -> str | None:
    """Without blanks at the ends and without NULs, which no database takes; ``None`` if nothing is left."""
    value = value.strip()
    if "\0" in value:
        value = value.replace("\0", "").strip()
    return value or None


def exact(value: Any, scale: int, name: str) -> int:
    """``value`` times ten to the ``scale``, rounded half to even on its decimal text; refuses what is too large."""
    try:
        scaled = Decimal(repr(value)).scaleb(scale).quantize(Decimal(1), ROUND_HALF_EVEN)
    except InvalidOperation:
        bad("oversize", name, value)
    if abs(scaled) >= LIMIT:
        bad("oversize", name, value)
    return int(scaled)


def integer(value: Any, name: str) -> int | None:
    """A whole number that may stand as a text."""
    if value is None or value == "":
        return None
    try:
        number = int(value)
    except ValueError:
        bad("bad_number", name, value)
    if abs(number) >= LIMIT:
        bad("oversize", name, value)
    return number


def lost(name: str, value: Any, code: str) -> NoReturn:
    """A reference for which the caller gave no link: it was not collected, or is no guid."""
    bad(code, name, value)


_NO_DAY: dict[str | None, str | None] = {None: None, "": None, "0001-01-01T00:00:00": None, "0001-01-01": None}
_DAYS = dict(_NO_DAY)


def day(value: str, name: str) -> str | None:
    """The day of a date or timestamp as ``YYYY-MM-DD``; the year 1 is 1C's way to say none."""
    shown = value[:10]
    try:
        if not _DAY.fullmatch(shown):
            bad("bad_date", name, value)
        date.fromisoformat(shown)
    except ValueError:
        bad("bad_date", name, value)
    if value[10:] and (value[10] != "T" or value[11:13] > "23" or value[13:] not in MMSS):
        bad("bad_date", name, value)
    result = None if shown.startswith("0001-01-01") else shown
    if len(_DAYS) > _CACHED:
        _DAYS.clear()
        _DAYS.update(_NO_DAY)
    _DAYS[value] = result
    return result


def days() -> dict[str | None, str | None]:
    """The cache behind ``day``: generated code looks here first."""
    return _DAYS


def instant(value: str, name: str) -> str:
    """A moment that says itself that it is UTC, as ``YYYY-MM-DD HH:MM:SS``."""
    if not value.endswith("Z") or not _MOMENT.fullmatch(value[:-1]):
        bad("bad_date", name, value)
    try:
        return str(datetime.fromisoformat(value[:-1]))
    except ValueError:
        bad("bad_date", name, value)


class Clock:
    """Local time of one zone to UTC, with a small cache by hour.

    A time that happens twice (clocks go back) is taken as its first occurrence; one that never happens (clocks go
    forward) is read with the offset before the jump: ``fold=0`` of PEP 495 for both.
    """

    def __init__(self, timezone: str) -> None:
        self.zone = ZoneInfo(timezone)
        #: ``2026-06-07T10`` (local) → ``2026-06-07 07`` (UTC), for hours with one whole-hour offset throughout.
        self.hours: dict[str, str] = {}

    def moment(self, value: str, name: str) -> str | None:
        """UTC as ``YYYY-MM-DD HH:MM:SS``; fills the cache for the hour of ``value``."""
        if not value or value.startswith("0001-01-01"):
            return None
        try:
            whole = value if len(value) != 10 else f"{value}T00:00:00"
            if not _MOMENT.fullmatch(whole):
                bad("bad_date", name, value)
            local = datetime.fromisoformat(whole).replace(tzinfo=self.zone)
            utc = local.astimezone(UTC)
            self._learn(whole[:13], local)
        except (ValueError, OverflowError):
            bad("bad_date", name, value)
        return str(utc.replace(tzinfo=None))

    def _learn(self, hour: str, local: datetime) -> None:
        first = local.replace(minute=0, second=0)
        offsets = {first.utcoffset(), local.replace(minute=30, second=0).utcoffset()}
        offsets.add(local.replace(minute=59, second=59).utcoffset())
        offset = offsets.pop()
        if offsets or offset is None or offset.total_seconds() % 3600 or first.year < 1000:
            return
        if len(self.hours) > _CACHED:
            self.hours.clear()
        self.hours[hour] = first.astimezone(UTC).strftime("%Y-%m-%d %H")

    def local(self, value: str) -> str:
        """The way back: UTC ``YYYY-MM-DD HH:MM:SS`` to the zone's own time as 1C writes it."""
        utc = datetime.strptime(value, "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)
        return utc.astimezone(self.zone).strftime("%Y-%m-%dT%H:%M:%S")


def distinct(rows: list[tuple[Any, ...]], key: Sequence[int]) -> list[tuple[Any, ...]]:
    """The first row of each key, in order; without a key, the first row."""
    if not key:
        return rows[:1]
    seen: dict[Any, tuple[Any, ...]] = {}
    get = itemgetter(*key)
    for row in rows:
        seen.setdefault(get(row), row)
    return list(seen.values())


def numbered(rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """Lines with their numbers (first element) made unique: by position where two are the same or one is missing."""
    numbers = {row[0] for row in rows}
    if len(numbers) == len(rows) and None not in numbers:
        return rows
    return [(position, *row[1:]) for position, row in enumerate(rows, 1)]


def ext_json(names: Sequence[str], kinds: Sequence[Kind], values: Sequence[Any]) -> str | None:
    """Extra fields as JSON text, empty ones left out; numbers keep their decimals. ``None`` if all are empty."""
    parts: dict[str, Any] = {}
    for name, kind, value in zip(names, kinds, values, strict=True):
        if value is not None:
            parts[name] = _ext_value(kind, value)
    return msgspec.json.encode(parts).decode() if parts else None


def _ext_value(kind: Kind, value: Any) -> Any:
    if kind in SCALE:
        return msgspec.Raw(f"{Decimal(value).scaleb(-SCALE[kind]):f}".encode())
    return bool(value) if kind is Kind.BOOL else value


def is_guid(value: str) -> bool:
    """Whether a text has the shape of a guid."""
    return _GUID.fullmatch(value) is not None


def int_text(value: Any, name: str) -> str | None:
    """A whole number as a text."""
    number = integer(value, name)
    return None if number is None else str(number)


#: Transforms that are plain functions of a non-empty text.
OF_TEXT: dict[str, Callable[[str], str | None]] = {
    "text": text,
    "digits": lambda value: identity.digits(value) or None,
    "phone": lambda value: identity.parse_phone(value).norm or None,
    "email": lambda value: identity.email_norm(value)[0] or None,
    "last_name": lambda value: identity.split_name(value).last or None,
    "first_name": lambda value: identity.split_name(value).first or None,
    "middle_name": lambda value: identity.split_name(value).middle or None,
    "gender": lambda value: identity.split_name(value).gender or None,
}
