"""Candidate pairs: records that share a key, over a frame; the twin of ``dedup.keys``.

Values are hashed: what collides is compared once too often, and nothing else. Pairs that share only a name are
dropped at once where a glance at two numbers shows a veto: they are most of what names bring, and have nothing to be
related by.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import duckdb
import numpy as np
import numpy.typing as npt
import polars as pl

from dedup.batch.hashes import Hashes
from dedup.batch.tables import fill, read
from dedup.keys import CONTACT_KEYS, KEYS
from dedup.normal.frame import EMAIL, PHONE
from dedup.terms import Test
from dedup.weights import Weights

#: Kinds of keys that are contacts, by what they are.
CONTACT = {"phone": PHONE, "email": EMAIL}
#: Kinds that are made of names and cities alone.
WEAK = frozenset({"name_city", "name", "flat_city", "person_city", "person", "initial_city", "word_city"})
#: Vetoes that show at a glance, where they are in force: see ``_forbidden``.
GLANCED = ("inn_differs", "gender_differs")


def pairs(
    con: duckdb.DuckDBPyConnection, main: pl.DataFrame, contacts: pl.DataFrame, hashes: Hashes, table: Weights
) -> pl.DataFrame:
    """The rows ``a`` < ``b`` of all pairs that share a key, in order."""
    weak, strong = keys(contacts, hashes, table)
    named = _sharing(con, weak)
    named = named.filter(~pl.Series(_forbidden(main, named, table)))
    return pl.concat([named, _sharing(con, strong)]).unique().sort("a", "b")  # what lies together is read together


def keys(contacts: pl.DataFrame, hashes: Hashes, table: Weights) -> tuple[pl.DataFrame, pl.DataFrame]:
    """``k`` and ``row`` of every key that at least two and no more records have than its cap: the weak and the
    strong.
    """
    frames: dict[bool, list[pl.DataFrame]] = {True: [_none()], False: [_none()]}
    for kind, found in used(hashes, table):
        several = found.filter(pl.col("k").is_duplicated())  # most keys are one record's
        frames[kind in WEAK].append(several.filter(pl.len().over("k") <= table.caps[kind]))
    for salt, kind in enumerate(CONTACT_KEYS.values(), start=len(KEYS)):
        mine = contacts.filter((pl.col("what") == CONTACT[kind]) & (pl.col("records") <= table.caps[kind]))
        frames[False].append(mine.select(pl.col("number").cast(pl.UInt64).hash(salt).alias("k"), "row"))
    return pl.concat(frames[True]), pl.concat(frames[False])


def used(hashes: Hashes, table: Weights) -> Iterator[tuple[str, pl.DataFrame]]:
    """``k`` and ``row`` of every key of records' columns that is in use, kind by kind."""
    for salt, kind in enumerate(dict.fromkeys(key.kind for key in KEYS)):
        if table.caps[kind]:
            yield kind, pl.concat(hashes.key(parts, salt) for name, parts in KEYS if name == kind)


def sharing_sql(keys: str = "found_keys", vetoes: Sequence[Test] = (), columns: Sequence[str] = ()) -> str:
    """The rows ``a`` < ``b`` that share a key, each once: the same for DuckDB and Spark.

    ``keys``: the table of ``k``, ``row`` and the ``columns`` that ``vetoes`` read; what a veto forbids is left out.
    """
    joined = f"FROM {keys} one JOIN {keys} other ON one.k = other.k AND one.row < other.row"
    if not vetoes:
        return f"SELECT DISTINCT one.row AS a, other.row AS b {joined}"
    sides = "".join(f", one.{name} AS l_{name}, other.{name} AS r_{name}" for name in columns)
    forbidden = " OR ".join(veto.sql for veto in vetoes)
    return f"SELECT DISTINCT a, b FROM (SELECT one.row AS a, other.row AS b{sides} {joined}) WHERE NOT ({forbidden})"


def _none() -> pl.DataFrame:
    return pl.DataFrame(schema={"k": pl.UInt64, "row": pl.UInt32})


def _sharing(con: duckdb.DuckDBPyConnection, found: pl.DataFrame) -> pl.DataFrame:
    fill(con, "found_keys", found)
    sharing = read(con, sharing_sql())
    con.execute("DROP TABLE found_keys")
    return sharing


def _forbidden(main: pl.DataFrame, found: pl.DataFrame, table: Weights) -> npt.NDArray[np.bool_]:
    """Where a veto is plain to see: two valid ИНН of one length, two genders. By number, as a frame does it fastest."""
    a, b = found["a"].to_numpy(), found["b"].to_numpy()
    forbidden = np.zeros(len(a), dtype=bool)
    inn = main.select(pl.col("inn").cast(pl.Int64, strict=False).fill_null(0)).to_series().to_numpy()
    if "inn_differs" in table.vetoes:
        one, other = inn[a], inn[b]
        forbidden |= (one != other) & (one > 0) & (other > 0) & ((one < 10**10) == (other < 10**10))
    if "gender_differs" in table.vetoes:
        gender = (
            main.select(pl.col("gender").replace_strict({"m": 1, "f": 2}, default=0, return_dtype=pl.Int8))
            .to_series()
            .to_numpy()
        )
        one, other = gender[a], gender[b]
        forbidden |= (one != other) & (one > 0) & (other > 0)
    return forbidden
