"""Rarity of what records say, over a frame: the twin of ``dedup.frequencies``."""

from __future__ import annotations

import polars as pl

from dedup.frequencies import COUNTED
from dedup.normal.frame import DOMAIN, EMAIL, PHONE
from dedup.weights import Weights, rarity

_WHAT = {"phone": PHONE, "email": EMAIL, "domain": DOMAIN}


def rated(main: pl.DataFrame, contacts: pl.DataFrame) -> pl.DataFrame:
    """``main`` with the columns that facts read beside its own: see ``dedup.frequencies.rated``."""
    phones, emails = (contacts.filter(pl.col("what") == what)["row"].unique() for what in (PHONE, EMAIL))
    marks = {"has_phone": _mark(main.height, phones), "has_email": _mark(main.height, emails)}
    any_inn = pl.when(pl.col("inn") != "").then(pl.col("inn")).otherwise(pl.col("inn_bad")).alias("inn_any")
    bits = {f"{what}_b": _bits(main, parts) for what, parts in COUNTED.items()}
    return main.with_columns(any_inn, **marks, **bits)


def _mark(height: int, rows: pl.Series) -> pl.Series:
    return pl.repeat(False, height, dtype=pl.Boolean, eager=True).scatter(rows, True)


def _bits(main: pl.DataFrame, parts: tuple[str, ...]) -> pl.Series:
    """The rarity of each record's value in hundredths of a bit; 0 where a part of it is missing."""
    filled = pl.all_horizontal(pl.col(part) != "" for part in parts)
    if not main.select(filled.any()).item():
        return pl.repeat(0, main.height, dtype=pl.Int16, eager=True)
    counts = main.select(pl.when(filled).then(pl.len().over(parts)).otherwise(0)).to_series()
    different = counts.unique()
    bits = [rarity(main.height, count) if count else 0 for count in different.to_list()]
    return counts.replace_strict(different, pl.Series(bits, dtype=pl.Int16), return_dtype=pl.Int16)


def shared(main: pl.DataFrame, contacts: pl.DataFrame, table: Weights) -> pl.DataFrame:
    """Contacts that two records at least have: ``row``, ``what``, ``value`` as a number, ``bits`` and ``records``."""
    person = pl.col("last") + " " + pl.col("first").str.slice(0, 1)
    who = main.select("row", who=pl.when(pl.col("last") != "").then(person).otherwise(pl.col("name")).hash())
    several = contacts.filter(pl.len().over("what", "value") > 1).join(who, on="row", how="left")
    values = (
        several.group_by("what", "value").agg(names=pl.col("who").n_unique(), records=pl.len()).with_row_index("number")
    )
    kinds = [(what, names) for what, names in values.select("what", "names").unique().iter_rows()]
    specs = {PHONE: table.contact, EMAIL: table.contact, DOMAIN: table.domain}
    bits = pl.DataFrame(
        [(what, names, specs[what].of(main.height, names)) for what, names in kinds],
        schema={"what": pl.UInt8, "names": pl.UInt32, "bits": pl.Int32},
        orient="row",
    )
    known = values.join(bits, on=["what", "names"], how="left")
    return several.join(known, on=["what", "value"], how="left").select("row", "what", "number", "bits", "records")
