"""SQLite's side of ``bulk``: compiled statements, tuples straight to the driver.

The physical forms are the travelling ones, so values are bound as they are.
"""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import Connection, Table

from hub.store.core import link
from hub.store.travel import Columns, Row, Rows, canonical, without_nuls


def _quote(conn: Connection, *names: str) -> list[str]:
    return [conn.dialect.identifier_preparer.quote(name) for name in names]


def allocate(conn: Connection, sequence: str, n: int) -> range:
    """Count on in ``counter``; the write transaction keeps others out."""
    conn.exec_driver_sql("INSERT INTO counter (name, last) VALUES (?, 0) ON CONFLICT DO NOTHING", (sequence,))
    conn.exec_driver_sql("UPDATE counter SET last = last + ? WHERE name = ?", (n, sequence))
    last: int = conn.exec_driver_sql("SELECT last FROM counter WHERE name = ?", (sequence,)).scalar_one()
    return range(last - n + 1, last + 1)


def insert_rows(conn: Connection, table: Table, columns: Columns, rows: Rows) -> None:
    """INSERT, once prepared, many times run."""
    _many(conn, _insert(conn, table, columns), without_nuls(table, columns, rows))


def _insert(conn: Connection, table: Table, columns: Columns) -> str:
    names = ", ".join(_quote(conn, *columns))
    return f"INSERT INTO {_quote(conn, table.name)[0]} ({names}) VALUES ({', '.join('?' * len(columns))})"


def update_rows(conn: Connection, table: Table, columns: Columns, rows: Rows) -> int:
    """UPDATE by primary key; the key stands first in the rows and last in the statement."""
    keys = len(table.primary_key)
    quoted = _quote(conn, *columns)
    where = " AND ".join(f"{name} = ?{at + 1}" for at, name in enumerate(quoted[:keys]))
    values = ", ".join(f"{name} = ?{at + 1}" for at, name in enumerate(quoted) if at >= keys)
    statement = f"UPDATE {_quote(conn, table.name)[0]} SET {values} WHERE {where}"
    return _many(conn, statement, without_nuls(table, columns, rows))


def upsert_rows(conn: Connection, table: Table, key_columns: Columns, columns: Columns, rows: Rows) -> None:
    """INSERT … ON CONFLICT DO UPDATE."""
    values = ", ".join(f"{name} = excluded.{name}" for name in _quote(conn, *columns) if name not in key_columns)
    _on_conflict(conn, table, key_columns, columns, rows, f"UPDATE SET {values}" if values else "NOTHING")


def insert_missing(conn: Connection, table: Table, key_columns: Columns, columns: Columns, rows: Rows) -> int:
    """INSERT … ON CONFLICT DO NOTHING."""
    return _on_conflict(conn, table, key_columns, columns, rows, "NOTHING")


def _on_conflict(
    conn: Connection, table: Table, key_columns: Columns, columns: Columns, rows: Rows, action: str
) -> int:
    keys = ", ".join(_quote(conn, *key_columns))
    statement = f"{_insert(conn, table, columns)} ON CONFLICT ({keys}) DO {action}"
    return _many(conn, statement, without_nuls(table, columns, rows))


def delete_children(conn: Connection, table: Table, parent_column: str, parent_ids: list[int]) -> None:
    """DELETE by a list of ids."""
    name, column = _quote(conn, table.name, parent_column)
    statement = f"DELETE FROM {name} WHERE {column} IN (SELECT value FROM json_each(?))"
    conn.exec_driver_sql(statement, (json.dumps(parent_ids),))


def fetch_rows(
    conn: Connection, table: Table, columns: Columns, key_column: str, ids: list[Any], order_by: Columns
) -> list[Row]:
    """SELECT by a list of ids."""
    name, key = _quote(conn, table.name, key_column)
    statement = (
        f"SELECT {', '.join(_quote(conn, *columns))} FROM {name} WHERE {key} IN (SELECT value FROM json_each(?))"
    )
    if order_by:
        statement += f" ORDER BY {', '.join(_quote(conn, *order_by))}"
    rows = _driver(conn).execute(statement, (json.dumps(ids),)).fetchall()
    return canonical(table, columns, rows)


def find_links(conn: Connection, stream_id: int, external_ids: list[str]) -> dict[str, Any]:
    """One look-up by the unique key, the ids handed over as one JSON list."""
    statement = (
        f"SELECT external_id, id, record_id, row_hash, state FROM {link.name}"
        " WHERE stream_id = ? AND external_id IN (SELECT value FROM json_each(?))"
    )
    found = _driver(conn).execute(statement, (stream_id, json.dumps(external_ids)))
    return {row[0]: row[1:] for row in found}


def analyze(conn: Connection) -> None:
    """ANALYZE by samples: a full one reads every index whole."""
    conn.exec_driver_sql("PRAGMA analysis_limit = 1000")
    conn.exec_driver_sql("ANALYZE")


def _many(conn: Connection, statement: str, rows: Rows) -> int:
    """Run the statement for each row; returns the number of rows it touched."""
    return conn.exec_driver_sql(statement, list(rows)).rowcount


def _driver(conn: Connection) -> Any:
    return conn.connection.driver_connection
