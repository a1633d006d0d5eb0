"""A letter as a record: what its head, its structure and its text come to, and by what it is known again."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from hashlib import blake2b
from typing import Any
from zoneinfo import ZoneInfo

from connectors.imap.addresses import Address, addresses
from connectors.imap.auto import FIELDS as AUTO
from connectors.imap.auto import auto_kind
from connectors.imap.headers import Head
from connectors.imap.structure import Content
from hub.model.mailaddress import is_own

#: Fields of a head that are asked for.
FIELDS = (
    "from",
    "sender",
    "reply-to",
    "to",
    "cc",
    "bcc",
    "subject",
    "date",
    "message-id",
    "in-reply-to",
    "references",
    *AUTO,
)
#: Letters of a body that make its fingerprint, and characters of it that are kept.
_TOLD, _KEPT = 2000, 65_536
_ID = re.compile(r"<\s*([^<>\s]{1,500})\s*>")
_MOST_IDS = 50
_ROLES = (("from", "from"), ("reply_to", "reply-to"), ("to", "to"), ("cc", "cc"), ("bcc", "bcc"))
#: A letter dated before e-mail was, or after it arrived, is dated by its arrival.
_FIRST, _AHEAD = datetime(1982, 1, 1, tzinfo=UTC), timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Mailbox:
    """Whose letters these are. ``own``: handles, and ``@domain`` of whole domains, of ours; ``line``: the account."""

    line: str
    own: frozenset[str]
    zone: ZoneInfo


@dataclass(frozen=True, slots=True)
class Marks:
    """What people did with a letter in their mail programs. Who has read it is his own affair, and is not kept."""

    answered: bool = False
    flagged: bool = False


@dataclass(slots=True)
class Letter:
    """What was read of one letter. ``arrived``: by the server; ``sent``: it lies in a folder of sent letters."""

    location: str
    folder: str
    head: Head
    content: Content
    text: str
    size: int
    arrived: datetime
    sent: bool = False
    files: list[str] = field(default_factory=list)
    marks: Marks = Marks()


def record(letter: Letter, mailbox: Mailbox) -> dict[str, Any]:
    """The record of a letter, by the names of ``schema.FIELDS``."""
    head = letter.head
    people = {role: addresses(head.all_raw(name), head.hint) for role, name in _ROLES}
    if not people["from"]:
        people["from"] = addresses(head.all_raw("sender"), head.hint)
    subject = head.text("subject")
    written = parsed_date(head)
    moment = date_of(written, letter.arrived)
    message_id = first_id(head.raw("message-id"))
    told = fingerprint(people["from"], letter, written, subject, message_id)
    robot = auto_kind(head, subject, people["from"])
    return {
        "location": letter.location,
        "kind": "email",
        "folder": letter.folder,
        "date": local(moment, mailbox.zone),
        "direction": direction(letter, people, mailbox),
        "subject": subject or None,
        "text": letter.text[:_KEPT] or None,
        "message_key": f"{message_id}#{told}" if message_id else f"#{told}",
        "message_id": message_id or None,
        "in_reply_to": first_id(head.raw("in-reply-to")) or None,
        "references": " ".join(ids(head.all_raw("references"))) or None,
        "fingerprint": told,
        "size": letter.size,
        "auto": robot or None,
        "is_auto": bool(robot),
        "answered": letter.marks.answered,
        "flagged": letter.marks.flagged,
        "line": mailbox.line,
        "people": [
            {"role": role, "address": one.handle, "raw": one.raw, "name": one.name or None}
            for role, found in people.items()
            for one in found
            if role != "reply_to" or one.handle not in {sender.handle for sender in people["from"]}
        ],
        "files": _files(letter),
    }


def _files(letter: Letter) -> list[dict[str, Any]]:
    hint = letter.head.hint
    found = [
        {"n": n, "name": part.name(hint) or None, "mime": part.mime, "size": part.size, "part": part.number}
        for n, part in enumerate(letter.content.files, 1)
    ]
    inside = [
        {"n": n, "name": name, "mime": None, "size": None, "part": None}
        for n, name in enumerate(letter.files, len(found) + 1)
    ]
    return found + inside


def date_of(written: datetime | None, arrived: datetime) -> datetime:
    """When it was written, UTC: by its own word (``parsed_date``) where that can be, else when it arrived."""
    return written if written is not None and _FIRST <= written <= arrived + _AHEAD else arrived.astimezone(UTC)


def parsed_date(head: Head) -> datetime | None:
    """The date of the head in UTC; ``None`` for one that is none. A date without a zone is UTC."""
    raw = head.raw("date").decode("ascii", "ignore")
    try:
        moment = parsedate_to_datetime(raw)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        return moment.astimezone(UTC)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def local(moment: datetime, zone: ZoneInfo) -> str:
    """A moment as the system writes dates: its own zone, none named."""
    return moment.astimezone(zone).strftime("%Y-%m-%dT%H:%M:%S").rjust(19, "0")


def first_id(raw: bytes) -> str:
    """The first message id of a field without its brackets; what stands there without brackets if that is one word."""
    found = ids(raw)
    if found:
        return found[0]
    bare = raw.decode("ascii", "ignore").strip(" <>\t")
    return bare[:500] if bare and " " not in bare else ""


def ids(raw: bytes) -> list[str]:
    """All message ids of a field, each once, in their order; of very many the first and the last."""
    found = list(dict.fromkeys(_ID.findall(raw.decode("ascii", "ignore"))))
    return found if len(found) <= _MOST_IDS else [found[0], *found[1 - _MOST_IDS :]]


def fingerprint(
    senders: Sequence[Address], letter: Letter, written: datetime | None, subject: str, message_id: str
) -> str:
    """What tells a letter from others that bear its id, and is the same wherever it lies: sender, date, subject, words.

    Of the text letters and digits alone count, and not how it was packed: servers pack it anew on the way. A letter
    without an id is known by its recipients and its size as well, one without a date by its arrival.
    """
    head = letter.head
    parts = [senders[0].handle if senders else "", subject.casefold(), _told(letter.text)]
    parts.append(str(written) if written else head.plain("date") or str(letter.arrived.astimezone(UTC)))
    if not message_id:
        parts += [head.plain("to"), str(letter.size)]
    return blake2b("\0".join(parts).encode("utf-8", "replace"), digest_size=10).hexdigest()


def _told(text: str) -> str:
    """The first letters and digits of a text; more is looked at than is wanted, for the blanks."""
    # Most words are nothing but letters: to look at the others alone takes a third of the time.
    told = [one if one.isalnum() else "".join(filter(str.isalnum, one)) for one in text[: 2 * _TOLD].split()]
    return "".join(told)[:_TOLD].casefold()


def direction(letter: Letter, people: dict[str, list[Address]], mailbox: Mailbox) -> str:
    """``outbound`` from one of us, or out of a folder of sent letters; ``internal`` among ourselves only."""
    ours = letter.sent or any(is_own(one.handle, mailbox.own) for one in people["from"][:1])
    to = [one for role in ("to", "cc", "bcc") for one in people[role]]
    if ours and to and all(is_own(one.handle, mailbox.own) for one in to):
        return "internal"
    return "outbound" if ours else "inbound"
