"""The store against the records of a stand, read from the stand's own tables: no connector and no mapping between."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import select

from hub.store import core, tables
from hub.store.database import Store
from stand.onec.world import Record, World
from tests.exchange.restless_stand import CLIENTS, PRODUCTS, ZONE, Base


def compare(store: Store, base: Base, world: World, gone: set[tuple[str, str]]) -> None:
    """Every mapped record of the base stands in the store once, as it is now; what is not in the base is deleted."""
    shown = _stored(store)
    wanted = _wanted(world, {stream for stream, _ in shown})
    there = {place: (state, version) for place, (state, version, _) in shown.items() if state != "deleted"}
    assert there == wanted, _difference(there, wanted)
    assert shown.keys() - wanted.keys() <= gone
    _values(store, base, world)


def _stored(store: Store) -> dict[tuple[str, str], tuple[str, str | None, tuple[str, int]]]:
    """State, version and record of every plain record by (stream, external id); no record has two links."""
    found: dict[tuple[str, str], tuple[str, str | None, tuple[str, int]]] = {}
    link, stream = core.link, core.stream
    with store.read() as conn:
        for name, entity in conn.execute(select(stream.c.name, stream.c.entity)).all():
            if "#" in name or not entity:
                continue
            root = tables.metadata.tables[entity]
            rows = conn.execute(
                select(link.c.external_id, link.c.version, root.c.id, root.c.record_state)
                .join(stream, stream.c.id == link.c.stream_id)
                .join(root, root.c.id == link.c.record_id)
                .where(stream.c.name == name)
            ).all()
            assert len({row.external_id for row in rows}) == len(rows)
            for row in rows:
                found[name, row.external_id] = (row.record_state, row.version, (entity, row.id))
        for entity in {record[0] for _, _, record in found.values()}:
            number = conn.execute(select(tables.metadata.tables[entity].c.id)).all()
            mine = [record for _, _, record in found.values() if record[0] == entity]
            assert len(number) == len(mine) == len(set(mine)), f"{entity}: a record without a link, or with two"
    return found


def _wanted(world: World, streams: set[str]) -> dict[tuple[str, str], tuple[str, str]]:
    wanted = {}
    for name in streams:
        for record in world.records(name):
            if not (record.get("IsFolder") or record.get("Служебный")):  # folders, and users of 1C's own
                state = "marked" if record.get("DeletionMark") else "active"
                wanted[name, str(record["Ref_Key"])] = (state, str(record["DataVersion"]))
    return wanted


def _difference(there: dict[Any, Any], wanted: dict[Any, Any]) -> str:
    lost = sorted(wanted.keys() - there.keys())
    more = sorted(there.keys() - wanted.keys())
    other = {
        place: (there[place], wanted[place]) for place in wanted if place in there and there[place] != wanted[place]
    }
    return f"lost {lost}, not in the base {more}, other {other}"


def _values(store: Store, base: Base, world: World) -> None:
    """The fields that people edited are what the base shows."""
    clients = {str(r["Ref_Key"]): (r["Description"], r.get(base.note) or None) for r in _living(world, CLIENTS)}
    products = {str(r["Ref_Key"]): (r["Description"],) for r in _living(world, PRODUCTS)}
    orders = {
        str(r["Ref_Key"]): (
            r["Number"].strip(), r.get("Комментарий") or None, Decimal(str(r.get("СуммаДокумента", 0))), _utc(r["Date"])
        )
        for r in _living(world, base.orders)
    }  # fmt: skip
    for there, wanted in (
        (_fields(store, CLIENTS, "party", "display_name", "comment"), clients),
        (_fields(store, PRODUCTS, "product", "name"), products),
        (_fields(store, base.orders, "sales_order", "number", "comment", "total", "date"), orders),
    ):
        assert there == wanted, _difference(there, wanted)


def _living(world: World, name: str) -> list[Record]:
    return [record for record in world.records(name) if not record.get("IsFolder")]


def _utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZONE).astimezone(UTC)


def _fields(store: Store, stream: str, entity: str, *names: str) -> dict[str, tuple[Any, ...]]:
    link, root = core.link, tables.metadata.tables[entity]
    with store.read() as conn:
        rows = conn.execute(
            select(link.c.external_id, *(root.c[name] for name in names))
            .join(core.stream, core.stream.c.id == link.c.stream_id)
            .join(root, root.c.id == link.c.record_id)
            .where(core.stream.c.name == stream, root.c.record_state != "deleted")
        ).all()
    return {row[0]: tuple(row[1:]) for row in rows}
