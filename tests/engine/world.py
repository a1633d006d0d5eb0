"""A small world for the engine's tests: systems whose users edit cards, and a hub that reads, decides and writes.

Systems may cut and round what is written to them. The hub's shell is played here as the services play it, one record.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from hub.engine.arrive import Arrival, Known, arrive, golden_of
from hub.engine.cells import Cells, Contribution, Golden, Value, changed_at
from hub.engine.codec import decode, encode
from hub.engine.incoming import Incoming, Refused, confirmed, incoming
from hub.engine.outgoing import Way, outgoing
from hub.engine.policies import Policy, Rules

Normal = Callable[[str, Value], Value]


def as_is(_path: str, value: Value) -> Value:
    """A system that keeps what it is given."""
    return value


def short(path: str, value: Value) -> Value:
    """A system that cuts names to two letters and rounds limits to tens."""
    if path == "name" and isinstance(value, str):
        return value[:2]
    return value // 10 * 10 if path == "limit" and isinstance(value, int) else value


NOTHING = Way(frozenset())


@dataclass
class System:
    """One system with one card. A row of a set that is not there has no cell."""

    name: str
    link_id: int
    cells: dict[str, Value] = field(default_factory=dict)
    normal: Normal = as_is
    way: Way = NOTHING
    lists: tuple[str, ...] = ("point",)
    read_at: int = 0
    pending: dict[str, Value] = field(default_factory=dict)

    def put(self, path: str, value: Value) -> None:
        """A user, or a write, sets a cell."""
        if value is None and "[" in path:
            self.cells.pop(path, None)
        else:
            self.cells[path] = value

    def accepts(self, path: str, meant: Value, shown: Value) -> bool:
        """What its mapping declares to become of a value."""
        return shown == self.normal(path, meant)


@dataclass
class World:
    """Systems, what the hub knows of their common record, and the hub's clock."""

    rules: Rules
    systems: dict[str, System]
    known: Known = field(default_factory=Known)
    now: int = 100
    writes: int = 0
    refused: list[Refused] = field(default_factory=list)
    arrivals: list[tuple[Incoming, Arrival]] = field(default_factory=list)
    watch: Callable[[str, dict[str, Value], int, dict[str, tuple[Value, Value]]], None] = lambda *_: None

    def golden(self) -> dict[str, Golden]:
        """What readers see now."""
        return golden_of(self.known, self.rules)

    def value(self, path: str) -> Value:
        """The golden value of a cell."""
        cell = self.golden().get(path)
        return cell.value if cell else None

    def contribution(self, name: str) -> Contribution | None:
        """What the hub stores of a system, through the form in which it is stored."""
        system = self.systems[name]
        found = next((one for one in self.known.contributions if one.link_id == system.link_id), None)
        return decode(system.link_id, name, encode(found), origin=found.origin) if found else None

    def edit(self, name: str, path: str, value: Value) -> None:
        """A user of the system changes a cell (``None`` empties it, or takes a row away)."""
        self.now += 10
        self.systems[name].put(path, value)

    def read(self, name: str, told: int | None = None) -> Arrival:
        """The hub reads the card whole."""
        system = self.systems[name]
        self.now += 10
        before = self.contribution(name) or Contribution(system.link_id, name, origin=not self.known.contributions)
        moment = changed_at(system.read_at, self.now, told)
        came = incoming(
            before, system.cells, moment, lists=system.lists, unknown=system.pending, accepts=system.accepts
        )
        arrival = self._arrive(system, came, system.pending)
        system.read_at, system.pending = self.now, {}
        return arrival

    def _arrive(self, system: System, came: Incoming, ours: Cells) -> Arrival:
        written = {path: (system.normal(path, value), value) for path, value in ours.items()}
        self.watch(system.name, dict(system.cells), self.now, written)
        arrival = arrive(self.known, came, self.rules, system.way)
        self.known = arrival.known
        self.arrivals.append((came, arrival))
        return arrival

    def owed(self, name: str) -> dict[str, Value]:
        """What the hub owes the system."""
        found = self.contribution(name)
        return outgoing(found, self.golden(), self.rules, self.systems[name].way) if found else {}

    def push(self, name: str, *, crash: bool = False) -> dict[str, Value]:
        """The hub looks, writes what it owes, and reads back, unless it dies in between."""
        self.read(name)
        system, owed = self.systems[name], self.owed(name)
        if not owed:
            return {}
        self.writes += 1
        for path, value in owed.items():
            system.put(path, system.normal(path, value))
        if crash:
            system.pending = owed
            return owed
        self.now += 10
        found = self.contribution(name)
        assert found is not None
        moment = changed_at(system.read_at, self.now)
        written, refused = confirmed(found, owed, system.cells, moment, lists=system.lists, accepts=system.accepts)
        self.refused += refused
        self.known = self.known.put(written)
        system.read_at = self.now
        self._arrive(system, incoming(written, system.cells, moment, lists=system.lists), owed)
        return owed

    def settle(self, rounds: int = 6) -> None:
        """Exchange until nothing is owed; an error if that never happens."""
        for _ in range(rounds):
            for name in self.systems:
                self.push(name)
            if not any(self.owed(name) for name in self.systems):
                return
        raise AssertionError(f"still owed: { {name: self.owed(name) for name in self.systems} }")


def make_world(policies: Mapping[str, Policy], cards: Mapping[str, Cells], **more: object) -> World:
    """A world of systems by name, each with its card; every one may be written to, unless it is called ``reader…``."""
    paths = {path.partition("[")[0] for card in cards.values() for path in card} | policies.keys() | {"record_state"}
    way = Way(frozenset(paths))
    systems = {
        name: System(name, number, dict(card), way=NOTHING if name.startswith("reader") else way)
        for number, (name, card) in enumerate(cards.items(), 1)
    }
    return World(Rules(policies, **more), systems)  # type: ignore[arg-type]
