"""Rows of contributions that had none because the golden record was exactly what their only link said."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

from sqlalchemy import Connection

from hub.engine.cells import HUB
from hub.engine.codec import encode
from hub.exchange.cards.card import Card, load
from hub.exchange.cards.desk import CardDesk
from hub.exchange.mapping_desk import MappingDesk
from hub.exchange.runs import now
from hub.store import core


def give_rows(conn: Connection, desk: CardDesk, card: Card) -> None:
    """Contributions of the card that have no row get one."""
    kept = []
    for one in card.known.contributions:
        link_id = card.hub_link if one.system == HUB else one.link_id
        if link_id not in card.stored:
            link = card.links.get(link_id)
            told = {"read_at": link.read_at if link else now(), "mapping": link.mapping if link else None}
            kept.append({"link_id": link_id, **encode(one), "run_id": desk.run_id, **told})
            card.stored.add(link_id)
    if kept:
        conn.execute(core.contribution.insert(), kept)


def date_rows(conn: Connection, desk: CardDesk, work: MappingDesk, record_ids: Sequence[int]) -> None:
    """What the bulk path wrote of records that an earlier run had read gets rows that say when: its links name the run
    that wrote them, and what was edited since they were read would count as later than that.
    """
    if desk.read_at is None or not record_ids:
        return
    read_at = datetime.fromisoformat(desk.read_at).replace(tzinfo=UTC)
    for card in load(conn, work.entity.name, sorted(set(record_ids)), desk.refs).values():
        card.links.update(
            (number, replace(link, read_at=read_at))
            for number, link in card.links.items()
            if link.stream_id == work.stream_id
        )
        give_rows(conn, desk, card)
