"""Mailboxes for tests: on Dovecot and on the stand, changed past the connector as their users would."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from imapclient import IMAPClient

from connectors.base import ReadRequest
from connectors.imap.config import ImapSettings
from connectors.imap.connector import Imap
from hub.model.records import Page
from stand.mail.boxes import Account
from stand.mail.server import MailStand
from stand.mail.writing import dated, letter, word
from tests.connectors.imap.dovecot import PASSWORD, Dovecot

_numbers = itertools.count(1)
WHEN = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def mail(subject: str = "Заявка", text: str = "Добрый день!", **head: str) -> bytes:
    """A letter; further fields with underscores for hyphens, an empty one is left out."""
    told = {
        "From": "client@firma.example",
        "To": "me@own.example",
        "Subject": word(subject),
        "Date": dated(WHEN),
        "Message-ID": f"<{next(_numbers)}@firma.example>",
    }
    told |= {name.replace("_", "-"): value for name, value in head.items()}
    return letter(told, text)


@dataclass
class Box:
    """One account. ``dovecot`` or ``stand``: the server behind it."""

    user: str
    port: int
    password: str
    dovecot: Dovecot | None = None
    stand: MailStand | None = None
    opened: list[Imap] = field(default_factory=list)

    @property
    def running(self) -> MailStand:
        """The stand behind it."""
        assert self.stand is not None
        return self.stand

    @property
    def sent(self) -> str:
        """Its folder of sent letters."""
        return "Sent" if self.dovecot else "Отправленные"

    def open(self, **more: Any) -> Imap:
        """A connector to it."""
        told: dict[str, Any] = {
            "url": f"imap://127.0.0.1:{self.port}",
            "user": self.user,
            "password": lambda: self.password,
            "title": "Почта",
            "own": ("me@own.example",),
            "timeout": 10.0,
            "patience": 0.0,
        }
        self.opened.append(Imap(ImapSettings(**(told | more))))
        return self.opened[-1]

    @contextmanager
    def client(self, folder: str = "") -> Any:
        """Another mail program in this mailbox."""
        with IMAPClient("127.0.0.1", self.port, ssl=False, timeout=10) as client:
            client.login(self.user, self.password)
            if folder:
                client.select_folder(folder)
            yield client

    def put(self, *letters: bytes, folder: str = "INBOX", when: datetime = WHEN, flags: tuple[str, ...] = ()) -> None:
        """Letters arrive."""
        with self.client() as client:
            if not client.folder_exists(folder):
                client.create_folder(folder)
            for raw in letters:
                client.append(folder, raw, flags, when)

    def drop(self, *uids: int, folder: str = "INBOX") -> None:
        """A user deletes letters for good."""
        with self.client(folder) as client:
            client.add_flags(list(uids), ["\\Deleted"])
            client.expunge()

    def move(self, uid: int, target: str, folder: str = "INBOX") -> None:
        """A user files a letter."""
        with self.client(folder) as client:
            if not client.folder_exists(target):
                client.create_folder(target)
            client.move([uid], target)

    def renumber(self, uidvalidity: int, folder: str = "INBOX") -> None:
        """All numbers of a folder begin anew."""
        if self.dovecot:
            self.dovecot.admin("mailbox", "update", "-u", self.user, "--uid-validity", str(uidvalidity), folder)
        elif self.stand:
            self.stand.accounts[self.user].folders[folder].renumber(uidvalidity)

    def cut(self) -> None:
        """Every connection breaks off."""
        if self.stand:
            self.stand.cut()
        elif self.dovecot:
            self.dovecot.kill()
            self.dovecot.start()

    def close(self) -> None:
        """Close what was opened."""
        for connector in self.opened:
            connector.close()


@dataclass
class Got:
    """What a read brought."""

    records: list[dict[str, Any]]
    deleted: list[str]
    position: dict[str, Any]
    pages: list[Page]

    @property
    def subjects(self) -> list[str]:
        """Subjects in the order of delivery."""
        return [str(record.get("subject")) for record in self.records]

    def one(self, subject: str) -> dict[str, Any]:
        """The letter of that subject, which must be the only one."""
        (found,) = [record for record in self.records if record.get("subject") == subject]
        return found


def read(
    connector: Imap, position: Any = None, size: int = 100, each: Callable[[Page], None] | None = None, **more: Any
) -> Got:
    """Read on from a position (as it comes out of the store: JSON), or everything."""
    told = json.loads(json.dumps(position)) if position else None
    pages = []
    for page in connector.read(ReadRequest("messages", key=("location",), position=told, page_size=size, **more)):
        pages.append(page)
        if each is not None:
            each(page)
    records = [json.loads(raw) for page in pages for raw in page.records]
    return Got(records, [one for page in pages for one in page.deleted], pages[-1].position, pages)


def stand_box(user: str, *others: str) -> tuple[MailStand, list[Box]]:
    """A running stand with those accounts."""
    accounts = [Account(name, PASSWORD) for name in (user, *others)]
    stand = MailStand(accounts)
    stand.start()
    return stand, [Box(one.user, stand.port, PASSWORD, stand=stand) for one in accounts]
