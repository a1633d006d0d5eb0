"""First load, unchanged re-load and one changed record in a hundred: the hub against the yardstick, both databases.

``python -m bench.exchange [--clients N --orders N] [--db sqlite,postgresql] [--twice]``

Each phase of each contestant is a process of its own, the two take turns, and what counts is CPU seconds (of the
process and, on PostgreSQL, of the server) and their ratio. After the first and the last phase the contents of both
stores are compared. ``--twice`` adds a first load of twice the data, to show that memory stays flat.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench import measure, pages
from bench.content import content
from hub.store.database import open_store
from tests.conftest import NO_POSTGRES, Cluster, _binaries, _create

DATA = Path(__file__).parent / "data"
PHASES = ("first", "same", "changed")
GOALS = {("postgresql", "first"): 0.40, ("sqlite", "first"): 0.70}
#: An unchanged re-run is held against the yardstick's own.
GOAL_SAME = 0.10
RSS_MB = 200


@dataclass
class Figures:
    """One phase of one contestant. ``server``: CPU seconds of the database server, 0 on SQLite."""

    start: float
    cpu: float
    server: float
    rss: float
    records: int

    @property
    def total(self) -> float:
        """Seconds that the work cost, client and server."""
        return self.cpu + self.server


def _run(contestant: str, url: str, folder: Path, phase: str, server: Callable[[], float]) -> Figures:
    before = server()
    done = subprocess.run(
        [sys.executable, "-m", "bench.worker", contestant, url, str(folder), phase],
        cwd=Path(__file__).parents[1],
        capture_output=True,
        text=True,
        check=False,
        timeout=3600,
    )
    if done.returncode:
        raise SystemExit(done.stderr[-3000:])
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return Figures(told["start"], told["cpu"], server() - before, told["rss"], told["records"])


def _contest(name: str, urls: dict[str, str], folders: dict[str, Path], server: Callable[[], float]) -> list[str]:
    lines, wrong = [], []
    for phase in PHASES:
        found = {who: _run(who, urls[who], folders[phase], phase, server) for who in ("hub", "yardstick")}
        hub, yard = found["hub"], found["yardstick"]
        goal = GOALS.get((name, phase), GOAL_SAME if phase == "same" else None)
        ratio = hub.total / yard.total
        verdict = "" if goal is None else ("ok" if ratio <= goal else f"OVER {goal:.2f}")
        lines.append(
            f"{name:<11}{phase:<9}{hub.cpu:>8.1f}{hub.server:>8.1f}{yard.cpu:>9.1f}{yard.server:>8.1f}"
            f"{ratio:>8.3f}{hub.rss:>8.0f}{yard.rss:>8.0f}{hub.start:>7.1f}  {verdict}"
        )
        print(lines[-1], flush=True)
        if phase != "same":
            wrong += _compare(name, phase, urls)
    return wrong


def _compare(name: str, phase: str, urls: dict[str, str]) -> list[str]:
    contents = {}
    for who, url in urls.items():
        store = open_store(url)
        contents[who] = content(store)
        store.close()
    if contents["hub"] == contents["yardstick"]:
        rows = sum(number for number, _ in contents["hub"].values())
        print(f"{'':<11}contents are equal: {rows} canonical rows in {len(contents['hub'])} tables", flush=True)
        return []
    different = [table for table in contents["hub"] if contents["hub"][table] != contents["yardstick"].get(table)]
    return [f"{name}, {phase}: contents differ in {', '.join(different)}"]


def _memory(name: str, url: str, folder: Path, server: Callable[[], float]) -> None:
    figures = _run("hub", url, folder, "first", server)
    verdict = "ok" if figures.rss <= RSS_MB else f"OVER {RSS_MB}"
    print(f"{name:<11}twice the data: peak {figures.rss:.0f} MB, {figures.total:.1f} CPU s  {verdict}", flush=True)


def _on_sqlite(folders: dict[str, Path], twice: Path | None) -> list[str]:
    with tempfile.TemporaryDirectory(prefix="obmen_bench_") as folder:
        urls = {who: f"sqlite:///{folder}/{who}.db" for who in ("hub", "yardstick")}
        wrong = _contest("sqlite", urls, folders, lambda: 0.0)
        if twice:
            _memory("sqlite", f"sqlite:///{folder}/twice.db", twice, lambda: 0.0)
    return wrong


def _database(cluster: Cluster, name: str) -> str:
    return _create(cluster.url, name, "template0").render_as_string(hide_password=False)


def _on_postgresql(folders: dict[str, Path], twice: Path | None) -> list[str]:
    binaries = _binaries()
    if binaries is None:
        print(NO_POSTGRES)
        return []
    cluster = Cluster.start(binaries)
    try:
        postmaster = int((cluster.folder / "data" / "postmaster.pid").read_text().splitlines()[0])

        def server() -> float:
            return measure.server_cpu(postmaster)

        urls = {who: _database(cluster, f"bench_{who}") for who in ("hub", "yardstick")}
        wrong = _contest("postgresql", urls, folders, server)
        if twice:
            _memory("postgresql", _database(cluster, "bench_twice"), twice, server)
        return wrong
    finally:
        cluster.stop()


def main() -> None:
    """Make the pages where missing, run the contests, end with 1 where contents differ."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--clients", type=int, default=200_000)
    parser.add_argument("--orders", type=int, default=100_000)
    parser.add_argument("--db", default="sqlite,postgresql")
    parser.add_argument("--twice", action="store_true")
    given = parser.parse_args()
    print(f"{given.clients} clients, {given.orders} orders of 5 lines; load of this machine {os.getloadavg()[0]:.1f}")
    made = {every: pages.write(DATA, given.clients, given.orders, every) for every in (0, 100)}
    folders = {every: next(iter(files.values()))[0].parents[1] for every, files in made.items()}
    phases = {"first": folders[0], "same": folders[0], "changed": folders[100]}
    twice = None
    if given.twice:
        doubled = pages.write(DATA, 2 * given.clients, 2 * given.orders, 0)
        twice = next(iter(doubled.values()))[0].parents[1]
    print("CPU seconds: hub, its server; yardstick, its server; ratio; peak MB of both; the hub's start-up")
    wrong: list[str] = []
    for name in given.db.split(","):
        wrong += {"sqlite": _on_sqlite, "postgresql": _on_postgresql}[name](phases, twice)
    for line in wrong:
        print(line)
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
