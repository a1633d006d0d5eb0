"""Moments, numbers and lists as services write them: whatever stands there, nothing is raised."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo


def moment(value: object, form: str, zone: ZoneInfo) -> datetime | None:
    """A moment with its zone; ``None`` for what is none. ``form``: ``unix``, ``ms``, ``iso`` or one of ``strptime``.

    ``zone``: of a text that names none.
    """
    text = str(value or "").strip()
    if not text or text == "0":
        return None
    try:
        if form in {"unix", "ms"}:
            return datetime.fromtimestamp(float(text) / (1000 if form == "ms" else 1), UTC)
        found = datetime.fromisoformat(text) if form == "iso" else datetime.strptime(text, form)  # noqa: DTZ007
    except (ValueError, OverflowError, OSError):
        return None
    return found if found.tzinfo else found.replace(tzinfo=zone)


def seconds(value: object) -> int | None:
    """Whole seconds; ``1:02:03`` and ``02:03`` too; ``None`` for what is no number."""
    text = str(value if value is not None else "").strip()
    parts = text.split(":")
    if not all(part.replace(".", "", 1).isdigit() for part in parts) or len(parts) > 3:
        return None
    total = 0.0
    for part in parts:
        total = total * 60 + float(part)
    return round(total)


def number(value: object) -> int:
    """The same, 0 for what is no number: a row that says nonsense is a row all the same."""
    return seconds(value) or 0


def listed(value: object) -> list[Any]:
    """A list; empty for what is none."""
    return value if isinstance(value, list) else []
