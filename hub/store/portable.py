"""The functions of ``hub.store.bulk`` through SQLAlchemy Core: the oracle of its tests, and the way for a new dialect.

Same contracts, but every value becomes a Python object on its way and upserts go row by row: several times slower.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Literal

from sqlalchemy import ColumnElement, Connection, Table, bindparam, delete, insert, select, update

from hub.model.fields import SCALE, Kind
from hub.store.core import SEQUENCES, counter, link
from hub.store.travel import Row, Rows, kinds_of
from hub.store.types import clean_json, dump_json

#: SQLite before 3.32 takes 999 parameters in one statement.
_CHUNK = 500

_TO_PYTHON: dict[Kind, Callable[[Any], Any]] = {
    Kind.BOOL: bool,
    Kind.TIMESTAMP: lambda text: datetime.fromisoformat(text).replace(tzinfo=UTC),
    Kind.DATE: date.fromisoformat,
    Kind.JSON: lambda text: json.loads(clean_json(text)),
}

_TO_TRAVEL: dict[Kind, Callable[[Any], Any]] = {
    Kind.BOOL: int,
    Kind.TIMESTAMP: lambda moment: moment.replace(tzinfo=None).isoformat(" "),
    Kind.DATE: date.isoformat,
    Kind.JSON: dump_json,
}


def _same(value: Any) -> Any:
    return value


def _to_python(kind: Kind) -> Callable[[Any], Any]:
    if kind in SCALE:
        return lambda number: Decimal(number).scaleb(-SCALE[kind])
    return _TO_PYTHON.get(kind, _same)


def _to_travel(kind: Kind) -> Callable[[Any], Any]:
    if kind in SCALE:
        return lambda number: int(number.scaleb(SCALE[kind]))
    return _TO_TRAVEL.get(kind, _same)


def _changed(changes: Sequence[Callable[[Any], Any]], row: Iterable[Any]) -> Iterator[Any]:
    return (None if value is None else change(value) for change, value in zip(changes, row, strict=True))


def _mappings(table: Table, columns: Sequence[str], rows: Rows) -> list[dict[str, Any]]:
    """Rows as Core takes them; the names are prefixed, since an UPDATE reserves those of its columns."""
    changes = [_to_python(kind) for kind in kinds_of(table, tuple(columns))]
    names = [f"b_{name}" for name in columns]
    return [dict(zip(names, _changed(changes, row), strict=True)) for row in rows]


def _values(columns: Iterable[str]) -> dict[str, Any]:
    return {name: bindparam(f"b_{name}") for name in columns}


def _where(table: Table, columns: Iterable[str]) -> list[ColumnElement[bool]]:
    return [table.c[name] == bindparam(f"b_{name}") for name in columns]


def _chunks(items: list[Any]) -> Iterator[list[Any]]:
    return (items[at : at + _CHUNK] for at in range(0, len(items), _CHUNK))


def allocate(conn: Connection, sequence: Literal["link", "record", "log"], n: int) -> range:
    """See ``bulk.allocate``; draws anew when another process drew in between."""
    if not n:
        return range(0)
    if conn.dialect.name == "postgresql":
        draw = select(SEQUENCES[sequence].next_value())
        first = last = conn.execute(draw).scalar_one()
        while last - first < n - 1:
            previous, last = last, conn.execute(draw).scalar_one()
            first = first if last == previous + 1 else last
        return range(first, last + 1)
    mine = counter.c.name == sequence
    taken = conn.scalar(select(counter.c.last).where(mine))
    if taken is None:
        taken = 0
        conn.execute(insert(counter).values(name=sequence))
    conn.execute(update(counter).where(mine).values(last=taken + n))
    return range(taken + 1, taken + n + 1)


def insert_rows(conn: Connection, table: Table, columns: Sequence[str], rows: Rows) -> None:
    """See ``bulk.insert_rows``."""
    if rows:
        conn.execute(insert(table).values(_values(columns)), _mappings(table, columns, rows))


def update_rows(conn: Connection, table: Table, columns: Sequence[str], rows: Rows) -> int:
    """See ``bulk.update_rows``."""
    keys = len(table.primary_key)
    statement = update(table).where(*_where(table, columns[:keys])).values(_values(columns[keys:]))
    return sum(conn.execute(statement, item).rowcount for item in _mappings(table, columns, rows))


def upsert_rows(conn: Connection, table: Table, key_columns: Sequence[str], columns: Sequence[str], rows: Rows) -> None:
    """See ``bulk.upsert_rows``."""
    values = _values(name for name in columns if name not in key_columns)
    change = update(table).where(*_where(table, key_columns)).values(values) if values else None
    add = insert(table).values(_values(columns))
    for item in _mappings(table, columns, rows):
        known = _there(conn, table, key_columns, item) if change is None else conn.execute(change, item).rowcount
        if not known:
            conn.execute(add, item)


def insert_missing(
    conn: Connection, table: Table, key_columns: Sequence[str], columns: Sequence[str], rows: Rows
) -> int:
    """See ``bulk.insert_missing``; the second of two concurrent callers fails here instead of waiting."""
    add, added = insert(table).values(_values(columns)), 0
    for item in _mappings(table, columns, rows):
        if not _there(conn, table, key_columns, item):
            conn.execute(add, item)
            added += 1
    return added


def _there(conn: Connection, table: Table, key_columns: Sequence[str], item: dict[str, Any]) -> bool:
    found = conn.execute(select(table.c[key_columns[0]]).where(*_where(table, key_columns)), item)
    return found.first() is not None


def delete_children(conn: Connection, table: Table, parent_column: str, parent_ids: Iterable[int]) -> None:
    """See ``bulk.delete_children``."""
    for some in _chunks(list(parent_ids)):
        conn.execute(delete(table).where(table.c[parent_column].in_(some)))


def fetch_rows(
    conn: Connection,
    table: Table,
    columns: Sequence[str],
    key_column: str,
    ids: Iterable[int | str],
    order_by: Sequence[str] = (),
) -> list[Row]:
    """See ``bulk.fetch_rows``; ``order_by`` orders within 500 ids."""
    changes = [_to_travel(kind) for kind in kinds_of(table, tuple(columns))]
    query = select(*(table.c[name] for name in columns)).order_by(*(table.c[name] for name in order_by))
    found: list[Row] = []
    for some in _chunks(list(ids)):
        found.extend(tuple(_changed(changes, row)) for row in conn.execute(query.where(table.c[key_column].in_(some))))
    return found


def find_links(
    conn: Connection, stream_id: int, external_ids: Iterable[str]
) -> dict[str, tuple[int, int | None, int | None, str]]:
    """See ``bulk.find_links``."""
    query = select(link.c.external_id, link.c.id, link.c.record_id, link.c.row_hash, link.c.state)
    found: dict[str, tuple[int, int | None, int | None, str]] = {}
    for some in _chunks(list(external_ids)):
        mine = query.where(link.c.stream_id == stream_id, link.c.external_id.in_(some))
        found.update({row[0]: tuple(row[1:]) for row in conn.execute(mine)})
    return found


def analyze(conn: Connection) -> None:
    """See ``bulk.analyze``."""
    conn.exec_driver_sql("ANALYZE")
