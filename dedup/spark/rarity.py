"""Rarity of what records say: counted by Spark, turned into bits by the rules of ``dedup.weights``."""

from __future__ import annotations

from functools import partial

import polars as pl
from pyspark.sql import DataFrame

from dedup.batch import rarity
from dedup.batch.scoring import BITS, MARKS, TEXTS
from dedup.frequencies import COUNTED
from dedup.spark.arrow import mapped
from dedup.weights import Weights
from dedup.weights import rarity as bits_of

#: Counts turned into bits at once.
_SLICE = 100_000

_COUNTS = """
SELECT what, k, count(*) AS n FROM {found} LATERAL VIEW inline(counted) said AS what, k
GROUP BY what, k HAVING count(*) > 1"""
_STATISTICS = """
SELECT what, k, count(DISTINCT who) AS names, count(*) AS records
FROM {found} LATERAL VIEW inline(contacts) said AS what, k GROUP BY what, k HAVING count(*) > 1"""
_CONTACTS = """
SELECT one.row, one.what, one.k AS number, known.bits, known.records
FROM (SELECT row, what, k FROM {found} LATERAL VIEW inline(contacts) said AS what, k) one
JOIN {known} known ON known.what = one.what AND known.k = one.k"""


def rated(found: DataFrame, records: int) -> DataFrame:
    """``row`` and the columns that facts read, of ``dedup.spark.records.records``: with the rarity of each value."""
    counts = found.sparkSession.sql(_COUNTS, found=found)
    like = pl.Schema({"what": pl.Int8(), "k": pl.Int64(), "bits": pl.Int16()})
    rare = mapped(counts, partial(_rarities, records=records), like, _SLICE)
    alone = bits_of(records, 1)
    bits = ", ".join(
        f"max(CASE WHEN one.what = {place} THEN coalesce(rare.bits, {alone}) ELSE 0 END) AS {what}_b"
        for place, what in enumerate(COUNTED)
    )
    own = ", ".join(f"main.{name}" for name in (*TEXTS, *MARKS))
    return found.sparkSession.sql(
        f"SELECT main.row, {own}, {', '.join(f'CAST(coalesce(bits.{name}, 0) AS SMALLINT) AS {name}' for name in BITS)}"
        f" FROM {{found}} main LEFT JOIN (SELECT one.row, {bits}"
        " FROM (SELECT row, what, k FROM {found} LATERAL VIEW inline(counted) said AS what, k) one"
        " LEFT JOIN {rare} rare ON rare.what = one.what AND rare.k = one.k GROUP BY one.row) bits"
        " ON bits.row = main.row",
        found=found,
        rare=rare,
    )


def contacts(found: DataFrame, records: int, table: Weights) -> DataFrame:
    """Contacts that two records at least have: ``row``, ``what``, ``number``, ``bits`` and ``records``."""
    spark = found.sparkSession
    like = pl.Schema({"what": pl.Int8(), "k": pl.Int64(), "bits": pl.Int32(), "records": pl.Int64()})
    known = mapped(
        spark.sql(_STATISTICS, found=found), partial(_contact_bits, records=records, table=table), like, _SLICE
    )
    return spark.sql(_CONTACTS, found=found, known=known)


def _rarities(counts: pl.DataFrame, records: int) -> pl.DataFrame:
    different = counts["n"].unique()
    known = pl.DataFrame({"n": different, "bits": [bits_of(records, n) for n in different]})
    return counts.join(known, on="n").with_columns(pl.col("bits").cast(pl.Int16))


def _contact_bits(statistics: pl.DataFrame, records: int, table: Weights) -> pl.DataFrame:
    different = statistics.select("what", "names").unique()
    bits = [rarity.contact_bits(table, records, what, names) for what, names in different.iter_rows()]
    return statistics.join(different.with_columns(bits=pl.Series(bits, dtype=pl.Int32)), on=["what", "names"])
