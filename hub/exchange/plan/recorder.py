"""Notes what a rehearsed exchange would send, at the moment before it is written."""

from __future__ import annotations

from typing import Any

import msgspec
from sqlalchemy import Connection, select

from connectors.base import Change
from hub.engine.cells import Value
from hub.exchange.cards.card import UNSEEN, Card, as_value, load
from hub.exchange.cards.layout import layout_of
from hub.exchange.cards.refs import References
from hub.exchange.hub import Hub
from hub.exchange.plan.items import BEFORE, SENT
from hub.exchange.plan.parts import Cell, Outgoing
from hub.exchange.plan.spell import Speller, key_of, label_of
from hub.store import core


class Recorder:
    """Hears of every change that a rehearsed exchange sends. ``first``: links that only a plan may send to."""

    def __init__(self, hub: Hub) -> None:
        self.hub = hub
        self.first: set[int] = set()
        self._spell = Speller()

    def __call__(self, system: str, stream: str, change: Change) -> None:
        """Note it in the copy of the store; the first time of each link only."""
        link, box = core.link, core.outbox
        with self.hub.store.begin() as conn:
            query = (
                select(link.c.id, link.c.record_id, core.stream.c.entity, box.c.meant)
                .join(core.stream, core.stream.c.id == link.c.stream_id)
                .join(box, box.c.link_id == link.c.id)
                .where(link.c.stream_id == self.hub.streams[system][stream], link.c.external_id == change.external_id)
            )
            row = conn.execute(query).one()
            if conn.execute(select(SENT.c.id).where(SENT.c.id == row.id)).first() is None:
                body = msgspec.json.encode(self._outgoing(conn, row, system, stream, change)).decode()
                conn.execute(SENT.insert().values(id=row.id, record_id=row.record_id, body=body))

    def _outgoing(self, conn: Connection, row: Any, system: str, stream: str, change: Change) -> Outgoing:
        refs = References()
        card = load(conn, row.entity, [row.record_id], refs, lock=False)[row.record_id]
        meant = {path: as_value(value) for path, value in (row.meant or {}).items()}
        known = conn.execute(select(BEFORE.c.id).where(BEFORE.c.id == row.record_id)).first() is not None
        return Outgoing(
            "create" if change.create else "update",
            f"{system}.{row.entity}",
            row.entity,
            system,
            stream,
            card_key(card, row.id),
            "" if change.create else change.external_id,
            row.record_id if known else None,
            label_of(card.cells),
            row.id in self.first,
            told(conn, self._spell, card, row.id, meant, create=change.create),
        )


def card_key(card: Card, link_id: int) -> str:
    """Another record that stands for the same card; empty where there is none."""
    others = [link for number, link in sorted(card.links.items()) if number != link_id and link.state not in UNSEEN]
    return key_of(others[0].system, others[0].stream, others[0].external_id) if others else ""


def told(
    conn: Connection, spell: Speller, card: Card, link_id: int, meant: dict[str, Value], *, create: bool
) -> tuple[Cell, ...]:
    """What the link's system would be told, by field, with what it shows now."""
    layout = layout_of(card.entity)
    shown = {} if create else dict(card.contribution(link_id).shown)
    spell.learn(conn, [*layout.link_ids(meant), *layout.link_ids(shown)])
    return tuple(
        Cell(
            "insert" if create else "update",
            path,
            spell.value(card.entity, path, shown.get(path)),
            spell.value(card.entity, path, meant[path]),
        )
        for path in sorted(meant)
    )
