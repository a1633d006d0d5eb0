"""Accounts, their folders, their letters. Whatever happens in a folder is told to whoever waits."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property

from stand.mail import mime


@dataclass
class Letter:
    """One letter in one folder. ``raw``: with CRLF line ends."""

    uid: int
    raw: bytes
    arrived: datetime
    flags: set[str] = field(default_factory=set)

    @cached_property
    def root(self) -> mime.Node:
        """Taken apart."""
        return mime.parse(self.raw)


@dataclass
class Folder:
    """``uidvalidity`` and ``uidnext`` as in IMAP; ``use``: its special use with IMAP's
    backslash, or empty.
    """

    name: str
    uidvalidity: int
    use: str = ""
    uidnext: int = 1
    letters: dict[int, Letter] = field(default_factory=dict)

    def add(self, raw: bytes, arrived: datetime | None = None, flags: Iterable[str] = ()) -> Letter:
        """A letter arrives."""
        if b"\n" in raw.replace(b"\r\n", b""):
            raw = raw.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
        letter = Letter(self.uidnext, raw, arrived or datetime.now(UTC), set(flags))
        self.letters[letter.uid] = letter
        self.uidnext += 1
        return letter

    def renumber(self, uidvalidity: int) -> None:
        """All numbers begin anew, as after a restore from a backup."""
        self.uidvalidity = uidvalidity
        old, self.letters, self.uidnext = list(self.letters.values()), {}, 1
        for letter in old:
            self.add(letter.raw, letter.arrived, letter.flags)


class Account:
    """One user's mailbox."""

    def __init__(self, user: str, password: str, uidvalidity: int = 1_700_000_000) -> None:
        self.user, self.password = user, password
        self._next = uidvalidity
        self.folders: dict[str, Folder] = {}
        self.listeners: list[Callable[[], None]] = []
        for name, use in (("INBOX", ""), ("Отправленные", "\\Sent"), ("Корзина", "\\Trash"), ("Спам", "\\Junk")):
            self.create(name, use)

    def create(self, name: str, use: str = "") -> Folder:
        """A new folder, with numbers of its own."""
        self._next += 1
        self.folders[name] = Folder(name, self._next, use)
        return self.folders[name]

    def changed(self) -> None:
        """Tell whoever waits."""
        for listener in list(self.listeners):
            listener()

    def deliver(self, raw: bytes, folder: str = "INBOX", arrived: datetime | None = None) -> Letter:
        """A letter arrives in that folder, and everybody who waits hears of it."""
        letter = self.folders[folder].add(raw, arrived)
        self.changed()
        return letter
