"""Clients that are to be compared (again): marked in the transaction that changed them."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection, select

from hub.store import bulk, duplicates

#: Of which duplicates are looked for.
ENTITY = "party"


def mark(conn: Connection, record_ids: Iterable[int], run_id: int) -> None:
    """Mark these records as changed. Before everything has been compared once there is nothing to mark."""
    ids = sorted(set(record_ids))
    if ids and conn.execute(select(duplicates.statistics.c.id)).first() is not None:
        rows = [(number, run_id) for number in ids]
        bulk.insert_missing(conn, duplicates.dirty, ("record_id",), ("record_id", "run_id"), rows)
