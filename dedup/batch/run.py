"""The batch: a frame of raw records in; edges, clusters, relations and the review queue out."""

from __future__ import annotations

import gc
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import combinations

import duckdb
import numpy as np
import polars as pl

from dedup.batch import blocking, rarity, scoring
from dedup.batch.clusters import clustered, joins_sql
from dedup.batch.hashes import Hashes
from dedup.batch.tables import fill, lent, read
from dedup.cluster import Clustering, components
from dedup.component import WHOLE
from dedup.facts import RELATIONS
from dedup.normal.frame import Normal, normalise
from dedup.score import SAME
from dedup.weights import Weights, weights

#: Records normalised at once.
_SLICE = 200_000
#: Pairs scored at once.
_PAIRS = 60_000


@contextmanager
def _no_collector() -> Iterator[None]:
    """Without the collector of circles: what is made here is millions of small tuples that hold none."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


@dataclass(frozen=True)
class Settings:
    """``memory``: what DuckDB may take, such as ``1GB``; ``spill``: a folder for what does not fit; ``table``: the
    weights.

    ``cut``: hundredths of a bit from which pairs are one; ``None``: only what is automatic is.
    """

    threads: int = 1
    memory: str = "1GB"
    spill: str = ""
    table: Weights = field(default_factory=weights)
    cut: int | None = None


@dataclass(frozen=True)
class Result:
    """Rows are places in the frame sorted by ``rec_id``; ``ids`` holds the id of each.

    ``edges``: pairs worth a look, with the parts of their score (see ``scoring.score_sql``). ``cluster``: for each row
    the row of its cluster's first member. ``seconds``: CPU seconds by stage. ``pairs``: how many were compared.
    """

    ids: pl.Series
    edges: pl.DataFrame
    cluster: pl.Series
    refused: pl.DataFrame
    pairs: int
    seconds: Mapping[str, float]


class Batch:
    """One run, stage by stage: ``prepare`` once, then ``partition`` for any cut."""

    def __init__(self, settings: Settings | None = None) -> None:
        self.settings = settings or Settings()
        self.seconds: dict[str, float] = {}
        self.same: set[tuple[int, int]] = set()
        self.different: set[tuple[int, int]] = set()
        config: dict[str, str | bool | int | float | list[str]] = {
            "threads": self.settings.threads,
            "memory_limit": self.settings.memory,
            "preserve_insertion_order": False,
        }
        if self.settings.spill:
            config["temp_directory"] = self.settings.spill
        self.con = duckdb.connect(config=config)
        self._clock = time.process_time()

    def lap(self, stage: str) -> None:
        """Book the CPU seconds since the last call to a stage."""
        now = time.process_time()
        self.seconds[stage] = self.seconds.get(stage, 0.0) + now - self._clock
        self._clock = now

    def judge(self, words: Mapping[tuple[int | str, int | str], str]) -> None:
        """Standing words on pairs of ids (``same``, ``different``); they outrank all bits. After ``prepare``."""
        row = {rec: place for place, rec in enumerate(self.ids.to_list())}
        for (one, other), word in words.items():
            if one in row and other in row:
                pair = (min(row[one], row[other]), max(row[one], row[other]))
                (self.same if word == SAME else self.different).add(pair)

    def prepare(self, raw: pl.DataFrame | pl.LazyFrame) -> None:
        """Normalise, block and score: ``self.edges`` are the pairs worth a look.

        A lazy frame is read slice by slice and never held; it has to come in the order of ``rec_id``.
        """
        self.ids, normal = by_slices(raw.sort("rec_id") if isinstance(raw, pl.DataFrame) else raw)
        self.lap("normalise")
        hashes = Hashes(normal.main)
        main = rarity.rated(normal.main, normal.contacts, hashes).select("row", *scoring.READ)
        contacts = rarity.shared(normal.main, normal.contacts, hashes, self.settings.table)
        self.lap("frequencies")
        pairs = blocking.pairs(self.con, main, contacts, hashes, self.settings.table)
        self.pairs = pairs.height
        self.lap("block")
        self.height = main.height
        self.empty = [name for name in scoring.TEXTS if not (main[name] != "").any()]
        self.main = main
        fill(self.con, "contact", contacts.select("row", "what", "number", "bits"))
        self.edges = self._scored(pairs, worth=True)
        self.lap("score")

    def _scored(self, pairs: pl.DataFrame, *, worth: bool) -> pl.DataFrame:
        """Edges of pairs; ``worth``: only those that may join, wait for a person or
        relate.
        """
        table = self.settings.table
        sql = scoring.score_sql(table, self.height, self.empty)
        where = f" WHERE {scoring.worth_sql(table)}" if worth else ""
        fill(self.con, "pair", pairs)
        pairs = pairs.join(
            read(self.con, scoring.shared_sql()), on=["a", "b"], how="left", maintain_order="left"
        ).fill_null(0)
        found = [self._slice(part, f"SELECT * FROM ({sql}){where}") for part in pairs.iter_slices(_PAIRS)]
        return pl.concat(found or [self._slice(pairs, f"SELECT * FROM ({sql})")])

    def _slice(self, pairs: pl.DataFrame, sql: str) -> pl.DataFrame:
        """The edges of some pairs: their sides are laid beside them, which is cheaper than joining them."""
        with lent(self.con, "sides", scoring.sides(self.main, pairs, self.empty)):
            return read(self.con, sql)

    @_no_collector()
    def partition(self, cut: int | None = None) -> tuple[Clustering, pl.Series]:
        """Clusters by rows, and for each row the first row of its cluster; ``cut`` as in ``Settings``."""
        joins = self.edges.filter(pl.sql_expr(joins_sql(cut))).select("a", "b")
        said = _pairs(self.same | self.different)
        joins = pl.concat([joins.join(said, on=["a", "b"], how="anti"), _pairs(self.same)])
        degree = np.bincount(np.concatenate([joins["a"].to_numpy(), joins["b"].to_numpy()]), minlength=self.height)
        alone = pl.Series((degree[joins["a"].to_numpy()] == 1) & (degree[joins["b"].to_numpy()] == 1))
        couples, rest = joins.filter(alone), joins.filter(~alone)  # a link that meets no other needs no judging
        parts = components(rest.iter_rows())
        edges = self._closed([part for part in parts if len(part) <= WHOLE], {row for part in parts for row in part})
        made = clustered(edges, self.same, self.different, self.settings.table, cut)
        of_row = np.arange(self.height, dtype=np.uint32)
        of_row[couples["b"].to_numpy()] = couples["a"].to_numpy()
        for group in made.groups:
            of_row[np.array(group, dtype=np.int64)] = group[0]
        groups = sorted([*made.groups, *couples.iter_rows()])
        self.lap("cluster")
        return Clustering(groups, made.refused), pl.Series("cluster", of_row)

    def _closed(self, parts: Iterable[list[int | str]], inside: set[int | str]) -> pl.DataFrame:
        """The edges among the rows ``inside``: every pair of a part is scored; of a part too large, those that are
        known.
        """
        pairs = _pairs(pair for part in parts for pair in combinations(part, 2))
        mark = np.zeros(self.height, dtype=bool)
        mark[np.fromiter(inside, dtype=np.int64)] = True
        within = pl.Series(mark[self.edges["a"].to_numpy()] & mark[self.edges["b"].to_numpy()])
        known = self.edges.filter(within).join(pairs, on=["a", "b"], how="anti")
        return pl.concat([known, self._scored(pairs, worth=False)])


@_no_collector()
def by_slices(raw: pl.DataFrame | pl.LazyFrame) -> tuple[pl.Series, Normal]:
    """Ids and normal forms, slice by slice: what is needed on the way is then small beside what is kept."""
    height = raw.height if isinstance(raw, pl.DataFrame) else int(raw.select(pl.len()).collect().item())
    ids, mains, contacts = [], [], []
    for start in range(0, max(height, 1), _SLICE):
        piece = raw.lazy().slice(start, _SLICE).collect()
        part = normalise(piece)
        ids.append(piece["rec_id"])
        mains.append(part.main.with_columns(pl.col("row") + start))
        contacts.append(part.contacts.with_columns(pl.col("row") + start))
    found = pl.concat(ids)
    if not found.is_sorted() or found.n_unique() < len(found):
        raise ValueError("records to be deduplicated must have different ids and come in their order")
    return found, Normal(pl.concat(mains), pl.concat(contacts))


def _pairs(found: Iterable[tuple[int | str, ...]]) -> pl.DataFrame:
    return pl.DataFrame(list(found), schema={"a": pl.UInt32, "b": pl.UInt32}, orient="row")


def dedupe(
    raw: pl.DataFrame | pl.LazyFrame,
    settings: Settings | None = None,
    judged: Mapping[tuple[int | str, int | str], str] | None = None,
) -> Result:
    """Find the duplicates of a frame with ``rec_id`` and columns of ``dedup.normal.record.RAW``.

    ``judged``: standing words on pairs of ids, ``same`` or ``different``.
    """
    batch = Batch(settings)
    batch.prepare(raw)
    batch.judge(judged or {})
    made, of_row = batch.partition(batch.settings.cut)
    refused = pl.DataFrame(made.refused, schema={"a": pl.UInt32, "b": pl.UInt32, "why": pl.String}, orient="row")
    return Result(batch.ids, batch.edges, of_row, refused, batch.pairs, batch.seconds)


def review(result: Result, table: Weights | None = None) -> pl.DataFrame:
    """Pairs for a person, the likeliest first: one for each two clusters, the strongest; ``a`` and ``b`` are rows."""
    table = table or weights()
    clusters = result.cluster
    waiting = result.edges.filter((pl.col("vetoes") == 0) & (pl.col("rule") == 0) & (pl.col("weight") >= table.review))
    one, other = clusters.gather(waiting["a"]), clusters.gather(waiting["b"])
    waiting = waiting.with_columns(one=one, other=other).filter(pl.col("one") != pl.col("other"))
    waiting = waiting.sort(["weight", "a", "b"], descending=[True, False, False])
    return waiting.unique(subset=["one", "other"], keep="first", maintain_order=True).drop("one", "other")


def relations(result: Result) -> pl.DataFrame:
    """Pairs that are not one, and what they are to each other: ``a``, ``b`` (ids) and ``relation``."""
    names = pl.Series(["", *RELATIONS], dtype=pl.String)
    found = result.edges.filter((pl.col("relation") > 0) & (pl.col("rule") == 0))
    return pl.DataFrame(
        {
            "a": result.ids.gather(found["a"]),
            "b": result.ids.gather(found["b"]),
            "relation": names.gather(found["relation"]),
        }
    )
