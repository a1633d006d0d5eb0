"""The exchange core, as the first migration made it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from hub.store.migrations.v0001.columns import big, day, document, flag, identity, key, moment, text, whole


def counter() -> None:
    """Create ``counter``."""
    op.create_table(
        "counter",
        text("name", null=False),
        big("last", null=False, default="0"),
        sa.PrimaryKeyConstraint("name", name="pk_counter"),
        sqlite_with_rowid=False,
    )


def system() -> None:
    """Create ``system``."""
    op.create_table(
        "system",
        identity("id"),
        text("code", null=False),
        text("kind", null=False),
        text("title", null=False),
        text("timezone", null=False),
        text("metadata_hash"),
        sa.PrimaryKeyConstraint("id", name="pk_system"),
        sa.UniqueConstraint("code", name="uq_system_code"),
    )


def stream() -> None:
    """Create ``stream``."""
    op.create_table(
        "stream",
        identity("id"),
        big("system_id", null=False),
        text("name", null=False),
        text("entity"),
        sa.PrimaryKeyConstraint("id", name="pk_stream"),
        sa.ForeignKeyConstraint(["system_id"], ["system.id"], name="fk_stream_system_id"),
        sa.UniqueConstraint("system_id", "name", name="uq_stream_system_id_name"),
    )


def route() -> None:
    """Create ``route``."""
    op.create_table(
        "route",
        identity("id"),
        text("code", null=False),
        big("system_id", null=False),
        text("entity", null=False),
        text("direction", null=False),
        flag("enabled", null=False, default="true"),
        moment("paused_until"),
        text("pause_reason"),
        big("lease_run_id"),
        moment("lease_until"),
        sa.PrimaryKeyConstraint("id", name="pk_route"),
        sa.ForeignKeyConstraint(["system_id"], ["system.id"], name="fk_route_system_id"),
        sa.UniqueConstraint("code", name="uq_route_code"),
        sa.CheckConstraint("direction IN ('pull', 'push')", name=op.f("ck_route_direction")),
    )


def link() -> None:
    """Create ``link``."""
    op.create_table(
        "link",
        key("id"),
        big("stream_id", null=False),
        text("external_id", null=False),
        big("record_id"),
        text("state", null=False, default="'active'"),
        big("row_hash"),
        text("version"),
        big("first_run", null=False),
        big("last_run"),
        sa.PrimaryKeyConstraint("id", name="pk_link"),
        sa.UniqueConstraint("stream_id", "external_id", name="uq_link_stream_id_external_id"),
    )
    op.create_index("ix_link_record_id", "link", ["record_id"])


def contribution() -> None:
    """Create ``contribution``."""
    op.create_table(
        "contribution",
        key("link_id"),
        document("own"),
        document("shown"),
        document("sent"),
        big("run_id", null=False),
        sa.PrimaryKeyConstraint("link_id", name="pk_contribution"),
    )


def pin() -> None:
    """Create ``pin``."""
    op.create_table(
        "pin",
        identity("id"),
        text("entity", null=False),
        big("record_id", null=False),
        text("field", null=False),
        document("value"),
        text("note"),
        text("pinned_by", null=False),
        moment("at", null=False),
        big("run_id"),
        text("revoked_by"),
        moment("revoked_at"),
        sa.PrimaryKeyConstraint("id", name="pk_pin"),
    )
    where = sa.text("revoked_at IS NULL")
    op.create_index(
        "ix_pin_record_id_field", "pin", ["record_id", "field"], unique=True, sqlite_where=where, postgresql_where=where
    )


def judgement() -> None:
    """Create ``judgement``."""
    op.create_table(
        "judgement",
        identity("id"),
        text("entity", null=False),
        big("record_a", null=False),
        big("record_b", null=False),
        text("verdict", null=False),
        text("note"),
        text("judged_by", null=False),
        moment("at", null=False),
        text("revoked_by"),
        moment("revoked_at"),
        sa.PrimaryKeyConstraint("id", name="pk_judgement"),
        sa.CheckConstraint("record_a < record_b", name=op.f("ck_judgement_ordered")),
        sa.CheckConstraint("verdict IN ('same', 'different', 'unsure')", name=op.f("ck_judgement_verdict")),
    )
    where = sa.text("revoked_at IS NULL")
    op.create_index(
        "ix_judgement_record_a_record_b",
        "judgement",
        ["record_a", "record_b"],
        unique=True,
        sqlite_where=where,
        postgresql_where=where,
    )
    op.create_index("ix_judgement_record_b", "judgement", ["record_b"])


def redirect() -> None:
    """Create ``redirect``."""
    op.create_table(
        "redirect",
        key("from_record_id"),
        big("to_record_id", null=False),
        text("entity", null=False),
        big("run_id"),
        moment("at", null=False),
        sa.PrimaryKeyConstraint("from_record_id", name="pk_redirect"),
        sa.CheckConstraint("from_record_id <> to_record_id", name=op.f("ck_redirect_moves")),
    )
    op.create_index("ix_redirect_to_record_id", "redirect", ["to_record_id"])


def cursor() -> None:
    """Create ``cursor``."""
    op.create_table(
        "cursor",
        big("route_id", null=False),
        big("stream_id", null=False),
        text("name", null=False),
        document("position"),
        flag("done", null=False, default="false"),
        text("fingerprint"),
        big("run_id", null=False),
        moment("updated_at", null=False),
        sa.PrimaryKeyConstraint("route_id", "stream_id", "name", name="pk_cursor"),
        sa.ForeignKeyConstraint(["route_id"], ["route.id"], name="fk_cursor_route_id"),
        sa.ForeignKeyConstraint(["stream_id"], ["stream.id"], name="fk_cursor_stream_id"),
    )


def exchange_run() -> None:
    """Create ``exchange_run``."""
    op.create_table(
        "exchange_run",
        identity("id"),
        text("mode", null=False),
        text("initiator", null=False),
        text("dagster_run_id"),
        text("state", null=False, default="'running'"),
        moment("started_at", null=False),
        moment("ended_at"),
        flag("silent", null=False, default="false"),
        text("host"),
        whole("pid"),
        text("process_started"),
        text("code_version"),
        document("planned"),
        sa.PrimaryKeyConstraint("id", name="pk_exchange_run"),
    )
    where = sa.text("dagster_run_id IS NOT NULL")
    op.create_index(
        "ix_exchange_run_dagster_run_id",
        "exchange_run",
        ["dagster_run_id"],
        unique=True,
        sqlite_where=where,
        postgresql_where=where,
    )


def run_route() -> None:
    """Create ``run_route``."""
    op.create_table(
        "run_route",
        big("run_id", null=False),
        big("route_id", null=False),
        text("state", null=False, default="'running'"),
        big("received", null=False, default="0"),
        big("created", null=False, default="0"),
        big("updated", null=False, default="0"),
        big("unchanged", null=False, default="0"),
        big("skipped", null=False, default="0"),
        big("parked", null=False, default="0"),
        big("held", null=False, default="0"),
        big("quarantined", null=False, default="0"),
        document("skipped_by"),
        big("released", null=False, default="0"),
        big("absent", null=False, default="0"),
        big("pages", null=False, default="0"),
        big("requests", null=False, default="0"),
        big("bytes", null=False, default="0"),
        moment("started_at", null=False),
        moment("ended_at"),
        text("mapping_hash"),
        text("error_code"),
        text("error_text"),
        day("window_start"),
        day("window_end"),
        sa.PrimaryKeyConstraint("run_id", "route_id", name="pk_run_route"),
        sa.ForeignKeyConstraint(["route_id"], ["route.id"], name="fk_run_route_route_id"),
        sa.ForeignKeyConstraint(["run_id"], ["exchange_run.id"], name="fk_run_route_run_id"),
        sa.CheckConstraint(
            "received = created + updated + unchanged + skipped + parked + held + quarantined",
            name=op.f("ck_run_route_balanced"),
        ),
    )


def change_log() -> None:
    """Create ``change_log``."""
    op.create_table(
        "change_log",
        key("id"),
        big("run_id", null=False),
        text("entity", null=False),
        big("record_id", null=False),
        big("link_id"),
        text("op", null=False),
        text("field"),
        text("before"),
        text("after"),
        moment("at", null=False),
        sa.PrimaryKeyConstraint("id", name="pk_change_log"),
    )
    op.create_index("ix_change_log_record_id", "change_log", ["record_id"])
    op.create_index("ix_change_log_run_id", "change_log", ["run_id"])


def outbox() -> None:
    """Create ``outbox``."""
    op.create_table(
        "outbox",
        identity("id"),
        big("route_id", null=False),
        big("link_id", null=False),
        text("op", null=False),
        text("state", null=False, default="'pending'"),
        big("attempts", null=False, default="0"),
        moment("next_at"),
        moment("lease_until"),
        text("idempotency_key", null=False),
        text("last_error"),
        big("run_id", null=False),
        moment("created_at", null=False),
        sa.PrimaryKeyConstraint("id", name="pk_outbox"),
        sa.ForeignKeyConstraint(["route_id"], ["route.id"], name="fk_outbox_route_id"),
        sa.UniqueConstraint("idempotency_key", name="uq_outbox_idempotency_key"),
    )
    op.create_index("ix_outbox_link_id", "outbox", ["link_id"])
    op.create_index("ix_outbox_state_next_at", "outbox", ["state", "next_at"])


def conflict() -> None:
    """Create ``conflict``."""
    op.create_table(
        "conflict",
        identity("id"),
        big("route_id", null=False),
        big("link_id", null=False),
        text("entity", null=False),
        big("record_id", null=False),
        text("field", null=False),
        document("base"),
        document("ours"),
        document("theirs"),
        text("policy", null=False),
        text("state", null=False, default="'open'"),
        document("resolution"),
        text("resolved_by"),
        moment("resolved_at"),
        big("run_id", null=False),
        moment("created_at", null=False),
        sa.PrimaryKeyConstraint("id", name="pk_conflict"),
        sa.ForeignKeyConstraint(["route_id"], ["route.id"], name="fk_conflict_route_id"),
    )
    where = sa.text("state = 'open'")
    op.create_index(
        "ix_conflict_link_id_field",
        "conflict",
        ["link_id", "field"],
        unique=True,
        sqlite_where=where,
        postgresql_where=where,
    )
    op.create_index("ix_conflict_record_id", "conflict", ["record_id"])


def quarantine() -> None:
    """Create ``quarantine``."""
    op.create_table(
        "quarantine",
        identity("id"),
        big("route_id", null=False),
        big("stream_id", null=False),
        text("external_id", null=False),
        text("reason_code", null=False),
        text("field"),
        text("value"),
        document("params"),
        text("payload"),
        text("state", null=False, default="'open'"),
        big("attempts", null=False, default="0"),
        big("first_run", null=False),
        big("last_run", null=False),
        moment("first_at", null=False),
        moment("last_at", null=False),
        sa.PrimaryKeyConstraint("id", name="pk_quarantine"),
        sa.ForeignKeyConstraint(["route_id"], ["route.id"], name="fk_quarantine_route_id"),
        sa.ForeignKeyConstraint(["stream_id"], ["stream.id"], name="fk_quarantine_stream_id"),
    )
    op.create_index("ix_quarantine_route_id_state", "quarantine", ["route_id", "state"])
    where = sa.text("state = 'open'")
    op.create_index(
        "ix_quarantine_stream_id_external_id",
        "quarantine",
        ["stream_id", "external_id"],
        unique=True,
        sqlite_where=where,
        postgresql_where=where,
    )


def parked() -> None:
    """Create ``parked``."""
    op.create_table(
        "parked",
        identity("id"),
        big("route_id", null=False),
        big("stream_id", null=False),
        text("external_id", null=False),
        text("payload", null=False),
        text("state", null=False, default="'waiting'"),
        big("first_run", null=False),
        big("last_run", null=False),
        moment("at", null=False),
        sa.PrimaryKeyConstraint("id", name="pk_parked"),
        sa.ForeignKeyConstraint(["route_id"], ["route.id"], name="fk_parked_route_id"),
        sa.ForeignKeyConstraint(["stream_id"], ["stream.id"], name="fk_parked_stream_id"),
        sa.UniqueConstraint("stream_id", "external_id", name="uq_parked_stream_id_external_id"),
    )


def parked_wait() -> None:
    """Create ``parked_wait``."""
    op.create_table(
        "parked_wait",
        big("parked_id", null=False),
        big("link_id", null=False),
        sa.PrimaryKeyConstraint("parked_id", "link_id", name="pk_parked_wait"),
        sa.ForeignKeyConstraint(["parked_id"], ["parked.id"], name="fk_parked_wait_parked_id"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_parked_wait_link_id", "parked_wait", ["link_id"])


def held() -> None:
    """Create ``held``."""
    op.create_table(
        "held",
        identity("id"),
        big("route_id", null=False),
        big("stream_id", null=False),
        text("external_id", null=False),
        text("op", null=False),
        text("reason_code", null=False),
        document("params"),
        text("payload"),
        text("state", null=False, default="'open'"),
        text("decided_by"),
        moment("decided_at"),
        big("first_run", null=False),
        big("last_run", null=False),
        moment("at", null=False),
        sa.PrimaryKeyConstraint("id", name="pk_held"),
        sa.ForeignKeyConstraint(["route_id"], ["route.id"], name="fk_held_route_id"),
        sa.ForeignKeyConstraint(["stream_id"], ["stream.id"], name="fk_held_stream_id"),
    )
    where = sa.text("state = 'open'")
    op.create_index(
        "ix_held_stream_id_external_id",
        "held",
        ["stream_id", "external_id"],
        unique=True,
        sqlite_where=where,
        postgresql_where=where,
    )


def plan() -> None:
    """Create ``plan``."""
    op.create_table(
        "plan",
        identity("id"),
        text("code", null=False),
        text("initiator", null=False),
        document("routes"),
        document("params"),
        document("items"),
        document("counts"),
        text("state", null=False, default="'saved'"),
        moment("created_at", null=False),
        moment("expires_at"),
        big("applied_run"),
        sa.PrimaryKeyConstraint("id", name="pk_plan"),
        sa.UniqueConstraint("code", name="uq_plan_code"),
    )


def create() -> None:
    """Create the tables of this module."""
    counter()
    system()
    stream()
    route()
    link()
    contribution()
    pin()
    judgement()
    redirect()
    cursor()
    exchange_run()
    run_route()
    change_log()
    outbox()
    conflict()
    quarantine()
    parked()
    parked_wait()
    held()
    plan()
