"""A number for the content of a store that does not depend on surrogate ids or on the order of rows."""

from __future__ import annotations

from sqlalchemy import Connection, Table, select
from xxhash import xxh3_64_intdigest

from hub.model.entities import ENTITIES
from hub.model.fields import Field, Kind
from hub.store import core, tables
from hub.store.database import Store

_WRAP = 1 << 64


def content(store: Store) -> dict[str, tuple[int, int]]:
    """Per table: how many rows, and the sum of their hashes with references told by external ids."""
    with store.read() as conn:
        said, by_record = {}, {}
        rows = conn.execute(select(core.link.c.id, core.link.c.external_id, core.link.c.record_id))
        for number, external_id, record_id in rows.yield_per(5000):
            said[number] = external_id
            by_record[record_id] = external_id
        found: dict[str, tuple[int, int]] = {}
        for entity in ENTITIES.values():
            root = tables.metadata.tables[entity.name]
            found[entity.name] = _sum(conn, root, ["id"], entity.fields, said, by_record)
            for child in entity.children:
                table = tables.metadata.tables[child.name]
                key = [f"{entity.name}_id", *(["line_no"] if child.lines else [])]
                found[child.name] = _sum(conn, table, key, child.fields, said, by_record)
        return {name: value for name, value in found.items() if value[0]}


def _sum(
    conn: Connection,
    table: Table,
    key: list[str],
    fields: tuple[Field, ...],
    said: dict[int, str],
    by_record: dict[int, str],
) -> tuple[int, int]:
    columns = [table.c[name] for name in key] + [table.c[item.column] for item in fields]
    width = len(key)
    number = total = 0
    for row in conn.execution_options(stream_results=True).execute(select(*columns)).yield_per(5000):
        cells = [
            said.get(value) if item.kind is Kind.REF and value is not None else value
            for item, value in zip(fields, row[width:], strict=True)
        ]
        text = repr((by_record[row[0]], *row[1:width], *cells))
        total = (total + xxh3_64_intdigest(text.encode())) % _WRAP
        number += 1
    return number, total
