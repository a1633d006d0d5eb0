"""What ``obmen check`` tells of a database: its product, and what its user may do with the tables."""

from __future__ import annotations

import os
from collections.abc import Iterable

import sqlalchemy as sa
from sqlalchemy import Connection

from connectors.sql_tables.config import SqlSettings, parsed
from connectors.sql_tables.schema import Schema
from hub.model.errors import HubError, NeedsPerson

_PRODUCTS = {"sqlite": "SQLite", "postgresql": "PostgreSQL", "mysql": "MySQL", "mssql": "Microsoft SQL Server"}
_MOST = 12
_POSTGRESQL = """
    SELECT relname, has_table_privilege(oid, 'SELECT'), has_any_column_privilege(oid, 'INSERT')
        AND has_any_column_privilege(oid, 'UPDATE'), has_table_privilege(oid, 'DELETE')
    FROM pg_class WHERE relnamespace = to_regnamespace(quote_ident(current_schema()))
"""


def product(conn: Connection) -> str:
    """``PostgreSQL 15.4``."""
    told = conn.dialect.server_version_info or ()
    name = conn.dialect.name
    return f"{_PRODUCTS.get(name, name)} {'.'.join(str(part) for part in told)}".strip()


def notes(conn: Connection, schema: Schema, settings: SqlSettings) -> list[HubError]:
    """What is worth knowing before the exchange runs into it."""
    found: list[HubError] = []
    told = {"system": settings.title}
    unknown = sorted(settings.tables.keys() - schema.tables.keys() - set(schema.keyless))
    named = [(name, part) for name, told_of in settings.tables.items() for part in told_of.parts or ()]
    unknown += sorted(f"{name}: {part}" for name, part in named if not _is_part(schema, name, part))
    if unknown:
        found.append(NeedsPerson("sql_tables_misfit", tables=_listed(unknown), **told))
    if schema.keyless:
        found.append(NeedsPerson("sql_without_key", tables=_listed(schema.keyless), **told))
    return found + _rights(conn, schema, settings, told)


def _is_part(schema: Schema, table: str, part: str) -> bool:
    return table in schema.tables and part in schema.tables[table].parts


def _rights(conn: Connection, schema: Schema, settings: SqlSettings, told: dict[str, str]) -> list[HubError]:
    """Only PostgreSQL and a file can be asked; elsewhere a missing right shows when it is missed."""
    plain = [name for name, table in schema.tables.items() if not table.view]
    parts = {name for table in schema.tables.values() for name in table.parts}
    if conn.dialect.name == "sqlite":
        writable = os.access(str(parsed(settings).database), os.W_OK)
        return [] if writable else [NeedsPerson("sql_not_writable", tables=_listed(plain), **told)]
    if conn.dialect.name != "postgresql":
        return []
    rows = {row[0]: row[1:] for row in conn.execute(sa.text(_POSTGRESQL)) if row[0] in schema.tables}
    unread = [name for name, (reads, _, _) in rows.items() if not reads]
    unwritten = [name for name in plain if name in rows and not rows[name][1]]
    kept = [name for name in plain if name in parts and name in rows and rows[name][1] and not rows[name][2]]
    found: list[HubError] = []
    if unread:
        found.append(NeedsPerson("sql_not_readable", tables=_listed(unread), **told))
    if unwritten:
        found.append(NeedsPerson("sql_not_writable", tables=_listed(unwritten), **told))
    if kept:
        found.append(NeedsPerson("sql_rows_kept", tables=_listed(kept), **told))
    return found


def _listed(names: Iterable[str]) -> str:
    names = sorted(names)
    return ", ".join(names[:_MOST]) + (f" … ({len(names)})" if len(names) > _MOST else "")
