"""Reads a mailbox and kills itself with signal 9 between a page and its place; run as a process by ``test_mail``.

Usage: ``python -m tests.exchange.mail_child STORE_URL PORT HOME NTH``.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import Any

from connectors.imap.config import ImapSettings
from connectors.imap.connector import Imap
from hub.exchange.cursors import Cursor
from hub.exchange.hub import Hub
from hub.exchange.service import run_exchange
from hub.model.settings import SystemSettings
from hub.model.settings_comms import MailSettings
from hub.store.database import Store, open_store
from tests.exchange.installation import make_hub

USER, PASSWORD = "zakaz@firma.example", "word"


def open_hub(store: Store, home: Path, port: int) -> tuple[Hub, Imap]:
    """A hub whose one system is the mailbox at that port, ten letters a page; and its connector."""
    url = f"imap://127.0.0.1:{port}"
    connector = Imap(
        ImapSettings(url, USER, lambda: PASSWORD, title="Почта", timezone="Europe/Moscow", page_size=10, patience=0.0)
    )
    system = SystemSettings(
        code="mail", kind="imap", timezone="Europe/Moscow", profile="mail", page_size=10, mail=MailSettings()
    )
    return make_hub(store, home, {"mail": connector}, {"mail": system}), connector


def main() -> None:
    url, port, home, nth = sys.argv[1:]
    save, left = Cursor.save, [int(nth)]

    def dying(cursor: Cursor, conn: Any, *, done: bool) -> None:
        left[0] -= 1
        if not left[0]:
            os.kill(os.getpid(), signal.SIGKILL)
        save(cursor, conn, done=done)

    Cursor.save = dying  # type: ignore[method-assign, assignment]
    hub, _ = open_hub(open_store(url), Path(home), int(port))
    run_exchange(hub)


if __name__ == "__main__":
    main()
