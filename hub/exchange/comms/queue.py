"""Activities that wait for a person: several clients may be meant, or nobody knows whose they are."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import Connection, func, select

from hub.exchange.hub import Hub
from hub.exchange.which import label_of
from hub.store import comms_tables, tables

#: How many are listed unless told otherwise.
MOST = 50


@dataclass(frozen=True, slots=True)
class Candidate:
    """A client who may be meant. ``last_at``: its last activity that is surely its own."""

    record_id: int
    entity: str
    label: str
    last_at: datetime | None


@dataclass(frozen=True, slots=True)
class Open:
    """One that waits. ``who``: the correspondents' handles, personal."""

    activity_id: int
    type: str
    direction: str | None
    at: datetime
    subject: str | None
    who: tuple[str, ...]
    state: str
    rule: str
    candidates: tuple[Candidate, ...]


def waiting(
    hub: Hub, states: Sequence[Literal["ambiguous", "unmatched"]] = ("ambiguous", "unmatched"), limit: int = MOST
) -> list[Open]:
    """The newest of them; of several candidates who was last in touch comes first, but after one with an open order."""
    root, match = tables.ROOTS["activity"], comms_tables.activity_match
    query = (
        select(root.c.id, root.c.type, root.c.direction, root.c.started_at, root.c.subject, match.c.state, match.c.rule)
        .join(match, match.c.activity_id == root.c.id)
        .where(match.c.state.in_(states))
        .order_by(root.c.started_at.desc(), root.c.id.desc())
        .limit(limit)
    )
    with hub.store.read() as conn:
        found = conn.execute(query).all()
        ids = [row.id for row in found]
        who, candidates = _who(conn, ids), _candidates(conn, ids)
    return [Open(*row[:5], who[row.id], row.state, row.rule, tuple(candidates[row.id])) for row in found]


def _who(conn: Connection, ids: Sequence[int]) -> dict[int, tuple[str, ...]]:
    child = tables.CHILDREN["activity_participant"]
    query = select(child.c.activity_id, child.c.handle_norm).where(
        child.c.activity_id.in_(ids), child.c.role.not_in(("agent",))
    )
    found: dict[int, list[str]] = defaultdict(list)
    for number, norm in conn.execute(query.order_by(child.c.activity_id, child.c.seq)):
        found[number].append(norm)
    return defaultdict(tuple, {number: tuple(norms) for number, norms in found.items()})


def _candidates(conn: Connection, ids: Sequence[int]) -> dict[int, list[Candidate]]:
    rows = comms_tables.activity_party
    query = select(rows).where(rows.c.activity_id.in_(ids), rows.c.kind == "candidate").order_by(rows.c.place)
    told = conn.execute(query).all()
    last = _last(conn, sorted({row.record_id for row in told}))
    found: dict[int, list[Candidate]] = defaultdict(list)
    for row in told:
        label = label_of(conn, row.entity, row.record_id)
        found[row.activity_id].append(Candidate(row.record_id, row.entity, label, last.get(row.record_id)))
    return found


def _last(conn: Connection, record_ids: Sequence[int]) -> dict[int, datetime]:
    """When each of them was last in touch."""
    root, rows = tables.ROOTS["activity"], comms_tables.activity_party
    query = (
        select(rows.c.record_id, func.max(root.c.started_at).label("at"))
        .join(root, root.c.id == rows.c.activity_id)
        .where(rows.c.record_id.in_(record_ids), rows.c.kind == "matched")
        .group_by(rows.c.record_id)
    )
    return {row.record_id: row.at for row in conn.execute(query)}
