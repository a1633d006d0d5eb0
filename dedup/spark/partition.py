"""From edges to clusters on Spark: components are closed by joins, and each is judged whole on one machine."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import polars as pl
from pyspark.sql import DataFrame

from dedup.batch.clusters import clustered, joins_sql
from dedup.component import WHOLE
from dedup.score import DIFFERENT, SAME
from dedup.spark.arrow import mapped
from dedup.spark.components import components
from dedup.weights import Weights

#: Edges of pairs ``a``, ``b``, whether they are worth a look or not.
Score = Callable[[DataFrame], DataFrame]

_JOINING = """
SELECT edge.a, edge.b FROM {edges} edge LEFT ANTI JOIN {words} said ON said.a = edge.a AND said.b = edge.b WHERE %s
UNION ALL SELECT a, b FROM {words} WHERE word = 'same'"""
_DEGREES = """
SELECT row, count(*) AS degree FROM (SELECT a AS row FROM {pairs} UNION ALL SELECT b AS row FROM {pairs}) GROUP BY row"""
_COUPLES = """
SELECT pair.a, pair.b, one.degree = 1 AND other.degree = 1 AS alone FROM {pairs} pair
JOIN {degrees} one ON one.row = pair.a JOIN {degrees} other ON other.row = pair.b"""
_SIZED = "SELECT row, component, count(*) OVER (PARTITION BY component) AS size FROM {labels}"
_WITHIN = """
SELECT one.row AS a, other.row AS b FROM {members} one
JOIN {members} other ON other.component = one.component AND one.row < other.row WHERE one.size <= %d"""
_PLACED = """
SELECT edge.*, one.component, coalesce(said.word, '') AS word FROM {edges} edge
JOIN {members} one ON one.row = edge.a JOIN {members} other ON other.row = edge.b AND other.component = one.component
LEFT JOIN {words} said ON said.a = edge.a AND said.b = edge.b WHERE one.size %s"""
_SAID = """
SELECT said.a, said.b, one.component, said.word FROM {words} said JOIN {members} one ON one.row = said.a
JOIN {members} other ON other.row = said.b AND other.component = one.component WHERE one.size > %d"""


def partition(edges: DataFrame, words: DataFrame, score: Score, table: Weights, cut: int | None) -> DataFrame:
    """``a``, ``b``, ``why``: where ``why`` is empty, ``a`` belongs to the cluster whose first member is ``b``; else the
    pair was refused for it (see ``dedup.cluster.Refused``). Records that are alone or first have no row as members.

    ``words``: ``a``, ``b`` and ``word`` of pairs that persons judged. ``edges`` is read several times: keep it.
    """
    spark = edges.sparkSession
    joining = spark.sql(_JOINING % joins_sql(cut), edges=edges, words=words).localCheckpoint()
    degrees = spark.sql(_DEGREES, pairs=joining)
    couples = spark.sql(_COUPLES, pairs=joining, degrees=degrees).localCheckpoint()
    alone = couples.where("alone").selectExpr("b AS a", "a AS b", "'' AS why")  # a link that meets no other
    members = spark.sql(_SIZED, labels=components(couples.where("NOT alone"))).localCheckpoint()
    closed = score(spark.sql(_WITHIN % WHOLE, members=members))
    inside = [
        spark.sql(_PLACED % f"<= {WHOLE}", edges=closed, members=members, words=words),
        spark.sql(_PLACED % f"> {WHOLE}", edges=edges, members=members, words=words),
        spark.sql(_SAID % WHOLE, members=members, words=words),
    ]
    whole = inside[0].unionByName(inside[1]).unionByName(inside[2], allowMissingColumns=True)
    return alone.union(judged(whole, table, cut))


def judged(placed: DataFrame, table: Weights, cut: int | None) -> DataFrame:
    """Clusters of edges with ``component`` and ``word``, all of a component on one machine; a row without a weight is
    a word alone. As ``partition``.
    """
    kind = pl.Int64() if placed.schema["a"].dataType.simpleString() == "bigint" else pl.String()
    like = pl.Schema({"a": kind, "b": kind, "why": pl.String()})
    return mapped(placed.repartition("component"), partial(_clusters, table=table, cut=cut), like)


def _clusters(placed: pl.DataFrame, table: Weights, cut: int | None) -> pl.DataFrame:
    same, different = (
        set(placed.filter(pl.col("word") == word).select("a", "b").iter_rows()) for word in (SAME, DIFFERENT)
    )
    edges = placed.filter(pl.col("weight").is_not_null()).drop("component", "word").unique(["a", "b"])
    made = clustered(edges, same, different, table, cut)
    rows = [*((row, group[0], "") for group in made.groups for row in group[1:]), *made.refused]
    kind = placed.schema["a"]
    return pl.DataFrame(rows, schema={"a": kind, "b": kind, "why": pl.String}, orient="row")
