"""How often a rule is right: a person looks at some of its merges without being told why they were made.

What comes of it is an interval, not a number: of few merges that were looked at little can be said. A rule of which it
can be said that it is right too seldom merges nothing any more; its pairs wait for a person like any others.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import sqrt

from sqlalchemy import Connection, select

from hub.exchange.hub import Hub
from hub.exchange.merging import log
from hub.exchange.merging.unmerge import of_run, unmerge
from hub.exchange.runs import now
from hub.exchange.which import label_of
from hub.model.errors import SkipRecord
from hub.store import core, duplicates

#: A rule is to be right at least so often.
BOUND = 0.98
#: Of the normal distribution, for an interval that holds in 95 cases of a hundred.
_Z = 1.959964


@dataclass(frozen=True, slots=True)
class Merge:
    """An automatic merge to be looked at: two cards as they were called."""

    id: int
    one: int
    other: int
    labels: tuple[str, str]


@dataclass(frozen=True, slots=True)
class Precision:
    """How often one rule was right, of those that were looked at; ``low`` and ``high`` bound it (Wilson, 95 %)."""

    rule: str
    looked: int
    right: int
    low: float
    high: float

    @property
    def off(self) -> bool:
        """It is right too seldom, beyond the doubt that so few merges leave."""
        return self.looked > 0 and self.high < BOUND


def draw(hub: Hub, size: int, seed: int) -> list[Merge]:
    """Automatic merges in force that nobody has looked at, drawn by chance; the same for the same seed."""
    table, seen = core.merge_log, duplicates.sample
    with hub.store.read() as conn:
        rows = conn.execute(
            select(table.c.id, table.c.entity, table.c.record_id, table.c.other_id)
            .outerjoin(seen, seen.c.merge_id == table.c.id)
            .where(
                table.c.op == "merge", table.c.mode == "auto", table.c.undone_run.is_(None), seen.c.merge_id.is_(None)
            )
            .order_by(table.c.id)
        ).all()
        chosen = random.Random(seed).sample(rows, min(size, len(rows)))
        return [
            Merge(
                row.id,
                row.record_id,
                row.other_id,
                (label_of(conn, row.entity, row.record_id), label_of(conn, row.entity, row.other_id)),
            )
            for row in sorted(chosen, key=lambda row: row.id)
        ]


def judge(hub: Hub, verdicts: Mapping[int, bool], *, by: str) -> list[int]:
    """Write down which merges were right, and take the others back; runs that did so.

    ``SkipRecord(sample_gone)`` for a merge that is not in force any more.
    """
    undone = []
    for merge_id, right in sorted(verdicts.items()):
        with hub.store.begin() as conn:
            row = conn.execute(select(core.merge_log).where(core.merge_log.c.id == merge_id)).mappings().first()
            if row is None or row["undone_run"] is not None:
                raise SkipRecord("sample_gone", merge=merge_id)
            conn.execute(duplicates.sample.delete().where(duplicates.sample.c.merge_id == merge_id))
            told = {"rule": row["rule"] or "", "right": right, "judged_by": by, "at": now()}
            conn.execute(duplicates.sample.insert().values(merge_id=merge_id, **told))
        if not right:
            undone.append(_take_back(hub, int(row["run_id"]), merge_id, by))
    return undone


def _take_back(hub: Hub, run_id: int, merge_id: int, by: str) -> int:
    chosen = of_run(hub, run_id, by=by)
    with hub.store.read() as conn:
        alone = [entry for entry in log.entries(conn, run_id=run_id) if entry.id == merge_id]
    report = unmerge(hub, type(chosen)(tuple(alone), by, None, None, judge=True))
    return report.run_id


def precision(conn: Connection) -> list[Precision]:
    """Of each rule of which a merge was looked at."""
    seen: dict[str, list[bool]] = {}
    for rule, right in conn.execute(select(duplicates.sample.c.rule, duplicates.sample.c.right)):
        seen.setdefault(rule, []).append(bool(right))
    return [Precision(rule, len(found), sum(found), *interval(found)) for rule, found in sorted(seen.items())]


def interval(found: Sequence[bool]) -> tuple[float, float]:
    """Wilson's interval of a share."""
    n, share = len(found), sum(found) / len(found)
    centre = (share + _Z**2 / (2 * n)) / (1 + _Z**2 / n)
    half = _Z * sqrt(share * (1 - share) / n + _Z**2 / (4 * n * n)) / (1 + _Z**2 / n)
    return max(0.0, centre - half), min(1.0, centre + half)


def switched_off(conn: Connection) -> set[str]:
    """Rules that merge nothing any more."""
    return {one.rule for one in precision(conn) if one.off}
