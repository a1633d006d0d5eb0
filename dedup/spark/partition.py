"""From edges to clusters on Spark: what hangs together is found where the run was started, and each component is then
closed by a join and judged whole on one of the machines.

Of a hundred records some twelve pairs join: a hundred million records have no more of them than one machine holds, and
walking chains by joins would take Spark a round of shuffles for every doubling of their length.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import polars as pl
from pyspark.sql import DataFrame

from dedup.batch.clusters import clustered, joins_sql
from dedup.cluster import components
from dedup.component import WHOLE
from dedup.score import DIFFERENT, SAME
from dedup.spark.arrow import mapped, plain, sent
from dedup.weights import Weights

#: Edges of pairs ``a``, ``b``, whether they are worth a look or not.
Score = Callable[[DataFrame], DataFrame]

_JOINING = f"""
SELECT edge.a, edge.b FROM {{edges}} edge LEFT ANTI JOIN {{words}} said ON said.a = edge.a AND said.b = edge.b WHERE %s
UNION ALL SELECT a, b FROM {{words}} WHERE word = '{SAME}'"""
_WITHIN = f"""
SELECT one.row AS a, other.row AS b FROM {{members}} one
JOIN {{members}} other ON other.component = one.component AND one.row < other.row
WHERE one.size BETWEEN 3 AND {WHOLE}"""
_PLACED = """
SELECT edge.*, one.component, coalesce(said.word, '') AS word FROM {edges} edge
JOIN {members} one ON one.row = edge.a JOIN {members} other ON other.row = edge.b AND other.component = one.component
LEFT JOIN {words} said ON said.a = edge.a AND said.b = edge.b"""
_SAID = """
SELECT said.a, said.b, one.component, said.word FROM {words} said JOIN {members} one ON one.row = said.a
JOIN {members} other ON other.row = said.b AND other.component = one.component"""


def partition(edges: DataFrame, words: DataFrame, score: Score, table: Weights, cut: int | None) -> DataFrame:
    """``a``, ``b``, ``why``: where ``why`` is empty, ``a`` belongs to the cluster whose first member is ``b``; else the
    pair was refused for it (see ``dedup.cluster.Refused``). Records that are alone or first have no row as members.

    ``words``: ``a``, ``b`` and ``word`` of pairs that persons judged, each once. Both frames are read several times.
    """
    spark = edges.sparkSession
    members = _members(spark.sql(_JOINING % joins_sql(cut), edges=edges, words=words))
    couples = members.where("size = 2 AND row <> component")  # a link that meets no other needs no judging
    large = members.where(f"size > {WHOLE}")  # for these, what keys found has to do
    scored = score(spark.sql(_WITHIN, members=members))
    known = spark.sql(_PLACED, edges=edges, members=large, words=words)
    said = spark.sql(_SAID, members=large, words=words)
    whole = spark.sql(_PLACED, edges=scored, members=members, words=words)
    judged = _judged(whole.unionByName(known).unionByName(said, allowMissingColumns=True), table, cut)
    return couples.selectExpr("row AS a", "component AS b", "'' AS why").union(judged)


def _members(joining: DataFrame) -> DataFrame:
    """``row``, ``component`` (the least row that it hangs together with) and ``size`` of all rows of pairs."""
    kind = plain(joining)["a"]
    parts = components(pl.DataFrame(joining.toArrow()).iter_rows())
    rows = ((row, part[0], len(part)) for part in parts for row in part)
    made = pl.DataFrame(rows, schema={"row": kind, "component": kind, "size": pl.Int64}, orient="row")
    return sent(joining.sparkSession, made)


def _judged(placed: DataFrame, table: Weights, cut: int | None) -> DataFrame:
    """Clusters of edges with ``component`` and ``word``, all of a component on one machine; a row without a weight is
    a word alone. As ``partition``.
    """
    like = pl.Schema({**plain(placed.select("a", "b")), "why": pl.String()})
    return mapped(placed.repartition("component"), partial(_clusters, table=table, cut=cut), like)


def _clusters(placed: pl.DataFrame, table: Weights, cut: int | None) -> pl.DataFrame:
    same, different = (
        set(placed.filter(pl.col("word") == word).select("a", "b").iter_rows()) for word in (SAME, DIFFERENT)
    )
    edges = placed.filter(pl.col("weight").is_not_null()).drop("component", "word")
    made = clustered(edges, same, different, table, cut)
    rows = [*((row, group[0], "") for group in made.groups for row in group[1:]), *made.refused]
    kind = placed.schema["a"]
    return pl.DataFrame(rows, schema={"a": kind, "b": kind, "why": pl.String}, orient="row")
