"""What is asked of a finished run: relations, the review queue and golden records, as ``dedup.batch`` answers."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import polars as pl
from pyspark.sql import DataFrame
from pyspark.sql import functions as F  # noqa: N812  # as everyone names it

from dedup.batch.golden import GROUPS, NEEDED, survivors
from dedup.facts import RELATIONS
from dedup.spark.arrow import mapped, plain
from dedup.spark.records import identified
from dedup.spark.run import Result
from dedup.weights import Weights, weights

_REVIEW = """
SELECT edge.* FROM {edges} edge JOIN
  (SELECT a, b, row_number() OVER (PARTITION BY one.cluster, other.cluster ORDER BY weight DESC, a, b) AS place
   FROM {edges} JOIN {clusters} one ON one.rec_id = a JOIN {clusters} other ON other.rec_id = b
   WHERE vetoes = 0 AND rule = 0 AND weight >= %d AND one.cluster <> other.cluster) first
ON first.a = edge.a AND first.b = edge.b AND first.place = 1 ORDER BY edge.weight DESC, edge.a, edge.b"""
_SEVERAL = "SELECT * FROM (SELECT *, count(*) OVER (PARTITION BY cluster) AS members FROM {clusters}) WHERE members > 1"
_ROWS = "SELECT raw.*, of.cluster FROM {raw} raw JOIN {several} of ON of.rec_id = raw.rec_id"


def relations(result: Result) -> DataFrame:
    """Pairs that are not one, and what they are to each other: ``a``, ``b`` (ids) and ``relation``."""
    name = " ".join(f"WHEN {number} THEN '{name}'" for number, name in enumerate(RELATIONS, 1))
    return result.edges.where("relation > 0 AND rule = 0").selectExpr("a", "b", f"CASE relation {name} END AS relation")


def review(result: Result, table: Weights | None = None) -> DataFrame:
    """Edges for a person, the likeliest first: one for each two clusters, the strongest."""
    spark = result.edges.sparkSession
    return spark.sql(_REVIEW % (table or weights()).review, edges=result.edges, clusters=result.clusters)


def golden(raw: DataFrame, result: Result, sources: Sequence[str] = ()) -> DataFrame:
    """Golden records of clusters of two and more, as ``dedup.batch.golden.golden``; columns that ``raw`` does not have
    are empty.
    """
    spark = raw.sparkSession
    empty = {name: F.lit(None).cast("bigint" if name == "ts" else "string") for name in NEEDED}
    wanted = [F.col(name) if name in raw.columns else empty[name].alias(name) for name in NEEDED]
    rows = spark.sql(
        _ROWS,
        raw=raw.select(identified(raw).alias("rec_id"), *wanted),
        several=spark.sql(_SEVERAL, clusters=result.clusters),
    )
    kind = plain(rows.select("rec_id"))["rec_id"]
    like: dict[str, pl.DataType] = {"cluster": kind, "members": pl.Int64()}
    for group, (fields, _) in GROUPS.items():
        like |= {**dict.fromkeys(fields, pl.String()), f"{group}_from": kind}
    return mapped(rows.repartition("cluster"), partial(_survivors, sources=tuple(sources)), pl.Schema(like))


def _survivors(rows: pl.DataFrame, sources: Sequence[str]) -> pl.DataFrame:
    return survivors(rows, sources).with_columns(pl.col("members").cast(pl.Int64))
