"""``python -m dedup.spark --input clients.parquet --output found``: the duplicates of a base, on Spark.

Reads records from Parquet and writes ``edges``, ``clusters``, ``relations``, ``review``, ``refused`` and ``golden`` as
Parquet beneath the folder of the output, which must not be there yet. With ``--local`` it runs on this machine alone,
else on what ``spark-submit`` or Spark's own settings name.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from dedup.score import DIFFERENT, SAME

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from dedup.spark.run import Judged

#: PySpark says that it is not done with pandas 3; nothing here goes through pandas.
_PANDAS = "PySpark does not yet fully support pandas"


def main(arguments: Sequence[str] | None = None) -> int:
    """0: done; 2: the call is wrong, or Spark or Java is not here."""
    asked = parsed(arguments)
    warnings.filterwarnings("ignore", _PANDAS, FutureWarning)
    try:
        from pyspark.errors import AnalysisException

        from dedup.spark.local import NoJava
    except ModuleNotFoundError as missing:
        return _refused(f"{missing.name} is not installed: pip install 'obmen[spark]'")
    try:
        with _session(asked.local, asked.memory) as spark:
            answer(spark, asked)
    except (NoJava, ValueError, AnalysisException) as wrong:
        return _refused(str(wrong))
    return 0


def parsed(arguments: Sequence[str] | None) -> argparse.Namespace:
    """What a call asks for; ``SystemExit`` 2 where it is none."""
    parser = argparse.ArgumentParser(
        prog="python -m dedup.spark", description="Find the duplicates of a base on Spark."
    )
    parser.add_argument("--input", required=True, help="records: Parquet with rec_id and the columns of docs/spark.md")
    parser.add_argument("--output", required=True, help="where the answers go; must not be there yet")
    parser.add_argument("--cut", type=int, help="hundredths of a bit from which pairs are one; else what is automatic")
    parser.add_argument("--judged", help="Parquet with a, b and word (same, different): what persons said of pairs")
    parser.add_argument("--sources", default="", help="sources by rank for golden records: 1c,crm")
    parser.add_argument("--local", type=int, metavar="CORES", help="on this machine alone, on the loopback")
    parser.add_argument("--memory", default="4g", help="of the Java process with --local")
    return parser.parse_args(arguments)


def _refused(sentence: str) -> int:
    sys.stderr.write(f"{sentence}\n")
    return 2


@contextmanager
def _session(cores: int | None, memory: str) -> Iterator[SparkSession]:
    from pyspark.sql import SparkSession

    from dedup.spark.local import local_session

    if cores is None:
        spark = SparkSession.builder.appName("obmen").getOrCreate()
        try:
            yield spark
        finally:
            spark.stop()
        return
    with tempfile.TemporaryDirectory() as folder, local_session(Path(folder), cores, memory) as spark:
        yield spark


def answer(spark: SparkSession, asked: argparse.Namespace) -> None:
    """Carry out a call; ``ValueError`` for an output that is there already and for what ``dedup.spark.run`` refuses."""
    from dedup.spark.answers import golden, relations, review
    from dedup.spark.run import Settings, dedupe

    if _there(spark, asked.output):
        raise ValueError(f"{asked.output} is there already")
    judged = _judged(spark, asked.judged)
    raw = spark.read.parquet(asked.input)
    result = dedupe(raw, Settings(cut=asked.cut), judged)
    answers = {
        "edges": result.edges,
        "clusters": result.clusters,
        "relations": relations(result),
        "review": review(result),
        "refused": result.refused,
        "golden": golden(raw, result, [source for source in asked.sources.split(",") if source]),
    }
    for name, frame in answers.items():
        frame.write.parquet(f"{asked.output}/{name}")
    sys.stdout.write(
        f"{result.records} records, {result.pairs} pairs compared,"
        f" {result.clusters.where('rec_id <> cluster').count()} records belong to another: {asked.output}\n"
    )


def _there(spark: SparkSession, path: str) -> bool:
    """Whether there is something at a path of any file system that Spark writes to; asked before hours of work."""
    found = spark._jvm.org.apache.hadoop.fs.Path(path)  # type: ignore[union-attr]
    return bool(found.getFileSystem(spark._jsc.hadoopConfiguration()).exists(found))


def _judged(spark: SparkSession, path: str | None) -> Judged:
    if path is None:
        return {}
    said = {(row.a, row.b): row.word for row in spark.read.parquet(path).select("a", "b", "word").collect()}
    if strange := set(said.values()) - {SAME, DIFFERENT}:
        raise ValueError(f"{path}: a word is {SAME} or {DIFFERENT}, not {', '.join(sorted(map(str, strange)))}")
    return said


if __name__ == "__main__":
    raise SystemExit(main())
