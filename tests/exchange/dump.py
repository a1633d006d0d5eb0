"""The store's content without its surrogate ids, so that two stores can be compared for equality."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from hub.model.entities import ENTITIES, Entity
from hub.model.fields import Field, Kind
from hub.store import core, tables
from hub.store.database import Store

Dump = dict[str, list[Any]]


def dump(store: Store) -> Dump:
    """Every canonical record with its children by (stream, external id); parked, open quarantine, expected links."""
    with store.read() as conn:
        names = {row.id: row.name for row in conn.execute(select(core.stream))}
        links = {row.id: row for row in conn.execute(select(core.link))}
        said = {number: f"{names[row.stream_id]}/{row.external_id}" for number, row in links.items()}
        by_record = {row.record_id: said[number] for number, row in links.items() if row.record_id is not None}
        result: Dump = {}
        for entity in ENTITIES.values():
            result[entity.name] = _entity(conn, entity, said, by_record)
        result["expected"] = sorted(said[n] for n, row in links.items() if row.record_id is None)
        waits = conn.execute(
            select(core.parked.c.external_id, core.parked_wait.c.link_id).join(
                core.parked_wait, core.parked_wait.c.parked_id == core.parked.c.id
            )
        )
        result["parked"] = sorted((row.external_id, said[row.link_id]) for row in waits)
        broken = conn.execute(select(core.quarantine).where(core.quarantine.c.state == "open"))
        result["quarantine"] = sorted((row.external_id, row.reason_code) for row in broken)
        return result


def _entity(conn: Any, entity: Entity, said: dict[int, str], by_record: dict[int, str]) -> list[Any]:
    table = tables.metadata.tables[entity.name]
    children: dict[int, list[Any]] = {}
    for child in entity.children:
        own = tables.metadata.tables[child.name]
        for row in conn.execute(select(own)).mappings():
            cells = _cells(child.fields, row, said)
            number = row[child.number_column] if child.lines else None
            children.setdefault(row[f"{entity.name}_id"], []).append((child.name, number, cells))
    found = []
    for row in conn.execute(select(table)).mappings():
        own_children = sorted(children.pop(row["id"], []), key=repr)
        found.append((by_record[row["id"]], row["record_state"], _cells(entity.fields, row, said), own_children))
    assert not children, f"{entity.name}: child rows without a record"
    return sorted(found, key=repr)


def _cells(fields: tuple[Field, ...], row: Any, said: dict[int, str]) -> tuple[Any, ...]:
    return tuple(
        said.get(row[item.column]) if item.kind is Kind.REF and row[item.column] else row[item.column]
        for item in fields
    )
