"""Questions that wait for a person: a cell that both sides changed, the record's end, two systems that undo each other.

A cell keeps the last agreed value until it is answered. What survives together with it is answered with it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection, RowMapping, select
from xxhash import xxh3_64_hexdigest

from hub.engine.arrive import golden_of
from hub.engine.cells import NOBODY, Contribution, Value
from hub.engine.policies import Rules
from hub.exchange.cards.card import Card, as_value, load
from hub.exchange.cards.desk import CardDesk
from hub.exchange.cards.layout import layout_of
from hub.exchange.hub import Hub
from hub.exchange.push.stopped import RULE as PING_PONG
from hub.exchange.runs import now
from hub.exchange.showing import Shower
from hub.exchange.which import label_of
from hub.store import core
from hub.store.outgoing import pull_code


@dataclass(frozen=True, slots=True)
class Question:
    """One system's word on one cell that is in question. Values are as people read them.

    ``key``: what the question must still be when an answer comes back in a file. ``base``: what the system's value
    stood for before its edit; ``at``: when it was read. ``suggestion``: ``ours``, ``theirs`` or ``value``: what the
    usual order of systems would make of it, which is ``suggested``. ``together``: other cells that are answered with
    it. ``others``: the systems that undo each other with this one. ``put_off``: who wanted to answer later, and when.
    """

    id: int
    key: str
    route: str
    system: str
    entity: str
    record_id: int
    label: str
    path: str
    title: str
    rule: str
    base: str | None
    ours: str | None
    theirs: str | None
    at: datetime
    suggestion: str = ""
    suggested: str | None = None
    together: tuple[str, ...] = ()
    others: tuple[str, ...] = ()
    put_off: str = ""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which of them: of these routes, fields (a table stands for its rows), numbers. Empty: all of them."""

    routes: tuple[str, ...] = ()
    fields: tuple[str, ...] = ()
    ids: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Group:
    """Questions of one field by one rule."""

    entity: str
    field: str
    title: str
    rule: str
    systems: tuple[str, ...]
    number: int
    oldest: datetime


def key_of(row: RowMapping) -> str:
    """What the row says, in short: another edit of the system makes another question."""
    said = json.dumps([row["ours"], row["theirs"]], ensure_ascii=False, sort_keys=True)
    return f"{row['id']}:{xxh3_64_hexdigest(said.encode())}"


def rows_of(conn: Connection, wanted: Wanted) -> list[RowMapping]:
    """Open conflict rows with the codes of their routes and systems, the oldest first."""
    table, route, system = core.conflict, core.route, core.system
    query = (
        select(table, route.c.code, system.c.code.label("system"))
        .join(route, route.c.id == table.c.route_id)
        .join(system, system.c.id == route.c.system_id)
        .where(table.c.state == "open")
        .order_by(table.c.id)
    )
    if wanted.routes:
        query = query.where(route.c.code.in_(wanted.routes))
    if wanted.ids:
        query = query.where(table.c.id.in_(wanted.ids))
    rows = conn.execute(query).mappings()
    return [row for row in rows if not wanted.fields or _field(row["field"]) in wanted.fields]


def groups(hub: Hub, wanted: Wanted) -> list[Group]:
    """The queue by field and rule, the longest first."""
    found: dict[tuple[str, str, str], list[RowMapping]] = {}
    with hub.store.read() as conn:
        for row in rows_of(conn, wanted):
            found.setdefault((row["entity"], _field(row["field"]), row["policy"]), []).append(row)
        told = [
            Group(
                entity,
                name,
                Shower(conn, entity).label(name),
                rule,
                tuple(sorted({row["system"] for row in rows})),
                len(rows),
                min(row["created_at"] for row in rows),
            )
            for (entity, name, rule), rows in found.items()
        ]
    return sorted(told, key=lambda group: (-group.number, group.entity, group.field))


def questions(hub: Hub, wanted: Wanted, limit: int | None = None) -> list[Question]:
    """The questions themselves, the oldest first."""
    found: list[Question] = []
    with hub.store.read() as conn:
        rows = rows_of(conn, wanted)[:limit]
        desk = CardDesk(hub, 0, now().strftime("%Y-%m-%d %H:%M:%S"))
        for entity in dict.fromkeys(row["entity"] for row in rows):
            own = [row for row in rows if row["entity"] == entity]
            cards = load(conn, entity, [row["record_id"] for row in own], desk.refs, lock=False)
            shower = Shower(conn, entity)
            found += [_question(conn, desk, shower, cards[row["record_id"]], row) for row in own]
    return sorted(found, key=lambda question: question.id)


def _question(conn: Connection, desk: CardDesk, shower: Shower, card: Card, row: RowMapping) -> Question:
    path, rules = row["field"], desk.rules(card.entity)
    same = layout_of(card.entity).same(desk.refs)
    ours, theirs = as_value(row["ours"]), as_value(row["theirs"])
    unit = unit_of(card, rules, path)
    free = replace(card.known, holds={name: hold for name, hold in card.known.holds.items() if name not in unit})
    usual = golden_of(free, rules, same).get(path, NOBODY).value
    suggestion = "ours" if same(path, usual, ours) else "theirs" if same(path, usual, theirs) else "value"
    asked = {card.links[link].system for name, link in card.conflicts if name == path and link in card.links}
    late = (row["resolution"] or {}) if isinstance(row["resolution"], dict) else {}
    return Question(
        row["id"],
        key_of(row),
        pull_code(row["code"]),
        row["system"],
        card.entity,
        card.record_id,
        label_of(conn, card.entity, card.record_id),
        path,
        shower.label(path),
        row["policy"],
        shower.text(path, as_value(row["base"])),
        shower.text(path, ours),
        shower.text(path, theirs),
        row["created_at"],
        suggestion,
        shower.text(path, usual),
        tuple(name for name in unit if name != path),
        tuple(sorted(asked - {row["system"]})) if row["policy"] == PING_PONG else (),
        f"{late.get('by', '')}, {late.get('at', '')}" if late.get("answer") == "later" else "",
    )


def unit_of(card: Card, rules: Rules, path: str) -> list[str]:
    """The path and all cells that survive together with it."""
    unit = rules.unit(path)
    told = {path, *card.cells, *card.known.holds}
    for one in card.known.contributions:
        told |= one.own.keys() | one.shown.keys()
    return sorted(name for name in told if name == path or rules.unit(name) == unit)


def words_of(card: Card, link_id: int, unit: Sequence[str]) -> dict[str, Value]:
    """What the link shows of the cells."""
    contribution: Contribution = card.contribution(link_id)
    return {name: contribution.shown.get(name) for name in unit}


def _field(path: str) -> str:
    return path.partition("[")[0]
