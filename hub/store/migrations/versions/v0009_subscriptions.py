"""Mailing lists: consent on a client's card, and who is on which list."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from hub.store.migrations.v0001.columns import big, document, flag, key, text, whole

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add ``party.mailing_consent`` and create ``subscription``."""
    op.add_column("party", flag("mailing_consent"))
    op.create_table(
        "subscription",
        key("id"),
        text("list", null=False),
        text("email", null=False),
        text("status", null=False),
        big("party_link_id"),
        text("record_state", null=False, default="'active'"),
        document("ext"),
        big("created_by_run", null=False),
        big("updated_by_run", null=False),
        whole("row_version", null=False, default="1"),
        sa.PrimaryKeyConstraint("id", name="pk_subscription"),
    )
    op.create_index("ix_subscription_email", "subscription", ["email"])
