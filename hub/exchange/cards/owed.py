"""What is to be sent, noted in the transaction that caused it: one row a link, values are computed when it is sent."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import Connection, delete, update

from hub.exchange.runs import now
from hub.store import bulk, core

if TYPE_CHECKING:
    from hub.exchange.cards.desk import CardDesk

_COLUMNS = ("route_id", "link_id", "op", "state", "attempts", "last_error", "idempotency_key", "run_id", "created_at")


@dataclass(frozen=True, slots=True)
class Owed:
    """A link whose system is to be told. ``waits``: not before a person has seen it."""

    system: str
    entity: str
    link_id: int
    op: str = "update"
    waits: bool = False


def enqueue(conn: Connection, desk: CardDesk, owed: Sequence[Owed]) -> None:
    """One outbox row per link; what failed is tried again, for the record is another one now."""
    if not owed:
        return
    at = now().strftime("%Y-%m-%d %H:%M:%S")
    rows = []
    for one in owed:
        route = desk.push_route_id(one.system, one.entity)
        state, why = ("held", "first_contact") if one.waits else ("pending", None)
        rows.append((route, one.link_id, one.op, state, 0, why, uuid.uuid4().hex, desk.run_id, at))
    bulk.insert_missing(conn, core.outbox, ("link_id",), _COLUMNS, rows)
    ids = [one.link_id for one in owed]
    for chunk in bulk.chunks(ids):
        conn.execute(
            update(core.outbox)
            .where(core.outbox.c.link_id.in_(chunk), core.outbox.c.state == "failed")
            .values(state="pending", attempts=0, next_at=None, last_error=None, error_params=None)
        )


def withdraw(conn: Connection, link_ids: Sequence[int]) -> None:
    """Nothing is owed to these links any more: what waits there for a person's word needs none. The rest is leased."""
    box = core.outbox
    for chunk in bulk.chunks(link_ids):
        conn.execute(
            delete(box).where(box.c.link_id.in_(chunk), box.c.state.in_(("held", "failed")), box.c.op == "update")
        )
