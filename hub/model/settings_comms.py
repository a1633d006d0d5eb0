"""What ``hub.yaml`` tells of a mailbox, a telephone exchange and a calendar besides what every system has."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from hub.model.settings_keys import Bad, Key, anything, one_of

#: What becomes of a sender or a caller whom nobody knows.
Unknown = Literal["ignore", "keep", "create"]
_UNKNOWN = Key("unknown", one_of("ignore", "keep", "create"))


def pairs(text: str) -> tuple[tuple[str, str], ...]:
    """``line=word`` with commas between them, each word one of ``Unknown``."""
    found = []
    for part in names(text):
        line, equals, word = part.rpartition("=")
        if not equals or not line.strip():
            raise Bad("settings_form", value=part, example="+74951234567=create")
        found.append((line.strip(), _UNKNOWN.parse(word.strip())))
    return tuple(found)


def names(text: str) -> tuple[str, ...]:
    """Names with commas between them."""
    return tuple(filter(None, (part.strip() for part in text.split(","))))


@dataclass(frozen=True, slots=True)
class MailSettings:
    """Section ``mail`` of a mailbox. ``own``: addresses that are ours besides ``user``; ``folders``: only these, all
    without; ``except_folders``: never these; ``unknown``: ``ignore`` keeps the letter off every card, ``keep`` leaves
    it among the unmatched, ``create`` makes a lead of its sender. ``unknown_lines``: the same for single lines.
    """

    own: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()
    except_folders: tuple[str, ...] = ()
    unknown: Unknown = "keep"
    unknown_lines: tuple[tuple[str, Unknown], ...] = ()


@dataclass(frozen=True, slots=True)
class CallSettings:
    """Section ``calls`` of a telephone exchange. ``own_numbers``: ours, in any spelling; ``area_code``: of numbers
    dialled without one; ``unknown``, ``unknown_lines``: as of a mailbox.
    """

    own_numbers: tuple[str, ...] = ()
    area_code: str = ""
    unknown: Unknown = "keep"
    unknown_lines: tuple[tuple[str, Unknown], ...] = ()


@dataclass(frozen=True, slots=True)
class CalendarSettings:
    """Section ``calendar`` of a calendar account. ``calendars``: only these, all without; ``owner``: e-mail address of
    the employee whose calendar it is.
    """

    calendars: tuple[str, ...] = ()
    owner: str = ""


_LINES = Key("unknown_lines", pairs)
MAIL_KEYS = (Key("own", names), Key("folders", names), Key("except_folders", names), _UNKNOWN, _LINES)
CALL_KEYS = (Key("own_numbers", names), Key("area_code", anything), _UNKNOWN, _LINES)
CALENDAR_KEYS = (Key("calendars", names), Key("owner", anything))


@dataclass(frozen=True, slots=True)
class Section:
    """A section that only systems of some kinds have. ``make``: the settings of what its keys say."""

    kinds: tuple[str, ...]
    keys: tuple[Key, ...]
    make: Callable[..., Any]


#: Sections by name.
SECTIONS = {
    "mail": Section(("imap",), MAIL_KEYS, MailSettings),
    "calls": Section(("pbx_db", "pbx_files", "pbx_cloud"), CALL_KEYS, CallSettings),
    "calendar": Section(("caldav", "ics", "google_calendar", "ms_calendar"), CALENDAR_KEYS, CalendarSettings),
}


def imap_url(text: str) -> str:
    """``imaps://host[:port]``, or ``imap://`` for STARTTLS and loopback; no login in it."""
    scheme, separator, rest = text.partition("://")
    if not separator or scheme not in {"imaps", "imap"} or not rest.rstrip("/"):
        raise Bad("settings_imap_url")
    if "@" in rest:
        raise Bad("settings_url_login")
    return text.rstrip("/")
