"""What the stand itself costs: CPU seconds per 100,000 rows served, beside the client's ``json.loads`` of the same.

``python -m bench.stand_cost [--orders 1000000] [--whole 20000] [--live 5000]``

The stand is a process of its own and its CPU is read from the kernel, so the figures are free of the client's. Three
reads: the key sweep of a packed set, whole orders of it with lines, and whole orders of a live base (every answer made
anew). Rows are of the set's full width, 15 kB an order; a mapping's ``$select`` is far less on both sides.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote, urlsplit

from bench.measure import cpu

ORDERS = quote("Document_ЗаказКлиента")
SWEEP = "$select=Ref_Key,DataVersion,DeletionMark&"
_TICKS = os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 100


class Stand(NamedTuple):
    """A running stand: its address and process, and the seconds until it was ready."""

    url: str
    pid: int
    ready: float

    def cpu(self) -> float:
        """User and system seconds so far (Linux)."""
        fields = Path(f"/proc/{self.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS

    def rss_mb(self) -> float:
        """Memory of its own that it has held at most; pages of the mapped file are counted apart."""
        lines = Path(f"/proc/{self.pid}/status").read_text(encoding="ascii").splitlines()
        found = {line.split(":")[0]: line.split()[1] for line in lines if line.startswith(("RssAnon", "VmHWM"))}
        return int(found["RssAnon"]) / 1024


@contextmanager
def stand(*words: str) -> Iterator[Stand]:
    """Started for the time of the block."""
    begun = time.monotonic()
    command = [sys.executable, "-m", "stand.onec", *words]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[1]) as process:
        try:
            assert process.stdout is not None
            url = json.loads(process.stdout.readline())["url"]
            yield Stand(url, process.pid, time.monotonic() - begun)
        finally:
            process.kill()


def read(served: Stand, query: str, rows: int, page: int) -> tuple[float, float, float, int]:
    """CPU of the stand, of reading, of ``json.loads``, and bytes, for that many rows in pages."""
    parts = urlsplit(served.url)
    connection = http.client.HTTPConnection("127.0.0.1", parts.port, timeout=120)
    before, client, parsing, size, got = served.cpu(), cpu(), 0.0, 0, 0
    while got < rows:
        path = f"{parts.path}/{ORDERS}?$format=application/json;odata=nometadata&{query}$orderby=Ref_Key"
        connection.request("GET", f"{path}&$top={page}&$skip={got}")
        body = connection.getresponse().read()
        begun = cpu()
        found = len(json.loads(body)["value"])
        parsing += cpu() - begun
        size += len(body)
        if not found:
            raise RuntimeError(f"only {got} rows")
        got += found
    connection.close()
    return served.cpu() - before, cpu() - client - parsing, parsing, size


def tell(title: str, rows: int, figures: tuple[float, float, float, int]) -> None:
    """One line, per 100,000 rows."""
    own, reading, parsing, size = figures
    share = 100_000 / rows
    print(
        f"{title:<34} {rows:>9,} rows {size / 1e6:>8,.0f} MB   per 100,000: stand {own * share:6.2f} s, reading "
        f"{reading * share:5.2f} s, json.loads {parsing * share:6.2f} s, stand/json.loads {own / parsing:.2f}"
    )


def main() -> None:
    """Measure and print."""
    made = argparse.ArgumentParser(prog="python -m bench.stand_cost")
    made.add_argument("--orders", type=int, default=1_000_000)
    made.add_argument("--whole", type=int, default=20_000)
    made.add_argument("--live", type=int, default=5_000)
    asked = made.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        words = ("--orders", str(asked.orders), "--packed", folder)
        for title in ("first start, file made", "second start, file there"):
            with stand(*words) as served:
                print(f"{title:<34} ready in {served.ready:.1f} s, {served.rss_mb():.0f} MB of its own")
        size = sum(path.stat().st_size for path in Path(folder).iterdir())
        print(f"{'the file':<34} {size / 1e6:,.0f} MB for {asked.orders:,} orders")
        with stand(*words) as served:
            tell("packed, key sweep", asked.orders, read(served, SWEEP, asked.orders, 5_000))
            tell("packed, whole orders", asked.whole, read(served, "", asked.whole, 500))
            print(f"{'after that':<34} {served.rss_mb():.0f} MB of its own")
    with stand("--orders", str(asked.live)) as served:
        tell("live, key sweep", asked.live, read(served, SWEEP, asked.live, 1_000))
        tell("live, whole orders", asked.live, read(served, "", asked.live, 500))


if __name__ == "__main__":
    main()
