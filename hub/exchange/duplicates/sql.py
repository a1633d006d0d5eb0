"""Statements of the path of one record, in the words of both databases: no time is spent on building them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection

_CHUNK = 500
_TOUCHING = "SELECT a, b FROM dedup_edge WHERE joins AND {a} UNION ALL SELECT a, b FROM dedup_edge WHERE joins AND {b}"

_FIRST_OF_ONE = "SELECT link_id FROM dedup_key WHERE k = ? LIMIT ?"
_FIRST = (
    "SELECT asked.k, found.link_id FROM unnest(%s::bigint[], %s::bigint[]) AS asked (k, enough)"
    " CROSS JOIN LATERAL (SELECT link_id FROM dedup_key WHERE k = asked.k LIMIT asked.enough) AS found"
)


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


def first_units(conn: Connection, enough: Mapping[int, int]) -> dict[int, set[int]]:
    """Units of each key, no more of them than ``enough`` says; of a key that nobody has none."""
    found: dict[int, set[int]] = {k: set() for k in enough}
    if not enough:
        return found
    cursor = conn.connection.cursor()
    if conn.dialect.name == "postgresql":
        cursor.execute(_FIRST, (list(enough), list(enough.values())))
        for k, number in cursor.fetchall():
            found[k].add(number)
        return found
    for asked in enough.items():  # one range of the primary key each, which ends where it is enough
        found[asked[0]].update(number for (number,) in cursor.execute(_FIRST_OF_ONE, asked))
    return found


def touching(conn: Connection, ids: Iterable[int]) -> list[tuple[int, int]]:
    """Pairs that join and have one of ``ids`` in them, in one question."""
    wanted = list(ids)
    if not wanted:
        return []
    cursor = conn.connection.cursor()
    if conn.dialect.name == "postgresql":
        cursor.execute(_TOUCHING.format(a="a = ANY(%s)", b="b = ANY(%s)"), (wanted, wanted))
        return list(cursor.fetchall())
    found: list[tuple[int, int]] = []
    for start in range(0, len(wanted), _CHUNK):
        chunk = wanted[start : start + _CHUNK]
        places = ",".join("?" * len(chunk))
        cursor.execute(_TOUCHING.format(a=f"a IN ({places})", b=f"b IN ({places})"), [*chunk, *chunk])
        found += cursor.fetchall()
    return found


def gone(conn: Connection, table: str, columns: tuple[str, ...], ids: Iterable[int]) -> None:
    """Delete the rows of which one of ``columns`` is one of ``ids``."""
    wanted = list(ids)
    if not wanted:
        return
    cursor = conn.connection.cursor()
    if conn.dialect.name == "postgresql":
        where = " OR ".join(f"{column} = ANY(%s)" for column in columns)
        cursor.execute(f"DELETE FROM {table} WHERE {where}", (wanted,) * len(columns))
        return
    for start in range(0, len(wanted), _CHUNK):
        chunk = wanted[start : start + _CHUNK]
        where = " OR ".join(f"{column} IN ({','.join('?' * len(chunk))})" for column in columns)
        cursor.execute(f"DELETE FROM {table} WHERE {where}", chunk * len(columns))


def put(conn: Connection, statement: str, rows: Sequence[tuple[Any, ...]]) -> None:
    """Run a statement, its places written ``?``, once for each row."""
    if rows:
        places = statement if conn.dialect.name == "sqlite" else statement.replace("?", "%s")
        cursor = conn.connection.cursor()
        if len(rows) == 1:  # many are sent through a pipeline, whose beginning and end cost more than one statement
            cursor.execute(places, rows[0])
        else:
            cursor.executemany(places, list(rows))


@contextmanager
def together(conn: Connection) -> Iterator[None]:
    """Statements that nobody waits for the result of: PostgreSQL is sent them all before it is listened to."""
    if conn.dialect.name == "postgresql":
        driver: Any = conn.connection.driver_connection
        with driver.pipeline():
            yield
    else:
        yield
