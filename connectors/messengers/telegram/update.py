"""An update of Telegram as a message."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connectors.messengers.message import File, FileKind, Handle, Kind, Message, moment
from hub.model.identity import parse_phone

Json = Mapping[str, Any]
#: What a message may hold besides text, and what it is in our words; the first that is there counts.
_FILES: Mapping[str, FileKind] = {
    "animation": "video",
    "document": "document",
    "audio": "audio",
    "voice": "voice",
    "video": "video",
    "video_note": "video",
    "sticker": "sticker",
}
_KINDS: Mapping[str, Kind] = {
    "contact": "contact",
    "venue": "location",
    "location": "location",
    "poll": "poll",
}
#: Fields of messages that tell what happened to the chat: nobody has written them.
_SERVICE = frozenset(
    {
        "new_chat_members",
        "left_chat_member",
        "new_chat_title",
        "new_chat_photo",
        "delete_chat_photo",
        "group_chat_created",
        "supergroup_chat_created",
        "channel_chat_created",
        "message_auto_delete_timer_changed",
        "migrate_to_chat_id",
        "migrate_from_chat_id",
        "pinned_message",
        "connected_website",
        "write_access_allowed",
        "proximity_alert_triggered",
        "boost_added",
        "chat_background_set",
    }
)
_SERVICE_BEGINS = ("forum_topic_", "general_forum_topic_", "video_chat_", "giveaway")
#: Groups of this kind have the same numbers for everybody; elsewhere each bot counts its own.
_SHARED = frozenset({"supergroup", "channel"})


def told(update: Json) -> Json | None:
    """The message of an update, as it was sent or as it was edited; ``None`` for anything else."""
    found = update.get("message") or update.get("edited_message")
    chat = found.get("chat") if isinstance(found, Mapping) else None
    whole = isinstance(chat, Mapping) and isinstance(chat.get("id"), int) and isinstance(found.get("message_id"), int)  # type: ignore[union-attr]  # it is a mapping, or chat is none
    return found if whole else None


def key_of(told_: Json) -> str:
    """Its external id: chat and number, which an edit has too."""
    return f"{told_['chat']['id']}/{told_['message_id']}"


def message_of(told_: Json, bot: str, line: str) -> Message:
    """The message. ``bot``: number of the bot that was told of it; ``line``: what the bot is called."""
    chat, number = told_["chat"], str(told_["message_id"])
    shared = chat.get("type") in _SHARED
    place = f"telegram:{chat['id']}" if shared else f"telegram:{bot}:{chat['id']}"
    private = chat.get("type") == "private"
    reply, edited = told_.get("reply_to_message"), told_.get("edit_date")
    return Message(
        id=key_of(told_),
        key=f"{place}/{number}",
        chat=place,
        number=number,
        at=moment(told_.get("date") or 0),
        sender=_sender(told_),
        to=() if private else (_handle(chat, _title(chat)),),
        kind=_kind(told_),
        text=str(told_.get("text") or told_.get("caption") or _told_by(told_)),
        title="" if private else _title(chat),
        line=line,
        reply_to=str(reply.get("message_id") or "") if isinstance(reply, Mapping) else "",
        edited_at=moment(edited) if isinstance(edited, int) else None,
        auto=_auto(told_),
        files=_files(told_),
    )


def _handle(who: Json, name: str) -> Handle:
    raw = f"@{who['username']}" if who.get("username") else str(who.get("id", ""))
    return Handle("messenger", f"telegram:{who.get('id', '')}", raw, name)


def _name(user: Json) -> str:
    return " ".join(str(user[part]) for part in ("first_name", "last_name") if user.get(part))


def _title(chat: Json) -> str:
    return str(chat.get("title") or _name(chat))


def _sender(told_: Json) -> list[Handle]:
    """His number, which is for good, the name he has now, and his telephone where he shares his own contact.

    Who writes in the name of a group or channel is that chat.
    """
    user, chat = told_.get("from"), told_.get("sender_chat")
    if isinstance(chat, Mapping):
        return [_handle(chat, _title(chat))]
    if not isinstance(user, Mapping):
        return [_handle(told_["chat"], _title(told_["chat"]))]
    found = [_handle(user, _name(user))]
    if user.get("username"):
        name = str(user["username"])
        found.append(Handle("messenger", f"@{name.lower()}", f"@{name}", _name(user)))
    contact = told_.get("contact")
    if isinstance(contact, Mapping) and contact.get("user_id") == user.get("id"):
        raw = str(contact.get("phone_number") or "")
        phone = parse_phone(raw if raw.startswith("+") else f"+{raw}")
        if phone.valid:
            found.append(Handle("phone", phone.norm, raw, _name(user)))
    return found


def _auto(told_: Json) -> bool:
    """Whether no person wrote it: a bot, a channel's copy in its group, or news of the chat itself."""
    user = told_.get("from")
    bot = isinstance(user, Mapping) and bool(user.get("is_bot")) and "sender_chat" not in told_
    return bot or bool(told_.get("is_automatic_forward")) or _kind(told_) == "service"


def _kind(told_: Json) -> Kind:
    if any(name in _SERVICE or name.startswith(_SERVICE_BEGINS) for name in told_):
        return "service"
    if "text" in told_:
        return "text"
    if "photo" in told_ or any(name in told_ for name in _FILES):
        return "media"
    return next((kind for name, kind in _KINDS.items() if name in told_), "other")


def _told_by(told_: Json) -> str:
    """Words of a message that is no text."""
    contact, poll, place = (told_.get(name) for name in ("contact", "poll", "venue"))
    if isinstance(contact, Mapping):
        return " ".join(filter(None, (_name(contact), str(contact.get("phone_number") or ""))))
    if isinstance(poll, Mapping):
        return str(poll.get("question") or "")
    if isinstance(place, Mapping):
        return " ".join(str(place[name]) for name in ("title", "address") if place.get(name))
    return ""


def _files(told_: Json) -> list[File]:
    """What is told of files; of a photo, which comes in several sizes, the largest."""
    photos = told_.get("photo")
    if isinstance(photos, list) and photos:
        best = max(photos, key=lambda one: (one.get("file_size") or 0, one.get("width") or 0))
        return [File("photo", "", "image/jpeg", best.get("file_size"), str(best.get("file_unique_id") or ""))]
    for name, kind in _FILES.items():
        one = told_.get(name)
        if isinstance(one, Mapping):
            named, mime, key = (str(one.get(part) or "") for part in ("file_name", "mime_type", "file_unique_id"))
            return [File(kind, named, mime, one.get("file_size"), key)]
    return []
