"""The fast path: thousands of rows a transaction, beneath the ORM, in one place.

Rows are tuples in *travelling form* (``hub.model.fields``), ``columns`` names what they hold, in order. Every function
works inside the caller's transaction and commits nothing. A row that the database refuses raises one of ``ROW_ERRORS``
as it is: the caller rolls back to a ``savepoint`` and halves the page. ``hub.store.portable`` has the same functions
through SQLAlchemy Core: slower, and the oracle of the tests.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from types import ModuleType
from typing import Any, Literal, TypeVar

from sqlalchemy import Connection, NestedTransaction, Table
from sqlalchemy.exc import DBAPIError

from hub.store import bulk_pg, bulk_sqlite

Row = tuple[Any, ...]
Rows = Sequence[Row]
#: id, record_id, row_hash, state
LinkState = tuple[int, int | None, int | None, str]

Item = TypeVar("Item")
#: How many values go into one statement.
CHUNK = 500

#: What one bad row can raise: the database's refusal, an integer beyond 64 bits, text that is no UTF-8.
ROW_ERRORS = (DBAPIError, OverflowError, UnicodeEncodeError)


def _side(conn: Connection) -> ModuleType:
    return bulk_pg if conn.dialect.name == "postgresql" else bulk_sqlite


def allocate(conn: Connection, sequence: Literal["link", "record", "log"], n: int) -> range:
    """``n`` new ids in one piece; a rolled back transaction may leave a gap, never a repetition."""
    allocated: range = _side(conn).allocate(conn, sequence, n) if n else range(0)
    return allocated


def insert_rows(conn: Connection, table: Table, columns: Sequence[str], rows: Rows) -> None:
    """Add new rows."""
    if rows:
        _side(conn).insert_rows(conn, table, tuple(columns), rows)


def update_rows(conn: Connection, table: Table, columns: Sequence[str], rows: Rows) -> int:
    """Change rows by primary key, which the first columns are; returns how many rows were there to change."""
    changed: int = _side(conn).update_rows(conn, table, tuple(columns), rows) if rows else 0
    return changed


def upsert_rows(conn: Connection, table: Table, key_columns: Sequence[str], columns: Sequence[str], rows: Rows) -> None:
    """Add rows, or overwrite what stands under the same (unique) key; no key may come twice in ``rows``."""
    if rows:
        _side(conn).upsert_rows(conn, table, tuple(key_columns), tuple(columns), rows)


def insert_missing(
    conn: Connection, table: Table, key_columns: Sequence[str], columns: Sequence[str], rows: Rows
) -> int:
    """Add the rows whose (unique) key is not there yet; the others stay as they are. Returns how many were added.

    This is how links come to be: two routes may meet the same reference at once, and the second one waits for the
    first one's commit and then finds its link by ``find_links`` instead of failing.
    """
    added: int = _side(conn).insert_missing(conn, table, tuple(key_columns), tuple(columns), rows) if rows else 0
    return added


def delete_children(conn: Connection, table: Table, parent_column: str, parent_ids: Iterable[int]) -> None:
    """Remove all rows whose ``parent_column`` is one of ``parent_ids``."""
    ids = list(parent_ids)
    if ids:
        _side(conn).delete_children(conn, table, parent_column, ids)


def fetch_rows(
    conn: Connection,
    table: Table,
    columns: Sequence[str],
    key_column: str,
    ids: Iterable[int | str],
    order_by: Sequence[str] = (),
) -> list[Row]:
    """Rows whose ``key_column`` is one of ``ids``, in travelling form (JSON as ``types.canonical_json``)."""
    wanted = list(ids)
    if not wanted:
        return []
    rows: list[Row] = _side(conn).fetch_rows(conn, table, tuple(columns), key_column, wanted, tuple(order_by))
    return rows


def find_links(conn: Connection, stream_id: int, external_ids: Iterable[str]) -> dict[str, LinkState]:
    """What is known of these external ids of one stream, in one round trip; the unknown ones are not in the answer."""
    wanted = list(external_ids)
    if not wanted:
        return {}
    links: dict[str, LinkState] = _side(conn).find_links(conn, stream_id, wanted)
    return links


def analyze(conn: Connection) -> None:
    """Let the planner count: due after a first load, or it reads whole tables for each later page."""
    _side(conn).analyze(conn)


def chunks(items: Sequence[Item], size: int = CHUNK) -> Iterator[Sequence[Item]]:
    """The items in order, so many at a time: databases take no statement of any length."""
    return (items[start : start + size] for start in range(0, len(items), size))


def savepoint(conn: Connection) -> NestedTransaction:
    """A context whose body alone is undone when it raises; the transaction around it goes on."""
    return conn.begin_nested()
