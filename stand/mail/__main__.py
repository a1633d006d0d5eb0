"""``python -m stand.mail``: serve the demo's mailbox. Prints one JSON line when it is ready."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import threading
from datetime import date

from stand.mail.boxes import Account
from stand.mail.content import USER, fill
from stand.mail.server import MailStand
from stand.onec.generate.build import TODAY


def main(argv: list[str] | None = None) -> int:
    """Serve until SIGTERM or Ctrl+C."""
    told = argparse.ArgumentParser(prog="python -m stand.mail", description="A mailbox of the demo, over IMAP")
    told.add_argument("--port", type=int, default=0)
    told.add_argument("--user", default=USER)
    told.add_argument("--password", default=os.environ.get("STAND_PASSWORD", ""))
    told.add_argument("--seed", type=int, default=1, help="that of the 1C stand: letters are of its clients")
    told.add_argument("--letters", type=int, default=200)
    told.add_argument("--today", type=date.fromisoformat, default=TODAY, help="last day of the letters, YYYY-MM-DD")
    told.add_argument("--list-status", action="store_true", help="offer LIST-STATUS")
    asked = told.parse_args(argv)
    if not asked.password:
        print("--password, or STAND_PASSWORD", file=sys.stderr)
        return 2
    account = Account(asked.user, asked.password)
    fill(account, asked.seed, asked.letters, asked.today)
    stand = MailStand([account], asked.port)
    stand.quirks.list_status = asked.list_status
    done = threading.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: done.set())
    with stand:
        print(json.dumps({"url": f"imap://127.0.0.1:{stand.port}", "user": asked.user, "pid": os.getpid()}), flush=True)
        done.wait()
    return 0


if __name__ == "__main__":
    sys.exit(main())
