"""One leg of a call: what a row of an exchange's call records tells, the same whatever exchange wrote it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from connectors.telephony.call import Disposition

#: A row by the names of its columns.
Row = Mapping[str, Any]
#: What becomes of a leg; empty where it reached nobody and nothing: a menu, a message, the end of the dial plan.
Outcome = Disposition | None


@dataclass(slots=True)
class Leg:
    """``call``: name of the whole call. ``unique``, ``number``: which leg it is; two rows with both equal are one.

    ``start``, ``end``: the exchange's local time, without a zone. ``talk_s``: seconds of talk at its end. ``person``:
    the extension or the number that was rung, empty where nobody was. ``caller``, ``dialled``: as the exchange writes
    them. ``inside``: the caller is one of ours; ``to_inside``: who was rung is; ``None`` where the row does not tell.
    ``timeout``: how long it was to ring. ``moved``: the row says that the call was transferred; ``going_on``: that it
    has an answer and no end yet.
    """

    call: str
    unique: str
    number: int
    start: datetime
    end: datetime
    outcome: Outcome
    talk_s: int = 0
    person: str = ""
    caller: str = ""
    name: str = ""
    dialled: str = ""
    did: str = ""
    line: str = ""
    inside: bool | None = None
    to_inside: bool | None = None
    queue: str = ""
    timeout: int | None = None
    moved: bool = False
    going_on: bool = False
    cause: str = ""
    recording: str = ""

    @property
    def answered_at(self) -> datetime:
        """When the talk began."""
        return self.end - timedelta(seconds=self.talk_s)

    @property
    def answered(self) -> bool:
        """Whether a person spoke."""
        return self.outcome == "answered"


#: What the exchange adds to tell channels of one endpoint apart.
_SUFFIX = re.compile(r"-(?:[0-9a-fA-F]{8,}|\d{2,})(?:;[12])?$")
_FOLLOWED = re.compile(r"(?:FMPR|FMGL|RG|LC)-", re.IGNORECASE)


def endpoint(channel: str) -> str:
    """``PJSIP/101-0000001b`` and ``Local/101@from-queue-00000012;1`` → ``101``; ``PJSIP/trunk-…`` → ``trunk``."""
    _, slash, rest = channel.partition("/")
    if not slash:
        return channel
    name, at, _ = rest.partition("@")
    name = name if at else _SUFFIX.sub("", name)
    return _FOLLOWED.sub("", name) if "-" in name else name


_CLID = re.compile(r'\s*"?(.*?)"?\s*<([^<>]*)>\s*', re.DOTALL)


@lru_cache(maxsize=8192)
def caller_name(clid: str) -> str:
    """The name of ``"Иван Петров" <101>``; empty where it is the number again, or says that there is none."""
    found = _CLID.fullmatch(clid)
    if found is None:
        return ""
    name = " ".join(found[1].split())
    told = re.sub(r"[^0-9]", "", name)
    return "" if name.lower() in {found[2].lower(), "anonymous", "unknown"} or (told and told in found[2]) else name


def text(row: Row, *names: str) -> str:
    """The first of these columns that is there and says something."""
    for name in names:
        value = row.get(name)
        if value.__class__ is str:
            if value:
                return value.strip()
        elif value is not None:
            return str(value).strip()
    return ""


def whole(row: Row, *names: str) -> int:
    """A number of seconds; nothing is none, parts of a second are dropped."""
    value = row.get(names[0])
    if value.__class__ is int:
        return max(0, value)
    told = text(row, *names)
    try:
        return max(0, int(float(told))) if told else 0
    except (ValueError, OverflowError):
        return 0
