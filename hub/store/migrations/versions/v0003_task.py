"""Tasks: what people are to do, for whom and by when."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from hub.store.migrations.v0001.columns import big, document, key, moment, text, whole

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create ``task``."""
    op.create_table(
        "task",
        key("id"),
        text("title", null=False),
        text("body"),
        moment("date"),
        text("priority"),
        text("status", null=False),
        big("assignee_link_id"),
        big("author_link_id"),
        moment("start_at"),
        moment("due_at"),
        moment("done_at"),
        text("result"),
        big("party_link_id"),
        big("order_link_id"),
        big("invoice_link_id"),
        text("record_state", null=False, default="'active'"),
        document("ext"),
        big("created_by_run", null=False),
        big("updated_by_run", null=False),
        whole("row_version", null=False, default="1"),
        sa.PrimaryKeyConstraint("id", name="pk_task"),
    )
    op.create_index("ix_task_assignee_link_id", "task", ["assignee_link_id"])
    op.create_index("ix_task_party_link_id", "task", ["party_link_id"])
