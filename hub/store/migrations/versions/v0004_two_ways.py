"""Two ways: what is owed to whom, what a link is to its record, when things were read, and who stopped a route."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from hub.store.migrations.v0001.columns import big, document, flag, moment, text

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

OUTCOMES = ("confirmed", "superseded", "waiting", "held", "unknown", "failed")


def upgrade() -> None:
    """Add the columns and the table."""
    added = {
        "stream": [moment("read_at")],
        "route": [text("paused_by"), moment("paused_at")],
        "link": [flag("is_primary", null=False, default="true"), flag("origin", null=False, default="true")],
        "contribution": [moment("read_at"), text("mapping")],
        "pin": [flag("ends", null=False, default="false")],
        "exchange_run": [big("undoes")],
        "outbox": [
            big("lease_run_id"),
            document("error_params"),
            document("meant"),
            document("fields"),
            text("version"),
            moment("sent_at"),
        ],
    }
    for table, columns in added.items():
        for column in columns:
            op.add_column(table, column)
    op.drop_index("ix_outbox_link_id", "outbox")
    op.create_index("ix_outbox_link_id", "outbox", ["link_id"], unique=True)
    op.create_table(
        "run_push",
        big("run_id", null=False),
        big("route_id", null=False),
        *(big(name, null=False, default="0") for name in ("owed", *OUTCOMES)),
        document("failed_by"),
        document("waiting_by"),
        big("writes", null=False, default="0"),
        sa.PrimaryKeyConstraint("run_id", "route_id", name="pk_run_push"),
        sa.ForeignKeyConstraint(["run_id"], ["exchange_run.id"], name="fk_run_push_run_id"),
        sa.ForeignKeyConstraint(["route_id"], ["route.id"], name="fk_run_push_route_id"),
        sa.CheckConstraint("owed = " + " + ".join(OUTCOMES), name=op.f("ck_run_push_balanced")),
    )
