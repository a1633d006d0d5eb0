"""Mail: whether a letter was answered or flagged in the mail program."""

from __future__ import annotations

from alembic import op

from hub.store.migrations.v0001.columns import flag

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the marks to ``email_detail``."""
    for name in ("is_answered", "is_flagged"):
        op.add_column("email_detail", flag(name))
