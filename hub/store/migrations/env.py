"""Run by Alembic: migrates over the connection that ``hub.store.schema`` hands in, inside its transaction."""

from __future__ import annotations

from alembic import context

from hub.store.schema import VERSION_TABLE
from hub.store.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table=VERSION_TABLE,
    transactional_ddl=True,
)
context.run_migrations()
