"""Rarity of what records say, over a frame: the twin of ``dedup.frequencies``."""

from __future__ import annotations

import numpy as np
import polars as pl

from dedup.batch.hashes import Hashes, mixed
from dedup.frequencies import COUNTED
from dedup.normal.frame import DOMAIN, EMAIL, PHONE
from dedup.weights import Weights, rarity

_WHAT = {"phone": PHONE, "email": EMAIL, "domain": DOMAIN}


def rated(main: pl.DataFrame, contacts: pl.DataFrame, hashes: Hashes) -> pl.DataFrame:
    """``main`` with the columns that facts read beside its own: marks, and the rarity of what it says in ``…_b``."""
    bits = {f"{what}_b": _bits(hashes, main.height, parts) for what, parts in COUNTED.items()}
    return marked(main, contacts).with_columns(**bits)


def marked(main: pl.DataFrame, contacts: pl.DataFrame) -> pl.DataFrame:
    """``main`` with those of these columns that follow from the record alone."""
    phones, emails = (contacts.filter(pl.col("what") == what)["row"].unique() for what in (PHONE, EMAIL))
    marks = {"has_phone": _mark(main.height, phones), "has_email": _mark(main.height, emails)}
    any_inn = pl.when(pl.col("inn") != "").then(pl.col("inn")).otherwise(pl.col("inn_bad")).alias("inn_any")
    return main.with_columns(any_inn, **marks)


def _mark(height: int, rows: pl.Series) -> pl.Series:
    return pl.repeat(False, height, dtype=pl.Boolean, eager=True).scatter(rows, True)


def _bits(hashes: Hashes, height: int, parts: tuple[str, ...]) -> pl.Series:
    """The rarity of each record's value in hundredths of a bit; 0 where a part of it is missing."""
    found = hashes.key(parts)
    several = found["k"].is_duplicated()  # most values are one record's
    counts = np.ones(found.height, dtype=np.int64)
    counts[several.to_numpy()] = found.filter(several).select(pl.len().over("k")).to_series().to_numpy()
    most = int(counts.max()) if len(counts) else 0
    known = np.bincount(counts, minlength=most + 1) > 0
    table = np.array(
        [rarity(height, count) if count and known[count] else 0 for count in range(most + 1)], dtype=np.int16
    )
    bits = np.zeros(height, dtype=np.int16)
    bits[found["row"].to_numpy()] = table[counts]
    return pl.Series(bits)


def shared(main: pl.DataFrame, contacts: pl.DataFrame, hashes: Hashes, table: Weights) -> pl.DataFrame:
    """Contacts that two records at least have: ``row``, ``what``, ``value`` as a number, ``bits`` and ``records``."""
    found = hashed(contacts)
    several = found.filter(pl.col("k").is_duplicated())
    several = several.with_columns(who=who(hashes).gather(several["row"]))
    values = (
        several.group_by("what", "k").agg(names=pl.col("who").n_unique(), records=pl.len()).with_row_index("number")
    )
    kinds = [(what, names) for what, names in values.select("what", "names").unique().iter_rows()]
    bits = pl.DataFrame(
        [(what, names, contact_bits(table, main.height, what, names)) for what, names in kinds],
        schema={"what": pl.UInt8, "names": pl.UInt32, "bits": pl.Int32},
        orient="row",
    )
    known = values.join(bits, on=["what", "names"], how="left")
    return several.join(known, on=["what", "k"], how="left").select("row", "what", "number", "bits", "records")


def who(hashes: Hashes) -> pl.Series:
    """Whom contacts belong to, as a number, by row: see ``dedup.frequencies.who``."""
    last = hashes.part("last")
    return pl.Series(np.where(last != 0, mixed([last, hashes.part("first[1]")]), hashes.part("name")))


def hashed(contacts: pl.DataFrame) -> pl.DataFrame:
    """``row``, ``what`` and the value of each contact as a number ``k``."""
    return contacts.select("row", "what", k=pl.col("value").hash(3) ^ pl.col("what").cast(pl.UInt64))


def contact_bits(table: Weights, records: int, what: int, names: int) -> int:
    """Hundredths of a bit of a contact of that kind that so many different names are on."""
    return (table.domain if what == DOMAIN else table.contact).of(records, names)
