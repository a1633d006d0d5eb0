"""The batch on Spark: a frame of raw records in; edges and clusters out, equal to those of ``dedup.batch.run``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pyspark.sql import DataFrame

from dedup.spark import blocking, rarity
from dedup.spark.partition import partition
from dedup.spark.records import records
from dedup.spark.scoring import scored
from dedup.weights import Weights, weights


@dataclass(frozen=True)
class Settings:
    """``table``: the weights. ``cut``: hundredths of a bit from which pairs are one; ``None``: only what is automatic
    is.
    """

    table: Weights = field(default_factory=weights)
    cut: int | None = None


@dataclass(frozen=True)
class Result:
    """Frames of Spark, held by its executors until ``release``; ids stand for rows.

    ``edges``: pairs ``a`` < ``b`` worth a look, with the parts of their score (see
    ``dedup.batch.scoring.score_sql``). ``clusters``: ``rec_id`` and ``cluster``, the id of the first member, of every
    record. ``refused``: ``a``, ``b``, ``why``. ``records`` and ``pairs``: how many there were, how many were compared.
    """

    edges: DataFrame
    clusters: DataFrame
    refused: DataFrame
    records: int
    pairs: int
    held: tuple[DataFrame, ...]

    def release(self) -> None:
        """Let the executors forget what is held; after it the frames are computed anew when they are read."""
        for frame in self.held:
            frame.unpersist()


def dedupe(
    raw: DataFrame,
    settings: Settings | None = None,
    judged: Mapping[tuple[int | str, int | str], str] | None = None,
) -> Result:
    """Find the duplicates of a frame with ``rec_id`` and columns of ``dedup.normal.record.RAW``.

    ``judged``: standing words on pairs of ids, ``same`` or ``different``. ``ValueError`` where ids are not different.
    """
    settings = settings or Settings()
    table = settings.table
    spark = raw.sparkSession
    found = records(raw, table).persist()
    height, different = found.selectExpr("count(*)", "count(DISTINCT row)").collect()[0]
    if height != different:
        found.unpersist()
        raise ValueError("records to be deduplicated must have different ids")
    main = rarity.rated(found, height).persist()
    contacts = rarity.contacts(found, height, table).persist()
    pairs = blocking.pairs(found, contacts, table).persist()
    compared = pairs.count()
    edges = scored(pairs, main, contacts, table, height, worth=True).persist()
    kind = main.schema["row"].dataType.simpleString()
    ordered = [(*sorted(pair), word) for pair, word in (judged or {}).items()]  # type: ignore[type-var]
    words = spark.createDataFrame(ordered, f"a {kind}, b {kind}, word string")
    made = partition(
        edges, words, lambda part: scored(part, main, contacts, table, height, worth=False), table, settings.cut
    ).persist()
    clusters = spark.sql(
        "SELECT main.row AS rec_id, coalesce(made.b, main.row) AS cluster FROM {main} main"
        " LEFT JOIN {made} made ON made.a = main.row AND made.why = ''",
        main=main.select("row"),
        made=made,
    ).persist()
    clusters.count()
    for frame in (pairs, found):
        frame.unpersist()
    return Result(edges, clusters, made.where("why <> ''"), height, compared, (clusters, made, edges, contacts, main))
