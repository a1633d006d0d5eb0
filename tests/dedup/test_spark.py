"""The batch on Spark: the same edges, clusters, relations, queue and golden records as DuckDB's, and no trace after."""

from __future__ import annotations

import argparse
import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from bench.clients import make
from dedup.batch import golden as batch_golden
from dedup.batch import run as batch
from dedup.cluster import MOST
from dedup.component import WHOLE
from dedup.score import DIFFERENT, SAME
from dedup.spark import __main__ as command
from dedup.spark import answers, records, run
from dedup.spark.local import NoJava, check_java, local_session
from dedup.weights import weights

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

#: For sessions of a minute it does not pay to let Java optimise what it runs.
JAVA = {"JAVA_TOOL_OPTIONS": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"}
SOURCES = ("1c", "crm")
LOOPBACK = {"0100007F", "0000000000000000FFFF00000100007F", "00000000000000000000000001000000"}

Words = dict[tuple[int | str, int | str], str]


def _wants_java() -> None:
    try:
        check_java()
    except NoJava as missing:
        pytest.skip(f"Java 17 is not installed, the batch on Spark is not run: {missing}")


@pytest.fixture(scope="module")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SparkSession]:
    _wants_java()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JAVA_TOOL_OPTIONS", JAVA["JAVA_TOOL_OPTIONS"])
        with local_session(tmp_path_factory.mktemp("spark"), memory="1g") as session:
            yield session


def _read(found: DataFrame, *order: str) -> pl.DataFrame:
    frame = pl.DataFrame(found.toArrow())
    return frame.sort(*order) if order else frame


def _compare(spark: SparkSession, raw: pl.DataFrame, path: Path, cut: int | None, words: Words) -> batch.Result:
    """Both ways over the same records: everything that comes out is asserted to be the same."""
    raw.write_parquet(path)
    given = spark.read.parquet(str(path))
    one = batch.dedupe(raw, batch.Settings(cut=cut), words)
    two = run.dedupe(given, run.Settings(cut=cut), words)
    assert (two.records, two.pairs) == (raw.height, one.pairs)

    def ids(rows: pl.DataFrame) -> pl.DataFrame:
        return rows.with_columns(a=one.ids.gather(rows["a"]), b=one.ids.gather(rows["b"]))

    def equal(found: pl.DataFrame, wanted: pl.DataFrame) -> None:
        assert wanted.height
        assert_frame_equal(found, wanted, check_dtypes=False)

    equal(_read(two.edges, "a", "b"), ids(one.edges).sort("a", "b"))
    clusters = pl.DataFrame({"rec_id": one.ids, "cluster": one.ids.gather(one.cluster)})
    equal(_read(two.clusters, "rec_id"), clusters)
    equal(_read(two.refused, "a", "b", "why"), ids(one.refused).sort("a", "b", "why"))
    equal(_read(answers.relations(two), "a", "b"), batch.relations(one).sort("a", "b"))
    equal(_read(answers.review(two)), ids(batch.review(one)))
    golden = batch_golden.golden(raw, one.ids, one.cluster, SOURCES)
    equal(_read(answers.golden(given, two, SOURCES), "cluster"), golden.sort("cluster"))
    return one


@pytest.mark.timeout(600)
def test_fifty_thousand_records_end_as_on_duckdb(spark: SparkSession, tmp_path: Path) -> None:
    """What is automatic among 50,000 records, with words of persons on some: edges, clusters, all answers are equal."""
    raw = make(50_000, 21)
    merged = batch.dedupe(raw).edges.filter(pl.col("rule") > 0).select("a", "b").head(40).iter_rows()
    words: Words = dict.fromkeys(merged, DIFFERENT) | {(n + 1000, n): SAME for n in range(0, 400, 10)}
    _compare(spark, raw, tmp_path / "clients.parquet", None, words)


@pytest.mark.timeout(600)
def test_long_chains_of_words_end_as_on_duckdb(spark: SparkSession, tmp_path: Path) -> None:
    """Ids that are texts, a cut, and two chains much longer than what is scored whole; words on ids that are not there
    count nothing.
    """
    raw = make(5_000, 22).with_columns(rec_id=pl.format("c{}", pl.col("rec_id")))
    ids = raw["rec_id"].sort().to_list()
    shuffled = random.Random(5).sample(ids[2_000:], 5 * WHOLE)
    words: Words = dict.fromkeys([*pairwise(ids[: 5 * WHOLE]), *pairwise(shuffled)], SAME)
    words |= {(ids[9], ids[3]): DIFFERENT, **{(ids[n], "nobody"): SAME for n in (3, 1_600, 1_601)}}
    found = _compare(spark, raw, tmp_path / "clients.parquet", 100, words)
    assert {"veto", "size"} <= set(found.refused["why"])
    assert found.cluster.value_counts()["count"].max() == MOST


def test_what_cannot_be_told_apart_is_refused(spark: SparkSession) -> None:
    """Ids that are twice there, missing or no whole numbers or texts: an error that says so, and no result."""
    for rows, kind, said in (
        ([(1, "Ромашка"), (1, "Лютик")], "bigint", "different ids"),
        ([(1, "Ромашка"), (None, "Лютик")], "bigint", "different ids"),
        ([(1.5, "Ромашка")], "double", "it is double"),
    ):
        with pytest.raises(ValueError, match=said):
            run.dedupe(spark.createDataFrame(rows, f"rec_id {kind}, name string"))
    with pytest.raises(ValueError, match="it is missing"):
        run.dedupe(spark.createDataFrame([("Ромашка",)], "name string"))


def test_a_machine_that_hashes_otherwise_is_refused() -> None:
    """Keys made by another version of polars would meet none of the rest: the run fails instead of missing pairs."""
    raw = pl.DataFrame({"row": [1], "name": ["Ромашка"]})
    assert records._made(raw, weights(), records._probe()).height == 1
    with pytest.raises(RuntimeError, match="hashes otherwise"):
        records._made(raw, weights(), records._probe() + 1)


@pytest.mark.skipif(not Path("/proc/self/net/tcp").is_file(), reason="the kernel does not tell who listens where")
def test_a_local_session_listens_on_the_loopback_alone(spark: SparkSession) -> None:
    """Every port that the Java process of the session has open is one of the loopback."""
    gateway = spark.sparkContext._gateway
    assert gateway
    process = gateway.proc.pid
    opened = {str(handle.readlink()) for handle in Path(f"/proc/{process}/fd").iterdir()}
    rows = [
        line.split()
        for table in ("tcp", "tcp6")
        for line in Path(f"/proc/{process}/net/{table}").read_text(encoding="ascii").splitlines()[1:]
    ]
    listening = {row[1].split(":")[0] for row in rows if row[3] == "0A" and f"socket:[{row[9]}]" in opened}
    assert listening
    assert listening <= LOOPBACK


def _asked(*arguments: str) -> argparse.Namespace:
    return command.parsed(["--input", "clients.parquet", *arguments])


def test_the_command_refuses_before_it_works(spark: SparkSession, tmp_path: Path) -> None:
    """An output that is there, and words that are none, are told before anything is computed."""
    with pytest.raises(ValueError, match="is there already"):
        command.answer(spark, _asked("--output", str(tmp_path)))
    path = tmp_path / "judged.parquet"
    pl.DataFrame({"a": [1], "b": [2], "word": ["maybe"]}).write_parquet(path)
    with pytest.raises(ValueError, match="not maybe"):
        command.answer(spark, _asked("--output", str(tmp_path / "found"), "--judged", str(path)))


@pytest.mark.timeout(600)
def test_the_command_writes_its_answers_and_leaves_no_process(tmp_path: Path) -> None:
    """``python -m dedup.spark --local``: clusters as the batch's, golden records of columns that are not all there,
    and neither Java nor a worker after it.
    """
    _wants_java()
    raw = make(500, 23).drop("ogrn", "ts")
    raw.write_parquet(tmp_path / "clients.parquet")
    out = tmp_path / "found"
    call = [sys.executable, "-m", "dedup.spark", "--input", str(tmp_path / "clients.parquet"), "--output", str(out)]
    with subprocess.Popen(
        [*call, "--local", "2", "--memory", "1g"],
        env={**os.environ, **JAVA},
        start_new_session=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as started:
        try:
            said, complained = started.communicate(timeout=500)
        finally:
            started.kill()
    assert started.returncode == 0, complained
    assert said.startswith("500 records, ")
    one = batch.dedupe(raw)
    clusters = pl.read_parquet(out / "clusters" / "*.parquet").sort("rec_id")
    assert clusters["cluster"].to_list() == one.cluster.to_list()
    merged = clusters.filter(pl.len().over("cluster") > 1)["cluster"].n_unique()
    assert pl.read_parquet(out / "golden" / "*.parquet").height == merged > 0
    assert {path.name for path in out.iterdir()} == {"edges", "clusters", "relations", "review", "refused", "golden"}
    until = time.monotonic() + 30  # workers see that Java has ended, and follow
    while _of_session(started.pid) and time.monotonic() < until:
        time.sleep(0.2)
    assert _of_session(started.pid) == []


def _of_session(leader: int) -> list[int]:
    """Processes of a session (Linux; elsewhere none are seen)."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[3]) == leader:
            found.append(int(stat.parent.name))
    return found


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("", "there is none on PATH"),
        ("echo 'openjdk version \"11.0.2\" 2019-01-15' >&2", 'is version "11'),
        ("exit 3", "is none"),
    ],
)
@pytest.mark.skipif(os.name == "nt", reason="Windows starts no shell script by its name")
def test_without_java_a_sentence_says_what_to_do(
    script: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """No Java, one too old, or one that does not run: exit code 2, what was found and how to install what is needed."""
    if script:
        program = tmp_path / "java"
        program.write_text(f"#!/bin/sh\n{script}\n", encoding="ascii")
        program.chmod(0o755)
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert command.main(["--input", "clients.parquet", "--output", "found", "--local", "1"]) == 2
    told = capsys.readouterr().err
    assert said in told
    assert "apt install default-jre-headless" in told


def test_a_java_home_that_is_empty_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """``JAVA_HOME`` outranks the PATH, as it does for Spark."""
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    with pytest.raises(NoJava, match="cannot be started"):
        check_java()


def test_without_pyspark_the_extra_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """An installation without the extra says how to get it."""
    monkeypatch.setitem(sys.modules, "pyspark.errors", None)
    assert command.main(["--input", "clients.parquet", "--output", "found"]) == 2
    assert "pip install 'obmen[spark]'" in capsys.readouterr().err
