"""The schema's version, and how it gets to the newest one.

The version stands in a table of our own name: Dagster's storage may live in the same PostgreSQL database and has its
``alembic_version`` there. Views are no part of the versions: they are dropped before a migration and made anew from
the registry after it.
"""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa
from sqlalchemy import Connection

from hub.model.errors import NeedsPerson
from hub.store import (
    comms_tables,  # noqa: F401 - its tables are a part of the schema
    duplicates,  # noqa: F401 - its tables are a part of the schema
)
from hub.store.views import create_views, drop_views

#: The newest revision; kept here, so that an up-to-date store starts without importing Alembic.
HEAD = "0012"

VERSION_TABLE = "store_version"

#: Key of the advisory lock under which one process migrates and the others wait.
_LOCK = 0x0B3E_1000


def version(conn: Connection) -> str | None:
    """The store's revision; ``None`` for an empty database."""
    if not sa.inspect(conn).has_table(VERSION_TABLE):
        return None
    found: str | None = conn.exec_driver_sql(f"SELECT version_num FROM {VERSION_TABLE}").scalar_one_or_none()
    return found


def upgrade(conn: Connection) -> None:
    """Migrate to ``HEAD`` inside the caller's transaction; ``NeedsPerson`` when a newer program was here before."""
    if conn.dialect.name == "postgresql":
        conn.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK})")
    found = version(conn)
    if found == HEAD:
        return
    drop_views(conn)
    _run_scripts(conn, found)
    create_views(conn)


def _run_scripts(conn: Connection, found: str | None) -> None:
    """Alembic is found through this package's own folder: no ``alembic.ini``, whatever the current directory is."""
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    config.attributes["connection"] = conn
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if found is not None and found not in known:
        raise NeedsPerson("store_newer", found=found, known=HEAD)
    command.upgrade(config, HEAD)
