"""Messages of messengers: what a message says of its chat, and the files in it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from hub.store.migrations.v0001.columns import big, moment, text, whole

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create ``chat_detail`` and ``chat_attachment``."""
    op.create_table(
        "chat_detail",
        big("activity_id", null=False),
        whole("seq", null=False),
        text("chat"),
        text("title"),
        text("message_id"),
        text("reply_to"),
        moment("edited_at"),
        text("kind"),
        sa.PrimaryKeyConstraint("activity_id", "seq", name="pk_chat_detail"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "chat_attachment",
        big("activity_id", null=False),
        whole("line_no", null=False),
        text("name"),
        text("kind"),
        text("mime"),
        big("size"),
        text("file_id"),
        sa.PrimaryKeyConstraint("activity_id", "line_no", name="pk_chat_attachment"),
        sqlite_with_rowid=False,
    )
