"""How the comparison stands, in numbers: for Dagster, and for the look before a new comparison is published."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from hub.store import core, duplicates


@dataclass(frozen=True, slots=True)
class Numbers:
    """``keys``: different ones; ``crowded``: the most units on one key; ``pairs``: kept, by band; ``groups``: of two
    and more; ``largest``: members of the largest; ``waiting``: changed records that are not compared yet.
    """

    units: int = 0
    keys: int = 0
    crowded: int = 0
    auto: int = 0
    review: int = 0
    related: int = 0
    groups: int = 0
    largest: int = 0
    merged: int = 0
    waiting: int = 0

    @property
    def pairs(self) -> int:
        """All pairs that are kept."""
        return self.auto + self.review + self.related


def numbers(conn: Connection) -> Numbers:
    """As the store has it."""
    unit, key, edge = duplicates.unit, duplicates.key, duplicates.edge
    held = select(func.count().label("n")).select_from(key).group_by(key.c.k).subquery()
    keys, crowded = conn.execute(select(func.count(), func.max(held.c.n)).select_from(held)).one()
    rows = conn.execute(select(edge.c.band, func.count()).group_by(edge.c.band))
    bands = {str(band): int(number) for band, number in rows}
    sizes = select(func.count().label("n")).select_from(unit).group_by(unit.c.grp).having(func.count() > 1).subquery()
    groups, largest = conn.execute(select(func.count(), func.max(sizes.c.n)).select_from(sizes)).one()
    log = core.merge_log
    return Numbers(
        _count(conn, unit),
        int(keys or 0),
        int(crowded or 0),
        bands.get("auto", 0),
        bands.get("review", 0),
        bands.get("nothing", 0),
        int(groups or 0),
        int(largest or 0),
        conn.execute(select(func.count()).where(log.c.op == "merge", log.c.undone_run.is_(None))).scalar_one(),
        _count(conn, duplicates.dirty),
    )


def _count(conn: Connection, table: object) -> int:
    return conn.execute(select(func.count()).select_from(table)).scalar_one()  # type: ignore[arg-type]  # any table
