"""Fields that two systems set back and forth are stopped: a person decides, and both systems are named."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, select

from hub.engine.arrive import Conflict
from hub.engine.cells import Hold, Value
from hub.engine.loops import RETURNS, ping_pong
from hub.exchange.cards.card import Card
from hub.exchange.cards.ledger import Ledger
from hub.store import bulk, core

RULE = "ping_pong"


def stop_ping_pong(conn: Connection, cards: Sequence[Card], ledger: Ledger) -> int:
    """Open a conflict on each cell that has gone A→B→A too often; how many were stopped."""
    by_record = {card.record_id: card for card in cards}
    found = 0
    for (record_id, path), history in _histories(conn, sorted(by_record)).items():
        card = by_record[record_id]
        stop = ping_pong(history) if path not in card.known.holds else None
        if stop is None:
            continue
        links = [link for link in card.links.values() if link.system in stop.systems]
        value = card.cells.get(path)
        for link in links:
            theirs = card.contribution(link.id).shown.get(path)
            ledger.ask(card, Conflict(path, None, value, theirs, RULE), link.id)
        holds = {**card.known.holds, path: Hold(value, frozenset(link.id for link in links))}
        card.known = replace(card.known, holds=holds)
        found += 1
    return found


def _histories(conn: Connection, record_ids: Sequence[int]) -> dict[tuple[int, str], list[tuple[str, Value]]]:
    """(system, value) of the latest changes of cells that changed often enough to be looked at."""
    log = core.change_log
    histories: dict[tuple[int, str], list[tuple[str, Value]]] = defaultdict(list)
    for chunk in bulk.chunks(record_ids):
        often = (
            select(log.c.record_id, log.c.field)
            .where(log.c.record_id.in_(chunk), log.c.op == "update", log.c.link_id.is_not(None))
            .group_by(log.c.record_id, log.c.field)
            .having(func.count() > 2 * RETURNS)
            .subquery()
        )
        answered = _answered(conn, chunk)
        for row in conn.execute(_changes(often)):
            told = answered.get((row.record_id, row.field))
            if told is None or row.at > told:
                histories[row.record_id, row.field].append((row.code, row.after))
    return histories


def _answered(conn: Connection, record_ids: Sequence[int]) -> dict[tuple[int, str], datetime]:
    """When persons last decided about cells: what was before is no reason to ask them again."""
    table = core.conflict
    rows = conn.execute(
        select(table.c.record_id, table.c.field, func.max(table.c.resolved_at).label("at"))
        .where(table.c.record_id.in_(record_ids), table.c.state == "resolved", table.c.policy == RULE)
        .group_by(table.c.record_id, table.c.field)
    )
    return {(row.record_id, row.field): row.at for row in rows if row.at is not None}


def _changes(often: Any) -> Any:
    log, link, stream, system = core.change_log, core.link, core.stream, core.system
    return (
        select(log.c.record_id, log.c.field, log.c.after, log.c.at, system.c.code)
        .join(often, (often.c.record_id == log.c.record_id) & (often.c.field == log.c.field))
        .join(link, link.c.id == log.c.link_id)
        .join(stream, stream.c.id == link.c.stream_id)
        .join(system, system.c.id == stream.c.system_id)
        .where(log.c.op == "update")
        .order_by(log.c.id)
    )
