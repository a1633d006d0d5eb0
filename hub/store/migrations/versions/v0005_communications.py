"""Letters, calls and meetings, and the leads that come of them."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

from hub.store.migrations.v0001.columns import big, document, flag, identity, key, moment, text, whole

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables of communications, and what tasks and the outbox have new."""
    op.add_column("outbox", document("unsaid"))
    _activity()
    _activity_participant()
    _call_detail()
    _email_detail()
    _email_attachment()
    _meeting_detail()
    _meeting_exception()
    _activity_reminder()
    _lead()
    _lead_contact_point()
    _task()
    _merge_log()


def service() -> list[sa.Column[Any]]:
    """What every root table has besides its own fields."""
    return [
        text("record_state", null=False, default="'active'"),
        document("ext"),
        big("created_by_run", null=False),
        big("updated_by_run", null=False),
        whole("row_version", null=False, default="1"),
    ]


def _activity() -> None:
    op.create_table(
        "activity",
        key("id"),
        text("type", null=False),
        text("direction"),
        text("subject"),
        text("body_text"),
        moment("started_at", null=False),
        moment("ended_at"),
        big("duration_s"),
        text("status", null=False),
        big("owner_link_id"),
        big("party_link_id"),
        big("order_link_id"),
        text("external_key"),
        text("line"),
        flag("is_auto"),
        text("privacy"),
        *service(),
        sa.PrimaryKeyConstraint("id", name="pk_activity"),
    )
    op.create_index("ix_activity_party_link_id", "activity", ["party_link_id"])
    op.create_index("ix_activity_started_at", "activity", ["started_at"])
    op.create_index("ix_activity_external_key", "activity", ["external_key"])


def _activity_participant() -> None:
    op.create_table(
        "activity_participant",
        big("activity_id", null=False),
        whole("seq", null=False),
        text("role", null=False),
        text("handle_kind", null=False),
        text("handle_norm", null=False),
        text("handle_raw"),
        text("ext"),
        text("display_name"),
        text("rsvp"),
        sa.PrimaryKeyConstraint("activity_id", "seq", name="pk_activity_participant"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_activity_participant_handle_norm", "activity_participant", ["handle_norm"])


def _call_detail() -> None:
    op.create_table(
        "call_detail",
        big("activity_id", null=False),
        whole("seq", null=False),
        text("did"),
        text("queue"),
        text("agent_ext"),
        big("ring_s"),
        big("wait_s"),
        big("talk_s"),
        text("disposition"),
        text("hangup_cause"),
        flag("transferred"),
        big("legs"),
        text("recording"),
        sa.PrimaryKeyConstraint("activity_id", "seq", name="pk_call_detail"),
        sqlite_with_rowid=False,
    )


def _email_detail() -> None:
    op.create_table(
        "email_detail",
        big("activity_id", null=False),
        whole("seq", null=False),
        text("message_id"),
        text("in_reply_to"),
        text("reference_ids"),
        text("fingerprint"),
        text("folder"),
        big("size"),
        text("auto_kind"),
        sa.PrimaryKeyConstraint("activity_id", "seq", name="pk_email_detail"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_email_detail_message_id", "email_detail", ["message_id"])


def _email_attachment() -> None:
    op.create_table(
        "email_attachment",
        big("activity_id", null=False),
        whole("line_no", null=False),
        text("name"),
        text("mime"),
        big("size"),
        text("part"),
        sa.PrimaryKeyConstraint("activity_id", "line_no", name="pk_email_attachment"),
        sqlite_with_rowid=False,
    )


def _meeting_detail() -> None:
    op.create_table(
        "meeting_detail",
        big("activity_id", null=False),
        whole("seq", null=False),
        text("uid"),
        big("sequence"),
        text("rrule"),
        text("location"),
        text("join_url"),
        flag("all_day"),
        text("tz"),
        sa.PrimaryKeyConstraint("activity_id", "seq", name="pk_meeting_detail"),
        sqlite_with_rowid=False,
    )


def _meeting_exception() -> None:
    op.create_table(
        "meeting_exception",
        big("activity_id", null=False),
        whole("seq", null=False),
        text("recurrence_id", null=False),
        moment("started_at"),
        moment("ended_at"),
        text("status"),
        text("subject"),
        text("location"),
        sa.PrimaryKeyConstraint("activity_id", "seq", name="pk_meeting_exception"),
        sqlite_with_rowid=False,
    )


def _activity_reminder() -> None:
    op.create_table(
        "activity_reminder",
        big("activity_id", null=False),
        whole("seq", null=False),
        big("offset_s"),
        moment("at"),
        text("action"),
        sa.PrimaryKeyConstraint("activity_id", "seq", name="pk_activity_reminder"),
        sqlite_with_rowid=False,
    )


def _lead() -> None:
    op.create_table(
        "lead",
        key("id"),
        text("title", null=False),
        text("status", null=False),
        text("source"),
        text("line"),
        text("contact_name"),
        text("company_name"),
        moment("opened_at"),
        moment("closed_at"),
        big("owner_link_id"),
        big("party_link_id"),
        big("activity_link_id"),
        text("comment"),
        text("dedupe_key"),
        *service(),
        sa.PrimaryKeyConstraint("id", name="pk_lead"),
    )
    op.create_index("ix_lead_dedupe_key", "lead", ["dedupe_key"])


def _lead_contact_point() -> None:
    op.create_table(
        "lead_contact_point",
        big("lead_id", null=False),
        whole("seq", null=False),
        text("system", null=False),
        text("value_norm", null=False),
        text("value_raw"),
        sa.PrimaryKeyConstraint("lead_id", "seq", name="pk_lead_contact_point"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_lead_contact_point_value_norm", "lead_contact_point", ["value_norm"])


def _task() -> None:
    for column in (text("kind"), big("activity_link_id"), text("dedupe_key")):
        op.add_column("task", column)
    op.create_index("ix_task_dedupe_key", "task", ["dedupe_key"])
    op.create_table(
        "task_reminder",
        big("task_id", null=False),
        whole("seq", null=False),
        big("offset_s"),
        moment("at"),
        text("action"),
        sa.PrimaryKeyConstraint("task_id", "seq", name="pk_task_reminder"),
        sqlite_with_rowid=False,
    )


def _merge_log() -> None:
    op.create_table(
        "merge_log",
        identity("id"),
        big("run_id", null=False),
        text("entity", null=False),
        text("op", null=False),
        big("record_id", null=False),
        big("other_id", null=False),
        text("mode", null=False),
        text("rule"),
        text("reason"),
        text("done_by", null=False),
        moment("at", null=False),
        document("before"),
        big("undone_run"),
        text("undone_by"),
        moment("undone_at"),
        sa.PrimaryKeyConstraint("id", name="pk_merge_log"),
        sa.CheckConstraint("record_id <> other_id", name=op.f("ck_merge_log_moves")),
        sa.CheckConstraint("op IN ('merge', 'split')", name=op.f("ck_merge_log_op")),
        sa.CheckConstraint("mode IN ('auto', 'manual')", name=op.f("ck_merge_log_mode")),
    )
    standing = sa.text("undone_run IS NULL")
    op.create_index(
        "ix_merge_log_op_other_id",
        "merge_log",
        ["op", "other_id"],
        unique=True,
        sqlite_where=standing,
        postgresql_where=standing,
    )
    op.create_index("ix_merge_log_record_id", "merge_log", ["record_id"])
    op.create_index("ix_merge_log_run_id", "merge_log", ["run_id"])
