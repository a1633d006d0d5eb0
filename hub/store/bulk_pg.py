"""PostgreSQL's side of ``bulk``: COPY, and one set-based statement after it where rows must meet what is there.

COPY goes through the driver's own connection, inside the transaction that SQLAlchemy has begun. The text of a page is
built at once, without looking into the values; the finished bytes tell by counting whether any value needs escaping.

Every statement must find its rows by index, however wrong the planner's idea of the tables is (during a first load it
has none, and one read of a whole table per page makes the load quadratic). Look-ups are therefore LATERAL, which leaves
nothing but one index search per key; the other statements run with the ways around the index switched off.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import psycopg
from sqlalchemy import Connection, Table
from sqlalchemy.exc import DBAPIError

from hub.model.fields import SCALE, Kind
from hub.store.core import SEQUENCES, link
from hub.store.tables import metadata
from hub.store.travel import Columns, Row, Rows, canonical, kinds_of, mend, positions, travelling, without_nul_escapes

_NULL = "\\N"
_SPECIAL = "\\\t\n\r\0"

#: For the one statement that stands between them; a rollback takes the first back too.
_BY_INDEX = "SET LOCAL enable_seqscan = off; SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off"
_AS_BEFORE = (
    "SET LOCAL enable_seqscan TO DEFAULT; SET LOCAL enable_hashjoin TO DEFAULT; SET LOCAL enable_mergejoin TO DEFAULT"
)

#: Keys of the advisory locks that ``allocate`` takes for an instant.
_LOCKS = {name: 0x0B3E_0000 + at for at, name in enumerate(SEQUENCES)}


def _quote(conn: Connection, *names: str) -> list[str]:
    return [conn.dialect.identifier_preparer.quote(name) for name in names]


@contextmanager
def _cursor(conn: Connection) -> Iterator[Any]:
    """The driver's cursor; its errors come out as SQLAlchemy's, as they do everywhere else."""
    driver: Any = conn.connection.driver_connection
    try:
        with driver.cursor() as cursor:
            yield cursor
    except psycopg.Error as error:
        raise DBAPIError.instance(None, None, error, psycopg.Error, hide_parameters=True) from error


def allocate(conn: Connection, sequence: str, n: int) -> range:
    """Move the sequence by ``n`` at once.

    Two callers could read the same value between ``nextval`` and ``setval``: an advisory lock, held for this one
    statement and not until the commit, keeps them apart. CASE fixes the order of evaluation.
    """
    statement = """
        SELECT CASE WHEN pg_advisory_lock(%(lock)s) IS NOT NULL
                    THEN setval(%(name)s::regclass, nextval(%(name)s::regclass) + %(more)s) END AS last,
               pg_advisory_unlock(%(lock)s)
    """
    with _cursor(conn) as cursor:
        name = SEQUENCES[sequence].name
        cursor.execute(statement, {"lock": _LOCKS[sequence], "name": name, "more": n - 1})
        last: int = cursor.fetchone()[0]
    return range(last - n + 1, last + 1)


def insert_rows(conn: Connection, table: Table, columns: Columns, rows: Rows) -> None:
    """COPY straight into the table."""
    with _cursor(conn) as cursor:
        _copy(cursor, table, columns, rows, _quote(conn, table.name)[0], _quote(conn, *columns))


def _copy(cursor: Any, table: Table, columns: Columns, rows: Rows, target: str, quoted: list[str]) -> None:
    block = copy_text(table, columns, rows)
    with cursor.copy(f"COPY {target} ({', '.join(quoted)}) FROM STDIN") as copy:
        copy.write(block)


def copy_text(table: Table, columns: Columns, rows: Rows) -> bytes:
    """``rows`` as one block of COPY text."""
    rows = without_nul_escapes(table, columns, rows)
    build = _builder(kinds_of(table, columns))
    block = build(rows).encode()
    if _plain(block, rows, len(columns)):
        return block
    return build(_escaped(table, columns, rows)).encode()


def _plain(block: bytes, rows: Rows, columns: int) -> bool:
    """True when every tab, line end and backslash in the block is ours: one backslash for each None."""
    return (
        block.count(b"\t") == len(rows) * (columns - 1)
        and block.count(b"\n") == len(rows)
        and block.count(b"\\") == sum([row.count(None) for row in rows])
        and b"\r" not in block
        and b"\0" not in block
    )


def _escaped(table: Table, columns: Columns, rows: Rows) -> Rows:
    """Rows with the columns escaped that need it: mostly one, a comment or an address of several lines."""
    for kind in (Kind.TEXT, Kind.JSON):
        for at in positions(table, columns, kind):
            texts = "".join([row[at] for row in rows if row[at] is not None])
            if any(mark in texts for mark in _SPECIAL):
                rows = mend(rows, at, _escape, "")
    return rows


def _escape(text: str) -> str:
    text = text.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r")
    return text.replace("\0", "")


@cache
def _builder(kinds: tuple[Kind, ...]) -> Callable[[Rows], str]:
    """A function that makes the lines of ``rows``; a scaled integer is written as ``46111190e-2``, no Decimal made.

    It is generated, since one f-string per row is twice as fast as any loop over the kinds.
    """
    names = [f"v{at}" for at in range(len(kinds))]
    cells = []
    for name, kind in zip(names, kinds, strict=True):
        value = f"f'{{{name}}}e-{SCALE[kind]}'" if kind in SCALE else name
        cells.append(f"{{null if {name} is None else {value}}}")
    line = "\\t".join(cells) + "\\n"
    source = f'lambda rows: "".join([f"{line}" for {", ".join(names)}, in rows])'
    build: Callable[[Rows], str] = eval(source, {"null": _NULL})  # noqa: S307 - made of our own kinds alone
    return build


@contextmanager
def _staged(conn: Connection, table: Table, columns: Columns, rows: Rows) -> Iterator[tuple[Any, str]]:
    """A cursor and the name of a temporary table that holds ``rows``; the table stays for the session, empty."""
    stage = f"stage_{table.name[:40]}_{zlib.crc32(repr(columns).encode()):08x}"
    quoted = _quote(conn, *columns)
    name = _quote(conn, table.name)[0]
    with _cursor(conn) as cursor:
        cursor.execute(
            f"CREATE TEMP TABLE IF NOT EXISTS {stage} ON COMMIT DELETE ROWS"
            f" AS SELECT {', '.join(quoted)} FROM {name} WITH NO DATA; {_BY_INDEX}"
        )
        _copy(cursor, table, columns, rows, stage, quoted)
        yield cursor, stage
        cursor.execute(f"{_AS_BEFORE}; TRUNCATE {stage}")


def update_rows(conn: Connection, table: Table, columns: Columns, rows: Rows) -> int:
    """COPY into a stage, then one UPDATE."""
    keys = len(table.primary_key)
    quoted = _quote(conn, *columns)
    where = " AND ".join(f"t.{name} = s.{name}" for name in quoted[:keys])
    values = ", ".join(f"{name} = s.{name}" for name in quoted[keys:])
    with _staged(conn, table, columns, rows) as (cursor, stage):
        cursor.execute(f"UPDATE {_quote(conn, table.name)[0]} t SET {values} FROM {stage} s WHERE {where}")
        changed: int = cursor.rowcount
    return changed


def upsert_rows(conn: Connection, table: Table, key_columns: Columns, columns: Columns, rows: Rows) -> None:
    """COPY into a stage, then INSERT … ON CONFLICT DO UPDATE."""
    values = ", ".join(f"{name} = excluded.{name}" for name in _quote(conn, *columns) if name not in key_columns)
    _on_conflict(conn, table, key_columns, columns, rows, f"UPDATE SET {values}" if values else "NOTHING")


def insert_missing(conn: Connection, table: Table, key_columns: Columns, columns: Columns, rows: Rows) -> int:
    """COPY into a stage, then INSERT … ON CONFLICT DO NOTHING."""
    return _on_conflict(conn, table, key_columns, columns, rows, "NOTHING")


def _on_conflict(
    conn: Connection, table: Table, key_columns: Columns, columns: Columns, rows: Rows, action: str
) -> int:
    """Ordered by key: two callers that meet on the same keys then wait for each other in one direction only."""
    names = ", ".join(_quote(conn, *columns))
    keys = ", ".join(_quote(conn, *key_columns))
    with _staged(conn, table, columns, rows) as (cursor, stage):
        cursor.execute(
            f"INSERT INTO {_quote(conn, table.name)[0]} ({names}) SELECT {names} FROM {stage} ORDER BY {keys}"
            f" ON CONFLICT ({keys}) DO {action}"
        )
        touched: int = cursor.rowcount
    return touched


def delete_children(conn: Connection, table: Table, parent_column: str, parent_ids: list[int]) -> None:
    """DELETE by an array of ids, written out, since several statements in one message take no parameters."""
    name, column = _quote(conn, table.name, parent_column)
    array = ",".join(str(int(number)) for number in parent_ids)
    with _cursor(conn) as cursor:
        cursor.execute(f"{_BY_INDEX}; DELETE FROM {name} WHERE {column} = ANY('{{{array}}}'::bigint[]); {_AS_BEFORE}")


def fetch_rows(
    conn: Connection, table: Table, columns: Columns, key_column: str, ids: list[Any], order_by: Columns
) -> list[Row]:
    """One index search per id; the server casts to travelling form."""
    name, key = _quote(conn, table.name, key_column)
    key_type = "text" if kinds_of(table, (key_column,)) == (Kind.TEXT,) else "bigint"
    kinds = kinds_of(table, columns)
    names = _quote(conn, *columns)
    values = ", ".join(travelling("postgresql", name, kind) for name, kind in zip(names, kinds, strict=True))
    statement = _looked_up(values, f"SELECT * FROM {name} WHERE {key} = wanted.key OFFSET 0", key_type)
    if order_by:
        statement += f" ORDER BY {', '.join(f'found.{column}' for column in _quote(conn, *order_by))}"
    with _cursor(conn) as cursor:
        cursor.execute(statement, {"keys": ids})
        rows: list[Row] = cursor.fetchall()
    return canonical(table, columns, rows)


def _looked_up(values: str, query: str, key_type: str) -> str:
    """``query`` run once for each of the parameter ``keys``."""
    return f"SELECT {values} FROM unnest(%(keys)s::{key_type}[]) AS wanted(key) CROSS JOIN LATERAL ({query}) AS found"


def find_links(conn: Connection, stream_id: int, external_ids: list[str]) -> dict[str, Any]:
    """One index search per external id, all in one round trip."""
    query = f"SELECT * FROM {link.name} WHERE stream_id = %(stream)s AND external_id = wanted.key OFFSET 0"
    with _cursor(conn) as cursor:
        cursor.execute(
            _looked_up("key, id, record_id, row_hash, state", query, "text"),
            {"stream": stream_id, "keys": external_ids},
        )
        return {row[0]: row[1:] for row in cursor.fetchall()}


def analyze(conn: Connection) -> None:
    """ANALYZE our own tables (the database may hold others')."""
    with _cursor(conn) as cursor:
        cursor.execute(f"ANALYZE {', '.join(_quote(conn, *metadata.tables))}")
