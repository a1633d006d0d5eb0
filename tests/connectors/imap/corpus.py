"""Other people's letters (``../shared/data/mail``), and what was seen in each of them by people who looked.

``corpus.tsv``: file, date, sender (a hash: they are real people), subject, first line of the text, robot, files; ``—``:
nothing, ``T``: the arrival. A row whose first column is ``dovecot`` or ``stand`` holds where a server takes a broken
letter apart in its own way.
"""

from __future__ import annotations

import csv
import hashlib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parents[4] / "shared" / "data" / "mail"
TABLE = Path(__file__).with_name("corpus.tsv")
NO_CORPUS = "../shared/data/mail is not here: tests on other people's letters are skipped"
ARRIVED = datetime(2026, 1, 1, tzinfo=UTC)


def files() -> list[Path]:
    """All of them, in a fixed order."""
    return sorted(path for path in FOLDER.rglob("*") if path.is_file())


def name_of(path: Path) -> str:
    """As the table names it."""
    return path.relative_to(FOLDER).as_posix()


def expected(via: str) -> dict[str, list[str]]:
    """What is to be seen in each file, read in that way: ``direct``, ``dovecot``, ``stand``."""
    found: dict[str, list[str]] = {}
    with TABLE.open(encoding="utf-8", newline="") as lines:
        for where, name, *seen in csv.reader(lines, delimiter="\t", quoting=csv.QUOTE_NONE):
            if where == "*":
                found.setdefault(name, seen)
            elif where == via:
                found[name] = seen
    return found


def seen(record: dict[str, Any]) -> list[str]:
    """The same of a record."""
    sender = next((one["address"] for one in record["people"] if one["role"] == "from"), None)
    first = next((line for line in (record["text"] or "").split("\n") if line.strip()), "")
    date = "T" if record["date"] == "2026-01-01T03:00:00" else record["date"]
    named = ", ".join(one["name"] or one["mime"] for one in record["files"])
    sender = hashlib.sha256(sender.encode()).hexdigest()[:12] if sender else None
    told = (date, sender, record["subject"], first.strip()[:60], record["auto"], named)
    return [" ".join(str(value or "—").split())[:120] or "—" for value in told]
