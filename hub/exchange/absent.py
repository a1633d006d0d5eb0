"""Records that a complete snapshot no longer shows.

1C's balances list only what is not zero, so a row that is missing from a complete answer is a zero, not an unknown.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import Connection, select

from hub.exchange import write
from hub.exchange.desk import Desk
from hub.exchange.mapping_desk import MappingDesk
from hub.model.fields import Kind, show
from hub.store import bulk, core

_AMOUNTS = (Kind.QTY, Kind.MONEY)
_CHUNK = 1000


def zero(conn: Connection, desk: Desk, work: MappingDesk, seen: set[str], only: Collection[str] | None = None) -> int:
    """Set every amount of the unseen records of this stream (``only``: of these of them) to zero; how many changed."""
    link = core.link
    rows = conn.execute(
        select(link.c.id, link.c.record_id, link.c.external_id).where(
            link.c.stream_id == work.stream_id, link.c.record_id.is_not(None)
        )
    )
    unseen = {
        int(row.record_id): int(row.id)
        for row in rows
        if row.external_id not in seen and (only is None or row.external_id in only)
    }
    ids, changed = sorted(unseen), 0
    for start in range(0, len(ids), _CHUNK):
        changed += _zero(conn, desk, work, {number: unseen[number] for number in ids[start : start + _CHUNK]})
    return changed


def _zero(conn: Connection, desk: Desk, work: MappingDesk, links: dict[int, int]) -> int:
    fields = [item for item in work.fields if item.kind in _AMOUNTS]
    columns = tuple(item.column for item in fields)
    known = bulk.fetch_rows(conn, work.table, ("id", "row_version", *columns), "id", list(links))
    roots: list[tuple[Any, ...]] = []
    log: list[tuple[Any, ...]] = []
    for number, version, *values in known:
        if not any(values):
            continue
        zeros = tuple(None if value is None else 0 for value in values)
        roots.append((number, *zeros, desk.run_id, (version or 0) + 1))
        for item, before in zip(fields, values, strict=True):
            if before:
                cell = (item.name, show(item.kind, before), show(item.kind, 0))
                log.append((desk.run_id, work.entity.name, number, links[number], "update", *cell, desk.at))
    bulk.update_rows(conn, work.table, ("id", *columns, "updated_by_run", "row_version"), roots)
    write.write_log(conn, log)
    # The raw hash no longer stands for what is stored: the same row coming back must be seen as a change.
    bulk.update_rows(conn, core.link, ("id", "row_hash"), [(links[row[0]], None) for row in roots])
    return len(roots)
