"""Ten thousand meetings of a CalDAV server through the hub: the first read, nothing new, one in a hundred changed.

``python -m bench.calendars [--items N]``

The server is Radicale on loopback, a process of its own; what counts is the CPU and the peak memory of this one. The
store is SQLite. The items are written into Radicale's folder, since ten thousand PUTs say nothing of the hub.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from connectors.base import ReadRequest
from connectors.calendars.dav.connector import CalDav
from hub.exchange.service import run_exchange
from hub.model.settings import RouteSettings, SystemSettings
from hub.store.database import open_store
from tests.calendars.servers import USER, DavServer, account, event, running
from tests.exchange.installation import make_hub


@dataclass(frozen=True)
class Figures:
    """One read. ``cpu``: seconds of this process; ``rss``: its peak memory so far, in MB."""

    name: str
    seconds: float
    cpu: float
    rss: float
    received: int
    changed: int

    def line(self, items: int) -> str:
        """As it is printed."""
        rate = items / self.seconds
        told = f"{self.name:<22} {self.seconds:7.1f} s  {self.cpu:7.2f} s CPU  {self.rss:6.0f} MB  {rate:8.0f} items/s"
        return f"{told}  received {self.received}, changed {self.changed}"


def _text(n: int, summary: str = "Встреча") -> str:
    day = date(2026, 1, 1) + timedelta(days=n % 700)
    people = {"ATTENDEE;CN=Клиент;PARTSTAT=ACCEPTED": f":mailto:client{n % 900}@example.ru"}
    start = f";TZID=Europe/Moscow:{day:%Y%m%d}T{9 + n % 9:02d}0000"
    return event(f"m{n}", start, SUMMARY=f":{summary} {n}", **people).replace("\n", "\r\n")


def _fill(server: DavServer, items: int) -> str:
    path = server.calendar("bench")
    folder = server.folder / "store" / "collection-root" / USER / "bench"
    for n in range(items):
        (folder / f"m{n}.ics").write_text(_text(n), encoding="utf-8", newline="")
    return path


def _spent() -> tuple[float, float]:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.calendars", description=__doc__)
    parser.add_argument("--items", type=int, default=10_000)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, running("radicale") as server:
        path = _fill(server, asked.items)
        url = f"sqlite:///{folder}/store.db"
        store = open_store(url)
        store.migrate()
        connector = CalDav(account(server.root + path, timeout=600.0))
        connector.count(ReadRequest("events", key=("href",)))  # Radicale parses its files once
        system = SystemSettings("cal", "caldav", "Europe/Moscow", "calendar", url=server.root + path)
        route = RouteSettings("cal.activity")
        hub = make_hub(store, Path(folder), {"cal": connector}, {"cal": system}, {"cal.activity": route})
        print(f"{asked.items} meetings; before: {_spent()[1]:.0f} MB", flush=True)

        def read(name: str) -> None:
            cpu, begun = _spent()[0], time.monotonic()
            report = run_exchange(hub, ["cal.activity"])
            [one] = report.routes
            assert one.error is None, one.error
            told = one.counters
            spent, rss = _spent()
            figures = Figures(
                name, time.monotonic() - begun, spent - cpu, rss, told.received, told.created + told.updated
            )
            print(figures.line(asked.items), flush=True)

        read("first")
        read("nothing new")
        for n in range(0, asked.items, 100):
            assert server.put(f"{path}m{n}.ics", _text(n, "Созвон"))[0] in {201, 204}
        read("one in a hundred")
        connector.close()
        store.close()


if __name__ == "__main__":
    main()
