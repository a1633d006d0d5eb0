"""Whether systems were told of a merge: only one of which nobody outside knows is taken apart unasked."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from hub.store.migrations.v0001.columns import big

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Merges that are there count as told: nobody wrote down whether they were."""
    op.add_column("merge_log", big("told_run"))
    op.execute(sa.text("UPDATE merge_log SET told_run = run_id"))
