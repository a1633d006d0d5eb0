"""``make bench-spark``: the batch on DuckDB and on Spark's local mode, side by side, at several sizes.

Each contestant reads the same file in a process of its own, one after the other, and has to end with the same edges and
clusters. What counts is the whole tree of its processes (Spark's are Python, Java, and Python again): CPU seconds, and
the most memory held at once, where a page that several share is counted once. Linux.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import polars as pl

from bench.clients import make

#: Seconds between two looks at the processes.
_LOOK = 0.5
_TICKS = os.sysconf("SC_CLK_TCK")
#: Hundredths of a bit from which a pair is one: see ``bench.dedup``.
_CUT = 100
#: Seconds that one contestant may take.
_PATIENCE = 570


def duckdb(path: Path, folder: Path, cores: int, _: str) -> dict[str, Any]:
    """The batch in this process; read slice by slice."""
    from dedup.batch.run import Settings, dedupe

    found = dedupe(pl.scan_parquet(path), Settings(threads=cores, spill=str(folder), cut=_CUT))
    clusters = pl.DataFrame({"cluster": found.ids.gather(found.cluster)})
    return _told(found.pairs, found.edges, clusters)


def spark(path: Path, folder: Path, cores: int, memory: str) -> dict[str, Any]:
    """The same on Spark's local mode."""
    from dedup.spark.local import local_session
    from dedup.spark.run import Settings, dedupe

    with local_session(folder, cores, memory) as session:
        found = dedupe(session.read.parquet(str(path)), Settings(cut=_CUT))
        edges = pl.DataFrame(found.edges.select("weight").toArrow())
        return _told(found.pairs, edges, pl.DataFrame(found.clusters.select("cluster").toArrow()))


def _told(pairs: int, edges: pl.DataFrame, clusters: pl.DataFrame) -> dict[str, Any]:
    """What both have to agree on."""
    return {
        "pairs": pairs,
        "edges": edges.height,
        "bits": int(edges["weight"].cast(pl.Int64).sum()),
        "clusters": clusters["cluster"].n_unique(),
        "members": int(clusters["cluster"].cast(pl.Int64).sum()),
    }


CONTESTANTS = {"duckdb": duckdb, "spark": spark}


def watched(command: list[str]) -> tuple[str, float, float, int]:
    """What a command printed last, its seconds, CPU seconds and most MB of all processes of its session."""
    environment = {**os.environ, "POLARS_MAX_THREADS": "1", "OMP_NUM_THREADS": "1"}
    started, most = time.monotonic(), 0
    cpu: dict[int, float] = {}
    with (
        tempfile.TemporaryFile("w+") as said,
        subprocess.Popen(
            command, env=environment, stdout=said, stderr=subprocess.DEVNULL, start_new_session=True
        ) as run,
    ):
        try:
            while run.poll() is None:
                seen = {pid: found for pid in _session(run.pid) if (found := _look(pid))}
                cpu |= {pid: seconds for pid, (seconds, _) in seen.items()}
                most = max(most, sum(memory for _, memory in seen.values()))
                if time.monotonic() - started > _PATIENCE:
                    raise TimeoutError(f"{' '.join(command)} took more than {_PATIENCE} s")
                time.sleep(_LOOK)
        finally:
            run.terminate()  # it is no child of the terminal; Java ends when its input does
        if run.returncode:
            raise RuntimeError(f"{' '.join(command)} ended with {run.returncode}")
        said.seek(0)
        return said.read().splitlines()[-1], time.monotonic() - started, sum(cpu.values()), most // 1024


def _session(leader: int) -> list[int]:
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[3]) == leader:
            found.append(int(stat.parent.name))
    return found


def _look(pid: int) -> tuple[float, int] | None:
    """CPU seconds so far, and kB of memory in proportion to who shares it."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        memory = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    kilobytes = next((int(line.split()[1]) for line in memory if line.startswith("Pss:")), 0)
    return (int(fields[11]) + int(fields[12])) / _TICKS, kilobytes


def main() -> int:
    """Print the table; 1 where the two did not end alike."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, nargs="+", default=[50_000, 200_000, 1_000_000])
    parser.add_argument("--seed", type=int, default=11)
    parser.add_argument("--cores", type=int, default=1)
    parser.add_argument("--memory", default="4g", help="of the Java process")
    parser.add_argument("--of", choices=CONTESTANTS, nargs="+", default=list(CONTESTANTS))
    parser.add_argument("--only", choices=CONTESTANTS, help=argparse.SUPPRESS)
    parser.add_argument("--file", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.only:
        with tempfile.TemporaryDirectory() as folder:
            print(json.dumps(CONTESTANTS[asked.only](asked.file, Path(folder), asked.cores, asked.memory)))
        return 0
    alike = True
    for records in asked.records:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "clients.parquet"
            make(records, asked.seed).sort("rec_id").write_parquet(path, row_group_size=50_000)
            told = [_line(name, path, records, asked) for name in asked.of]
        alike &= all(one == told[0] for one in told)
    print("" if alike else "NOT ALIKE")
    return 0 if alike else 1


def _line(name: str, path: Path, records: int, asked: argparse.Namespace) -> dict[str, Any]:
    options = ["--only", name, "--file", str(path), "--cores", str(asked.cores), "--memory", asked.memory]
    last, seconds, cpu, most = watched([sys.executable, "-W", "ignore", "-m", "bench.dedup_spark", *options])
    told: dict[str, Any] = json.loads(last)
    print(f"{records:>10,} {name:<7} {cpu:8.1f} CPU s {seconds:8.1f} s {most:7,} MB  {told}", flush=True)
    return told


if __name__ == "__main__":
    raise SystemExit(main())
