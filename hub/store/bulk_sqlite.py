"""SQLite's side of ``bulk``: compiled statements, tuples straight to the driver.

The physical forms are the travelling ones, so values are bound as they are.
"""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from sqlalchemy import Column, Connection, Table

from hub.model.fields import Kind
from hub.store.core import link
from hub.store.tables import metadata
from hub.store.types import canonical_json, clean_json, kind_of

Columns = tuple[str, ...]
Rows = Any


def _quote(conn: Connection, *names: str) -> list[str]:
    return [conn.dialect.identifier_preparer.quote(name) for name in names]


@cache
def _texts(table: Table, columns: Columns) -> tuple[tuple[int, bool], ...]:
    """Positions of the columns that may hold U+0000, with whether they hold JSON."""
    kinds = [kind_of(table.c[name]) for name in columns]
    return tuple((at, kind is Kind.JSON) for at, kind in enumerate(kinds) if kind in (Kind.TEXT, Kind.JSON))


def _clean(table: Table, columns: Columns, rows: Rows) -> Rows:
    """``rows`` without U+0000, which SQLite would keep and PostgreSQL cannot; the same object when there is none."""
    for at, is_json in _texts(table, columns):
        mark = "\\u0000" if is_json else "\0"
        if any(mark in row[at] for row in rows if row[at] is not None):
            rows = [
                row
                if row[at] is None or mark not in row[at]
                else (*row[:at], clean_json(row[at]) if is_json else row[at].replace("\0", ""), *row[at + 1 :])
                for row in rows
            ]
    return rows


def allocate(conn: Connection, sequence: str, n: int) -> range:
    """Count on in ``counter``; the write transaction keeps others out."""
    conn.exec_driver_sql("INSERT INTO counter (name, last) VALUES (?, 0) ON CONFLICT DO NOTHING", (sequence,))
    conn.exec_driver_sql("UPDATE counter SET last = last + ? WHERE name = ?", (n, sequence))
    last: int = conn.exec_driver_sql("SELECT last FROM counter WHERE name = ?", (sequence,)).scalar_one()
    return range(last - n + 1, last + 1)


def insert_rows(conn: Connection, table: Table, columns: Columns, rows: Rows) -> None:
    """INSERT, once prepared, many times run."""
    conn.exec_driver_sql(_insert(conn, table, columns), _clean(table, columns, rows))


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
    return conn.exec_driver_sql(statement, _clean(table, columns, rows)).rowcount


def upsert_rows(conn: Connection, table: Table, key_columns: Columns, columns: Columns, rows: Rows) -> None:
    """INSERT … ON CONFLICT DO UPDATE."""
    values = ", ".join(f"{name} = excluded.{name}" for name in _quote(conn, *columns) if name not in key_columns)
    _on_conflict(conn, table, key_columns, columns, rows, f"UPDATE SET {values}" if values else "NOTHING")


def insert_missing(conn: Connection, table: Table, key_columns: Columns, columns: Columns, rows: Rows) -> None:
    """INSERT … ON CONFLICT DO NOTHING."""
    _on_conflict(conn, table, key_columns, columns, rows, "NOTHING")


def _on_conflict(  # noqa: PLR0913
    conn: Connection, table: Table, key_columns: Columns, columns: Columns, rows: Rows, action: str
) -> None:
    keys = ", ".join(_quote(conn, *key_columns))
    statement = f"{_insert(conn, table, columns)} ON CONFLICT ({keys}) DO {action}"
    conn.exec_driver_sql(statement, _clean(table, columns, rows))


def delete_children(conn: Connection, table: Table, parent_column: str, parent_ids: list[int]) -> None:
    """DELETE by a list of ids."""
    name, column = _quote(conn, table.name, parent_column)
    statement = f"DELETE FROM {name} WHERE {column} IN (SELECT value FROM json_each(?))"
    conn.exec_driver_sql(statement, (json.dumps(parent_ids),))


def fetch_rows(  # noqa: PLR0913
    conn: Connection, table: Table, columns: Columns, key_column: str, ids: list[int], order_by: Columns
) -> list[Any]:
    """SELECT by a list of ids."""
    name, key = _quote(conn, table.name, key_column)
    statement = (
        f"SELECT {', '.join(_quote(conn, *columns))} FROM {name} WHERE {key} IN (SELECT value FROM json_each(?))"
    )
    if order_by:
        statement += f" ORDER BY {', '.join(_quote(conn, *order_by))}"
    rows = _driver(conn).execute(statement, (json.dumps(ids),)).fetchall()
    return canonical_rows(table, columns, rows)


def canonical_rows(table: Table, columns: Columns, rows: list[Any]) -> list[Any]:
    """``rows`` with each JSON text in its canonical form."""
    for at in _json_positions(table, columns):
        rows = [
            row if row[at] is None else (*row[:at], canonical_json(row[at]), *row[at + 1 :]) for row in rows
        ]
    return rows


@cache
def _json_positions(table: Table, columns: Columns) -> tuple[int, ...]:
    return tuple(at for at, name in enumerate(columns) if kind_of(table.c[name]) is Kind.JSON)


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


def _driver(conn: Connection) -> Any:
    return conn.connection.driver_connection
