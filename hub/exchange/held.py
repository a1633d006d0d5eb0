"""What waits for an admin's approval: changes of a system that its brakes hold back, and changes that are not sent.

Both are shown alike: by route and reason, with the limit that was passed, and each with what would change. What a held
change of a system would do is found out by doing it in a transaction that is rolled back.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Connection, Row, Select, func, select
from xxhash import xxh3_64_hexdigest

from hub.engine.arrive import golden_of
from hub.engine.cells import STATE, Value
from hub.engine.outgoing import outgoing
from hub.exchange import service
from hub.exchange.cards.card import UNSEEN, load
from hub.exchange.cards.desk import CardDesk
from hub.exchange.cards.layout import layout_of
from hub.exchange.caught import caught
from hub.exchange.desk import Desk
from hub.exchange.hub import Hub
from hub.exchange.mapping_desk import MappingDesk
from hub.exchange.pull import make_desk
from hub.exchange.runs import now
from hub.exchange.showing import Shower
from hub.exchange.stage import apply_page, apply_records
from hub.exchange.which import label_of
from hub.model.records import Page
from hub.store import core
from hub.store.outgoing import pull_code

Direction = Literal["in", "out"]


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell that would change, as people read it. ``label``: its Russian name."""

    path: str
    label: str
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class Item:
    """One record that waits. ``id``: ``i12`` came from the system, ``o12`` is to be sent to it. ``op``: what it does.

    ``key``: what the item must still be when a decision about it comes back in a file. ``params``: of the reason.
    """

    id: str
    key: str
    direction: Direction
    route: str
    system: str
    entity: str
    stream: str
    external_id: str
    record_id: int | None
    op: str
    reason: str
    params: dict[str, Any]
    at: datetime
    label: str = ""
    cells: tuple[Cell, ...] = ()


@dataclass(frozen=True, slots=True)
class Group:
    """What waits of one route for one reason. ``params``: of the reason, as one of the records has them."""

    direction: Direction
    route: str
    system: str
    reason: str
    number: int
    oldest: datetime
    params: dict[str, Any] = field(default_factory=dict)
    samples: tuple[Item, ...] = ()


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which of them: of these routes, for these reasons, these ids; an empty one leaves nothing out."""

    routes: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()
    ids: tuple[str, ...] = ()

    def conditions(self, direction: Direction) -> list[Any]:
        """Of the query for that direction."""
        table = core.held if direction == "in" else core.outbox
        reason = table.c.reason_code if direction == "in" else table.c.last_error
        found: list[Any] = [table.c.state == ("open" if direction == "in" else "held")]
        if self.routes:
            codes = self.routes if direction == "in" else [f"{code}.push" for code in self.routes]
            found.append(core.route.c.code.in_(codes))
        if self.reasons:
            found.append(reason.in_(self.reasons))
        if self.ids:
            found.append(table.c.id.in_([int(one[1:]) for one in self.ids if one[0] == direction[0] and number(one)]))
        return found


def number(item_id: str) -> bool:
    """Whether it is the id of an item at all."""
    return item_id[:1] in {"i", "o"} and item_id[1:].isascii() and item_id[1:].isdigit() and len(item_id) < 19


def groups(hub: Hub, wanted: Wanted, samples: int = 3) -> list[Group]:
    """Everything that waits, by direction, route and reason, with a few examples of each."""
    found = []
    with hub.store.read() as conn:
        for direction in ("in", "out"):
            found += _groups(conn, wanted, direction)
    if not samples:
        return found
    return [
        replace(
            group,
            samples=tuple(
                items(hub, replace(wanted, routes=(group.route,), reasons=(group.reason,)), samples, group.direction)
            ),
        )
        for group in found
    ]


def _groups(conn: Connection, wanted: Wanted, direction: Direction) -> list[Group]:
    route, system = core.route, core.system
    table = core.held if direction == "in" else core.outbox
    reason = table.c.reason_code if direction == "in" else table.c.last_error
    at = table.c.at if direction == "in" else table.c.created_at
    params = table.c.params if direction == "in" else table.c.error_params
    rows = conn.execute(
        select(route.c.code, system.c.code.label("system"), reason.label("reason"), func.count().label("number"))
        .add_columns(func.min(at).label("oldest"), func.max(table.c.id).label("example"))
        .join(route, route.c.id == table.c.route_id)
        .join(system, system.c.id == route.c.system_id)
        .where(*wanted.conditions(direction))
        .group_by(route.c.code, system.c.code, reason)
        .order_by(func.count().desc(), route.c.code)
    ).all()
    ids = [row.example for row in rows]
    told = {
        row.id: row.told for row in conn.execute(select(table.c.id, params.label("told")).where(table.c.id.in_(ids)))
    }
    return [
        Group(
            direction,
            pull_code(row.code),
            row.system,
            row.reason or "",
            row.number,
            row.oldest,
            dict(told.get(row.example) or {}),
        )
        for row in rows
    ]


def items(
    hub: Hub, wanted: Wanted, limit: int | None = None, direction: Direction | None = None, *, cells: bool = True
) -> list[Item]:
    """The records themselves, the oldest first; with what would change where that can be told now."""
    found: list[Item] = []
    with hub.store.read() as conn:
        if direction in {None, "in"}:
            found += [_came(row) for row in conn.execute(_query_in(wanted).limit(limit)).mappings()]
        if direction in {None, "out"}:
            found += [_owed(row) for row in conn.execute(_query_out(wanted).limit(limit)).mappings()]
        found = [replace(one, label=_label(conn, one)) for one in found[:limit]]
        if not cells:
            return found
        told = _outgoing(conn, hub, [one for one in found if one.direction == "out"])
    told |= _incoming(hub, [one for one in found if one.direction == "in"])
    return [replace(one, cells=told.get(one.id, ())) for one in found]


def _query_in(wanted: Wanted) -> Select[Any]:
    held, route, stream, system, link = core.held, core.route, core.stream, core.system, core.link
    return (
        select(held, route.c.code, route.c.entity, stream.c.name, system.c.code.label("system"), link.c.record_id)
        .join(route, route.c.id == held.c.route_id)
        .join(stream, stream.c.id == held.c.stream_id)
        .join(system, system.c.id == route.c.system_id)
        .outerjoin(link, (link.c.stream_id == held.c.stream_id) & (link.c.external_id == held.c.external_id))
        .where(*wanted.conditions("in"))
        .order_by(held.c.id)
    )


def _query_out(wanted: Wanted) -> Select[Any]:
    box, route, stream, system, link = core.outbox, core.route, core.stream, core.system, core.link
    return (
        select(box, route.c.code, route.c.entity, stream.c.name, system.c.code.label("system"))
        .add_columns(link.c.record_id, link.c.external_id)
        .join(route, route.c.id == box.c.route_id)
        .join(link, link.c.id == box.c.link_id)
        .join(stream, stream.c.id == link.c.stream_id)
        .join(system, system.c.id == route.c.system_id)
        .where(*wanted.conditions("out"))
        .order_by(box.c.id)
    )


def _came(row: Any) -> Item:
    seen = xxh3_64_hexdigest(f"{row['op']} {row['payload'] or ''}".encode())
    place = (row["code"], row["system"], row["entity"], row["name"], row["external_id"], row["record_id"])
    why = (row["op"], row["reason_code"], dict(row["params"] or {}), row["at"])
    return Item(f"i{row['id']}", f"i{row['id']}:{seen}", "in", *place, *why)


def _owed(row: Any) -> Item:
    place = (pull_code(row["code"]), row["system"], row["entity"], row["name"], row["external_id"], row["record_id"])
    why = (row["op"], row["last_error"] or "", dict(row["error_params"] or {}), row["created_at"])
    return Item(f"o{row['id']}", f"o{row['id']}:{row['link_id']}", "out", *place, *why)


def _label(conn: Connection, item: Item) -> str:
    return label_of(conn, item.entity, item.record_id) if item.record_id is not None else ""


def _outgoing(conn: Connection, hub: Hub, found: Sequence[Item]) -> dict[str, tuple[Cell, ...]]:
    """What is owed to each link now: what it shows, and what it would."""
    told: dict[str, tuple[Cell, ...]] = {}
    desk = CardDesk(hub, 0, now().strftime("%Y-%m-%d %H:%M:%S"))
    for entity in dict.fromkeys(one.entity for one in found):
        own = [one for one in found if one.entity == entity and one.record_id is not None]
        cards = load(conn, entity, [one.record_id for one in own if one.record_id is not None], desk.refs, lock=False)
        layout, shower, rules = layout_of(entity), Shower(conn, entity), desk.rules(entity)
        same = layout.same(desk.refs)
        for one in own:
            card = cards.get(one.record_id or 0)
            link = (
                next((link for link in card.links.values() if link.external_id == one.external_id), None)
                if card
                else None
            )
            if card is None or link is None:
                continue
            golden = golden_of(card.known, rules, same)
            if link.state in UNSEEN:
                owed: dict[str, Value] = {
                    path: cell.value for path, cell in golden.items() if cell.value is not None and path != STATE
                }
                shown: Any = {}
            else:
                contribution = card.contribution(link.id)
                owed, shown = (
                    outgoing(contribution, golden, rules, desk.way(one.system, entity), same),
                    contribution.shown,
                )
            told[one.id] = tuple(
                Cell(path, shower.label(path), shower.text(path, shown.get(path)), shower.text(path, value))
                for path, value in owed.items()
            )
    return told


class _Back(Exception):
    """Ends a transaction that was only to show what would happen."""


def _incoming(hub: Hub, found: Sequence[Item]) -> dict[str, tuple[Cell, ...]]:
    """What each held change would do; nothing of a system whose mappings cannot be told now."""
    told: dict[str, tuple[Cell, ...]] = {}
    hub.believe_schemas(service.SCHEMA_SECONDS)
    for system in dict.fromkeys(one.system for one in found):

        def act(system: str = system) -> None:
            desk = make_desk(hub, 0, system)
            desk.brakes = None
            with hub.store.begin() as conn:
                for one in found:
                    work = work_of(desk, one) if one.system == system else None
                    if work is not None:
                        told[one.id] = _tried(conn, desk, work, one)
                raise _Back

        caught(lambda act=act: _ended(act), system)  # type: ignore[misc]
    return told


def _ended(act: Any) -> None:
    try:
        act()
    except _Back:
        return


def work_of(desk: Desk, item: Item) -> MappingDesk | None:
    """The mapping that reads the item's stream, unless it is paused."""
    return next((work for work in desk.by_stream.values() if work.stream == item.stream), None)


def payloads(conn: Connection, found: Sequence[Item]) -> dict[str, str | None]:
    """The kept records by item; ``None`` for one that its system says is gone."""
    table = core.held
    ids = [int(one.id[1:]) for one in found]
    rows = conn.execute(select(table.c.id, table.c.payload).where(table.c.id.in_(ids), table.c.state == "open"))
    return {f"i{row.id}": row.payload for row in rows}


def carry_out(conn: Connection, desk: Desk, work: MappingDesk, item: Item, payload: str | None) -> Any:
    """Do what the held change says; the outcome as of any record that came."""
    if payload is None:
        return apply_page(conn, desk, work, Page(work.mapping.stream, [], [item.external_id]))
    desk.links.start_page()
    kept_by = conn.execute(select(core.held.c.last_run).where(core.held.c.id == int(item.id[1:]))).scalars()
    with desk.read_in(conn, kept_by):
        return apply_records(conn, desk, work, [payload.encode()])


def _tried(conn: Connection, desk: Desk, work: MappingDesk, item: Item) -> tuple[Cell, ...]:
    log = core.change_log
    payload = payloads(conn, [item])
    last = conn.execute(select(func.max(log.c.id))).scalar() or 0
    if item.id not in payload:
        return ()
    carry_out(conn, desk, work, item, payload[item.id])
    rows: Sequence[Row[Any]] = conn.execute(
        select(log)
        .where(log.c.id > last, log.c.run_id == 0, log.c.entity == item.entity, log.c.field.is_not(None))
        .order_by(log.c.id)
    ).all()
    shower, merged = Shower(conn, item.entity), defaultdict[str, list[Any]](list)
    for row in rows:
        if row.op not in {"conflict", "lost", "lost_task", "link"}:
            merged[row.field].append(row)
    return tuple(
        Cell(path, shower.label(path), shower.logged(path, told[0].before), shower.logged(path, told[-1].after))
        for path, told in merged.items()
    )
