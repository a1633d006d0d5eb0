"""What a new record of ours lacks and the system asks for: the partner of an order's client, his one contract.

Told by the mapping (``spec.Supply``), found in the store as the system itself has told it. It is no value of ours: what
the record then shows is the system's own word.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

from sqlalchemy import Connection, Select, func, select

from hub.engine.cells import LIVING, Value
from hub.exchange.cards.refs import References
from hub.model.entities import ENTITIES
from hub.store import core, tables
from mappings.spec import MappingSpec, Supply

Cells = Mapping[str, Value]


def supplied(
    conn: Connection, refs: References, system: str, creations: Mapping[int, tuple[MappingSpec, Cells]]
) -> dict[int, dict[str, int]]:
    """Links by field that complete each record to be made. ``creations``: by any number, mapping and what it will tell.

    Nothing where it tells the field itself, where the other record does not, or where several would do.
    """
    wanted: dict[tuple[str, Supply], dict[int, int]] = defaultdict(dict)
    for number, (spec, cells) in creations.items():
        for supply in spec.supplies:
            link = cells.get(supply.of)
            if cells.get(supply.field) is None and isinstance(link, int):
                wanted[spec.entity.name, supply][number] = link
    refs.learn(conn, [link for links in wanted.values() for link in links.values()])
    found: dict[int, dict[str, int]] = defaultdict(dict)
    for (entity, supply), links in wanted.items():
        records = {number: refs.record(link) for number, link in links.items()}
        known = _answers(conn, system, entity, supply, {record for record in records.values() if record is not None})
        for number, record in records.items():
            if record in known:
                found[number][supply.field] = known[record]
    return dict(found)


def _answers(
    conn: Connection, system: str, entity: str, supply: Supply, records: Iterable[int]
) -> dict[int | None, int]:
    """Links by the record that ``of`` names."""
    query = _taken(entity, supply, records) if supply.take else _only(system, supply, records)
    return {int(record): int(link) for record, link in conn.execute(query)}


def _taken(entity: str, supply: Supply, records: Iterable[int]) -> Select[int, int]:
    target = next(item.target for item in ENTITIES[entity].fields if item.name == supply.of)
    root = tables.ROOTS[target]
    taken = root.c[f"{supply.take}_link_id"]
    return select(root.c.id, taken).where(root.c.id.in_(list(records)), taken.is_not(None))


def _only(system: str, supply: Supply, records: Iterable[int]) -> Select[int, int]:
    """The one living record that the system knows and that names the other in its field of the same name."""
    root, named, own = tables.ROOTS[supply.only], core.link.alias("named"), core.link.alias("own")
    conditions = [root.c[name] == value for name, value in supply.where]
    return (
        select(named.c.record_id, func.min(own.c.id))
        .select_from(root)
        .join(named, named.c.id == root.c[f"{supply.of}_link_id"])
        .join(own, own.c.record_id == root.c.id)
        .join(core.stream, core.stream.c.id == own.c.stream_id)
        .join(core.system, core.system.c.id == core.stream.c.system_id)
        .where(
            named.c.record_id.in_(list(records)),
            root.c.record_state == LIVING,
            own.c.state == "active",
            core.stream.c.entity == supply.only,
            core.system.c.code == system,
            *conditions,
        )
        .group_by(named.c.record_id)
        .having(func.count(func.distinct(root.c.id)) == 1)
    )
