"""Loops: refused when the settings are read, stopped when they happen all the same."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

from hub.engine.cells import Value, head
from hub.engine.outgoing import Way
from hub.engine.policies import ORIGIN, Policy, Rules

#: How often a cell may go from A over B back to A.
RETURNS = 3


@dataclass(frozen=True, slots=True)
class RouteWord:
    """What one route says of an entity's fields: ``reads`` and ``writes`` them, and by which ``policies``."""

    route: str
    system: str
    reads: frozenset[str]
    writes: frozenset[str]
    policies: Mapping[str, Policy]


@dataclass(frozen=True, slots=True)
class Flaw:
    """Why policies cannot work. ``names``: the routes, fields or systems that are at odds.

    ``loop``: two routes that both read and write a field name different masters: each would overwrite the other for
    ever. ``twice``: two routes disagree on a field without a loop. ``unwritable``: ``manual`` where nobody may write.
    ``depends``: an order hangs on a field whose own order hangs on a value. ``group``: cells that survive together
    follow different policies. ``unknown``: an order names no system.
    """

    why: Literal["loop", "twice", "unwritable", "depends", "group", "unknown"]
    field: str
    names: tuple[str, ...] = ()


def competing(routes: Sequence[RouteWord]) -> list[Flaw]:
    """Fields of one entity on which two routes name different policies."""
    flaws = []
    for one, other in combinations(routes, 2):
        for name in sorted(one.policies.keys() & other.policies.keys()):
            if one.policies[name] != other.policies[name]:
                cyclic = all(name in route.reads & route.writes for route in (one, other))
                flaws.append(Flaw("loop" if cyclic else "twice", name, (one.route, other.route)))
    return flaws


def flaws(rules: Rules, ways: Collection[Way], systems: Collection[str]) -> list[Flaw]:
    """What is wrong with the policies of one entity. ``ways``: what the entity's routes may write."""
    writable = {name for way in ways for name in way.writes}
    groups: dict[str, list[str]] = {}
    found = []
    for name, policy in sorted(rules.policies.items()):
        if policy.group:
            groups.setdefault(policy.group, []).append(name)
        if policy.word == "manual" and not {name, head(name)} & writable:
            found.append(Flaw("unwritable", name))
        if policy.by is not None and rules.of(policy.by.field).by is not None:
            found.append(Flaw("depends", name, (policy.by.field,)))
        orders = {*policy.order, *(policy.by.order if policy.by else ())}
        strangers = tuple(sorted(orders - {ORIGIN, *systems}))
        if strangers:
            found.append(Flaw("unknown", name, strangers))
    torn = (names for names in groups.values() if len({_rule(rules.of(name)) for name in names}) > 1)
    return found + [Flaw("group", names[0], tuple(names)) for names in torn]


def _rule(policy: Policy) -> tuple[object, ...]:
    return (policy.word, policy.order, policy.by, policy.fades)


@dataclass(frozen=True, slots=True)
class PingPong:
    """A cell that two systems set back and forth: their names and the values each insists on."""

    systems: tuple[str, str]
    values: tuple[Value, Value]


def ping_pong(history: Sequence[tuple[str, Value]], returns: int = RETURNS) -> PingPong | None:
    """Whether the newest golden values of one cell, (system, value) from old to new, flip A→B→A ``returns`` times.

    Two people who edit a field in turn are no loop: each side must come back with the very same value.
    """
    tail = list(history[-2 * returns - 1 :])
    if len(tail) < 2 * returns + 1 or tail[0][0] == tail[1][0]:
        return None
    if any(one != other for one, other in zip(tail, tail[2:], strict=False)):
        return None
    return PingPong((tail[0][0], tail[1][0]), (tail[0][1], tail[1][1]))
