"""Calls of a telephone exchange through the hub: a million rows of ``cdr`` into SQLite, and the same exchange again.

``python -m bench.calls [--rows 1000000] [--files]``

The rows are an office's of some ten thousand a day: hunts, queues, transfers, hidden callers, one and a half rows a
call. Each exchange is a process of its own, so that the memory told is that of the hub and nothing else; a tenth of the
rows goes first, to show that memory does not grow with them. ``--files``: the same rows as ``Master.csv``. Ends with 1
when a call is missing or came twice, when the second run changes anything, or when memory passes the bound.
"""

from __future__ import annotations

import argparse
import csv
import json
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

from sqlalchemy import func, select

from bench import measure
from hub.exchange.hub import Hub
from hub.exchange.service import run_exchange
from hub.model.settings import Settings, SystemSettings
from hub.model.settings_comms import CallSettings
from hub.model.settings_types import Kind
from hub.store import tables
from hub.store.database import open_store

RSS_MB = 300
HEAD = f"{'':<14}{'rows':>10}{'calls':>10}{'s':>8}{'CPU s':>8}{'rows/s':>9}{'before':>8}{'most':>7}{'changed':>9}"
_COLUMNS = (
    "accountcode src dst dcontext clid channel dstchannel lastapp lastdata start answer end duration billsec"
    " disposition amaflags uniqueid userfield peeraccount linkedid sequence"
)
_START = datetime(2026, 1, 1, 8, tzinfo=UTC)
_EVERY = timedelta(seconds=13)

Row = tuple[Any, ...]


@dataclass
class Figures:
    """One exchange. ``start``, ``rss``: MB before and at most. ``stored``: calls in the store after it."""

    received: int = 0
    changed: int = 0
    stored: int = 0
    seconds: float = 0.0
    cpu: float = 0.0
    start: float = 0.0
    rss: float = 0.0


def rows(count: int) -> Iterator[Row]:
    """Rows of calls, in the order in which their first legs begin; the same every time."""
    luck, made, number = Random(1), 0, 0
    while made < count:
        begins = _START + number * _EVERY
        call = f"{int(begins.timestamp())}.{number}"
        number += 1
        src = luck.choice(("7916{:07}", "+7903{:07}", "8495{:07}", "anonymous")).format(
            luck.randrange(10**5) * 13 % 10**7
        )
        legs = luck.choice((1, 1, 1, 2, 2, 3))
        for leg in range(min(legs, count - made)):
            made += 1
            last = leg == legs - 1 and luck.random() < 0.7
            talk = luck.randrange(5, 400) if last else 0
            start, spent = begins + timedelta(seconds=20 * leg), 6 + talk if last else 20
            ends = start + timedelta(seconds=spent)
            yield (
                "", src, "74951112233", "from-trunk", f'"Client" <{src}>', f"PJSIP/trunk-{made:08x}",
                f"PJSIP/10{leg + 1}-{made:08x}", "Dial", f"PJSIP/10{leg + 1},20,tr",
                f"{start:%Y-%m-%d %H:%M:%S}", f"{ends - timedelta(seconds=talk):%Y-%m-%d %H:%M:%S}" if last else "",
                f"{ends:%Y-%m-%d %H:%M:%S}", spent, talk, "ANSWERED" if last else "NO ANSWER", 3, call, "", "", call,
                made,
            )  # fmt: skip


def make(folder: Path, count: int, *, files: bool) -> int:
    """The exchange's records in ``folder``; how many calls they are."""
    names = _COLUMNS.split()
    calls: dict[str, None] = {}

    def counted() -> Iterator[Row]:
        for row in rows(count):
            calls[row[names.index("linkedid")]] = None
            yield row

    if files:
        with (folder / "Master.csv").open("w", newline="", encoding="utf-8") as file:
            csv.writer(file, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\n").writerows(counted())
        return len(calls)
    columns = ", ".join("calldate" if name == "start" else f'"{name}"' for name in names)
    with closing(sqlite3.connect(folder / "cdr.db")) as conn:
        conn.execute(f"CREATE TABLE cdr ({columns})")
        conn.executemany(f"INSERT INTO cdr VALUES ({', '.join('?' * len(names))})", counted())
        conn.execute("CREATE INDEX cdr_calldate ON cdr (calldate)")
        conn.commit()
    return len(calls)


def exchange(folder: Path, kind: Kind) -> Figures:
    """One exchange of all calls into the store in ``folder``."""
    url = str(folder / "Master.csv") if kind == "pbx_files" else f"sqlite:///{folder}/cdr.db"
    system = SystemSettings(
        code="pbx", kind=kind, url=url, timezone="UTC", profile="calls", calls=CallSettings(), page_size=5000
    )
    store = open_store(f"sqlite:///{folder}/hub.db")
    store.migrate()
    settings = Settings(
        home=folder, path=folder / "hub.yaml", company_timezone="UTC", store_url="", systems={"pbx": system}
    )
    found = Figures(start=measure.peak_rss_mb())
    begun, used = time.monotonic(), measure.cpu()
    with Hub(settings, store) as hub:
        (route,) = run_exchange(hub).routes
    if route.error is not None:
        raise SystemExit(route.error.sentence("en"))
    found.seconds, found.cpu = time.monotonic() - begun, measure.cpu() - used
    found.rss = measure.peak_rss_mb()
    found.received, found.changed = route.counters.received, route.counters.received - route.counters.unchanged
    with store.read() as conn:
        found.stored = int(conn.execute(select(func.count()).select_from(tables.ROOTS["activity"])).scalar_one())
    store.close()
    return found


def _asked(folder: Path, kind: str) -> Figures:
    """``exchange`` in a process of its own."""
    command = [sys.executable, "-m", "bench.calls", "--worker", str(folder), kind]
    done = subprocess.run(
        command, cwd=Path(__file__).parents[1], capture_output=True, text=True, check=False, timeout=7200
    )
    if done.returncode:
        raise SystemExit(done.stderr[-3000:])
    return Figures(**json.loads(done.stdout.splitlines()[-1]))


def _tell(title: str, count: int, found: Figures, calls: int, *, again: bool) -> list[str]:
    """One line of the table; what is wrong with it."""
    print(
        f"{title:<14}{count:>10,}{found.stored:>10,}{found.seconds:>8.1f}{found.cpu:>8.1f}"
        f"{count / found.seconds:>9,.0f}{found.start:>8.0f}{found.rss:>7.0f}{found.changed:>9,}",
        flush=True,
    )
    wrong = [f"{title}: {found.stored} calls stored, {calls} made"] if found.stored != calls else []
    wrong += [f"{title}: {found.changed} changed"] if found.changed != (0 if again else calls) else []
    return wrong + ([f"{title}: {found.rss:.0f} MB"] if found.rss > RSS_MB else [])


def main() -> None:
    """Make the rows, exchange twice, tell."""
    if sys.argv[1:2] == ["--worker"]:
        print(json.dumps(asdict(exchange(Path(sys.argv[2]), "pbx_files" if sys.argv[3] == "pbx_files" else "pbx_db"))))
        return
    parser = argparse.ArgumentParser(prog="python -m bench.calls")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--files", action="store_true", help="as Master.csv")
    given = parser.parse_args()
    kind = "pbx_files" if given.files else "pbx_db"
    wrong: list[str] = []
    print(HEAD)
    for title, count in (("a tenth", given.rows // 10), ("all", given.rows)):
        with tempfile.TemporaryDirectory(prefix="obmen-bench-") as folder:
            calls = make(Path(folder), count, files=given.files)
            wrong += _tell(title, count, _asked(Path(folder), kind), calls, again=False)
            wrong += _tell(f"{title}, again", count, _asked(Path(folder), kind), calls, again=True)
    if wrong:
        raise SystemExit("\n".join(wrong))


if __name__ == "__main__":
    main()
