"""A fingerprint of what the business tables say, the same on both databases and after any detour.

Surrogate ids differ between a night that was killed and one that was not, and between two stores. So a record is named
here by its links (system, stream, external id), a reference by the link it names, and rows are summed in no order.
Runs, versions of rows and timestamps of writing are left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import xxhash
from sqlalchemy import Connection, Table, select, text

from hub.model.entities import Entity
from hub.model.fields import Kind
from hub.store.core import link, stream, system
from hub.store.tables import CHILDREN, ROOTS, parent_column
from hub.store.travel import kinds_of, positions, travelling
from hub.store.types import canonical_json

_SUFFIX = "_link_id"
#: What says nothing of the business; ``seq`` numbers a set only to have a key.
_SERVICE = ("id", "seq", "created_by_run", "updated_by_run", "row_version")
_FETCH = 2000
_MODULUS = 1 << 128


def content_hash(conn: Connection, entity: Entity) -> str:
    """Fingerprint of all records of ``entity`` with their children and links: 32 hex digits and the number of rows."""
    streams = _streams(conn)
    total = rows = 0
    for table, key in _tables(entity):
        for row in _rows(conn, table, key, streams):
            total += xxhash.xxh3_128_intdigest(repr((table.name, row)).encode("utf-8", "surrogatepass"))
            rows += 1
    return f"{total % _MODULUS:032x}-{rows}"


def _tables(entity: Entity) -> Iterator[tuple[Table, str]]:
    """The entity's tables, each with the column that holds the record's id."""
    yield ROOTS[entity.name], "id"
    for child in entity.children:
        yield CHILDREN[child.name], parent_column(entity)


def _streams(conn: Connection) -> dict[int | None, str]:
    """What a stream is called in every store."""
    query = select(stream.c.id, system.c.code, stream.c.name).join(system, system.c.id == stream.c.system_id)
    return {number: f"{code}/{name}" for number, code, name in conn.execute(query)}


def _rows(conn: Connection, table: Table, key: str, streams: dict[int | None, str]) -> Iterator[list[Any]]:
    """Each row once per link of its record, with names in place of ids. First the record's own link."""
    columns = tuple(column.name for column in table.columns if column.name not in (*_SERVICE, key))
    plain = tuple(name for name in columns if not name.endswith(_SUFFIX))
    references = tuple(name for name in columns if name.endswith(_SUFFIX))
    json_at = [2 + at for at in positions(table, plain, Kind.JSON)]
    first = 2 + len(plain)
    found = conn.execution_options(stream_results=True, yield_per=_FETCH).execute(
        text(_query(conn, table, key, plain, references))
    )
    for fetched in found:
        row = list(fetched)
        for at in json_at:
            row[at] = None if row[at] is None else canonical_json(row[at])
        for at in (0, *range(first, len(row), 2)):
            row[at] = streams.get(row[at])
        yield row


def _query(conn: Connection, table: Table, key: str, plain: tuple[str, ...], references: tuple[str, ...]) -> str:
    """Own link's stream and id, the plain values in travelling form, then stream and id of each reference's link."""
    quote = conn.dialect.identifier_preparer.quote
    values = ["own.stream_id", "own.external_id"]
    joins = [f"LEFT JOIN {link.name} own ON own.record_id = t.{quote(key)}"]
    for name, kind in zip(plain, kinds_of(table, plain), strict=True):
        values.append(travelling(conn.dialect.name, f"t.{quote(name)}", kind))
    for at, name in enumerate(references):
        values += [f"r{at}.stream_id", f"r{at}.external_id"]
        joins.append(f"LEFT JOIN {link.name} r{at} ON r{at}.id = t.{quote(name)}")
    return f"SELECT {', '.join(values)} FROM {quote(table.name)} t {' '.join(joins)}"
