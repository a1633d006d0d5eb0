"""Links moved from card to card: what a link's system said goes along, and with it all that is its own.

A record that is taken off gets a card of its own, as its system tells it. A card that loses its last link ends as
merged into the one that took it, so that whoever named it finds the other one.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, delete, update

from hub.engine.arrive import Known, golden_of
from hub.engine.cells import STATE, Contribution, Hold, Value
from hub.exchange.cards.card import Card, CardLink
from hub.exchange.cards.desk import CardDesk
from hub.exchange.cards.layout import layout_of
from hub.exchange.cards.ledger import Ledger
from hub.exchange.cards.pinning import moment_of
from hub.store import bulk, core, tables

MERGED = "merged"


def take_off(card: Card, link_id: int) -> dict[tuple[str, int], int]:
    """The card without the link: what it said, and what was in question because of it; numbers of those conflicts."""
    del card.links[link_id]
    card.stored.discard(link_id)
    others = tuple(one for one in card.known.contributions if one.link_id != link_id)
    holds = {path: Hold(hold.value, hold.links - {link_id}) for path, hold in card.known.holds.items()}
    holds = {path: hold for path, hold in holds.items() if hold.links}
    card.known = Known(others, card.known.pins, holds)
    taken = {key: number for key, number in card.conflicts.items() if key[1] == link_id}
    card.conflicts = {key: number for key, number in card.conflicts.items() if key[1] != link_id}
    return taken


def own_card(conn: Connection, desk: CardDesk, card: Card, link: CardLink, said: Contribution) -> Card:
    """A new record that is what the link's system says."""
    entity, layout = card.entity, layout_of(card.entity)
    (number,) = bulk.allocate(conn, "record", 1)
    known = Known((replace(said, primary=True, origin=True),))
    golden = golden_of(known, desk.rules(entity), layout.same(desk.refs))
    cells: dict[str, Value] = {path: cell.value for path, cell in golden.items() if cell.value is not None}
    cells.setdefault(STATE, "active")
    insert_record(conn, desk, entity, number, cells)
    point(conn, link.id, number, origin=True)
    return Card(entity, number, 1, cells, {link.id: replace(link, primary=True, origin=True)}, known, {link.id})


def insert_record(conn: Connection, desk: CardDesk, entity: str, number: int, cells: dict[str, Value]) -> None:
    """Rows of a new record with these golden cells."""
    layout = layout_of(entity)
    root, ext, children = layout.stored(cells)
    columns = ("id", *(item.column for item in layout.entity.fields), "ext", "record_state")
    made: tuple[Any, ...] = (number, *root, ext, cells[STATE], desk.run_id, desk.run_id, 1)
    names = (*columns, "created_by_run", "updated_by_run", "row_version")
    bulk.insert_rows(conn, tables.ROOTS[entity], names, [made])
    parent = tables.parent_column(layout.entity)
    for name, rows in children.items():
        child = layout.children[name]
        numbered = [(number, *row) if child.lines else (number, at, *row) for at, row in enumerate(rows, 1)]
        bulk.insert_rows(conn, tables.CHILDREN[name], (parent, child.number_column, *layout.columns[name]), numbered)


def hang(conn: Connection, target: Card, link: CardLink, said: Contribution) -> None:
    """The link on a card that is there; one that was merged away lives again."""
    if target.cells.get(STATE) == MERGED and not target.links:
        revive(conn, target.record_id)
    alone = not target.links
    target.links[link.id] = replace(link, origin=alone)
    target.stored.add(link.id)
    target.known = target.known.put(replace(said, origin=alone))
    point(conn, link.id, target.record_id, origin=alone)


def revive(conn: Connection, record_id: int) -> None:
    """A card that was merged away is to be one again: nobody is sent on to another one any more."""
    conn.execute(delete(core.redirect).where(core.redirect.c.from_record_id == record_id))


def point(conn: Connection, link_id: int, record_id: int, *, origin: bool) -> None:
    """Write down where the link hangs, as the only one of its system."""
    values = {"record_id": record_id, "origin": origin, "is_primary": True}
    conn.execute(update(core.link).where(core.link.c.id == link_id).values(**values))


def note(ledger: Ledger, card: Card, target: Card, link_id: int) -> None:
    """What the change log tells of a move: on both cards, from where to where."""
    where = (str(card.record_id), str(target.record_id))
    ledger.log(target, link_id, "link", None, *where)
    ledger.log(card, link_id, "unlink", None, *where)


def emptied(conn: Connection, desk: CardDesk, ledger: Ledger, card: Card, target: Card) -> None:
    """Nobody speaks of the card any more: who names it means the other one."""
    root = tables.ROOTS[card.entity]
    values = {"record_state": MERGED, "updated_by_run": desk.run_id, "row_version": card.version + 1}
    conn.execute(update(root).where(root.c.id == card.record_id).values(**values))
    conn.execute(
        core.redirect.insert().values(
            from_record_id=card.record_id,
            to_record_id=target.record_id,
            entity=card.entity,
            run_id=desk.run_id,
            at=moment_of(desk),
        )
    )
    ledger.log(card, None, "update", STATE, card.cells[STATE], MERGED)
    card.cells[STATE] = MERGED
