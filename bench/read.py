"""Reading over OData: the keys of a million orders, and a hundred thousand whole orders with their lines.

``python -m bench.read [--orders 1000000] [--whole 100000] [--sessions 2]``

The stand serves a packed set in a process of its own; each read is a process of its own too, so that the memory told is
that of reading and nothing else. Four threads read side by side, more than there may be sessions. What comes is held
against the stand's own file: as many records, and the same ones. Ends with 1 when a record is missing or came twice,
when the stand counted more sessions than allowed, or when memory passes the bound.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import quote

import msgspec
import xxhash

from bench import measure
from bench.stand_cost import Stand, stand
from connectors.base import ReadRequest
from connectors.onec_odata.config import OneCSettings
from connectors.onec_odata.connector import OneC
from hub.exchange.prefetch import prefetch
from hub.model.records import Page, Window
from stand.onec.packed import PackedFile

ORDERS = "Document_ЗаказКлиента"
RSS_MB = 200
HEAD = (
    f"{'':<8}{'orders':>10}{'lines':>11}{'s':>8}{'CPU s':>8}{'requests':>10}{'sent':>8}{'before':>8}{'most':>7}"
    f"{'sessions':>10}{'refused':>9}"
)
THREADS = 4
_KEY = re.compile(rb'"Ref_Key":"([0-9a-f-]{36})"')
_PART = 20_000


class _Seen(msgspec.Struct):
    key: str = msgspec.field(name="Ref_Key")
    lines: list[msgspec.Raw] = msgspec.field(name="Товары", default_factory=list)


@dataclass
class Figures:
    """One read. ``mark``: the same for the same set of keys, in whatever order. ``start``, ``rss``: MB before and at
    most.
    """

    records: int = 0
    lines: int = 0
    mark: int = 0
    seconds: float = 0.0
    cpu: float = 0.0
    rss: float = 0.0
    requests: int = 0
    megabytes: float = 0.0
    start: float = 0.0


class Counting:
    """Adds up what several threads read, up to ``wanted`` records each."""

    def __init__(self) -> None:
        self.found = Figures()
        self.lock = threading.Lock()
        self.decode = msgspec.json.Decoder(_Seen).decode

    def add(self, pages: Iterator[Page], wanted: int) -> None:
        """Read ahead as the exchange does, look into each record, keep none."""
        ahead = prefetch(pages)
        for page in ahead:
            seen = [self.decode(raw) for raw in page.records[:wanted]]
            wanted -= len(seen)
            with self.lock:
                found = self.found
                found.records += len(seen)
                found.lines += sum(len(item.lines) for item in seen)
                for item in seen:
                    found.mark ^= xxhash.xxh3_64_intdigest(item.key.encode())
            if wanted <= 0:
                break
        ahead.close()


def _spans(begin: date, end: date) -> list[Window]:
    """The days between, in as many parts as there are threads; the first and the last are open."""
    step = (end - begin) / THREADS
    edges = [date.min, *(begin + step * n for n in range(1, THREADS)), date(9999, 1, 1)]
    return [Window(one, two) for one, two in pairwise(edges)]


def read(url: str, what: str, wanted: int, sessions: int, days: tuple[date, date]) -> Figures:
    """``keys``: the plain key sweep; ``whole``: all fields and lines. ``wanted`` orders of them, 0 for all."""
    before, begun = measure.peak_rss_mb(), time.monotonic()
    connector = OneC(OneCSettings("ut", url, max_sessions=sessions))
    counting, used = Counting(), measure.cpu()
    fields = ("Ref_Key", "DataVersion", "DeletionMark") if what == "keys" else ()
    requests = [ReadRequest(ORDERS, fields, window=window, date_field="Date") for window in _spans(*days)]
    each = wanted // THREADS or sys.maxsize
    with ThreadPoolExecutor(THREADS) as pool:
        for done in [pool.submit(counting.add, connector.read(one), each) for one in requests]:
            done.result()
    found = counting.found
    found.seconds, found.cpu = time.monotonic() - begun, measure.cpu() - used
    found.requests, found.megabytes = connector.traffic.requests, connector.traffic.bytes_read / 1e6
    found.start, found.rss = before, measure.peak_rss_mb()
    connector.close()
    return found


def _asked(served: Stand, what: str, wanted: int, sessions: int, days: tuple[date, date]) -> Figures:
    """``read`` in a process of its own."""
    command = [sys.executable, "-m", "bench.read", "--worker", what, served.url, str(wanted), str(sessions)]
    done = subprocess.run(
        [*command, *(day.isoformat() for day in days)],
        cwd=Path(__file__).parents[1],
        capture_output=True,
        text=True,
        check=False,
        timeout=3600,
    )
    if done.returncode:
        raise SystemExit(done.stderr[-3000:])
    return Figures(**json.loads(done.stdout.splitlines()[-1]))


def _get(address: str, body: bytes | None = None) -> Any:
    """What the stand answers. ``body``: it is a POST."""
    with urllib.request.urlopen(urllib.request.Request(address, body), timeout=60) as answer:  # noqa: S310
        return json.loads(answer.read())


def _control(served: Stand, action: str) -> dict[str, Any]:
    address = f"{served.url.partition('/trade/')[0]}/_stand/{action}"
    body = None if action == "state" else b"{}"
    found: dict[str, Any] = _get(address, body)
    return found


def _mark(path: Path) -> tuple[int, int]:
    """How many orders the file has, and the mark of their keys."""
    file, mark = PackedFile(path), 0
    for begin in range(0, file.count, _PART):
        for key in _KEY.findall(file.keys(begin, min(begin + _PART, file.count))):
            mark ^= xxhash.xxh3_64_intdigest(key)
    count = file.count
    file.close()
    return count, mark


def _day(served: Stand, way: str) -> date:
    """Day of the first order (``asc``) or the last (``desc``)."""
    query = f"$format=json&$select=Date&$orderby=Date%20{way}&$top=1"
    return date.fromisoformat(_get(f"{served.url}/{quote(ORDERS)}?{query}")["value"][0]["Date"][:10])


def _tell(title: str, found: Figures, state: dict[str, Any], sessions: int) -> list[str]:
    """One line of the table; what is wrong with it."""
    counted = state["sessions"]
    most = max(counted["most_open"], counted["most_at_once"])
    print(
        f"{title:<8}{found.records:>10,}{found.lines:>11,}{found.seconds:>8.1f}{found.cpu:>8.1f}{found.requests:>10,}"
        f"{found.megabytes:>8,.0f}{found.start:>8.0f}{found.rss:>7.0f}{most:>10}{counted['refused']:>9}",
        flush=True,
    )
    wrong = [f"{title}: {most} sessions at once"] if most > sessions else []
    return wrong + ([f"{title}: {found.rss:.0f} MB"] if found.rss > RSS_MB else [])


def main() -> None:
    """Start the stand, read, tell."""
    if sys.argv[1:2] == ["--worker"]:
        what, url, many, lanes, first, last = sys.argv[2:]
        span = (date.fromisoformat(first), date.fromisoformat(last))
        print(json.dumps(asdict(read(url, what, int(many), int(lanes), span))))
        return
    parser = argparse.ArgumentParser(prog="python -m bench.read")
    parser.add_argument("--orders", type=int, default=1_000_000)
    parser.add_argument("--whole", type=int, default=100_000)
    parser.add_argument("--sessions", type=int, default=2)
    given = parser.parse_args()
    wrong: list[str] = []
    print(f"{THREADS} threads, {given.sessions} sessions; CPU of the reading process; MB sent, held before and at most")
    print(HEAD)
    words = ("--orders", str(given.orders), "--control", "--packed")
    with tempfile.TemporaryDirectory(prefix="obmen_bench_") as folder, stand(*words, folder) as served:
        count, mark = _mark(next(Path(folder).iterdir()))
        days = _day(served, "asc"), _day(served, "desc")
        reads = [("keys", count // 10), ("keys", 0), ("whole", given.whole // 10), ("whole", given.whole)]
        for what, wanted in reads:
            _control(served, "clear")
            found = _asked(served, what, wanted, given.sessions, days)
            wrong += _tell(what, found, _control(served, "state"), given.sessions)
            if wanted == 0 and (found.records, found.mark) != (count, mark):
                wrong.append(f"keys: {found.records} orders came of {count}, or others than there are")
            if wanted and found.records != wanted // THREADS * THREADS:
                wrong.append(f"{what}: {found.records} orders came of {wanted}")
    for line in wrong:
        print(line)
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
