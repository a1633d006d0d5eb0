"""Duplicates: how many units have a key is not kept any more, and what was compared says by which rules it was read."""

from __future__ import annotations

from alembic import op

from hub.store.migrations.v0001.columns import whole

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Drop the counts and the way from a unit to its keys, as its record tells them. Units obey the first rules."""
    op.drop_index("ix_dedup_key_link_id", table_name="dedup_key")
    op.drop_table("dedup_count")
    op.add_column("dedup_statistics", whole("normaliser", null=False, default="1"))
