"""Records that are to be made in other systems: link and external id are reserved before anything is sent.

A reserved link names the record that will be. Should our request be answered by silence, the record is found under the
key that stands here, and is not made twice.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, select

from hub.exchange.cards.desk import CardDesk
from hub.exchange.cards.match import named_exactly
from hub.exchange.cards.owed import Owed, enqueue
from hub.exchange.naming import stream_name
from hub.model.entities import ENTITIES
from hub.store import bulk, core, tables

if TYPE_CHECKING:
    from hub.exchange.rules import Creation

_COLUMNS = ("id", "stream_id", "external_id", "record_id", "state", "first_run", "origin")


def offer(conn: Connection, desk: CardDesk, entity: str, record_ids: Iterable[int]) -> int:
    """Reserve links for those of the records that other systems are to have; how many."""
    ids, made = sorted(set(record_ids)), 0
    for route in desk.hub.routes.values():
        if route.entity.name != entity or not ids:
            continue
        creation = desk.hub.rules.creation(route.system, entity)
        if creation is not None:
            made += _offer(conn, desk, route.system, entity, creation, ids)
    return made


def _offer(conn: Connection, desk: CardDesk, system: str, entity: str, creation: Creation, ids: Sequence[int]) -> int:
    mapping = desk.hub.declared(system).mappings[creation.mapping]
    stream_id = desk.hub.streams[system][stream_name(mapping)]
    missing = _missing(conn, desk, system, entity, ids)
    missing = _recent(conn, entity, missing, desk.hub.routes[f"{system}.{entity}"].settings.not_before)
    if missing and desk.stream_read_at(conn, stream_id) is None:
        return 0  # what was not read yet may be there already
    if creation.when == "after_match" and missing:  # what has no exact name could not have been found
        missing = named_exactly(conn, missing) if entity == "party" else missing
    wanted = [number for number in missing if number in _chosen(conn, entity, missing, creation.where)]
    if not wanted:
        return 0
    numbers = bulk.allocate(conn, "link", len(wanted))
    rows = [
        (link_id, stream_id, str(uuid.uuid4()), record_id, "reserved", desk.run_id, 0)
        for link_id, record_id in zip(numbers, wanted, strict=True)
    ]
    bulk.insert_rows(conn, core.link, _COLUMNS, rows)
    enqueue(conn, desk, [Owed(system, entity, link_id, "create") for link_id in numbers])
    return len(wanted)


def _missing(conn: Connection, desk: CardDesk, system: str, entity: str, ids: Sequence[int]) -> list[int]:
    """Living records that the system has no link to."""
    link, root = core.link, tables.ROOTS[entity]
    streams = [desk.hub.streams[system][name] for name in desk.hub.streams_of(system, entity)]
    found: list[int] = []
    for chunk in bulk.chunks(ids):
        there = select(link.c.id).where(link.c.record_id == root.c.id, link.c.stream_id.in_(streams)).exists()
        rows = conn.execute(
            select(root.c.id).where(root.c.id.in_(chunk), root.c.record_state == "active", ~there).order_by(root.c.id)
        )
        found.extend(rows.scalars())
    return found


def _recent(conn: Connection, entity: str, ids: Sequence[int], first: date | None) -> list[int]:
    """Documents that are not older than the route's cut-off; all of what has no date."""
    dated = ENTITIES[entity].dated_by
    if first is None or not dated:
        return list(ids)
    rows = bulk.fetch_rows(conn, tables.ROOTS[entity], ("id", dated), "id", ids)
    return sorted(row[0] for row in rows if row[1] is not None and str(row[1]) >= str(first))


def _chosen(conn: Connection, entity: str, ids: Sequence[int], where: Mapping[str, tuple[str | int, ...]]) -> set[int]:
    """Those of the records that every condition lets pass."""
    chosen = set(ids)
    for name, values in where.items():
        chosen &= _with(conn, entity, sorted(chosen), name, values)
    return chosen


def _with(conn: Connection, entity: str, ids: Sequence[int], name: str, values: tuple[str | int, ...]) -> set[int]:
    model = ENTITIES[entity]
    child = next((one for one in model.children if one.name == name), None)
    table: Any = tables.CHILDREN[name] if child else tables.ROOTS[entity]
    key = tables.parent_column(model) if child else "id"
    column = (
        next(item.column for item in child.fields if item.name == child.key[0]) if child else model.field(name).column
    )
    wanted = set(values)
    return {row[0] for row in bulk.fetch_rows(conn, table, (key, column), key, ids) if row[1] in wanted}
