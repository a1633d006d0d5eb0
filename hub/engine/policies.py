"""Who wins: the policies, and the statements that systems make of one cell; ``picks`` picks one of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from hub.engine.cells import Contribution, Golden, Moment, Value, head, is_member, names_of

Word = Literal["master", "latest", "fill_empty", "union", "append_only", "manual"]
StateWord = Literal["propagate", "archive", "ignore", "ask", "keep"]
OnLoss = Literal["restore", "keep", "task"]
#: In an order of systems: the one in which the record was made.
ORIGIN = "origin"


@dataclass(frozen=True, slots=True)
class ByValue:
    """Another order of systems while the golden value of ``field`` is one of ``values``."""

    field: str
    values: frozenset[Value]
    order: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Policy:
    """Who wins a cell.

    ``order``: systems (or ``origin``), the first wins; those not named come last and fill what nobody else says.
    ``on_loss``: what a system whose own word lost gets: the golden value back (``restore``), nothing until the winner
    says something new (``keep``), or that and a task for a person (``task``). ``clearable``: a clearing is followed.
    ``group``: cells with the same word here survive together, from one card. ``fades``: so many days after a master's
    word a later one of the next system outranks it.
    """

    word: Word = "master"
    order: tuple[str, ...] = ()
    on_loss: OnLoss = "restore"
    clearable: bool = False
    group: str = ""
    by: ByValue | None = None
    fades: int = 0


@dataclass(frozen=True, slots=True)
class Rules:
    """The policies of one entity, by path, ``child[first part of the key]`` or child; ``state``: of its end.

    ``checks``: sets that say of each row whether it is right by itself, with the place of that in their rows.
    """

    policies: Mapping[str, Policy]
    default: Policy = Policy()
    state: StateWord = "propagate"
    state_order: tuple[str, ...] = ()
    checks: Mapping[str, int] = field(default_factory=dict)

    def of(self, path: str) -> Policy:
        """The policy of a path, the most particular one."""
        for name in names_of(path):
            if name in self.policies:
                return self.policies[name]
        return self.default

    def unit(self, path: str) -> str:
        """What is decided with the path as one: its group, its list where one card wins it whole, or it alone."""
        policy = self.of(path)
        whole = is_member(path) and policy.word not in {"union", "append_only"}
        return f"group {policy.group}" if policy.group else head(path) if whole else path


@dataclass(frozen=True, slots=True)
class Vote:
    """One system's statement of a cell: ``said`` of its value, ``when`` of its last word, a clearing if ``cleared``."""

    rank: tuple[int, str, bool, int]
    link_id: int
    system: str
    value: Value
    when: Moment
    said: Moment
    since: Moment
    cleared: bool

    def unheeded(self) -> Vote | None:
        """The statement without its clearing; ``None`` if the system never filled the cell."""
        return None if self.value is None else replace(self, when=self.said, cleared=False)


def order_of(policy: Policy, golden: Mapping[str, Golden]) -> tuple[str, ...]:
    """The order of systems that holds now; ``golden`` has the fields that orders depend on."""
    if policy.by is None:
        return policy.order
    decided = golden.get(policy.by.field)
    return policy.by.order if (decided.value if decided else None) in policy.by.values else policy.order


def rank(contribution: Contribution, order: Sequence[str]) -> tuple[int, str, bool, int]:
    """Place in the order; ties go by the system's code, within a system to the primary link."""
    names = {contribution.system, ORIGIN} if contribution.origin else {contribution.system}
    place = next((at for at, name in enumerate(order) if name in names), len(order))
    return (place, contribution.system, not contribution.primary, contribution.link_id)


def vote(path: str, contribution: Contribution, order: Sequence[str]) -> Vote | None:
    """What the contribution says of the path; ``None`` if it never said anything."""
    own = contribution.own.get(path)
    if own is None:
        return None
    who = (rank(contribution, order), contribution.link_id, contribution.system)
    return Vote(*who, own.value, own.cleared or own.when, own.when, own.since, own.cleared is not None)
