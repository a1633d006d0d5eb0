"""``python -m stand.crm PATH``: make the database of a CRM. Prints one JSON line with what it holds."""

from __future__ import annotations

import argparse
import json
import sys
from datetime import date
from pathlib import Path

from stand.crm.make import build_crm
from stand.onec.generate.build import TODAY


def main(argv: list[str] | None = None) -> int:
    """Make the file, which must not be there yet."""
    made = argparse.ArgumentParser(prog="python -m stand.crm", description="Database of a small CRM, in SQLite")
    made.add_argument("path", type=Path, metavar="PATH")
    made.add_argument("--seed", type=int, default=1, help="that of the 1C stand: they share a part of the clients")
    made.add_argument("--shared", type=int, default=30, help="clients that the 1C stand has as well")
    made.add_argument("--own", type=int, default=18, help="clients of the CRM alone")
    made.add_argument("--orders", type=int, default=60)
    made.add_argument("--today", type=date.fromisoformat, default=TODAY, help="last day of the data, YYYY-MM-DD")
    asked = made.parse_args(argv)
    if asked.path.exists():
        print(f"{asked.path} is there already", file=sys.stderr)
        return 2
    held = build_crm(asked.path, asked.seed, asked.shared, asked.own, asked.orders, asked.today)
    print(json.dumps({"path": str(asked.path), **held}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
