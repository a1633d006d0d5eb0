"""The few records of each stream by which a base that went back in time betrays itself.

Kept are those that were last seen to be new or to change, with the version they had before. Versions of 1C are opaque,
but a base never gives a record a version that it has had already.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, delete, select

from hub.exchange.write import Incoming
from hub.store import core
from hub.store.tables import metadata

#: So many of each stream: the last that were written.
KEPT = 8


@dataclass(frozen=True, slots=True)
class Sentinel:
    """One record to look at. ``known``: the version it has here; ``earlier``: versions it has had."""

    stream: str
    external_id: str
    known: str
    earlier: frozenset[str]


def versions(conn: Connection, items: Sequence[Incoming]) -> dict[int, str]:
    """Versions that these links have before they are written, by link id."""
    table, ids = core.link, [item.link_id for item in items if item.record_id is not None]
    rows = conn.execute(select(table.c.id, table.c.version).where(table.c.id.in_(ids))) if ids else ()
    return {int(row[0]): str(row[1]) for row in rows if row[1] is not None}


def keep(conn: Connection, stream_id: int, run_id: int, items: Sequence[Incoming], before: dict[int, str]) -> None:
    """Remember what was written, where its version is new; forget the oldest of the stream."""
    rows = [
        {
            "stream_id": stream_id,
            "external_id": item.external_id,
            "version": item.version,
            "before": before.get(item.link_id),
            "run_id": run_id,
        }
        for item in items
        if item.version and item.version != before.get(item.link_id)
    ]
    if not rows:
        return
    table = core.sentinel
    conn.execute(table.insert(), rows)
    of_stream = table.c.stream_id == stream_id
    ids = list(conn.execute(select(table.c.id).where(of_stream).order_by(table.c.id.desc()).limit(KEPT)).scalars())
    conn.execute(delete(table).where(of_stream, table.c.id < ids[-1]))


def newest(conn: Connection, system_id: int, streams: int) -> dict[str, list[Sentinel]]:
    """The sentinels of the ``streams`` streams that were written last, by stream; only of records active here.

    What is marked for deletion will be gone one day, and marking it made it a sentinel: it proves nothing.
    """
    table, link = core.sentinel, core.link
    rows = conn.execute(
        select(
            core.stream.c.name,
            core.stream.c.entity,
            link.c.record_id,
            table.c.external_id,
            table.c.version,
            table.c.before,
            link.c.version.label("known"),
        )
        .join(core.stream, core.stream.c.id == table.c.stream_id)
        .join(link, (link.c.stream_id == table.c.stream_id) & (link.c.external_id == table.c.external_id))
        .where(core.stream.c.system_id == system_id, link.c.version.is_not(None))
        .order_by(table.c.id.desc())
    ).all()
    earlier: dict[tuple[str, str], set[str]] = {}
    known: dict[tuple[str, str], str] = {}
    active = _active(conn, rows)
    for row in rows:
        if row.record_id not in active:
            continue
        key = (row.name, row.external_id)
        known[key] = row.known
        earlier.setdefault(key, set()).update(version for version in (row.version, row.before) if version)
    found: dict[str, list[Sentinel]] = {}
    for (stream, external_id), version in known.items():
        if stream in found or len(found) < streams:
            told = frozenset(earlier[stream, external_id] - {version})
            found.setdefault(stream, []).append(Sentinel(stream, external_id, version, told))
    return found


def _active(conn: Connection, rows: Sequence[Any]) -> set[int]:
    """Ids of those records that are neither marked nor deleted, archived or merged."""
    by_entity: dict[str, set[int]] = {}
    for row in rows:
        if row.entity and row.record_id is not None:
            by_entity.setdefault(row.entity, set()).add(row.record_id)
    found: set[int] = set()
    for entity, ids in by_entity.items():
        root = metadata.tables[entity]
        found.update(
            conn.execute(select(root.c.id).where(root.c.id.in_(ids), root.c.record_state == "active")).scalars()
        )
    return found


def forget(conn: Connection, stream_ids: Sequence[int]) -> None:
    """Forget the sentinels of these streams."""
    conn.execute(delete(core.sentinel).where(core.sentinel.c.stream_id.in_(list(stream_ids))))
