"""Duplicates: what is compared, by which keys it is found, what pairs of it weigh."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from hub.store.migrations.v0001.columns import big, flag, key, moment, text, whole

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables of duplicates."""
    op.create_table(
        "dedup_unit",
        key("link_id"),
        text("record", null=False),
        big("grp", null=False),
        sa.PrimaryKeyConstraint("link_id", name="pk_dedup_unit"),
    )
    op.create_index("ix_dedup_unit_grp", "dedup_unit", ["grp"])
    op.create_table(
        "dedup_key",
        big("k", null=False),
        big("link_id", null=False),
        sa.PrimaryKeyConstraint("k", "link_id", name="pk_dedup_key"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_dedup_key_link_id", "dedup_key", ["link_id"])
    for name in ("dedup_count", "dedup_statistic"):
        op.create_table(name, key("k"), big("n", null=False), sa.PrimaryKeyConstraint("k", name=f"pk_{name}"))
    op.create_table(
        "dedup_edge",
        big("a", null=False),
        big("b", null=False),
        whole("weight", null=False),
        flag("joins", null=False),
        text("band", null=False),
        text("detail", null=False),
        sa.PrimaryKeyConstraint("a", "b", name="pk_dedup_edge"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_dedup_edge_b", "dedup_edge", ["b"])
    op.create_table(
        "dedup_statistics",
        key("id"),
        text("weights", null=False),
        big("records", null=False),
        big("run_id", null=False),
        moment("at", null=False),
        sa.PrimaryKeyConstraint("id", name="pk_dedup_statistics"),
    )
    op.create_table(
        "dedup_dirty",
        key("record_id"),
        big("run_id", null=False),
        sa.PrimaryKeyConstraint("record_id", name="pk_dedup_dirty"),
    )
    op.create_table(
        "dedup_sample",
        key("merge_id"),
        text("rule", null=False),
        flag("right", null=False),
        text("judged_by", null=False),
        moment("at", null=False),
        sa.PrimaryKeyConstraint("merge_id", name="pk_dedup_sample"),
    )
