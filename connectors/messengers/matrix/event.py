"""An event of Matrix as a message, with what the server tells of its edits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from connectors.messengers.message import File, FileKind, Handle, Kind, Message, moment

Json = Mapping[str, Any]
_MEDIA: Mapping[str, FileKind] = {"m.image": "photo", "m.file": "document", "m.audio": "audio", "m.video": "video"}
#: A room of more people is a public place: who else is in it says nothing of whom a message is for.
MOST = 20


@dataclass(slots=True)
class Room:
    """A room as it is now. ``people``: who is in it, with the name he shows."""

    id: str
    title: str = ""
    encrypted: bool = False
    people: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, room: str, state: list[Json]) -> Room:
        """Out of its state events."""
        made = cls(room)
        for one in state:
            content = one.get("content")
            told: Json = content if isinstance(content, Mapping) else {}
            match one.get("type"):
                case "m.room.name":
                    made.title = str(told.get("name") or "")
                case "m.room.encryption":
                    made.encrypted = True
                case "m.room.member" if told.get("membership") == "join":
                    made.people[str(one.get("state_key"))] = str(told.get("displayname") or "")
        return made


def target_of(event: Json) -> str:
    """The event that this one changes or takes back; empty for one that stands by itself."""
    if event.get("type") == "m.room.redaction":
        return str(event.get("redacts") or _content(event).get("redacts") or "")
    relation = _content(event).get("m.relates_to")
    if isinstance(relation, Mapping) and relation.get("rel_type") == "m.replace":
        return str(relation.get("event_id") or "")
    return ""


def is_message(event: Json) -> bool:
    """Whether somebody said something by it that stands by itself."""
    return event.get("type") in {"m.room.message", "m.room.encrypted", "m.sticker"} and not target_of(event)


def edit_of(event: Json) -> Json:
    """The newest edit, as the server tells it beside the event; its own sender's alone count."""
    unsigned = event.get("unsigned")
    relations = unsigned.get("m.relations") if isinstance(unsigned, Mapping) else None
    edit = relations.get("m.replace") if isinstance(relations, Mapping) else None
    mine = isinstance(edit, Mapping) and edit.get("sender") == event.get("sender")
    return edit if mine and isinstance(edit, Mapping) else {}


def message_of(event: Json, edit: Json, room: Room, me: str) -> Message:
    """The message as it is now. ``edit``: its newest edit, with its content; ``me``: the account that reads."""
    sender, number = str(event.get("sender") or ""), str(event.get("event_id") or "")
    taken_back = "redacted_because" in (event.get("unsigned") or {}) or "redacted_because" in event
    told = _content(edit).get("m.new_content") if edit else None
    content: Json = told if isinstance(told, Mapping) else _content(event)
    encrypted = event.get("type") == "m.room.encrypted"
    others = [who for who in sorted(room.people) if who not in {sender, me}]
    file = None if taken_back else _file(event, content)
    return Message(
        id=f"{room.id}/{number}",
        key=f"matrix:{number}",
        chat=f"matrix:{room.id}",
        number=number,
        at=moment((event.get("origin_server_ts") or 0) / 1000),
        sender=[_handle(sender, room)],
        to=[_handle(who, room) for who in others] if len(others) <= MOST else [],
        kind="encrypted" if encrypted else _kind(event, content),
        text="" if taken_back or encrypted else _text(event, content),
        title=room.title,
        line=me,
        reply_to=_replied(event),
        edited_at=moment((edit.get("origin_server_ts") or 0) / 1000) if edit else None,
        auto=content.get("msgtype") == "m.notice",
        taken_back=taken_back,
        files=[file] if file else [],
    )


def _content(event: Json) -> Json:
    found = event.get("content")
    return found if isinstance(found, Mapping) else {}


def _handle(who: str, room: Room) -> Handle:
    return Handle("messenger", who.lower(), who, room.people.get(who, ""))


def _kind(event: Json, content: Json) -> Kind:
    kind = content.get("msgtype")
    if event.get("type") == "m.sticker" or kind in _MEDIA:
        return "media"
    return "location" if kind == "m.location" else "text"


def _relation(event: Json) -> Json:
    relation = _content(event).get("m.relates_to")
    return relation if isinstance(relation, Mapping) else {}


def _replied(event: Json) -> str:
    answered = _relation(event).get("m.in_reply_to")
    return str(answered.get("event_id") or "") if isinstance(answered, Mapping) else ""


def _text(event: Json, content: Json) -> str:
    """What was said, without the words that programs put before an answer to repeat what is answered."""
    body = str(content.get("body") or "")
    if _replied(event) and body.startswith("> "):
        lines = body.split("\n")
        while lines and lines[0].startswith(">"):
            lines.pop(0)
        body = "\n".join(lines).lstrip("\n")
    named = content.get("msgtype") in _MEDIA and content.get("filename", body) == body
    return "" if named or event.get("type") == "m.sticker" else body


def _file(event: Json, content: Json) -> File | None:
    sticker = event.get("type") == "m.sticker"
    kind: FileKind | None = "sticker" if sticker else _MEDIA.get(str(content.get("msgtype")))
    if kind is None:
        return None
    told = content.get("info")
    info: Json = told if isinstance(told, Mapping) else {}
    if kind == "audio" and "org.matrix.msc3245.voice" in content:
        kind = "voice"
    size = info.get("size")
    name = str(content.get("filename") or content.get("body") or "")
    url = str(content.get("url") or "")
    return File(kind, name, str(info.get("mimetype") or ""), size if isinstance(size, int) else None, url)
