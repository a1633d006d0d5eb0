"""Records in open quarantine, one by one, for a person who is to find and mend them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from hub.store.core import quarantine, route, stream

#: Names by which 1C's objects introduce themselves: number and date of a document, code and name of a catalogue item.
_NUMBER = ("Number", "Code")
_NAME = ("Date", "Description")


@dataclass(frozen=True, slots=True)
class Quarantined:
    """One record. ``label``: what its own system calls it (number, date, name), whole, so not for logs.

    ``field`` and ``value`` are the culprit in the source's words; ``params`` fill the sentence of ``reason_code``.
    """

    route: str
    stream: str
    external_id: str
    label: str
    reason_code: str
    field: str
    value: str
    params: dict[str, Any]
    attempts: int
    first_at: datetime
    last_at: datetime


def quarantined(conn: Connection, routes: tuple[str, ...] = (), limit: int = 100) -> list[Quarantined]:
    """Open quarantine by route, reason and age, oldest first; at most ``limit`` records."""
    query = (
        select(quarantine, route.c.code, stream.c.name)
        .join(route, route.c.id == quarantine.c.route_id)
        .join(stream, stream.c.id == quarantine.c.stream_id)
        .where(quarantine.c.state == "open")
        .order_by(route.c.code, quarantine.c.reason_code, quarantine.c.first_at, quarantine.c.id)
        .limit(limit)
    )
    if routes:
        query = query.where(route.c.code.in_(routes))
    return [
        Quarantined(
            row.code,
            row.name,
            row.external_id,
            _label(row.payload),
            row.reason_code,
            row.field or "",
            row.value or "",
            row.params or {},
            row.attempts,
            row.first_at,
            row.last_at,
        )
        for row in conn.execute(query)
    ]


def _label(payload: str | None) -> str:
    try:
        record = json.loads(payload or "")
    except ValueError:
        return ""
    if not isinstance(record, dict):
        return ""
    found = [next((str(record[name]) for name in names if record.get(name)), "") for names in (_NUMBER, _NAME)]
    return " · ".join(part for part in found if part)
