"""``python -m stand.onec``: serve one base until interrupted. Prints one JSON line with the address when ready."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
from datetime import date
from types import FrameType

from stand.onec.configurations import CONFIGURATIONS
from stand.onec.generate.build import TODAY, build
from stand.onec.server import OneCStand


def parser() -> argparse.ArgumentParser:
    """The command line."""
    made = argparse.ArgumentParser(prog="python -m stand.onec", description="Emulator of a 1C base over OData")
    made.add_argument("--port", type=int, default=0, help="0 takes a free one")
    made.add_argument("--seed", type=int, default=1)
    made.add_argument("--clients", type=int, default=3000)
    made.add_argument("--products", type=int, default=2000)
    made.add_argument("--orders", type=int, default=20000)
    made.add_argument("--configuration", choices=CONFIGURATIONS, default="ut", help="УТ, УНФ or БП")
    made.add_argument("--today", type=date.fromisoformat, default=TODAY, help="last day of the data, YYYY-MM-DD")
    made.add_argument("--user", default="", help="no login is asked for when empty")
    made.add_argument("--password", default=os.environ.get("STAND_PASSWORD", ""), help="or $STAND_PASSWORD")
    made.add_argument("--control", action="store_true", help="serve /_stand/ for edits and faults")
    return made


def main(argv: list[str] | None = None) -> int:
    """Build, announce, serve."""
    asked = parser().parse_args(argv)
    world = build(asked.seed, asked.clients, asked.products, asked.orders, asked.today, asked.configuration)
    stand = OneCStand(world, port=asked.port, user=asked.user, password=asked.password, control=asked.control)

    def leave(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, leave)
    sys.stdout.write(json.dumps({"url": stand.url, "pid": os.getpid()}) + "\n")
    sys.stdout.flush()
    try:
        stand.serve()
    except KeyboardInterrupt:
        return 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
