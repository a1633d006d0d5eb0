"""Whether systems were told of a merge (only one of which nobody outside knows is undone unasked); a site's weights."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from hub.store.migrations.v0001.columns import big, moment, text

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Merges that are there count as told: nobody wrote down whether they were."""
    op.add_column("merge_log", big("told_run"))
    op.execute(sa.text("UPDATE merge_log SET told_run = run_id"))
    op.create_table(
        "dedup_weights",
        text("version", null=False),
        text("body", null=False),
        big("pairs", null=False),
        big("run_id", null=False),
        text("made_by", null=False),
        moment("at", null=False),
        sa.PrimaryKeyConstraint("version", name="pk_dedup_weights"),
    )
