"""Clusters out of edges of whole components, with what persons said of pairs."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Set as AbstractSet

import polars as pl

from dedup.cluster import Clustering, Link, cluster
from dedup.component import JUDGED
from dedup.facts import KEY_RULES
from dedup.weights import Weights

#: Number of the rule that rests on facts, not on a key.
_FACTS_RULE = len(KEY_RULES) + 1

Pairs = AbstractSet[tuple[int | str, int | str]]


def joins_sql(cut: int | None) -> str:
    """Which edges make two records one; ``cut``: hundredths of a bit that are enough, ``None``: only a rule is."""
    return "rule > 0" if cut is None else f"rule > 0 OR (vetoes = 0 AND weight >= {cut})"


def clustered(edges: pl.DataFrame, same: Pairs, different: Pairs, table: Weights, cut: int | None) -> Clustering:
    """Groups out of edges (see ``scoring.score_sql``) and of pairs that persons called ``same`` or ``different``."""
    never = {*edges.filter(pl.col("vetoes") != 0).select("a", "b").iter_rows(), *different} - same
    said = pairs_like(edges, same | different)
    links = [
        *_links(edges.join(said, on=["a", "b"], how="anti"), table, cut),
        *(Link(*pair, JUDGED, joins=True, key=True) for pair in same),
    ]
    return cluster(links, never, cut=cut or 0)


def pairs_like(edges: pl.DataFrame, found: Iterable[tuple[int | str, ...]]) -> pl.DataFrame:
    """Pairs as a frame of ``a`` and ``b``, of the types that they have in ``edges``."""
    return pl.DataFrame(list(found), schema={side: edges.schema[side] for side in "ab"}, orient="row")


def _links(edges: pl.DataFrame, table: Weights, cut: int | None) -> Iterable[Link]:
    kept = edges.filter((pl.col("vetoes") == 0) & (pl.col("weight") >= table.review))
    joins = pl.sql_expr(joins_sql(cut)).alias("joins")
    key = ((pl.col("rule") > 0) & (pl.col("rule") < _FACTS_RULE)).alias("key")
    return (Link(*row) for row in kept.select("a", "b", "weight", joins, key).iter_rows())
