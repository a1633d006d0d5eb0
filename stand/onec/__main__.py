"""``python -m stand.onec``: serve one base until interrupted. Prints one JSON line with the address when ready."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
from datetime import date
from pathlib import Path
from types import FrameType

from stand.onec.configurations import CONFIGURATIONS
from stand.onec.generate.build import TODAY, build
from stand.onec.journal import Journal, WrongJournal
from stand.onec.server import PEER, OneCStand
from stand.onec.volume import default_folder, open_volume

#: What a packed set holds, by configuration.
ORDERS = {
    "ut": "Document_ЗаказКлиента",
    "unf": "Document_ЗаказПокупателя",
    "bp": "Document_СчетНаОплатуПокупателю",
}
#: Orders that are kept in memory at most; beyond that, this many of them are the templates of a packed set.
LIVE_ORDERS, TEMPLATES = 100_000, 5_000


def parser() -> argparse.ArgumentParser:
    """The command line."""
    made = argparse.ArgumentParser(prog="python -m stand.onec", description="Emulator of a 1C base over OData")
    made.add_argument("--port", type=int, default=0, help="0 takes a free one")
    made.add_argument("--seed", type=int, default=1)
    made.add_argument("--clients", type=int, default=3000)
    made.add_argument("--products", type=int, default=2000)
    made.add_argument("--orders", type=int, default=20000)
    made.add_argument("--configuration", choices=CONFIGURATIONS, default="ut", help="УТ, УНФ or БП")
    made.add_argument(
        "--packed", type=Path, nargs="?", const=default_folder(), metavar="FOLDER",
        help=f"serve the orders read-only from a file made ready, kept there; always so for more than {LIVE_ORDERS}",
    )  # fmt: skip
    made.add_argument("--today", type=date.fromisoformat, default=TODAY, help="last day of the data, YYYY-MM-DD")
    made.add_argument("--user", default="", help="no login is asked for when empty")
    made.add_argument("--password", default=os.environ.get("STAND_PASSWORD", ""), help="or $STAND_PASSWORD")
    made.add_argument("--publication", default="", help="first step of every address; the configuration's own if empty")
    made.add_argument(
        "--peer", action="append", metavar="CODE", help=f"a node of EnterpriseData; {PEER} if none is named"
    )
    made.add_argument("--folder", type=Path, help="a folder in which messages of EnterpriseData are exchanged too")
    made.add_argument("--journal", type=Path, metavar="FILE", help="keep what is written to the base, start with it")
    made.add_argument("--control", action="store_true", help="serve /_stand/ for edits and faults")
    return made


def journal_of(asked: argparse.Namespace, stand: OneCStand) -> Journal:
    """The journal that was asked for, of the base that these words make. The base then cannot be put back."""
    words = ("configuration", "seed", "clients", "products", "orders")
    base = {name: getattr(asked, name) for name in words} | {"today": asked.today.isoformat()}
    stand.snapshots.kept = True
    return Journal(asked.journal, stand.world, base)


def main(argv: list[str] | None = None) -> int:
    """Build, announce, serve. 2 for a journal of another base."""
    asked = parser().parse_args(argv)
    packed = asked.packed or (default_folder() if asked.orders > LIVE_ORDERS else None)
    if packed and asked.journal:
        parser().error("--journal does not keep a packed set: leave out --packed, or ask for fewer orders")
    live = min(asked.orders, TEMPLATES) if packed else asked.orders
    world = build(asked.seed, asked.clients, asked.products, live, asked.today, asked.configuration)
    volumes = [open_volume(world, ORDERS[asked.configuration], asked.orders, packed)] if packed else []
    stand = OneCStand(
        world, port=asked.port, user=asked.user, password=asked.password, control=asked.control, volumes=volumes,
        publication=asked.publication, peers=asked.peer or (PEER,), folder=asked.folder,
    )  # fmt: skip

    journal = journal_of(asked, stand) if asked.journal else None
    try:
        if journal:
            journal.replay()
    except WrongJournal as wrong:
        sys.stderr.write(f"{wrong}\n")
        stand.close()
        return 2

    def leave(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, leave)
    sys.stdout.write(json.dumps({"url": stand.url, "pid": os.getpid()}) + "\n")
    sys.stdout.flush()
    try:
        stand.serve()
    except KeyboardInterrupt:
        pass
    finally:
        if journal:
            journal.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
