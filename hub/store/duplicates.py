"""Tables of duplicates: what is compared, by which keys it is found, and what pairs of it weigh.

A *unit* is what one link says of its own accord; units of one client form a group. The tables are drawn from the
contributions and can be made anew at any time.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, Table, text

from hub.store.tables import metadata
from hub.store.types import CleanText, Timestamp, surrogate

#: ``record``: a ``dedup.normal.record.Record`` as JSON; ``grp``: the least link of its group.
unit = Table(
    "dedup_unit",
    metadata,
    Column("link_id", surrogate(), primary_key=True, autoincrement=False),
    Column("record", CleanText(), nullable=False),
    Column("grp", BigInteger(), nullable=False),
    Index(None, "grp"),
)

#: Which units have a key; ``k`` is the hash of its kind and value. Which keys a unit has is told by its record.
key = Table(
    "dedup_key",
    metadata,
    Column("k", BigInteger(), primary_key=True, autoincrement=False),
    Column("link_id", BigInteger(), primary_key=True, autoincrement=False),
    sqlite_with_rowid=False,
)

#: How many records say a value, as counted when the statistics were made; a value that is not there is said by one.
statistic = Table(
    "dedup_statistic",
    metadata,
    Column("k", surrogate(), primary_key=True, autoincrement=False),
    Column("n", BigInteger(), nullable=False),
)

#: Pairs worth keeping, ``a`` the lesser link. ``joins``: makes two groups one; ``rests_on_key``: by an identifier.
#: ``detail``: a ``dedup.score.Edge`` as JSON.
edge = Table(
    "dedup_edge",
    metadata,
    Column("a", BigInteger(), primary_key=True, autoincrement=False),
    Column("b", BigInteger(), primary_key=True, autoincrement=False),
    Column("weight", Integer(), nullable=False),
    Column("joins", Boolean(), nullable=False),
    Column("band", CleanText(), nullable=False),
    Column("detail", CleanText(), nullable=False),
    Index(None, "b"),
    sqlite_with_rowid=False,
)

#: The statistics in force, one row: what they were made with. ``weights``: the version; ``records``: how many;
#: ``normaliser``: ``dedup.keys.VERSION`` of the code that made units and keys of them.
statistics = Table(
    "dedup_statistics",
    metadata,
    Column("id", surrogate(), primary_key=True, autoincrement=False),
    Column("weights", CleanText(), nullable=False),
    Column("records", BigInteger(), nullable=False),
    Column("normaliser", Integer(), nullable=False, server_default=text("1")),
    Column("run_id", BigInteger(), nullable=False),
    Column("at", Timestamp(), nullable=False),
)

#: Tables of weights that were fitted to what persons here said. ``body``: a ``dedup.weights.Weights`` as JSON;
#: ``pairs``: how many judged pairs it was fitted to. Never changed: pairs keep the name of the table that weighed them.
weights = Table(
    "dedup_weights",
    metadata,
    Column("version", CleanText(), primary_key=True),
    Column("body", CleanText(), nullable=False),
    Column("pairs", BigInteger(), nullable=False),
    Column("run_id", BigInteger(), nullable=False),
    Column("made_by", CleanText(), nullable=False),
    Column("at", Timestamp(), nullable=False),
)

#: Records that have changed since their links were compared last, and by which run.
dirty = Table(
    "dedup_dirty",
    metadata,
    Column("record_id", surrogate(), primary_key=True, autoincrement=False),
    Column("run_id", BigInteger(), nullable=False),
)

#: Automatic merges that a person looked at blind. ``right``: whether it was one client.
sample = Table(
    "dedup_sample",
    metadata,
    Column("merge_id", surrogate(), primary_key=True, autoincrement=False),
    Column("rule", CleanText(), nullable=False),
    Column("right", Boolean(), nullable=False),
    Column("judged_by", CleanText(), nullable=False),
    Column("at", Timestamp(), nullable=False),
)
