"""How many letters and calls wait for somebody: for the summary, and for the checks."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, func, select

from hub.store import comms_tables, core, tables

#: What is counted: activities of the last days, calls that were missed since, leads of the last day.
DAYS = timedelta(days=30)
FORGOTTEN = timedelta(days=30)
NEW = timedelta(days=1)
_CLOSED = ("done", "cancelled")


@dataclass(frozen=True, slots=True)
class Figures:
    """Of the last ``DAYS``: ``known`` (somebody's), ``ambiguous``, ``unmatched``. ``missed``: numbers that nobody has
    called back, ``missed_since`` the longest waiting; ``leads``: new ones of the last day that strangers made.
    """

    known: int = 0
    ambiguous: int = 0
    unmatched: int = 0
    missed: int = 0
    missed_since: datetime | None = None
    leads: int = 0

    @property
    def anything(self) -> bool:
        """Whether there is anything to tell."""
        return bool(self.known or self.ambiguous or self.unmatched or self.missed or self.leads)

    @property
    def share(self) -> float:
        """Share of those whose client is not known, ``0`` where there is nothing."""
        whole = self.known + self.ambiguous + self.unmatched
        return (self.ambiguous + self.unmatched) / whole if whole else 0.0


def figures(conn: Connection, at: datetime, system: str | None = None) -> Figures:
    """As of ``at``; ``system``: only what came through that one (numbers to call back and leads are told of all)."""
    states = _states(conn, at, system)
    missed, since = _missed(conn, at)
    return Figures(
        states.get("matched", 0) + states.get("manual", 0),
        states.get("ambiguous", 0),
        states.get("unmatched", 0),
        missed,
        since,
        _leads(conn, at),
    )


def _states(conn: Connection, at: datetime, system: str | None) -> dict[str, int]:
    root, match = tables.ROOTS["activity"], comms_tables.activity_match
    query = (
        select(match.c.state, func.count())
        .join(root, root.c.id == match.c.activity_id)
        .where(root.c.started_at >= at - DAYS)
        .group_by(match.c.state)
    )
    if system is not None:
        link, stream, its = core.link, core.stream, core.system
        mine = (
            select(link.c.id)
            .join(stream, stream.c.id == link.c.stream_id)
            .join(its, its.c.id == stream.c.system_id)
            .where(link.c.record_id == root.c.id, its.c.code == system)
        )
        query = query.where(mine.exists())
    return {row[0]: row[1] for row in conn.execute(query)}


def _missed(conn: Connection, at: datetime) -> tuple[int, datetime | None]:
    """A task that a person has closed without a call counts as a call back."""
    table, task = comms_tables.call_back, tables.ROOTS["task"]
    row = conn.execute(
        select(func.count(), func.min(table.c.missed_at))
        .select_from(table.outerjoin(task, task.c.id == table.c.task_id))
        .where(table.c.missed_at >= at - FORGOTTEN, func.coalesce(task.c.status, "").not_in(_CLOSED))
    ).one()
    return int(row[0]), row[1]


def _leads(conn: Connection, at: datetime) -> int:
    lead = tables.ROOTS["lead"]
    query = select(func.count()).where(
        lead.c.opened_at >= at - NEW, lead.c.status == "new", lead.c.dedupe_key.like("lead:%")
    )
    return int(conn.execute(query).scalar_one())
