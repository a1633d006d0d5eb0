"""Links that an undo moves: it takes a record off the card that it was found to belong to, or puts it back."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection, update

from hub.exchange.cards.card import Card, load
from hub.exchange.cards.desk import CardDesk
from hub.exchange.cards.ledger import Ledger
from hub.exchange.cards.moving import emptied, hang, note, own_card, take_off
from hub.exchange.cards.pinning import settle
from hub.exchange.comms.follow import follow
from hub.exchange.undo_plan import Back
from hub.store import core


def move_all(conn: Connection, desk: CardDesk, cards: Mapping[int, Card], backs: list[Back]) -> None:
    """Carry out the moves of these cards, and let readers see what comes of them."""
    moves = [(back.card, link_id, to) for back in backs for link_id, to in back.moves.items()]
    if not moves:
        return
    entity = moves[0][0].entity
    ledger, known = Ledger(desk, entity), dict(cards)
    touched: dict[int, Card] = {}
    for card, link_id, to in moves:
        said, link = card.contribution(link_id), card.links[link_id]
        if to is not None and to not in known:
            known |= load(conn, entity, [to], desk.refs)
        target = known.get(to) if to is not None else None
        asked = list(take_off(card, link_id).values())
        if asked:
            conn.execute(update(core.conflict).where(core.conflict.c.id.in_(asked)).values(state="undone"))
        if target is None:
            target = own_card(conn, desk, card, link, said)
            ledger.log(target, link_id, "insert", None, None, None)
        else:
            hang(conn, target, link, said)
        known[target.record_id] = target
        note(ledger, card, target, link_id)
        touched |= {target.record_id: target, **({card.record_id: card} if card.links else {})}
        if not card.links:
            emptied(conn, desk, ledger, card, target)
    for card in touched.values():
        if card.links:
            settle(desk, ledger, card)
    ledger.write(conn)
    follow(conn, desk, entity, {*touched, *(card.record_id for card, _, _ in moves)})
