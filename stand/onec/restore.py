"""The base at an earlier moment: snapshots that it can be put back to.

Put back, versions are lower than before, records that were deleted are there again and new ones are gone, and the
exchange plans forget what they have sent: a base restored from a backup, or a copy behind the same address that goes on
by itself when it is edited after that.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from stand.onec.enterprise.nodes import Node, Nodes
from stand.onec.feed import Exchange, Registered
from stand.onec.world import Key, Record, Rows, World


@dataclass(frozen=True, slots=True)
class _Moment:
    tables: dict[str, dict[Key, Record]]
    hidden: list[Record]
    frozen: dict[tuple[str, str], dict[str, Rows]]
    forbidden: set[tuple[str, Key]]
    changes: dict[str, Registered]
    nodes: dict[str, Node]


def _copied(rows: Mapping[Key, Record]) -> dict[Key, Record]:
    """Rows of tabular parts are replaced as a whole and never altered in place, so one level is enough."""
    return {key: dict(record) for key, record in rows.items()}


class Snapshots:
    """Named moments of one base, kept in memory. ``kept``: the base has a journal, which knows no way back."""

    def __init__(self, world: World, exchange: Exchange, nodes: Nodes) -> None:
        self.world = world
        self.exchange = exchange
        self.nodes = nodes
        self.moments: dict[str, _Moment] = {}
        self.kept = False

    def take(self, name: str = "") -> None:
        """Remember the base as it is now."""
        world = self.world
        with world.lock:
            self.moments[name] = _Moment(
                {n: _copied(table.rows) for n, table in world.tables.items()},
                [*world.hidden],
                dict(world.frozen),
                set(world.forbidden),
                {node: dict(rows) for node, rows in self.exchange.changes.items()},
                {code: node.copy() for code, node in self.nodes.by_code.items()},
            )

    def restore(self, name: str = "") -> None:
        """Put the base back. It can be put back there again later.

        ``KeyError``: no such snapshot. ``ValueError``: what is written to this base is kept in a journal.
        """
        if self.kept:
            raise ValueError("a base with a journal is not put back: start it without --journal for that")
        moment, world = self.moments[name], self.world
        with world.lock:
            for set_name, table in world.tables.items():
                table.rows = _copied(moment.tables[set_name])
                table.version += 1
            world.hidden = [*moment.hidden]
            world.frozen = dict(moment.frozen)
            world.forbidden = set(moment.forbidden)
            self.exchange.changes = {node: dict(rows) for node, rows in moment.changes.items()}
            self.nodes.by_code = {code: node.copy() for code, node in moment.nodes.items()}
            # A counter of this process, not of the base: what is cached for the old state must not be found.
            world.version += 1
