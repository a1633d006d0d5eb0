"""Tables of the exchange core: who says what about which record, and what every exchange did.

Keys: ``link`` and ``change_log`` take their ids from ``bulk.allocate``; the others number themselves. Foreign keys
stand only where rows are few; the bulk tables (link, contribution, change_log) have none.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Identity,
    Index,
    Integer,
    Sequence,
    Table,
    UniqueConstraint,
    text,
)

from hub.model.records import OUTCOMES, PUSHED
from hub.store.tables import metadata
from hub.store.types import CleanText, Day, Json, Timestamp, surrogate

#: What ``bulk.allocate`` hands out: links, canonical records (one row of numbers for all entities), change log rows.
SEQUENCES: dict[str, Sequence] = {
    name: Sequence(f"seq_{name}", metadata=metadata, data_type=BigInteger()) for name in ("link", "record", "log")
}


def _id() -> Column[int]:
    return Column("id", surrogate(), Identity(), primary_key=True)


def _given_id() -> Column[int]:
    return Column("id", surrogate(), primary_key=True, autoincrement=False)


def _text(name: str, *, default: str | None = None, null: bool = False) -> Column[str]:
    server = None if default is None else text(f"'{default}'")
    return Column(name, CleanText(), nullable=null, server_default=server)


def _big(name: str, *, null: bool = False) -> Column[int]:
    return Column(name, BigInteger(), nullable=null)


def _count(name: str) -> Column[int]:
    return Column(name, BigInteger(), nullable=False, server_default=text("0"))


def _to(name: str, target: str, *, key: bool = False, null: bool = False) -> Column[int]:
    return Column(name, BigInteger(), ForeignKey(f"{target}.id"), primary_key=key, nullable=null)


def _flag(name: str, default: bool) -> Column[bool]:
    return Column(name, Boolean(), nullable=False, server_default=text(str(default).lower()))


def _moment(name: str, *, null: bool = False) -> Column[Any]:
    return Column(name, Timestamp(), nullable=null)


def _json(name: str) -> Column[Any]:
    return Column(name, Json())


def _unique_where(condition: str, *columns: str) -> Index:
    """A unique index over the rows that meet ``condition``; both databases have partial indexes."""
    return Index(None, *columns, unique=True, sqlite_where=text(condition), postgresql_where=text(condition))


#: SQLite has no sequences: ``bulk.allocate`` counts here, inside the write transaction. Unused on PostgreSQL.
counter = Table(
    "counter", metadata, Column("name", CleanText(), primary_key=True), _count("last"), sqlite_with_rowid=False
)

system = Table(
    "system",
    metadata,
    _id(),
    _text("code"),
    _text("kind"),
    _text("title"),
    _text("timezone"),
    _text("metadata_hash", null=True),
    _text("state", default="live"),
    _json("state_why"),
    _moment("state_at", null=True),
    _text("state_by", null=True),
    UniqueConstraint("code"),
)

stream = Table(
    "stream",
    metadata,
    _id(),
    _to("system_id", "system"),
    _text("name"),
    _text("entity", null=True),
    _moment("read_at", null=True),
    UniqueConstraint("system_id", "name"),
)

route = Table(
    "route",
    metadata,
    _id(),
    _text("code"),
    _to("system_id", "system"),
    _text("entity"),
    _text("direction"),
    _flag("enabled", True),
    _moment("paused_until", null=True),
    _text("pause_reason", null=True),
    _big("lease_run_id", null=True),
    _moment("lease_until", null=True),
    _text("paused_by", null=True),
    _moment("paused_at", null=True),
    UniqueConstraint("code"),
    CheckConstraint("direction IN ('pull', 'push')", name="direction"),
)

link = Table(
    "link",
    metadata,
    _given_id(),
    _big("stream_id"),
    _text("external_id"),
    _big("record_id", null=True),
    _text("state", default="active"),
    _big("row_hash", null=True),
    _text("version", null=True),
    _big("first_run"),
    _big("last_run", null=True),
    _flag("is_primary", True),
    _flag("origin", True),
    UniqueConstraint("stream_id", "external_id"),
    Index(None, "record_id"),
)

#: ``mapping``: fingerprint of the mapping it was read by. Of link ``-N`` it is what the hub itself says of record N.
contribution = Table(
    "contribution",
    metadata,
    Column("link_id", surrogate(), primary_key=True, autoincrement=False),
    _json("own"),
    _json("shown"),
    _json("sent"),
    _big("run_id"),
    _moment("read_at", null=True),
    _text("mapping", null=True),
)

pin = Table(
    "pin",
    metadata,
    _id(),
    _text("entity"),
    _big("record_id"),
    _text("field"),
    _json("value"),
    _text("note", null=True),
    _text("pinned_by"),
    _moment("at"),
    _big("run_id", null=True),
    _text("revoked_by", null=True),
    _moment("revoked_at", null=True),
    _flag("ends", False),
    _unique_where("revoked_at IS NULL", "record_id", "field"),
)

judgement = Table(
    "judgement",
    metadata,
    _id(),
    _text("entity"),
    _big("record_a"),
    _big("record_b"),
    _text("verdict"),
    _text("note", null=True),
    _text("judged_by"),
    _moment("at"),
    _text("revoked_by", null=True),
    _moment("revoked_at", null=True),
    CheckConstraint("record_a < record_b", name="ordered"),
    CheckConstraint("verdict IN ('same', 'different', 'unsure')", name="verdict"),
    _unique_where("revoked_at IS NULL", "record_a", "record_b"),
    Index(None, "record_b"),
)

redirect = Table(
    "redirect",
    metadata,
    Column("from_record_id", surrogate(), primary_key=True, autoincrement=False),
    _big("to_record_id"),
    _text("entity"),
    _big("run_id", null=True),
    _moment("at"),
    Index(None, "to_record_id"),
    CheckConstraint("from_record_id <> to_record_id", name="moves"),
)

#: Links that moved between two records because they are one (``merge``: ``other_id`` into ``record_id``), or are not
#: (``split``: out of ``record_id`` into ``other_id``). ``before``: what an undo needs besides the log.
merge_log = Table(
    "merge_log",
    metadata,
    _id(),
    _big("run_id"),
    _text("entity"),
    _text("op"),
    _big("record_id"),
    _big("other_id"),
    _text("mode"),
    _text("rule", null=True),
    _text("reason", null=True),
    _text("done_by"),
    _moment("at"),
    _json("before"),
    _big("told_run", null=True),
    _big("undone_run", null=True),
    _text("undone_by", null=True),
    _moment("undone_at", null=True),
    CheckConstraint("record_id <> other_id", name="moves"),
    CheckConstraint("op IN ('merge', 'split')", name="op"),
    CheckConstraint("mode IN ('auto', 'manual')", name="mode"),
    _unique_where("undone_run IS NULL", "op", "other_id"),
    Index(None, "record_id"),
    Index(None, "run_id"),
)

cursor = Table(
    "cursor",
    metadata,
    _to("route_id", "route", key=True),
    _to("stream_id", "stream", key=True),
    Column("name", CleanText(), primary_key=True),
    _json("position"),
    _flag("done", False),
    _text("fingerprint", null=True),
    _big("run_id"),
    _moment("updated_at"),
)

#: Readers of change feeds. ``acknowledged``: number of the last packet told to be received; ``holder``: who reads now.
feed_node = Table(
    "feed_node",
    metadata,
    _to("system_id", "system", key=True),
    Column("node", CleanText(), primary_key=True),
    _big("acknowledged", null=True),
    _text("holder", null=True),
    _moment("lease_until", null=True),
)

#: The records of each stream that were last seen to be new or to change, by which a base that went back is noticed.
sentinel = Table(
    "sentinel",
    metadata,
    _id(),
    _to("stream_id", "stream"),
    _text("external_id"),
    _text("version"),
    _text("before", null=True),
    _big("run_id"),
    Index(None, "stream_id"),
)

exchange_run = Table(
    "exchange_run",
    metadata,
    _id(),
    _text("mode"),
    _text("initiator"),
    _text("dagster_run_id", null=True),
    _text("state", default="running"),
    _moment("started_at"),
    _moment("ended_at", null=True),
    _flag("silent", False),
    _text("host", null=True),
    Column("pid", Integer()),
    _text("process_started", null=True),
    _text("code_version", null=True),
    _json("planned"),
    _big("undoes", null=True),
    _unique_where("dagster_run_id IS NOT NULL", "dagster_run_id"),
)

run_route = Table(
    "run_route",
    metadata,
    _to("run_id", "exchange_run", key=True),
    _to("route_id", "route", key=True),
    _text("state", default="running"),
    _count("received"),
    *(_count(outcome) for outcome in OUTCOMES),
    _json("skipped_by"),
    _count("released"),
    _count("absent"),
    _count("pages"),
    _count("requests"),
    _count("bytes"),
    _moment("started_at"),
    _moment("ended_at", null=True),
    _text("mapping_hash", null=True),
    _text("error_code", null=True),
    _text("error_text", null=True),
    _json("error_params"),
    _json("paused"),
    Column("window_start", Day()),
    Column("window_end", Day()),
    CheckConstraint("received = " + " + ".join(OUTCOMES), name="balanced"),
)

#: What became of what a push route owed, beside its ``run_route`` row.
run_push = Table(
    "run_push",
    metadata,
    _to("run_id", "exchange_run", key=True),
    _to("route_id", "route", key=True),
    _count("owed"),
    *(_count(outcome) for outcome in PUSHED),
    _json("failed_by"),
    _json("waiting_by"),
    _count("writes"),
    CheckConstraint("owed = " + " + ".join(PUSHED), name="balanced"),
)

change_log = Table(
    "change_log",
    metadata,
    _given_id(),
    _big("run_id"),
    _text("entity"),
    _big("record_id"),
    _big("link_id", null=True),
    _text("op"),
    _text("field", null=True),
    _text("before", null=True),
    _text("after", null=True),
    _moment("at"),
    Index(None, "record_id"),
    Index(None, "run_id"),
)

#: What is owed to other systems, one row a link; what to send is computed when the row is leased. ``meant`` (golden
#: values by path), ``fields`` (the request) and ``version`` are of a write that was sent and not yet settled;
#: ``unsaid``: values of a record being made that its system has no word for.
outbox = Table(
    "outbox",
    metadata,
    _id(),
    _to("route_id", "route"),
    _big("link_id"),
    _text("op"),
    _text("state", default="pending"),
    _count("attempts"),
    _moment("next_at", null=True),
    _moment("lease_until", null=True),
    _text("idempotency_key"),
    _text("last_error", null=True),
    _big("run_id"),
    _moment("created_at"),
    _big("lease_run_id", null=True),
    _json("error_params"),
    _json("meant"),
    _json("unsaid"),
    _json("fields"),
    _text("version", null=True),
    _moment("sent_at", null=True),
    UniqueConstraint("idempotency_key"),
    Index(None, "link_id", unique=True),
    Index(None, "state", "next_at"),
)

conflict = Table(
    "conflict",
    metadata,
    _id(),
    _to("route_id", "route"),
    _big("link_id"),
    _text("entity"),
    _big("record_id"),
    _text("field"),
    _json("base"),
    _json("ours"),
    _json("theirs"),
    _text("policy"),
    _text("state", default="open"),
    _json("resolution"),
    _text("resolved_by", null=True),
    _moment("resolved_at", null=True),
    _big("run_id"),
    _moment("created_at"),
    _unique_where("state = 'open'", "link_id", "field"),
    Index(None, "record_id"),
)

#: Notices of services that were proven. Hints, not records: what they led to is told by the runs.
notice = Table(
    "notice",
    metadata,
    _to("system_id", "system", key=True),
    Column("call", CleanText(), primary_key=True),
    Column("event", CleanText(), primary_key=True),
    _flag("is_over", False),
    _text("body"),
    _count("times"),
    _moment("received_at"),
    Index(None, "system_id", "received_at"),
)

quarantine = Table(
    "quarantine",
    metadata,
    _id(),
    _to("route_id", "route"),
    _to("stream_id", "stream"),
    _text("external_id"),
    _text("reason_code"),
    _text("field", null=True),
    _text("value", null=True),
    _json("params"),
    _text("payload", null=True),
    _text("state", default="open"),
    _count("attempts"),
    _big("first_run"),
    _big("last_run"),
    _moment("first_at"),
    _moment("last_at"),
    _unique_where("state = 'open'", "stream_id", "external_id"),
    Index(None, "route_id", "state"),
)

parked = Table(
    "parked",
    metadata,
    _id(),
    _to("route_id", "route"),
    _to("stream_id", "stream"),
    _text("external_id"),
    _text("payload"),
    _text("state", default="waiting"),
    _big("first_run"),
    _big("last_run"),
    _moment("at"),
    UniqueConstraint("stream_id", "external_id"),
)

parked_wait = Table(
    "parked_wait",
    metadata,
    _to("parked_id", "parked", key=True),
    Column("link_id", BigInteger(), primary_key=True),
    Index(None, "link_id"),
    sqlite_with_rowid=False,
)

held = Table(
    "held",
    metadata,
    _id(),
    _to("route_id", "route"),
    _to("stream_id", "stream"),
    _text("external_id"),
    _text("op"),
    _text("reason_code"),
    _json("params"),
    _text("payload", null=True),
    _text("state", default="open"),
    _text("decided_by", null=True),
    _moment("decided_at", null=True),
    _big("first_run"),
    _big("last_run"),
    _moment("at"),
    _unique_where("state = 'open'", "stream_id", "external_id"),
)

plan = Table(
    "plan",
    metadata,
    _id(),
    _text("code"),
    _text("initiator"),
    _json("routes"),
    _json("params"),
    _json("items"),
    _json("counts"),
    _text("state", default="saved"),
    _moment("created_at"),
    _moment("expires_at", null=True),
    _big("applied_run", null=True),
    UniqueConstraint("code"),
)
