"""Reading changes: who reads which feed, what betrays a base that went back in time, and what a route met."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from hub.store.migrations.v0001.columns import big, document, identity, moment, text

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns and tables."""
    for column in (
        text("state", null=False, default="'live'"),
        document("state_why"),
        moment("state_at"),
        text("state_by"),
    ):
        op.add_column("system", column)
    for name in ("error_params", "paused"):
        op.add_column("run_route", document(name))
    op.create_table(
        "feed_node",
        big("system_id", null=False),
        text("node", null=False),
        big("acknowledged"),
        text("holder"),
        moment("lease_until"),
        sa.PrimaryKeyConstraint("system_id", "node", name="pk_feed_node"),
        sa.ForeignKeyConstraint(["system_id"], ["system.id"], name="fk_feed_node_system_id"),
    )
    op.create_table(
        "sentinel",
        identity("id"),
        big("stream_id", null=False),
        text("external_id", null=False),
        text("version", null=False),
        text("before"),
        big("run_id", null=False),
        sa.PrimaryKeyConstraint("id", name="pk_sentinel"),
        sa.ForeignKeyConstraint(["stream_id"], ["stream.id"], name="fk_sentinel_stream_id"),
    )
    op.create_index("ix_sentinel_stream_id", "sentinel", ["stream_id"])
