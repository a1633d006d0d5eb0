"""``python -m stand.calendar``: fill a calendar of a server that is there (``--url``), or of a Radicale it starts.

Prints one JSON line. A Radicale that was started runs until it is asked to stop.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
from datetime import date
from pathlib import Path

from stand.calendar.make import resources
from stand.calendar.server import Server, start_radicale
from stand.onec.generate.build import TODAY


def parser() -> argparse.ArgumentParser:
    """The command line; the password is taken from ``STAND_PASSWORD``, never from an argument."""
    made = argparse.ArgumentParser(prog="python -m stand.calendar", description="Calendar of a manager, by CalDAV")
    where = made.add_mutually_exclusive_group(required=True)
    where.add_argument("--url", help="address of the account on a server that is there")
    where.add_argument("--folder", type=Path, help="where a Radicale that is started keeps its data")
    made.add_argument("--port", type=int, default=5232, help="of that Radicale, on loopback")
    made.add_argument("--user", default="manager")
    made.add_argument("--owner", default="manager@firma.example", help="the manager's e-mail address")
    made.add_argument("--calendar", default="work", help="its name, made if it is not there")
    made.add_argument("--seed", type=int, default=1, help="that of the 1C stand: its clients are met")
    made.add_argument("--meetings", type=int, default=40)
    made.add_argument("--tasks", type=int, default=20)
    made.add_argument("--today", type=date.fromisoformat, default=TODAY, help="the day that all is around, YYYY-MM-DD")
    return made


def main(argv: list[str] | None = None) -> int:
    """Fill, tell, and with ``--folder`` serve."""
    asked = parser().parse_args(argv)
    password = os.environ.get("STAND_PASSWORD", "")
    process = None
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        url = asked.url
        if asked.folder is not None:
            process = start_radicale(asked.folder.resolve(), asked.port, asked.user, password)
            url = f"http://127.0.0.1:{asked.port}/{asked.user}"
        made = resources(asked.seed, asked.owner, asked.meetings, asked.tasks, asked.today)
        number = Server(url, asked.user, password).fill(asked.calendar, made)
        print(json.dumps({"url": f"{url.rstrip('/')}/{asked.calendar}/", "resources": number}), flush=True)
        return process.wait() if process is not None else 0
    except KeyboardInterrupt:
        return 0
    except OSError as error:
        print(error, file=sys.stderr)
        return 2
    finally:
        if process is not None:
            process.terminate()
            process.wait(10)


if __name__ == "__main__":
    sys.exit(main())
