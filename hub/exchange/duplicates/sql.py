"""Statements of the path of one record, in the words of both databases: no time is spent on building them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection

_CHUNK = 500


def many(conn: Connection, statement: str, ids: Iterable[int] = ()) -> list[Any]:
    """Rows of a SELECT that ends in the column to be one of ``ids``."""
    wanted = list(ids)
    if not wanted:
        return []
    cursor = conn.connection.cursor()
    if conn.dialect.name == "postgresql":
        cursor.execute(f"{statement} = ANY(%s)", (wanted,))
        return list(cursor.fetchall())
    found: list[Any] = []
    for start in range(0, len(wanted), _CHUNK):
        chunk = wanted[start : start + _CHUNK]
        cursor.execute(f"{statement} IN ({','.join('?' * len(chunk))})", chunk)
        found += cursor.fetchall()
    return found


def gone(conn: Connection, table: str, column: str, ids: Iterable[int]) -> None:
    """Delete the rows of which ``column`` is one of ``ids``."""
    wanted = list(ids)
    cursor = conn.connection.cursor()
    if conn.dialect.name == "postgresql":
        if wanted:
            cursor.execute(f"DELETE FROM {table} WHERE {column} = ANY(%s)", (wanted,))
        return
    for start in range(0, len(wanted), _CHUNK):
        chunk = wanted[start : start + _CHUNK]
        cursor.execute(f"DELETE FROM {table} WHERE {column} IN ({','.join('?' * len(chunk))})", chunk)


def put(conn: Connection, statement: str, rows: Sequence[tuple[Any, ...]]) -> None:
    """Run a statement, its places written ``?``, once for each row."""
    if rows:
        places = statement if conn.dialect.name == "sqlite" else statement.replace("?", "%s")
        conn.connection.cursor().executemany(places, list(rows))
