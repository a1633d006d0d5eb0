"""One pass over raw records: normal forms, and all that follows from a record alone, as numbers to count and join by.

The frame's own functions do it (``dedup.normal.frame``, ``dedup.batch.hashes``), slice by slice on each machine. Hashes
of polars are the same in every process of one version on one kind of processor; a machine that is not like the one
which started the run is refused, for nothing that it hashes would ever meet the rest.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

import polars as pl
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F  # noqa: N812  # as everyone names it

from dedup.batch import blocking, rarity
from dedup.batch.hashes import Hashes
from dedup.batch.scoring import MARKS, TEXTS
from dedup.frequencies import COUNTED
from dedup.normal.frame import normalise
from dedup.normal.record import RAW
from dedup.spark.arrow import mapped
from dedup.weights import KEY_KINDS, Weights

#: Records normalised at once.
_SLICE = 50_000
#: Whole numbers, as Spark calls them.
_WHOLE = ("tinyint", "smallint", "int", "bigint")


def _numbers(tag: str) -> pl.DataType:
    return pl.List(pl.Struct({tag: pl.Int8, "k": pl.Int64}))


def records(raw: DataFrame, table: Weights) -> DataFrame:
    """A row for each record of a frame with ``rec_id`` and columns of ``dedup.normal.record.RAW``.

    ``row`` is the id: a whole number, or a text. Beside the columns that tests read there are ``who`` (see
    ``dedup.frequencies.who``) and three lists of numbers: ``counted`` (``what`` is a place in ``COUNTED``),
    ``contacts`` (``what`` as in ``dedup.normal.frame.Normal``) and ``keys`` (``kind`` is a place in ``KEY_KINDS``).
    """
    given = raw.select(identified(raw).alias("row"), *(name for name in RAW if name in raw.columns))
    like = pl.Schema(
        {
            "row": pl.Int64() if dict(given.dtypes)["row"] == "bigint" else pl.String(),
            **dict.fromkeys(TEXTS, pl.String()),
            **dict.fromkeys(MARKS, pl.Boolean()),
            "who": pl.Int64(),
            "counted": _numbers("what"),
            "contacts": _numbers("what"),
            "keys": _numbers("kind"),
        }
    )
    return mapped(given, partial(_made, table=table, probe=_probe()), like, _SLICE)


def identified(raw: DataFrame) -> Column:
    """``rec_id`` as a whole number of 64 bits or a text; ``ValueError`` where it is neither: its order would not be
    that of the batch.
    """
    kind = dict(raw.dtypes).get("rec_id", "missing")
    if kind not in (*_WHOLE, "string"):
        raise ValueError(f"rec_id must be a whole number of at most 64 bits or a text; it is {kind}")
    return F.col("rec_id").cast("bigint" if kind in _WHOLE else "string")


def _probe() -> int:
    """How this machine hashes."""
    return int(pl.Series(["Обмен"]).hash(7)[0])


def _made(raw: pl.DataFrame, table: Weights, probe: int) -> pl.DataFrame:
    if probe != _probe():
        raise RuntimeError(f"polars {pl.__version__} hashes otherwise here than where the run was started")
    normal = normalise(raw)
    hashes = Hashes(normal.main)
    counted = ((place, hashes.key(parts)) for place, parts in enumerate(COUNTED.values()))
    keys = ((KEY_KINDS.index(kind), found) for kind, found in blocking.used(hashes, table))
    contacts = rarity.hashed(normal.contacts)
    each = ((what, part.drop("what")) for (what,), part in contacts.group_by("what"))
    main = rarity.marked(normal.main, normal.contacts).with_columns(who=rarity.who(hashes).reinterpret(signed=True))
    for name, tag, parts in (("counted", "what", counted), ("contacts", "what", each), ("keys", "kind", keys)):
        main = main.join(_lists(name, tag, parts), on="row", how="left", maintain_order="left")
    return main.with_columns(raw["row"])


def _lists(name: str, tag: str, parts: Iterable[tuple[int, pl.DataFrame]]) -> pl.DataFrame:
    """Numbered frames of ``k`` and ``row`` as one list for each row."""
    signed = pl.col("k").reinterpret(signed=True)
    empty = pl.DataFrame(schema={"row": pl.UInt32, tag: pl.Int8, "k": pl.Int64})
    found = [part.select("row", pl.lit(number, pl.Int8).alias(tag), signed) for number, part in parts]
    return pl.concat([empty, *found]).group_by("row").agg(pl.struct(tag, "k").alias(name))
