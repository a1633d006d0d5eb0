"""The first schema: canonical model, exchange core, and the sequences of ids.

There is no way down: to go back, restore a copy of the store.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from hub.store.migrations.v0001 import catalogue, clients, core, sales

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create everything."""
    if op.get_context().dialect.name == "postgresql":
        for name in ("seq_link", "seq_record", "seq_log"):
            op.execute(sa.schema.CreateSequence(sa.Sequence(name, data_type=sa.BigInteger())))
    for part in (catalogue, clients, sales, core):
        part.create()
