"""Notices that services send by themselves."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from hub.store.migrations.v0001.columns import big, flag, moment, text

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create ``notice``."""
    op.create_table(
        "notice",
        big("system_id", null=False),
        text("call", null=False),
        text("event", null=False),
        flag("is_over", null=False, default="false"),
        text("body", null=False),
        big("times", null=False, default="0"),
        moment("received_at", null=False),
        sa.PrimaryKeyConstraint("system_id", "call", "event", name="pk_notice"),
        sa.ForeignKeyConstraint(["system_id"], ["system.id"], name="fk_notice_system_id"),
    )
    op.create_index("ix_notice_system_id_received_at", "notice", ["system_id", "received_at"])
