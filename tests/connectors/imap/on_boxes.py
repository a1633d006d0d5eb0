"""Subjects of the certification: a mailbox on Dovecot and one on the stand, each behind a way that can be cut."""

from __future__ import annotations

import itertools
import socket
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import ClassVar

from connectors.base import Connector
from connectors.certify.subject import Deleting, Fault, Faulty, Known
from hub.model.errors import RetryLater
from stand.mail.writing import dated
from tests.connectors.imap.boxes import WHEN, Box, mail, stand_box
from tests.connectors.imap.dovecot import PASSWORD, Dovecot
from tests.connectors.relay import Relay

LETTERS = 36
_accounts = itertools.count(1)


def letters() -> list[tuple[datetime, bytes]]:
    """Three a day, with the moments at which they arrive."""
    moments = [WHEN + timedelta(days=n // 3, hours=n % 3) for n in range(LETTERS)]
    return [
        (moment, mail(f"Письмо {n}", Date=dated(moment), Message_ID=f"<{n}@kit.example>"))
        for n, moment in enumerate(moments)
    ]


class OnBox(Deleting, Faulty):
    """What both servers have in common. Letters never change, so there is nothing to edit."""

    faults: ClassVar[Mapping[str, Fault]] = {"broken_off": Fault(RetryLater, hidden=True)}

    def __init__(self, box: Box) -> None:
        self.box = box
        self.relay = Relay(lambda: socket.create_connection(("127.0.0.1", box.port)))
        with box.client() as client:
            uidvalidity = client.folder_status("INBOX", ["UIDVALIDITY"])[b"UIDVALIDITY"]
        ids = frozenset(f"{uidvalidity}:{n}@INBOX" for n in range(1, LETTERS + 1))
        self.catalog = Known("messages", ("subject", "message_key", "people"), ids, ("location",))
        self.dated = Known("messages", ("date", "subject"), ids, ("location",), date_field="date")

    def connect(self) -> Connector:
        """Another connector."""
        return self.box.open(url=f"imap://127.0.0.1:{self.relay.port}", timezone="Europe/Moscow")

    def delete(self, stream: str, key: str) -> None:
        """A user deletes a letter for good."""
        self.box.drop(int(key.partition(":")[2].partition("@")[0]))

    def fail(self, name: str, times: int = 0) -> None:
        """Connections are broken off; unless it is for once, none can be made until it is mended."""
        self.relay.refusing = int(not times)
        self.relay.cut()

    def mend(self) -> None:
        """The way is open."""
        self.relay.refusing = 0

    def close(self) -> None:
        """Close the way as well."""
        super().close()
        self.relay.close()


def on_dovecot(server: Dovecot) -> OnBox:
    """A new account with the letters, delivered as files."""
    box = Box(f"kit{next(_accounts)}@own.example", server.port, PASSWORD, dovecot=server)
    for n, (moment, raw) in enumerate(letters()):
        server.drop(box.user, f"{1_700_000_000 + n}.M{n:03d}P1.host", raw, moment.timestamp())
    return OnBox(box)


def on_stand() -> tuple[OnBox, Callable[[], None]]:
    """A new stand with the letters, and how to end it."""
    stand, (box,) = stand_box("kit@own.example")
    for moment, raw in letters():
        stand.accounts[box.user].folders["INBOX"].add(raw, moment)
    return OnBox(box), stand.stop
