"""One changed record against a million: ``python -m bench.dedup_live [--records N] [--db sqlite,postgresql]``.

What is timed is all that the exchange does of it inside a transaction of its own: normalising, keys, candidates,
scores, the component, the commit. SQLite as the hub opens it (WAL, no fsync with each commit), PostgreSQL durable.
Each change gives a record another telephone; every second one turns its name around too, so keys and pairs move.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from bench.clients import make
from bench.measure import peak_rss_mb
from dedup.frequencies import Counted
from dedup.keys import VERSION
from dedup.normal.record import normalise
from dedup.weights import CURRENT, weights
from hub.exchange.duplicates import statistics
from hub.exchange.duplicates.blocks import keys_with_caps
from hub.exchange.duplicates.partition import Live, encoded
from hub.exchange.duplicates.statistics import THE_ONE
from hub.exchange.runs import now
from hub.store import bulk, duplicates
from hub.store.database import Store, open_store
from tests.conftest import NO_POSTGRES, Cluster, _binaries, _create

_PAGE = 20_000
#: Milliseconds demanded: half, and 95 of a hundred.
GOALS = {"sqlite": (1.0, 5.0), "postgresql": (4.0, 15.0)}


def fill(store: Store, rows: list[dict[str, Any]]) -> None:
    """The tables of duplicates as a comparison of everything leaves them, without its pairs."""
    records = []
    for start in range(0, len(rows), _PAGE):
        page = [normalise(row, row["rec_id"]) for row in rows[start : start + _PAGE]]
        found = sorted((k, int(one.rec)) for one in page for k in keys_with_caps(one, weights()))
        with store.begin() as conn:
            bulk.insert_rows(conn, duplicates.key, ("k", "link_id"), found)
            units = [(int(one.rec), encoded(one), int(one.rec)) for one in page]
            bulk.insert_rows(conn, duplicates.unit, ("link_id", "record", "grp"), units)
        records += page
    with store.begin() as conn:
        statistics.store(conn, Counted(records))
        told = {"id": THE_ONE, "weights": CURRENT, "records": len(rows), "normaliser": VERSION}
        conn.execute(duplicates.statistics.insert().values(**told, run_id=1, at=now()))
        bulk.analyze(conn)


def prepare(url: str, records: int, changes: int) -> list[dict[str, Any]]:
    """Fill the store of that address; the rows that are going to change."""
    rows = make(records, seed=11).to_dicts()
    store = open_store(url)
    fill(store, rows)
    store.close()
    return [rows[number] for number in random.Random(3).sample(range(records), changes)]


def change(store: Store, rows: list[dict[str, Any]]) -> tuple[list[float], list[float]]:
    """Milliseconds by the clock and of this process's CPU, of each change."""
    rng = random.Random(4)
    walls, cpus = [], []
    for number, known in enumerate(rows):
        row = {**known, "phone": f"+7 916 {rng.randrange(10**7):07d}"}
        if number % 2:
            row["name"] = " ".join(reversed((row["name"] or "").split()))
        wall, cpu = time.perf_counter(), time.process_time()
        unit = normalise(row, row["rec_id"])
        with store.begin() as conn:
            Live(conn).change([unit])
        walls.append((time.perf_counter() - wall) * 1000)
        cpus.append((time.process_time() - cpu) * 1000)
    return walls, cpus


@contextmanager
def opened(database: str) -> Iterator[str]:
    """The address of an empty store."""
    if database == "postgresql":
        binaries = _binaries()
        if binaries is None:
            raise SystemExit(NO_POSTGRES)
        cluster = Cluster.start(binaries)
        try:
            yield _migrated(_create(cluster.url, "live", "template0").render_as_string(hide_password=False))
        finally:
            cluster.stop()
        return
    with tempfile.TemporaryDirectory() as folder:
        yield _migrated(f"sqlite:///{Path(folder) / 'live.db'}")


def _migrated(url: str) -> str:
    store = open_store(url)
    store.migrate()
    store.close()
    return url


def main(argv: list[str] | None = None) -> int:
    """Fill, change, tell."""
    asked = argparse.ArgumentParser(prog="python -m bench.dedup_live", description=__doc__)
    asked.add_argument("--records", type=int, default=1_000_000)
    asked.add_argument("--changes", type=int, default=2000)
    asked.add_argument("--db", default="sqlite,postgresql")
    told = asked.parse_args(argv)
    holds = True
    for database in told.db.split(","):
        with opened(database) as url:
            # In a process of its own: whoever takes changes does not hold a million rows besides.
            with ProcessPoolExecutor(1, get_context("spawn")) as other:
                rows = other.submit(prepare, url, told.records, told.changes).result()
            store = open_store(url)
            walls, cpus = (sorted(found) for found in change(store, rows))
            store.close()
        p50, p95 = walls[len(walls) // 2], walls[len(walls) * 95 // 100]
        goal = GOALS[database]
        good = p50 <= goal[0] and p95 <= goal[1]
        holds = holds and good
        line = {
            "database": database, "records": told.records, "p50_ms": round(p50, 2), "p95_ms": round(p95, 2),
            "cpu_p50_ms": round(cpus[len(cpus) // 2], 2), "cpu_p95_ms": round(cpus[len(cpus) * 95 // 100], 2),
            "demanded": goal, "holds": good, "rss_mb": peak_rss_mb(),
        }  # fmt: skip
        print(json.dumps(line), flush=True)
    return 0 if holds else 1


if __name__ == "__main__":
    sys.exit(main())
