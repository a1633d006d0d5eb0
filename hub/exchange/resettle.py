"""Other rules, other golden records: when policies or ways change, every card is decided anew, once.

So a field that is handed to another master, or a route that begins to write, needs no edit of each record before it
takes effect. What comes of it is a change like any other: logged, braked when it is sent, and undone by an undo.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Iterable, Iterator
from typing import Any

from sqlalchemy import Connection, select

from hub.engine.arrive import Arrival, golden_of
from hub.exchange.cards.card import load
from hub.exchange.cards.creation import offer
from hub.exchange.cards.desk import CardDesk
from hub.exchange.cards.layout import layout_of
from hub.exchange.cards.ledger import Ledger
from hub.exchange.cards.receive import special
from hub.exchange.cursors import Cursor
from hub.exchange.hub import Hub, Route
from hub.exchange.runs import now
from hub.store import core, tables

#: Name of the cursor that keeps under which rules the cards of an entity were decided.
RULES = "rules"
_BATCH = 500


def resettle(hub: Hub, run_id: int) -> int:
    """Decide cards anew whose entity has other rules than they were decided by; how many were looked at."""
    looked = 0
    for entity in dict.fromkeys(route.entity.name for route in hub.routes.values()):
        routes = [route for route in hub.push_routes.values() if route.entity.name == entity]
        if not any(hub.rules.way(route.system, entity).writes for route in routes) and len(routes) < 2:
            continue
        cursor = _cursor(hub, routes[0], run_id)
        mark = _mark(hub, entity, routes)
        with hub.store.read() as conn:
            known = cursor.load(conn)
        if known.position.get("mark") == mark:
            continue
        looked += _entity(hub, run_id, entity)
        with hub.store.begin() as conn:
            cursor.position = {"mark": mark}
            cursor.save(conn, done=True)
    return looked


def _cursor(hub: Hub, route: Route, run_id: int) -> Cursor:
    stream = hub.streams[route.system][hub.streams_of(route.system, route.entity.name)[0]]
    return Cursor(route.id, stream, RULES, "", run_id)


def _mark(hub: Hub, entity: str, routes: list[Route]) -> str:
    """A text that changes when anything does by which cards of the entity are decided."""
    ways = {route.code: hub.rules.way(route.system, entity) for route in routes}
    made = {route.code: hub.rules.creation(route.system, entity) for route in routes}
    with hub.store.read() as conn:
        read = {route.code: _all_read(conn, hub, route) for route in routes}
    told = [
        dataclasses.asdict(hub.rules.rules(entity)),
        {code: dataclasses.asdict(way) for code, way in ways.items()},
        {code: dataclasses.asdict(one) for code, one in made.items() if one is not None},
        read,
    ]
    return hashlib.sha256(json.dumps(told, default=_plain, sort_keys=True).encode()).hexdigest()


def _plain(value: Any) -> Any:
    if isinstance(value, (set, frozenset)):
        return sorted(map(str, value))
    return dict(value) if hasattr(value, "items") else str(value)


def _all_read(conn: Connection, hub: Hub, route: Route) -> bool:
    """Whether all that the system has of the entity was read once: before that nothing is known to be missing."""
    streams = [hub.streams[route.system][name] for name in hub.streams_of(route.system, route.entity.name)]
    rows = conn.execute(select(core.stream.c.read_at).where(core.stream.c.id.in_(streams))).scalars()
    return all(at is not None for at in rows)


def _entity(hub: Hub, run_id: int, entity: str) -> int:
    looked = 0
    for ids in _batches(hub, entity):
        with hub.store.begin() as conn:
            looked += settle(conn, hub, run_id, entity, ids)
    return looked


def settle(conn: Connection, hub: Hub, run_id: int, entity: str, ids: Iterable[int]) -> int:
    """Decide these cards anew and note what is then owed; how many were looked at."""
    numbers = sorted(set(ids))
    desk = CardDesk(hub, run_id, now().strftime("%Y-%m-%d %H:%M:%S"))
    offer(conn, desk, entity, numbers)
    cards = load(conn, entity, special(conn, numbers), desk.refs)
    ledger, same = Ledger(desk, entity), layout_of(entity).same(desk.refs)
    for card in cards.values():
        golden = golden_of(card.known, desk.rules(entity), same)
        ledger.decided(card, Arrival(card.known, golden))
    ledger.write(conn)
    return len(cards)


def _batches(hub: Hub, entity: str) -> Iterator[list[int]]:
    """Ids of all records, in order."""
    root, last = tables.ROOTS[entity], 0
    while True:
        with hub.store.read() as conn:
            ids = list(
                conn.execute(select(root.c.id).where(root.c.id > last).order_by(root.c.id).limit(_BATCH)).scalars()
            )
        if not ids:
            return
        yield ids
        last = ids[-1]
