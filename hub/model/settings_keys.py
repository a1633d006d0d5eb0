"""What each kind of value in ``hub.yaml`` must look like: parsers from the text of a scalar, and ``Bad`` for the rest.

A ``Bad`` never repeats a value that may hold a password (addresses, secrets).
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, time
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones


class Bad(Exception):
    """A value that cannot be used: ``code`` of the catalogue and what fills its sentence."""

    def __init__(self, code: str, **params: Any) -> None:
        super().__init__(code)
        self.code = code
        self.params = params


@dataclass(frozen=True, slots=True)
class Key:
    """One key of a section: how its scalar is parsed; ``required`` has no default."""

    name: str
    parse: Callable[[str], Any]
    required: bool = False


def near(word: str, known: Iterable[str]) -> str:
    """The known word that was probably meant; empty when none is like it."""
    found = difflib.get_close_matches(word.lower(), sorted(known), n=1, cutoff=0.6)
    return found[0] if found else ""


def one_of(*choices: str) -> Callable[[str], str]:
    """A word out of ``choices``."""

    def parse(text: str) -> str:
        if text not in choices:
            raise Bad("settings_choice", value=text, known=", ".join(choices))
        return text

    return parse


def pattern(text: str) -> str:
    """A regular expression."""
    try:
        re.compile(text)
    except re.error as error:
        raise Bad("settings_pattern", value=text, detail=error.msg) from None
    return text


def integer(low: int, high: int) -> Callable[[str], int]:
    """A whole number from ``low`` to ``high``, both included."""

    def parse(text: str) -> int:
        if not re.fullmatch(r"[+-]?\d{1,18}", text) or not low <= int(text) <= high:
            raise Bad("settings_number", value=text, low=low, high=high)
        return int(text)

    return parse


def integer_or_none(low: int, high: int) -> Callable[[str], int | None]:
    """The same, or ``none`` for no number at all."""
    parse = integer(low, high)
    return lambda text: None if text == "none" else parse(text)


def seconds(text: str) -> float:
    """Seconds, more than none and no more than an hour."""
    if not re.fullmatch(r"\d{1,6}(\.\d+)?", text) or not 0 < float(text) <= 3600:
        raise Bad("settings_number", value=text, low=1, high=3600)
    return float(text)


def yes_no(text: str) -> bool:
    """A YAML flag, in any of its spellings."""
    known = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}
    if text.lower() not in known:
        raise Bad("settings_choice", value=text, known="true, false")
    return known[text.lower()]


def word(pattern: str, shown: str) -> Callable[[str], str]:
    """A text of the given form; ``shown`` is an example of it."""

    def parse(text: str) -> str:
        if not re.fullmatch(pattern, text):
            raise Bad("settings_form", value=text, example=shown)
        return text

    return parse


def word_or_none(pattern: str, shown: str) -> Callable[[str], str]:
    """The same, or ``none`` for an empty text."""
    parse = word(pattern, shown)
    return lambda text: "" if text == "none" else parse(text)


def anything(text: str) -> str:
    """Any text."""
    return text


def day(text: str) -> date:
    """A calendar day."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Bad("settings_form", value=text, example="2026-01-31") from None


def interval(text: str) -> int | None:
    """``5m``, ``90s``, ``1h`` in seconds, from half a minute to a day; ``None`` for ``off``."""
    if text.lower() in {"off", "false", "no"}:
        return None
    found = re.fullmatch(r"(\d{1,5})([smh])", text)
    told = int(found[1]) * {"s": 1, "m": 60, "h": 3600}[found[2]] if found else 0
    if not 30 <= told <= 86_400:
        raise Bad("settings_form", value=text, example="5m")
    return told


def span(text: str) -> int:
    """``5s``, ``2m``, ``1h`` in seconds, from none to an hour."""
    found = re.fullmatch(r"(\d{1,4})([smh])", text)
    told = int(found[1]) * {"s": 1, "m": 60, "h": 3600}[found[2]] if found else 3601
    if told > 3600:
        raise Bad("settings_form", value=text, example="5s")
    return told


def patience(text: str) -> int:
    """``30m``, ``12h``, ``2d`` in seconds, from a minute to sixty days."""
    found = re.fullmatch(r"(\d{1,5})([mhd])", text)
    told = int(found[1]) * {"m": 60, "h": 3600, "d": 86_400}[found[2]] if found else 0
    if not 60 <= told <= 60 * 86_400:
        raise Bad("settings_form", value=text, example="2d")
    return told


def hours(text: str) -> tuple[time, time]:
    """``01:00-03:00``; the second may be after midnight (``23:00-02:00``)."""
    first, _, last = (part.strip() for part in text.partition("-"))
    if not re.fullmatch(_CLOCK, first) or not re.fullmatch(_CLOCK, last) or first == last:
        raise Bad("settings_form", value=text, example="01:00-03:00")
    return time.fromisoformat(first), time.fromisoformat(last)


_CLOCK = r"([01]\d|2[0-3]):[0-5]\d"
clock = word(_CLOCK, "02:15")
name = word(r"[a-z][a-z0-9_]{0,39}", "ut")


def zone(text: str) -> str:
    """An IANA time zone that this machine knows."""
    try:
        ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise Bad("settings_zone", value=text, near=_near_zone(text)) from None
    return text


#: What people write who mean one of the zones of Russia.
_SPOKEN = {"msk": "Europe/Moscow", "мск": "Europe/Moscow", "москва": "Europe/Moscow"}
_BY_OFFSET = {
    2: "Europe/Kaliningrad",
    3: "Europe/Moscow",
    4: "Europe/Samara",
    5: "Asia/Yekaterinburg",
    6: "Asia/Omsk",
    7: "Asia/Krasnoyarsk",
    8: "Asia/Irkutsk",
    9: "Asia/Yakutsk",
    10: "Asia/Vladivostok",
    11: "Asia/Magadan",
    12: "Asia/Kamchatka",
}


def _near_zone(text: str) -> str:
    """What was probably meant: ``MSK``, ``UTC+3``, ``moscow`` and ``Europe/Mosow`` are all Europe/Moscow."""
    asked = text.strip().lower().replace(" ", "_")
    offset = re.fullmatch(r"(?:utc|gmt|msk|мск)?_?\+0?(\d{1,2})(?::?00)?", asked)
    if offset:
        return _BY_OFFSET.get(int(offset[1]) + 3 * asked.startswith(("msk", "мск")), "")
    if asked in _SPOKEN:
        return _SPOKEN[asked]
    by_lower: dict[str, str] = {}
    for known in sorted(available_timezones()):
        by_lower.setdefault(known.lower(), known)
        by_lower.setdefault(known.lower().rpartition("/")[2], known)
    return by_lower.get(near(asked, by_lower), "")


def _address(text: str) -> Any:
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError:
        raise Bad("settings_url") from None
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise Bad("settings_url")
    return parts


def url(text: str) -> str:
    """An http(s) address without a login in it."""
    parts = _address(text)
    if "@" in parts.netloc:
        raise Bad("settings_url_login")
    return text.rstrip("/")


def proxy(text: str) -> str:
    """Address of an HTTP proxy without a login in it."""
    if "@" in _address(text).netloc:
        raise Bad("settings_proxy_login")
    return text


def store_url(text: str) -> str:
    """An SQLAlchemy URL of one of the two databases, without a password in it."""
    scheme, separator, rest = text.partition("://")
    if not separator or scheme not in {"sqlite", "postgresql+psycopg"}:
        raise Bad("settings_store_url", known="sqlite:///…, postgresql+psycopg://…")
    login = rest.partition("/")[0].rpartition("@")[0]
    if ":" in login or re.search(r"[?&](password|passfile)=", rest, re.IGNORECASE):
        raise Bad("settings_store_password")
    if scheme == "sqlite" and (not rest.startswith("/") or rest in {"/", "/:memory:"}):
        raise Bad("settings_store_url", known="sqlite:///…, postgresql+psycopg://…")
    return text
