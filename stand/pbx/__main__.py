"""``python -m stand.pbx make PATH`` and ``… add PATH``: call records of a small exchange. One JSON line is printed."""

from __future__ import annotations

import argparse
import json
import sqlite3
import sys
from datetime import date, datetime
from pathlib import Path

from stand.onec.generate.build import TODAY
from stand.pbx.calls import EXTENSIONS, KINDS
from stand.pbx.make import add_call, build_pbx


def _making(make: argparse.ArgumentParser) -> argparse.ArgumentParser:
    make.add_argument("path", type=Path, metavar="PATH")
    make.add_argument("--seed", type=int, default=1, help="that of the 1C stand: calls are of its clients")
    make.add_argument("--calls", type=int, default=120)
    make.add_argument("--today", type=date.fromisoformat, default=TODAY, help="last day of the calls, YYYY-MM-DD")
    return make


def _adding(add: argparse.ArgumentParser) -> argparse.ArgumentParser:
    add.add_argument("path", type=Path, metavar="PATH")
    add.add_argument("--kind", choices=KINDS, default="answered")
    add.add_argument("--from", dest="src", default="", metavar="NUMBER", help="the client; the first one of 1C without")
    add.add_argument("--ext", choices=EXTENSIONS, default=EXTENSIONS[0], help="who of the office")
    add.add_argument("--talk", type=int, default=60, metavar="SECONDS")
    add.add_argument("--at", type=datetime.fromisoformat, metavar="TIME", help="when it begins; it ends now without")
    return add


def parsers() -> tuple[argparse.ArgumentParser, argparse.ArgumentParser, argparse.ArgumentParser]:
    """The command line, and its two halves ``make`` and ``add``."""
    told = argparse.ArgumentParser(prog="python -m stand.pbx", description="Calls of a small exchange, in SQLite")
    does = told.add_subparsers(dest="do", required=True)
    make = _making(does.add_parser("make", help="make the file, which must not be there yet"))
    return told, make, _adding(does.add_parser("add", help="let one more call be made"))


def main(argv: list[str] | None = None) -> int:
    """Do what is asked; 2 for a file that is there already, or is not."""
    asked = parsers()[0].parse_args(argv)
    if asked.path.exists() == (asked.do == "make"):
        print(f"{asked.path} is {'there already' if asked.do == 'make' else 'not there'}", file=sys.stderr)
        return 2
    if asked.do == "make":
        held = build_pbx(asked.path, asked.seed, asked.calls, asked.today)
        print(json.dumps({"path": str(asked.path), **held}))
        return 0
    try:
        row = add_call(asked.path, asked.kind, asked.src, asked.ext, asked.talk, asked.at)
    except sqlite3.Error as error:
        print(f"{asked.path}: {error}", file=sys.stderr)
        return 2
    print(json.dumps({name: row[name] for name in ("linkedid", "calldate", "src", "dst", "disposition")}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
