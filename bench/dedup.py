"""``make bench-dedup``: quality, cost and memory of the batch, beside Splink 5 in the same run.

Runs in ``.venv-bench`` (splink, recordlinkage; ``make set-up-bench``). ``--records`` sets the size of the large set,
1,000,000 unless told; ``--seed`` its seed. Weights were set on seeds 1 to 3 of ``bench.clients``; what is judged here
has other seeds or another maker.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl

from bench import dedup_febrl, dedup_persons
from bench.clients import make
from bench.measure import cpu, peak_rss_mb
from bench.quality import pairwise
from dedup.batch.golden import golden
from dedup.batch.run import Batch, Settings, dedupe, review

_CLIENTS = Path("../shared/data/clients")
#: Hundredths of a bit from which a pair is one in the fixed partition; set on the seeds that weights were set on.
_CUT = 100


class Line(dict[str, Any]):
    """One line of the table: what, demanded, found, whether it holds."""


def line(what: str, demanded: str, found: str, holds: bool | None) -> Line:
    """A line; ``holds`` is ``None`` where nothing is demanded."""
    return Line(what=what, demanded=demanded, found=found, holds=holds)


# ------------------------------------------------------------------------------------------------------------- quality
def febrl() -> Iterator[Line]:
    """FEBRL3 and FEBRL4 without soc_sec_id."""
    for number in (3, 4):
        precision, recall, f1 = dedup_febrl.measure(number)
        yield line(
            f"FEBRL{number}, clusters F1", "≥ 0.996", f"{f1:.4f} (P {precision:.4f} R {recall:.4f})", f1 >= 0.996
        )


def strangers() -> Iterator[Line]:
    """Clients that another generator made."""
    raw = pl.read_parquet(_CLIENTS / "ru50k.parquet")
    batch = Batch()
    batch.prepare(raw)
    truth = raw.sort("rec_id")["entity_id"]
    precision, recall, f1 = pairwise(batch.partition(_CUT)[1], truth)
    yield line(
        "ru50k, fixed cut: precision, F1",
        "≥ 0.985, ≥ 0.970",
        f"{precision:.4f}, {f1:.4f}",
        precision >= 0.985 and f1 >= 0.970,
    )
    precision, recall, _ = pairwise(batch.partition(None)[1], truth)
    yield line(
        "ru50k, automatic: precision, recall",
        "≥ 0.995, ≥ 0.80",
        f"{precision:.4f}, {recall:.4f}",
        precision >= 0.995 and recall >= 0.80,
    )
    waiting = 1000 * review(dedupe(raw)).height / raw.height
    yield line("ru50k, review queue per 1,000 records", "≤ 20", f"{waiting:.1f}", waiting <= 20)


def persons() -> Iterator[Line]:
    """Cyrillic pairs labelled by hand, and every error."""
    judged = dedup_persons.judge(_CLIENTS / "cyrillic_person_pairs.csv")
    precision, recall, f1 = dedup_persons.f1(judged)
    yield line("Cyrillic persons, F1", "≥ 0.95", f"{f1:.4f} (P {precision:.4f} R {recall:.4f})", f1 >= 0.95)
    for one in judged:
        if one.said != one.label:
            yield line(f"  said {one.said}, is {one.label}: {one.one} | {one.other}", "", one.why, None)


def junk() -> Iterator[Line]:
    """One contact on one record in a hundred."""
    plain, spoiled = make(50_000, 31), make(50_000, 31, junk=0.01)
    one, other = dedupe(plain, Settings(cut=_CUT)), dedupe(spoiled, Settings(cut=_CUT))
    loss = _f1(one.cluster, plain) - _f1(other.cluster, spoiled)
    ratio = other.pairs / one.pairs
    yield line(
        "junk contact on 1 %: pairs, F1 lost",
        "≤ 1.5×, ≤ 0.005",
        f"{ratio:.2f}×, {loss:.4f}",
        ratio <= 1.5 and loss <= 0.005,
    )


def _f1(clusters: pl.Series, raw: pl.DataFrame) -> float:
    return pairwise(clusters, raw.sort("rec_id")["entity_id"])[2]


# ---------------------------------------------------------------------------------------------------------------- cost
def own(path: Path, spill: Path) -> dict[str, Any]:
    """Read, normalise, score, cluster and golden records of the file, in this process."""
    start = cpu()
    lazy = pl.scan_parquet(path)
    batch = Batch(Settings(spill=str(spill)))
    batch.prepare(lazy)
    made, clusters = batch.partition(_CUT)
    found = golden(lazy, batch.ids, clusters, sources=("1c", "crm"))
    total, memory = cpu() - start, peak_rss_mb()
    quality = pairwise(clusters, pl.read_parquet(path, columns=["entity_id"])["entity_id"])
    seconds = {**batch.seconds, "golden": total - sum(batch.seconds.values())}
    groups = len(made.groups)
    return {
        "cpu": total,
        "rss": memory,
        "quality": quality,
        "seconds": seconds,
        "pairs": batch.pairs,
        "groups": groups,
        "golden": found.height,
    }


def peer(path: Path, spill: Path) -> dict[str, Any]:
    """The same by Splink on our normal forms and vetoes, in this process."""
    from bench import dedup_splink

    found = dedup_splink.run(pl.scan_parquet(path), spill)
    truth = pl.read_parquet(path, columns=["entity_id"])["entity_id"]
    threshold, quality = dedup_splink.best(found["clusters"], truth)
    return {
        "cpu": sum(found["seconds"].values()),
        "rss": found["rss"],
        "quality": quality,
        "seconds": found["seconds"],
        "threshold": threshold,
    }


def cost(records: int, seed: int) -> Iterator[Line]:
    """CPU seconds and memory on one thread, each in a process of its own, one after the other."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "clients.parquet"
        make(records, seed).sort("rec_id").write_parquet(path, row_group_size=100_000)
        ours, theirs = (_alone(which, path, Path(folder)) for which in ("own", "peer"))
    for name, found in (("ours", ours), ("Splink 5", theirs)):
        precision, recall, f1 = found["quality"]
        stages = ", ".join(f"{stage} {seconds:.1f}" for stage, seconds in found["seconds"].items())
        text = (
            f"{found['cpu']:.1f} CPU s, {found['rss']:.0f} MB, P {precision:.4f} R {recall:.4f} F1 {f1:.4f} ({stages})"
        )
        yield line(
            f"{records:,} records, {name}",
            "F1 ≥ 0.945" if name != "ours" else "",
            text,
            f1 >= 0.945 if name != "ours" else None,
        )
    ratio = ours["cpu"] / theirs["cpu"]
    untrained = ours["cpu"] / (theirs["cpu"] - theirs["seconds"]["train"])
    yield line(
        "CPU seconds, ratio to Splink 5", "≤ 0.45", f"{ratio:.2f} (without its training {untrained:.2f})", ratio <= 0.45
    )
    yield line(
        "peak memory, beside Splink 5",
        "≤ 1×",
        f"{ours['rss']:.0f} MB : {theirs['rss']:.0f} MB",
        ours["rss"] <= theirs["rss"],
    )


def _alone(which: str, path: Path, spill: Path) -> dict[str, Any]:
    """One contestant in a process of its own, on one thread and, where the system can, on one core."""
    command = [
        sys.executable,
        "-W",
        "ignore",
        "-m",
        "bench.dedup",
        "--only",
        which,
        "--file",
        str(path),
        "--spill",
        str(spill),
    ]
    if sys.platform == "linux":
        command = ["taskset", "-c", str(max(os.sched_getaffinity(0))), *command]
    environment = {**os.environ, "POLARS_MAX_THREADS": "1", "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def main() -> int:
    """Print the table; 1 where a demand does not hold."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=11)
    parser.add_argument("--only", choices=["own", "peer"])
    parser.add_argument("--file", type=Path)
    parser.add_argument("--spill", type=Path)
    asked = parser.parse_args()
    if asked.only:
        print(json.dumps((own if asked.only == "own" else peer)(asked.file, asked.spill)))
        return 0
    failed = 0
    parts = [febrl(), *([strangers(), persons()] if _CLIENTS.exists() else []), junk(), cost(asked.records, asked.seed)]
    if not _CLIENTS.exists():
        print(f"{_CLIENTS} is not here: ru50k and the Cyrillic pairs are left out")
    for part in parts:
        for one in part:
            mark = {True: "ok  ", False: "FAIL", None: "    "}[one["holds"]]
            failed += one["holds"] is False
            print(f"{mark} {one['what']:<48} {one['demanded']:<18} {one['found']}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main())
