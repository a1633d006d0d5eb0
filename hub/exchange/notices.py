"""Notices of services: taken in at once, kept for a while, and of one use only: the next read comes sooner.

What a service sends is proven before anything of it is kept. It is answered before it is stored, for a service does not
wait for the lock of a store; what gets lost on the way costs nothing, because the read finds every call by itself.
"""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, delete, func, select
from sqlalchemy.dialects import postgresql, sqlite

from connectors.base import Connector
from connectors.notices import Hint, Notified
from hub.exchange.hub import Hub
from hub.exchange.quiet import QuietConnector
from hub.exchange.runs import now
from hub.model.errors import HubError, NeedsPerson
from hub.store import core

#: What is longer is no notice. Days that one is kept, for whoever asks what the service said.
MOST_BYTES, KEPT = 65_536, timedelta(days=14)
#: Nobody calls at a weekend; after so long something is wrong on the way.
_SILENT = timedelta(days=4)
#: More that wait for the store are dropped.
_WAITING = 1000
#: Characters of a key; an index takes no more than so many bytes.
_LONGEST = 200
_INSERT: dict[str, Any] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}
log = logging.getLogger("obmen.exchange")


def teller(connector: Connector) -> Notified | None:
    """The connector as one that knows notices. Quiet hours do not matter: nothing is asked of anybody."""
    found = connector.unasked if isinstance(connector, QuietConnector) else connector
    return found if isinstance(found, Notified) else None


@dataclass(frozen=True, slots=True)
class _Notice:
    system_id: int
    hint: Hint
    at: datetime


class Inbox:
    """Where a listener puts what it gets. ``close`` stores what still waits."""

    def __init__(self, hub: Hub, clock: Callable[[], datetime] = now) -> None:
        self._hub, self._clock = hub, clock
        self._tellers: dict[str, Notified] = {}
        for code in hub.settings.notified:
            found = teller(hub.connector(code))
            if found is None:
                raise NeedsPerson("notices_none_sent", system=hub.system(code).title or code)
            self._tellers[code] = found
        with hub.store.read() as conn:
            self._ids = {str(code): int(number) for number, code in conn.execute(_system_ids(self._tellers))}
        self._queue: queue.Queue[_Notice | None] = queue.Queue(_WAITING)
        self._pruned: datetime | None = None
        self._writer = threading.Thread(target=self._write, name="notices", daemon=True)
        self._writer.start()

    def knows(self, system: str) -> bool:
        """Whether notices of that system are heard."""
        return system in self._tellers

    def greeting(self, system: str, query: Mapping[str, str]) -> str:
        """The answer to a service that asks whether this address takes notices; empty for any other question."""
        return self._tellers[system].greeting(query)

    def take(self, system: str, headers: Mapping[str, str], body: bytes) -> Hint:
        """Prove a notice and put it down; ``SkipRecord(cloud_hook_refused)``."""
        hint = self._tellers[system].notice(headers, body)
        notice = _Notice(self._ids[system], hint, self._clock())
        try:
            self._queue.put_nowait(notice)
        except queue.Full:
            log.warning("the store takes nothing: a notice of %s is let go", system)
        return hint

    def close(self) -> None:
        """Store what waits, and end."""
        self._queue.put(None)
        self._writer.join(timeout=60)

    def _write(self) -> None:
        """What waits is stored together; what a store that cannot be written does not take is let go."""
        ended = False
        while not ended:
            some = [self._queue.get()]
            while not self._queue.empty():
                some.append(self._queue.get_nowait())
            ended = None in some
            try:
                self._store([one for one in some if one is not None])
            except Exception as error:  # noqa: BLE001 - a hint that cannot be kept must not deafen the listener
                log.warning("%d notices could not be stored: %s", len(some), type(error).__name__)

    def _store(self, notices: list[_Notice]) -> None:
        if not notices:
            return
        with self._hub.store.begin() as conn:
            for one in notices:
                _keep(conn, one)
            at = notices[-1].at
            if self._pruned is None or at - self._pruned > timedelta(hours=1):
                conn.execute(delete(core.notice).where(core.notice.c.received_at < at - KEPT))
                self._pruned = at


def _system_ids(codes: Mapping[str, Any]) -> Any:
    return select(core.system.c.id, core.system.c.code).where(core.system.c.code.in_(list(codes)))


def _keep(conn: Connection, one: _Notice) -> None:
    """One row for what a service tells of one call with one word, however often it says so."""
    table = core.notice
    values = {
        "system_id": one.system_id,
        "call": one.hint.call[:_LONGEST],
        "event": one.hint.event[:_LONGEST],
        "is_over": one.hint.over,
        "body": one.hint.told,
        "times": 1,
        "received_at": one.at,
    }
    told = _INSERT[conn.dialect.name](table).values(**values)
    again = {"body": told.excluded.body, "times": table.c.times + 1, "received_at": told.excluded.received_at}
    conn.execute(told.on_conflict_do_update(index_elements=list(table.primary_key), set_=again))


@dataclass(frozen=True, slots=True)
class Due:
    """It is time to read on: because of the notice of that moment, or, without one, by the rhythm."""

    notice: datetime | None = None


def due(hub: Hub, system: str, connector: Notified, position: Mapping[str, Any], at: datetime) -> Due | None:
    """Whether the system is to be read at ``at``. A read that did not come to its end goes on; the rhythm (``sensor``)
    holds without any notice; one of a call that is over makes the read come as soon as it can find the call.
    """
    covered = connector.covered(position)
    if covered is None or at >= connector.ripe(covered) + timedelta(seconds=hub.system(system).sensor or 0):
        return Due()
    with hub.store.read() as conn:
        first = conn.execute(
            select(func.min(core.notice.c.received_at))
            .join(core.system, core.system.c.id == core.notice.c.system_id)
            .where(core.system.c.code == system, core.notice.c.is_over, core.notice.c.received_at > covered)
        ).scalar_one()
    return Due(first) if first is not None and connector.ripe(first) <= at else None


def silence(hub: Hub, system: str) -> HubError | None:
    """What is to be said when no notice of the system came lately, although they are asked for."""
    with hub.store.read() as conn:
        last = conn.execute(
            select(func.max(core.notice.c.received_at))
            .join(core.system, core.system.c.id == core.notice.c.system_id)
            .where(core.system.c.code == system)
        ).scalar_one()
    if last is not None and now() - last < _SILENT:
        return None
    title, port = hub.system(system).title or system, hub.settings.notices_port
    return NeedsPerson("notices_silent", system=title, path=f"/notices/{system}", days=_SILENT.days, port=port)
