"""Candidate pairs: records that share a key, over a frame; the twin of ``dedup.keys``."""

from __future__ import annotations

import duckdb
import polars as pl

from dedup.batch.tables import fill
from dedup.keys import CONTACT_KEYS, KEYS, split
from dedup.normal.frame import EMAIL, PHONE
from dedup.weights import Weights

_CONTACT = {"phone": PHONE, "email": EMAIL}


def keys(main: pl.DataFrame, contacts: pl.DataFrame, table: Weights) -> pl.DataFrame:
    """``k`` and ``row`` of every key that at least two and no more records have than its cap; ``k`` holds its kind."""
    kinds = list(dict.fromkeys(key.kind for key in KEYS if table.caps[key.kind]))
    frames = [
        _capped([_of_columns(main, parts) for name, parts in KEYS if name == kind], table.caps[kind], salt)
        for salt, kind in enumerate(kinds)
    ]
    for salt, kind in enumerate(CONTACT_KEYS.values(), start=len(kinds)):
        mine = contacts.filter((pl.col("what") == _CONTACT[kind]) & (pl.col("records") <= table.caps[kind]))
        frames.append(mine.select(pl.col("number").cast(pl.UInt64).hash(salt).alias("k"), "row"))
    return pl.concat(frames)


def _of_columns(main: pl.DataFrame, parts: tuple[str, ...]) -> pl.DataFrame:
    columns = {part: split(part) for part in parts}
    filled = pl.all_horizontal(pl.col(column) != "" for column, _ in columns.values())
    values = [
        pl.col(column).str.slice(0, letters) if letters else pl.col(column) for column, letters in columns.values()
    ]
    return main.lazy().filter(filled).select(pl.concat_str(values, separator="|").alias("value"), "row").collect()


def _capped(found: list[pl.DataFrame], cap: int, salt: int) -> pl.DataFrame:
    hashed = pl.concat(found).select(pl.col("value").hash(salt).alias("k"), "row")
    return hashed.filter(pl.len().over("k").is_between(2, cap))


def candidates(con: duckdb.DuckDBPyConnection, found: pl.DataFrame) -> None:
    """Fill the table ``pair`` (a < b) with the pairs that share a key of ``found``."""
    fill(con, "found_keys", found)
    con.execute(
        "CREATE OR REPLACE TABLE pair AS SELECT DISTINCT one.row AS a, other.row AS b"
        " FROM found_keys one JOIN found_keys other ON one.k = other.k AND one.row < other.row"
    )
    con.execute("DROP TABLE found_keys")
