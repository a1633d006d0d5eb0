"""Records that the hub itself makes of what happened (leads, tasks), and its later word on them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from hub.engine.arrive import decided
from hub.engine.cells import Moment, Value
from hub.exchange.cards.card import load, seconds
from hub.exchange.cards.creation import offer
from hub.exchange.cards.desk import CardDesk
from hub.exchange.cards.ledger import Ledger
from hub.exchange.cards.pinning import settle
from hub.exchange.runs import now
from hub.exchange.write import write_log
from hub.store import bulk, tables

#: What is older makes no lead and no task, whatever run brings it: nobody waits for an answer any more.
RECENT = timedelta(days=7)


def recent(at: str) -> bool:
    """Whether something that began then (UTC, as text) may still make work for somebody."""
    return datetime.fromisoformat(at).replace(tzinfo=UTC) >= now() - RECENT


def make(conn: Connection, desk: CardDesk, entity: str, records: Sequence[Mapping[str, Any]]) -> list[int]:
    """Write new records of the hub's own (columns by name, all with the same ones); their numbers.

    Whoever makes such records in another system (a route with ``create``) is offered them.
    """
    if not records:
        return []
    numbers = list(bulk.allocate(conn, "record", len(records)))
    columns = ("id", *records[0], "record_state", "created_by_run", "updated_by_run")
    rows = [
        (number, *one.values(), "active", desk.run_id, desk.run_id)
        for number, one in zip(numbers, records, strict=True)
    ]
    bulk.insert_rows(conn, tables.ROOTS[entity], columns, rows)
    write_log(conn, [(desk.run_id, entity, number, None, "insert", None, None, None, desk.at) for number in numbers])
    return numbers


def offered(conn: Connection, desk: CardDesk, entity: str, numbers: Sequence[int]) -> None:
    """Let other systems have them, once they are whole."""
    offer(conn, desk, entity, numbers)


def say(conn: Connection, desk: CardDesk, entity: str, words: Mapping[int, Mapping[str, Value]]) -> None:
    """The hub's next word on records that it made, by number and field. What a system said of its own accord since is
    weighed against it as the policies want.
    """
    if not words:
        return
    cards, ledger, at = load(conn, entity, words, desk.refs), Ledger(desk, entity), seconds(now(), up=True)
    for number, card in cards.items():
        card.known = decided(card.known, words[number], Moment(at - 1, at))
        settle(desk, ledger, card)
    ledger.write(conn)
