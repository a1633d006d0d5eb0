"""Pins set and taken back on loaded cards, by a person or by an undo; what comes of it goes through the ledger."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime

from sqlalchemy import Connection, select, update

from hub.engine.arrive import Arrival, golden_of
from hub.engine.cells import NOBODY, Golden, Pin
from hub.exchange.cards.card import Card
from hub.exchange.cards.desk import CardDesk
from hub.exchange.cards.layout import layout_of
from hub.exchange.cards.ledger import Ledger
from hub.store import core


def moment_of(desk: CardDesk) -> datetime:
    """The moment of the change log, at which pins are set and taken back too."""
    return datetime.fromisoformat(desk.at).replace(tzinfo=UTC)


def set_pin(
    conn: Connection, desk: CardDesk, ledger: Ledger, card: Card, path: str, pin: Pin, by: str, note: str | None = None
) -> None:
    """Pin a cell of the card, in place of a pin that it has."""
    if path in card.pins:
        take_pin(conn, desk, ledger, card, path, by)
    number = conn.execute(
        core.pin.insert()
        .returning(core.pin.c.id)
        .values(
            entity=card.entity,
            record_id=card.record_id,
            field=path,
            value=pin.value,
            note=note,
            pinned_by=by,
            at=moment_of(desk),
            run_id=desk.run_id,
            ends=pin.ends,
        )
    ).scalar_one()
    ledger.log(card, None, "pin", path, card.cells.get(path), pin.value)
    card.pins[path] = int(number)
    card.known = replace(card.known, pins={**card.known.pins, path: pin})


def take_pin(conn: Connection, desk: CardDesk, ledger: Ledger, card: Card, path: str, by: str) -> None:
    """Take the pin of a cell back."""
    number, pin = card.pins.pop(path), card.known.pins[path]
    values = {"revoked_by": by, "revoked_at": moment_of(desk)}
    conn.execute(update(core.pin).where(core.pin.c.id == number).values(**values))
    ledger.log(card, None, "unpin", path, pin.value, None)
    card.known = replace(card.known, pins={name: one for name, one in card.known.pins.items() if name != path})


def left_in(conn: Connection, desk: CardDesk, card: Card, path: str) -> tuple[str, ...]:
    """Systems that show what we wrote in a cell of which nobody says anything any more, or may do so by now.

    Silence is never sent, so it would stand there and not here.
    """
    cell = golden(desk, card).get(path, NOBODY)
    if cell.value is not None or cell.cleared:
        return ()
    box = core.outbox
    rows = conn.execute(select(box.c.link_id, box.c.meant).where(box.c.link_id.in_(list(card.links))))
    sent = {row.link_id: (row.meant or {}).get(path) for row in rows}
    written = {one.link_id for one in card.known.contributions if one.sent.get(path) is not None}
    written |= {link_id for link_id, value in sent.items() if value is not None}
    return tuple(sorted({link.system for link_id, link in card.links.items() if link_id in written}))


def golden(desk: CardDesk, card: Card) -> Mapping[str, Golden]:
    """The golden cells of all that is known of the card now."""
    return golden_of(card.known, desk.rules(card.entity), layout_of(card.entity).same(desk.refs))


def settle(desk: CardDesk, ledger: Ledger, card: Card) -> bool:
    """Let readers see what is known of the card now; whether anything changes for them."""
    return ledger.decided(card, Arrival(card.known, golden(desk, card)))
