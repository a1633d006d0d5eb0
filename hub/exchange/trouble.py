"""Records that could not pass: quarantine (something is wrong with them) and parked (something else is missing)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, delete, exists, select, update

from hub.exchange.desk import Desk
from hub.exchange.mapping_desk import MappingDesk
from hub.exchange.runs import now
from hub.model.records import Reject
from hub.store import bulk, core


def _text(raw: Any) -> str:
    return bytes(raw).decode("utf-8", errors="replace")


def quarantine(conn: Connection, desk: Desk, work: MappingDesk, rejects: Sequence[tuple[Reject, Any]]) -> None:
    """Keep refused records with their reason and payload; a record already in open quarantine is renewed, not added."""
    if not rejects:
        return
    table, at = core.quarantine, now()
    standing, _ = work.troubled(conn)
    fresh = []
    for reject, raw in rejects:
        values = {
            "reason_code": reject.code,
            "field": reject.field or None,
            "value": reject.value or None,
            "params": reject.params,
            "payload": _text(raw),
            "last_run": desk.run_id,
            "last_at": at,
        }
        if reject.external_id in standing:
            conn.execute(
                update(table)
                .where(
                    table.c.stream_id == work.stream_id,
                    table.c.external_id == reject.external_id,
                    table.c.state == "open",
                )
                .values(attempts=table.c.attempts + 1, **values)
            )
            continue
        standing.add(reject.external_id)
        fresh.append(
            values
            | {
                "route_id": work.route_id,
                "stream_id": work.stream_id,
                "external_id": reject.external_id,
                "state": "open",
                "attempts": 1,
                "first_run": desk.run_id,
                "first_at": at,
            }
        )
    if fresh:
        conn.execute(table.insert(), fresh)


def park(conn: Connection, desk: Desk, work: MappingDesk, waiting: Sequence[tuple[str, Any, Iterable[int]]]) -> None:
    """Keep records that wait: (external id, raw record, ids of the links they wait for)."""
    _, standing = work.troubled(conn)
    for external_id, raw, link_ids in waiting:
        if external_id in standing:
            parked_id = conn.execute(
                update(core.parked)
                .where(core.parked.c.stream_id == work.stream_id, core.parked.c.external_id == external_id)
                .values(payload=_text(raw), last_run=desk.run_id, at=now())
                .returning(core.parked.c.id)
            ).scalar_one()
            conn.execute(delete(core.parked_wait).where(core.parked_wait.c.parked_id == parked_id))
        else:
            standing.add(external_id)
            parked_id = conn.execute(
                core.parked.insert()
                .returning(core.parked.c.id)
                .values(
                    route_id=work.route_id,
                    stream_id=work.stream_id,
                    external_id=external_id,
                    payload=_text(raw),
                    state="waiting",
                    first_run=desk.run_id,
                    last_run=desk.run_id,
                    at=now(),
                )
            ).scalar_one()
        conn.execute(
            core.parked_wait.insert(), [{"parked_id": parked_id, "link_id": number} for number in sorted(set(link_ids))]
        )


def settle(conn: Connection, work: MappingDesk, sound: Iterable[str], present: Iterable[str]) -> None:
    """Close what no longer holds: ``sound`` records leave quarantine (resolved), ``present`` ones the parking place.

    A record that passes is both; one that waits is sound, one that is refused has nothing left to wait for.
    """
    in_quarantine, parked = work.troubled(conn)
    for standing, told, close in ((in_quarantine, sound, _resolve), (parked, present, _unpark)):
        if not standing:
            continue
        done = [external_id for external_id in told if external_id in standing]
        for chunk in bulk.chunks(done):
            close(conn, work.stream_id, chunk)
        standing.difference_update(done)


def _resolve(conn: Connection, stream_id: int, external_ids: Sequence[str]) -> None:
    table = core.quarantine
    conn.execute(
        update(table)
        .where(table.c.stream_id == stream_id, table.c.external_id.in_(external_ids), table.c.state == "open")
        .values(state="resolved", last_at=now())
    )


def _unpark(conn: Connection, stream_id: int, external_ids: Sequence[str]) -> None:
    table = core.parked
    of_these = select(table.c.id).where(table.c.stream_id == stream_id, table.c.external_id.in_(external_ids))
    conn.execute(delete(core.parked_wait).where(core.parked_wait.c.parked_id.in_(of_these)))
    conn.execute(delete(table).where(table.c.stream_id == stream_id, table.c.external_id.in_(external_ids)))


def released_by(conn: Connection, link_ids: Sequence[int]) -> list[tuple[int, str, bytes, int]]:
    """Parked records whose last awaited link is among ``link_ids``: stream id, external id, payload, run that read it.

    The waits for these links are struck out.
    """
    wait, parked = core.parked_wait, core.parked
    touched: set[int] = set()
    for chunk in bulk.chunks(link_ids):
        touched.update(conn.execute(select(wait.c.parked_id).where(wait.c.link_id.in_(chunk))).scalars())
        conn.execute(delete(wait).where(wait.c.link_id.in_(chunk)))
    ready: list[tuple[int, str, bytes, int]] = []
    ids = sorted(touched)
    for chunk in bulk.chunks(ids):
        rows = conn.execute(
            select(parked.c.stream_id, parked.c.external_id, parked.c.payload, parked.c.last_run)
            .where(parked.c.id.in_(chunk), ~exists().where(wait.c.parked_id == parked.c.id))
            .order_by(parked.c.id)
        )
        ready.extend((int(row.stream_id), str(row.external_id), row.payload.encode(), row.last_run) for row in rows)
    return ready
