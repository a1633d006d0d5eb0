"""What ``hub.yaml`` tells of a mailbox, an exchange, a messenger, a mailing service and a calendar besides what
every system has.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, get_args

from hub.model.settings_keys import Bad, Key, anything, integer, one_of, pattern, yes_no

#: What becomes of a sender or a caller whom nobody knows.
Unknown = Literal["ignore", "keep", "create"]
#: Whose call records they are; ``auto`` tells it by the tables or the columns.
CallFormat = Literal["auto", "asterisk", "mikopbx", "freeswitch", "kamailio"]
#: How a mailbox lets in: a password, or an access token in one of two forms.
Auth = Literal["password", "xoauth2", "oauthbearer"]
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

    ``auth``: how to log in; but for ``password`` the system's ``password`` is an access token, or, with ``token_url``,
    the refresh token that one is asked for with (none: the application's own, by client credentials).
    ``client_secret``: where the client's secret is kept, ``kind:name``.
    """

    own: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()
    except_folders: tuple[str, ...] = ()
    unknown: Unknown = "keep"
    auth: Auth = "password"
    token_url: str = ""
    client_id: str = ""
    client_secret: str = ""
    scope: str = ""
    unknown_lines: tuple[tuple[str, Unknown], ...] = ()


@dataclass(frozen=True, slots=True)
class CallSettings:
    """Section ``calls`` of a telephone exchange. ``own_numbers``: ours, in any spelling; ``area_code``: of numbers
    dialled without one; ``unknown``, ``unknown_lines``: as of a mailbox. ``format``: whose records they are;
    ``extensions``: a regular expression of what an extension looks like; ``look_back_hours``: how long a call may last
    and still be seen whole; ``recordings``: the folder of recordings; ``queue_log``: the log of queues beside
    ``Master.csv``. Of a rented one: ``service``: whose it is; ``history_days``: how far back the first read goes;
    ``notices``: its notices are heard and make the next read come sooner; ``notices_word``: where the word that proves
    them is kept, ``kind:name``, where no key of the account does.
    """

    own_numbers: tuple[str, ...] = ()
    area_code: str = ""
    unknown: Unknown = "keep"
    format: CallFormat = "auto"
    extensions: str = r"\d{2,6}"
    look_back_hours: int = 12
    recordings: str = ""
    queue_log: str = ""
    service: str = ""
    history_days: int = 30
    unknown_lines: tuple[tuple[str, Unknown], ...] = ()
    notices: bool = False
    notices_word: str = ""


@dataclass(frozen=True, slots=True)
class MessengerSettings:
    """Section ``messenger`` of a bot or an account. ``service``: whose it is; ``own``: names of ours in it, besides its
    own; ``except_chats``: chats that are never read, by title or key; ``unknown``, ``unknown_lines``: as of a mailbox.
    ``history_days``: how far back the first read goes, where the service keeps what was said before.
    """

    service: str = ""
    own: tuple[str, ...] = ()
    except_chats: tuple[str, ...] = ()
    unknown: Unknown = "keep"
    history_days: int = 30
    unknown_lines: tuple[tuple[str, Unknown], ...] = ()


@dataclass(frozen=True, slots=True)
class MailingSettings:
    """Section ``mailing`` of a mailing service. ``service``: whose it is; ``lists``: only these, by id or address, all
    without; ``subscribe``: which clients are subscribed to which list, (list, segment), ``*`` for all who consent.
    """

    service: str = ""
    lists: tuple[str, ...] = ()
    subscribe: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class CalendarSettings:
    """Section ``calendar`` of a calendar account. ``calendars``: only these, all without; ``new_in``: the one that new
    records go to; ``owner``: e-mail address of the employee whose calendar it is; ``past``, ``ahead``: days around
    today that are read of a service which shows no more than a window.
    """

    calendars: tuple[str, ...] = ()
    new_in: str = ""
    owner: str = ""
    past: int = 90
    ahead: int = 365


_LINES = Key("unknown_lines", pairs)
#: Cloud telephone exchanges that there is a description of.
CLOUDS = ("mango", "megafon", "uis", "novofon", "zadarma", "beeline", "telphin", "sipuni")
#: Those of them whose notices prove who sent them; the second by a word that was agreed on.
NOTIFIERS, BY_WORD = ("mango", "megafon", "zadarma"), "megafon"


def secret_name(text: str) -> str:
    """Where a secret is kept, in one word: ``env:NAME``, ``file:/path``, ``keyring:service/name``."""
    if not re.fullmatch(r"env:[A-Za-z_][A-Za-z0-9_]*|file:/.+|keyring:.+/[^/]+", text):
        raise Bad("settings_secret_word")
    return text


CALL_KEYS = (
    Key("own_numbers", names),
    Key("area_code", anything),
    _UNKNOWN,
    _LINES,
    Key("format", one_of(*get_args(CallFormat))),
    Key("extensions", pattern),
    Key("look_back_hours", integer(1, 168)),
    Key("recordings", anything),
    Key("queue_log", anything),
    Key("service", one_of(*CLOUDS)),
    Key("history_days", integer(1, 3660)),
    Key("notices", yes_no),
    Key("notices_word", secret_name),
)


def check_notices(calls: CallSettings, sensor: int | None) -> None:
    """``Bad`` for notices that nobody sends, nobody proves or nobody reads on for."""
    if calls.notices and calls.service not in NOTIFIERS:
        raise Bad("settings_notices_service", known=", ".join(NOTIFIERS))
    if calls.notices and calls.service == BY_WORD and not calls.notices_word:
        raise Bad("settings_notices_word")
    if calls.notices and sensor is None:
        raise Bad("settings_notices_sensor")


def token_url(text: str) -> str:
    """Where access tokens are asked for: https, or this machine."""
    scheme, _, rest = text.partition("://")
    host = re.split(r"[:/]", rest, maxsplit=1)[0]
    if "@" in rest.partition("/")[0] or not host or ((scheme, host) != ("http", "127.0.0.1") and scheme != "https"):
        raise Bad("settings_token_url")
    return text


MAIL_KEYS = (
    Key("own", names),
    Key("folders", names),
    Key("except_folders", names),
    _UNKNOWN,
    _LINES,
    Key("auth", one_of("password", "xoauth2", "oauthbearer")),
    Key("token_url", token_url),
    Key("client_id", anything),
    Key("client_secret", secret_name),
    Key("scope", anything),
)
#: Messengers that are spoken to.
MESSENGERS = ("telegram", "matrix")
MESSENGER_KEYS = (
    Key("service", one_of(*MESSENGERS), required=True),
    Key("own", names),
    Key("except_chats", names),
    _UNKNOWN,
    _LINES,
    Key("history_days", integer(1, 3660)),
)


def segments(text: str) -> tuple[tuple[str, str], ...]:
    """``list=segment`` with commas between them; a list is an id or an address."""
    found = []
    for part in names(text):
        name, equals, segment = part.partition("=")
        if not equals or not name.strip() or not segment.strip():
            raise Bad("settings_form", value=part, example="news@lists.firma.ru=Розница")
        found.append((name.strip().replace("@", ".").lower(), segment.strip()))
    return tuple(found)


#: Mailing services that are spoken to.
MAILING_SERVICES = ("mailman",)
MAILING_KEYS = (
    Key("service", one_of(*MAILING_SERVICES), required=True),
    Key("lists", names),
    Key("subscribe", segments),
)
CALENDAR_KEYS = (
    Key("calendars", names),
    Key("new_in", anything),
    Key("owner", anything),
    Key("past", integer(0, 3650)),
    Key("ahead", integer(1, 3650)),
)


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
    "messenger": Section(("messenger",), MESSENGER_KEYS, MessengerSettings),
    "mailing": Section(("mailing",), MAILING_KEYS, MailingSettings),
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
