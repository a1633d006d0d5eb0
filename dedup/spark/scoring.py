"""Pairs scored: Spark lays both records beside each pair, and DuckDB on each machine runs ``dedup.batch.scoring``.

Spark has no distance of Damerau and Levenshtein, and would ask a function of ours for every pair where DuckDB asks for
the few that come so far; so one engine scores, here as there.
"""

from __future__ import annotations

from functools import cache, partial

import duckdb
import polars as pl
from pyspark.sql import DataFrame

from dedup.batch.scoring import BITS, MARKS, TEXTS, score_sql, shared_sql, worth_sql
from dedup.batch.tables import lent, read
from dedup.frequencies import CONTACTS
from dedup.spark.arrow import mapped, plain
from dedup.weights import Weights

#: Pairs scored at once.
_SLICE = 60_000


def scored(
    pairs: DataFrame, main: DataFrame, contacts: DataFrame, table: Weights, records: int, *, worth: bool
) -> DataFrame:
    """Edges of pairs (see ``dedup.batch.scoring.score_sql``); ``worth``: only those that are worth a look.

    ``main`` and ``contacts`` as ``dedup.spark.rarity`` makes them.
    """
    where = f" WHERE {worth_sql(table)}" if worth else ""
    function = partial(_edges, sql=f"SELECT * FROM ({score_sql(table, records)}){where}")
    sides = _sides(pairs, main, contacts)
    edges = function(pl.DataFrame(schema=plain(sides))).schema  # what the query makes of no rows has the types of edges
    return mapped(sides, function, edges, _SLICE)


def _sides(pairs: DataFrame, main: DataFrame, contacts: DataFrame) -> DataFrame:
    spark = pairs.sparkSession
    shared = spark.sql(shared_sql("{pair}", "{contact}"), pair=pairs, contact=contacts)
    bits = ", ".join(f"coalesce(shared.{what}, 0) AS {what}" for what in CONTACTS)
    halves = ", ".join(f"{side}.{name} AS {side}_{name}" for side in "lr" for name in (*TEXTS, *BITS, *MARKS))
    return spark.sql(
        f"SELECT pair.a, pair.b, {bits}, {halves} FROM {{pair}} pair"
        " LEFT JOIN {shared} shared ON shared.a = pair.a AND shared.b = pair.b"
        " JOIN {main} l ON l.row = pair.a JOIN {main} r ON r.row = pair.b",
        pair=pairs,
        shared=shared,
        main=main,
    )


@cache
def _database() -> duckdb.DuckDBPyConnection:
    """The database of this process, in its memory: it holds nothing between slices."""
    return duckdb.connect(config={"threads": 1})


def _edges(sides: pl.DataFrame, sql: str) -> pl.DataFrame:
    with lent(_database(), "sides", sides):
        return read(_database(), sql)
