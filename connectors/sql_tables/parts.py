"""Rows of a nested table, written so that afterwards exactly those that were told stand there.

A row that is known by its key is updated where it differs; rows that are not told any more go, new ones are inserted.
Deleting such rows is the one deletion that the hub does: they are the content of their record, not records.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import uuid4

import sqlalchemy as sa
from sqlalchemy import Connection

from connectors.compare import same
from connectors.sql_tables.reading import Key, Reader, Record
from connectors.sql_tables.schema import Table


def write_part(
    conn: Connection, reader: Reader, part: Table, parent: Key, before: Sequence[Record], rows: Sequence[Record]
) -> None:
    """``parent``: key of the record; ``before``: its rows as they stand; ``rows``: as they shall stand."""
    standing = {key: row for row in before if (key := _key(part, row)) is not None}
    known = {key: row for row in rows if (key := _key(part, row)) in standing}
    own = reader.bind(reader.table.columns[reader.table.key[0]], parent[0])
    of_record = part.clause.c[part.parent] == own
    for key in standing.keys() - known.keys():
        conn.execute(sa.delete(part.clause).where(of_record, *_is(reader, part, key)))
    for key, row in known.items():
        old = standing[key]
        told = {n: value for n, value in row.items() if n not in part.key and not same(old.get(n), value)}
        values = _values(reader, part, told)
        if values:
            conn.execute(sa.update(part.clause).where(of_record, *_is(reader, part, key)).values(values))
    for row in rows:
        if _key(part, row) not in standing:
            told = {n: value for n, value in (_new_key(part) | row).items() if not (part.own_key and n in part.key)}
            conn.execute(sa.insert(part.clause).values({**_values(reader, part, told), part.parent: own}))


def _key(part: Table, row: Record) -> Key | None:
    """What a row is known by within its record; ``None`` for one that has no key yet."""
    key = tuple(row.get(name) for name in part.key)
    return None if not key or None in key else tuple(map(str, key))


def _new_key(part: Table) -> Record:
    """Keys that no database counts up."""
    return {name: str(uuid4()) for name in part.key if part.columns[name].kind in {"text", "uuid"}}


def _is(reader: Reader, part: Table, key: Key) -> list[Any]:
    return [
        part.clause.c[name] == reader.bind(part.columns[name], value) for name, value in zip(part.key, key, strict=True)
    ]


def _values(reader: Reader, part: Table, told: Record) -> Record:
    return {n: reader.bind(part.columns[n], value) for n, value in told.items() if not part.columns[n].kept}
