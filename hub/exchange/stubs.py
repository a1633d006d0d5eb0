"""Records that have waited long enough for another one: they pass, and the expected link stands for what is not here.

A link that somebody refers to is there before its record. Where a route sets a limit (``stub_after``), a link that was
first named longer ago is waited for no more: readers see the order, without its client. The day the client comes, its
link gets a record (found by ИНН on another system's card, if need be), and the order needs no touch.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import Connection, exists, select

from hub.exchange.runs import now
from hub.store import bulk, core

if TYPE_CHECKING:
    from hub.exchange.links import Links


def given_up(conn: Connection, links: Links, missing: Mapping[str, set[str]], after: int) -> dict[str, set[str]]:
    """Of links without a record, by stream, those that are waited for no more; ``after``: seconds."""
    link, run = core.link, core.exchange_run
    found: dict[str, set[str]] = {}
    for stream, external_ids in missing.items():
        ids = sorted(external_ids)
        for chunk in bulk.chunks(ids):
            rows = conn.execute(
                select(link.c.external_id)
                .join(run, run.c.id == link.c.first_run)
                .where(
                    link.c.stream_id == links.stream_id(stream),
                    link.c.external_id.in_(chunk),
                    link.c.record_id.is_(None),
                    run.c.started_at <= now() - timedelta(seconds=after),
                )
            )
            found.setdefault(stream, set()).update(rows.scalars())
    return found


def overdue(conn: Connection, route_id: int, after: int) -> dict[int, list[tuple[bytes, int]]]:
    """Parked records of a route, by stream, that wait for nothing but links which are waited for no more.

    Each with the run that read it.
    """
    link, run, parked, wait = core.link, core.exchange_run, core.parked, core.parked_wait
    young = (
        exists()
        .where(wait.c.parked_id == parked.c.id, link.c.id == wait.c.link_id, run.c.id == link.c.first_run)
        .where(run.c.started_at > now() - timedelta(seconds=after))
    )
    rows = conn.execute(
        select(parked.c.stream_id, parked.c.payload, parked.c.last_run)
        .where(parked.c.route_id == route_id, parked.c.state == "waiting", ~young)
        .order_by(parked.c.id)
    )
    found: dict[int, list[tuple[bytes, int]]] = {}
    for row in rows:
        found.setdefault(int(row.stream_id), []).append((row.payload.encode(), row.last_run))
    return found
