"""The folders of a mailbox: what they are for, and which of them hold mail of people."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from connectors.imap.config import ImapSettings

#: What a folder is for, by the attribute that a server gives it (RFC 6154), and Gmail's older ones.
_ATTRIBUTES = {
    "\\sent": "sent",
    "\\drafts": "drafts",
    "\\trash": "trash",
    "\\junk": "junk",
    "\\spam": "junk",
    "\\all": "all",
    "\\allmail": "all",
    "\\flagged": "flagged",
    "\\starred": "flagged",
    "\\important": "flagged",
}
#: The same by the name of a folder, where the server tells no attributes; small letters, the last step of its path.
_NAMES = {
    "sent": "sent",
    "sent items": "sent",
    "sent messages": "sent",
    "sent mail": "sent",
    "sent-mail": "sent",
    "outbox": "drafts",
    "отправленные": "sent",
    "отправленные элементы": "sent",
    "отправленное": "sent",
    "исходящие": "drafts",
    "надіслані": "sent",
    "gesendet": "sent",
    "gesendete elemente": "sent",
    "drafts": "drafts",
    "draft": "drafts",
    "черновики": "drafts",
    "чернетки": "drafts",
    "entwürfe": "drafts",
    "trash": "trash",
    "deleted items": "trash",
    "deleted messages": "trash",
    "deleted": "trash",
    "bin": "trash",
    "корзина": "trash",
    "удаленные": "trash",
    "удалённые": "trash",
    "удаленные элементы": "trash",
    "удалённые элементы": "trash",
    "кошик": "trash",
    "papierkorb": "trash",
    "junk": "junk",
    "spam": "junk",
    "junk e-mail": "junk",
    "junk email": "junk",
    "bulk mail": "junk",
    "спам": "junk",
    "нежелательная почта": "junk",
}
_CLOSED = {"\\noselect", "\\nonexistent"}
#: What is left out unless it is named in the settings.
_LEFT_OUT = {"drafts", "trash", "junk", "flagged"}


@dataclass(slots=True)
class Folder:
    """One folder. ``use``: what it is for, empty for an ordinary one. ``status``: MESSAGES, UIDNEXT, UIDVALIDITY and
    HIGHESTMODSEQ as far as the server told them.
    """

    name: str
    use: str = ""
    status: Mapping[str, int] = field(default_factory=dict)

    @property
    def sent(self) -> bool:
        """Whether letters in it are ours."""
        return self.use == "sent"


@dataclass(frozen=True, slots=True)
class Listed:
    """A folder as a server lists it."""

    name: str
    attributes: tuple[str, ...]
    delimiter: str


def folders_of(listed: Iterable[Listed]) -> list[Folder]:
    """Folders that can hold letters, with what they are for: by the server's attributes, else by their names.

    Of a use that an attribute tells, no other folder is by its name alone: a «Trash» that somebody made in another
    language is an ordinary one then.
    """
    open_ = [item for item in listed if not _CLOSED & {attribute.lower() for attribute in item.attributes}]
    told = {item.name: _attributed(item) for item in open_}
    known = set(told.values())
    found = []
    for item in open_:
        named = _named(item)
        use = told[item.name] or ("" if named in known else named)
        found.append(Folder(item.name, "inbox" if item.name.upper() == "INBOX" else use))
    return found


def _attributed(item: Listed) -> str:
    return next((_ATTRIBUTES[a.lower()] for a in item.attributes if a.lower() in _ATTRIBUTES), "")


def _named(item: Listed) -> str:
    last = item.name.rpartition(item.delimiter)[2] if item.delimiter else item.name
    return _NAMES.get(last.strip().lower(), "")


def chosen(folders: Iterable[Folder], settings: ImapSettings) -> list[Folder]:
    """Folders to be read, in a fixed order: INBOX, then sent letters, then the others by name.

    A folder of everything (Gmail's) stands for all that it holds.
    """
    named, never = set(settings.folders), set(settings.except_folders)
    found = [folder for folder in folders if folder.name not in never]
    if named:
        found = [folder for folder in found if folder.name in named]
    else:
        everything = [folder for folder in found if folder.use == "all"]
        found = everything or [folder for folder in found if folder.use not in _LEFT_OUT]
    order = {"inbox": 0, "sent": 1}
    return sorted(found, key=lambda folder: (order.get(folder.use, 2), folder.name))
