"""Where reading a stream stands: positions that move only in the transaction that commits the data."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, delete, select, update

from hub.exchange.runs import now
from hub.store import core

#: An interrupted read is gone on with for this long; later its position says too little about the source.
RESUME_WITHIN = timedelta(hours=12)
#: Names of cursors: what changed by the stream's own field, the comparison of keys, a place in the source's history.
MODIFIED, SWEEP, TOKEN = "modified", "sweep", "token"


@dataclass(slots=True)
class Cursor:
    """One way of reading one stream in one route. ``done``: the last read came to its end."""

    route_id: int
    stream_id: int
    name: str
    fingerprint: str
    run_id: int
    position: dict[str, Any] = field(default_factory=dict)
    done: bool = False
    at: datetime | None = None

    def _where(self) -> list[Any]:
        table = core.cursor
        return [table.c.route_id == self.route_id, table.c.stream_id == self.stream_id, table.c.name == self.name]

    def load(self, conn: Connection) -> Cursor:
        """Take over what is stored, unless it was written under another mapping; itself."""
        row = conn.execute(select(core.cursor).where(*self._where())).mappings().first()
        if row is not None and row["fingerprint"] == self.fingerprint:
            self.position, self.done = dict(row["position"] or {}), bool(row["done"])
            at = row["updated_at"]
            self.at = at if at.tzinfo else at.replace(tzinfo=UTC)
        return self

    @property
    def interrupted(self) -> bool:
        """A read was begun, did not end, and is recent enough to go on from ``position``."""
        return self.at is not None and not self.done and bool(self.position) and now() - self.at <= RESUME_WITHIN

    def save(self, conn: Connection, *, done: bool) -> None:
        """Remember ``position``; with ``done`` the next read starts at the beginning."""
        values: dict[str, Any] = {
            "position": self.position,
            "done": done,
            "fingerprint": self.fingerprint,
            "run_id": self.run_id,
            "updated_at": now(),
        }
        table = core.cursor
        if conn.execute(update(table).where(*self._where()).values(**values)).rowcount == 0:
            key = {"route_id": self.route_id, "stream_id": self.stream_id, "name": self.name}
            conn.execute(table.insert().values(**key, **values))
        self.done, self.at = done, values["updated_at"]


def forget(conn: Connection, route_ids: Iterable[int], stream_id: int | None = None) -> None:
    """Forget where reading stands: what is read next is read whole. When all keys were compared last stays known."""
    table = core.cursor
    of_stream = [] if stream_id is None else [table.c.stream_id == stream_id]
    conn.execute(delete(table).where(table.c.route_id.in_(list(route_ids)), table.c.name != SWEEP, *of_stream))
