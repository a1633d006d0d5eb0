"""A message as it travels, the same for every messenger."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal, NamedTuple
from zoneinfo import ZoneInfo

#: What a message is made of, in words of the model (``chat_detail.kind``).
Kind = Literal["text", "media", "contact", "location", "poll", "service", "encrypted", "other"]
FileKind = Literal["photo", "video", "audio", "voice", "document", "sticker"]
#: Characters of a message that stand for it where there is one line.
_SUBJECT = 100


class Handle(NamedTuple):
    """A name of somebody. ``kind``: messenger or phone; ``norm``: as it is compared, ``raw``: as it is shown."""

    kind: Literal["messenger", "phone"]
    norm: str
    raw: str
    name: str = ""


class File(NamedTuple):
    """A file of a message, which is not brought. ``key``: what the service knows it by."""

    kind: FileKind
    name: str = ""
    mime: str = ""
    size: int | None = None
    key: str = ""


@dataclass(slots=True)
class Message:
    """``id``: its external id; ``key``: what tells it apart whichever of our accounts sees it; ``chat``: the same of
    its chat; ``number``: within the chat. ``sender``: his handles, the surest first; ``to``: those of the others.
    ``auto``: no person wrote it; ``taken_back``: its sender deleted it for all.
    """

    id: str
    key: str
    chat: str
    number: str
    at: datetime
    sender: Sequence[Handle]
    to: Sequence[Handle] = ()
    kind: Kind = "text"
    text: str = ""
    title: str = ""
    line: str = ""
    reply_to: str = ""
    edited_at: datetime | None = None
    auto: bool = False
    taken_back: bool = False
    files: Sequence[File] = field(default_factory=list)

    def direction(self, own: Collection[str]) -> Literal["inbound", "outbound", "internal"]:
        """By whose names these are; who writes to nobody we can see writes to us."""
        if not any(one.norm in own for one in self.sender):
            return "inbound"
        return "outbound" if any(one.norm not in own for one in self.to) else "internal"

    def record(self, zone: ZoneInfo, own: Collection[str]) -> dict[str, Any]:
        """As JSON. ``date``: of the system's zone, ``at`` and ``edited_at``: UTC; ``own``: names of ours."""
        people = [("from", one) for one in self.sender] + [("to", one) for one in self.to if one not in self.sender]
        return {
            "id": self.id,
            "kind": self.kind,
            "chat": self.chat,
            "title": self.title,
            "message": self.number,
            "key": self.key,
            "date": self.at.astimezone(zone).strftime("%Y-%m-%dT%H:%M:%S"),
            "at": _utc(self.at),
            "edited_at": _utc(self.edited_at) if self.edited_at else None,
            "direction": self.direction(own),
            "status": "cancelled" if self.taken_back else "held",
            "subject": one_line(self.text),
            "text": self.text,
            "line": self.line,
            "is_auto": self.auto,
            "reply_to": self.reply_to,
            "people": [
                {"role": role, "kind": one.kind, "handle": one.norm, "raw": one.raw, "name": one.name}
                for role, one in people
            ],
            "files": [
                {"n": n, "kind": one.kind, "name": one.name, "mime": one.mime, "size": one.size, "file": one.key}
                for n, one in enumerate(self.files, 1)
            ],
        }


def one_line(text: str) -> str:
    """The first line that says anything, cut to what fits a list."""
    line = next((line.strip() for line in text.splitlines() if line.strip()), "")
    return line if len(line) <= _SUBJECT else line[: _SUBJECT - 1].rstrip() + "…"


def moment(seconds: float) -> datetime:
    """Of seconds since 1970; what no calendar knows is its beginning."""
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return datetime.fromtimestamp(0, UTC)


def _utc(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
