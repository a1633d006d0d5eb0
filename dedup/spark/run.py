"""The batch on Spark: a frame of raw records in; edges and clusters out, equal to those of ``dedup.batch.run``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import polars as pl
from pyspark.sql import DataFrame

from dedup.score import SAME
from dedup.spark import blocking, rarity
from dedup.spark.arrow import plain, sent
from dedup.spark.kept import kept
from dedup.spark.partition import partition
from dedup.spark.records import records
from dedup.spark.scoring import scored
from dedup.weights import Weights, weights

Judged = Mapping[tuple[int | str, int | str], str]

_KNOWN = "SELECT said.* FROM {words} said JOIN {main} one ON one.row = said.a JOIN {main} other ON other.row = said.b"
_CLUSTERS = """
SELECT main.row AS rec_id, coalesce(made.b, main.row) AS cluster
FROM {main} main LEFT JOIN {made} made ON made.a = main.row AND made.why = ''"""


@dataclass(frozen=True)
class Settings:
    """``table``: the weights. ``cut``: hundredths of a bit from which pairs are one; ``None``: only what is automatic
    is.
    """

    table: Weights = field(default_factory=weights)
    cut: int | None = None


@dataclass(frozen=True)
class Result:
    """Frames of Spark, computed (see ``dedup.spark.kept``); ids stand for rows.

    ``edges``: pairs ``a`` < ``b`` worth a look, with the parts of their score (see ``dedup.batch.scoring.score_sql``).
    ``clusters``: ``rec_id`` and ``cluster``, the id of the first member, of every record. ``refused``: ``a``, ``b``,
    ``why``. ``records`` and ``pairs``: how many there were, how many were compared.
    """

    edges: DataFrame
    clusters: DataFrame
    refused: DataFrame
    records: int
    pairs: int


def dedupe(raw: DataFrame, settings: Settings | None = None, judged: Judged | None = None) -> Result:
    """Find the duplicates of a frame with ``rec_id`` and columns of ``dedup.normal.record.RAW``.

    ``judged``: standing words on pairs of ids, ``same`` or ``different``. ``ValueError`` where ids are not different,
    or neither whole numbers nor texts.
    """
    settings = settings or Settings()
    table = settings.table
    found = kept(records(raw, table))
    height, different = found.selectExpr("count(*)", "count(DISTINCT row)").collect()[0]
    if height != different:
        raise ValueError("records to be deduplicated must have different ids")
    main = kept(rarity.rated(found, height))
    contacts = kept(rarity.contacts(found, height, table))
    pairs = kept(blocking.pairs(found, contacts, table))
    edges = kept(scored(pairs, main, contacts, table, height, worth=True))
    words = kept(found.sparkSession.sql(_KNOWN, words=_words(main, judged or {}), main=main))
    made = kept(
        partition(
            edges, words, lambda part: scored(part, main, contacts, table, height, worth=False), table, settings.cut
        )
    )
    clusters = kept(found.sparkSession.sql(_CLUSTERS, main=main, made=made))
    return Result(edges, clusters, made.where("why <> ''"), height, pairs.count())


def _words(main: DataFrame, judged: Judged) -> DataFrame:
    """``a`` < ``b`` and ``word``, each pair once: where both words were said, ``same`` is heard, as by the batch."""
    said: dict[tuple[int | str, ...], str] = {}
    for pair, word in judged.items():
        ordered = tuple(sorted(pair))
        said[ordered] = SAME if said.get(ordered) == SAME else word
    kind = plain(main.select("row"))["row"]
    rows = [(*pair, word) for pair, word in said.items()]
    frame = pl.DataFrame(rows, schema={"a": kind, "b": kind, "word": pl.String}, orient="row")
    return sent(main.sparkSession, frame)
