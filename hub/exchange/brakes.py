"""Brakes of a route: how many records may end, and how many may change, before an admin has agreed.

A route that is told to end or change more than its budget lets holds those records back: their payload waits in
``held``, nothing of them is written, the rest goes on. What passed before the limit was met stays.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, func, select, update

from hub.engine.budget import Verdict, judge
from hub.exchange.runs import now
from hub.store import bulk, core

if TYPE_CHECKING:
    from hub.exchange.hub import Hub
    from hub.exchange.mapping_desk import MappingDesk


@dataclass(frozen=True, slots=True)
class Held:
    """A change that waits for an admin. ``raw``: the record, ``None`` where the system says that it is gone."""

    external_id: str
    op: str
    reason: str
    params: dict[str, Any]
    raw: Any


@dataclass(frozen=True, slots=True)
class Verdicts:
    """On the ends and on the changes of one page."""

    ends: Verdict
    changes: Verdict

    def stops(self, *, ends: bool) -> bool:
        """Whether a record that ends (or only changes) is held back."""
        return not (self.ends if ends else self.changes).passes

    def held(self, external_id: str, raw: Any, *, ends: bool) -> Held:
        """The change with the reason that it waits."""
        verdict = self.ends if ends else self.changes
        params = {"wanted": verdict.wanted, "limit": verdict.limit, "population": verdict.population}
        return Held(external_id, "end" if ends else "change", "mass_delete" if ends else "mass_change", params, raw)


@dataclass(slots=True)
class Brakes:
    """Of the routes of one run: what has passed so far, and how many records each has."""

    hub: Hub
    passed: dict[int, list[int]] = field(default_factory=dict)
    population: dict[int, int] = field(default_factory=dict)

    def judge(self, conn: Connection, route_id: int, code: str, ends: int, changes: int) -> Verdicts:
        """Whether so many more records of the route may end, and change; those that pass are counted.

        ``code``: of the route's settings, which hold for both of its directions.
        """
        budgets = self.hub.rules.budgets(code)
        passed = self.passed.setdefault(route_id, [0, 0])
        population = self._population(conn, route_id, code)
        found = [
            judge(budget, wanted, population, before)
            for budget, wanted, before in zip(budgets, (ends, changes), passed, strict=True)
        ]
        for at, verdict in enumerate(found):
            if verdict.passes:
                passed[at] += verdict.wanted
        return Verdicts(*found)

    def mark(self) -> dict[int, list[int]]:
        """What has passed, to go back to when a transaction is rolled back."""
        return {route: list(numbers) for route, numbers in self.passed.items()}

    def _population(self, conn: Connection, route_id: int, code: str) -> int:
        """Records of the route when the run met it first."""
        if route_id not in self.population:
            system, entity = code.split(".")[:2]
            streams = [self.hub.streams[system][name] for name in self.hub.streams_of(system, entity)]
            link = core.link
            self.population[route_id] = conn.execute(
                select(func.count())
                .select_from(link)
                .where(link.c.stream_id.in_(streams), link.c.record_id.is_not(None))
            ).scalar_one()
        return self.population[route_id]


def hold(conn: Connection, run_id: int, work: MappingDesk, held: Sequence[Held]) -> None:
    """Keep what waits; what waits already is renewed, not added."""
    table = core.held
    work.held_back(conn).update(one.external_id for one in held)
    for one in held:
        values = {
            "op": one.op,
            "reason_code": one.reason,
            "params": one.params,
            "payload": bytes(one.raw).decode("utf-8", errors="replace") if one.raw is not None else None,
            "last_run": run_id,
        }
        key = [table.c.stream_id == work.stream_id, table.c.external_id == one.external_id, table.c.state == "open"]
        if conn.execute(update(table).where(*key).values(**values)).rowcount == 0:
            conn.execute(
                table.insert().values(
                    route_id=work.route_id,
                    stream_id=work.stream_id,
                    external_id=one.external_id,
                    state="open",
                    first_run=run_id,
                    at=now(),
                    **values,
                )
            )


def settle(conn: Connection, work: MappingDesk, external_ids: Sequence[str]) -> None:
    """Close what waits no more: these records are here as their system shows them now."""
    waiting = work.held_back(conn)
    done = [external_id for external_id in external_ids if external_id in waiting]
    table = core.held
    for chunk in bulk.chunks(done):
        conn.execute(
            update(table)
            .where(
                table.c.stream_id == work.stream_id,
                table.c.external_id.in_(chunk),
                table.c.state == "open",
            )
            .values(state="settled", decided_at=now())
        )
    waiting.difference_update(done)
