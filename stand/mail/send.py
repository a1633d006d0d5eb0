"""``python -m stand.mail.send``: let a letter arrive in the demo's mailbox while it is served."""

from __future__ import annotations

import argparse
import imaplib
import os
import sys
import uuid
from datetime import UTC, datetime

from stand.mail.content import USER
from stand.mail.words import to_utf7
from stand.mail.writing import dated, letter, person, word


def main(argv: list[str] | None = None) -> int:
    """Deliver one letter over IMAP (APPEND), as a mail program that files it would."""
    told = argparse.ArgumentParser(prog="python -m stand.mail.send", description="A letter arrives")
    told.add_argument("--port", type=int, required=True)
    told.add_argument("--user", default=USER)
    told.add_argument("--password", default=os.environ.get("STAND_PASSWORD", ""))
    told.add_argument("--from", dest="sender", required=True, metavar="ADDRESS")
    told.add_argument("--name", default="")
    told.add_argument("--subject", default="Без темы")
    told.add_argument("--text", default="Добрый день!")
    told.add_argument("--folder", default="INBOX")
    told.add_argument("--reply-to", default="", metavar="MESSAGE-ID", help="the letter that this one answers")
    asked = told.parse_args(argv)
    now = datetime.now(UTC)
    message_id = f"<{uuid.uuid4().hex}@{asked.sender.rpartition('@')[2]}>"
    head = {
        "From": person(asked.name, asked.sender),
        "To": asked.user,
        "Subject": word(asked.subject),
        "Date": dated(now),
        "Message-ID": message_id,
        "In-Reply-To": asked.reply_to,
        "References": asked.reply_to,
    }
    with imaplib.IMAP4("127.0.0.1", asked.port, timeout=20) as client:
        client.login(asked.user, asked.password)
        folder = f'"{to_utf7(asked.folder).decode()}"'
        kind, said = client.append(folder, "", imaplib.Time2Internaldate(now), letter(head, asked.text))
    sys.stdout.write(f"{message_id if kind == 'OK' else said}\n")
    return int(kind != "OK")


if __name__ == "__main__":
    sys.exit(main())
