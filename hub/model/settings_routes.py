"""What ``hub.yaml`` says of one route, typed: reading, writing, who is master (keys: ``docs/settings.md``)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Literal

#: What systems are to each other; the default matrix of masters names these.
Role = Literal["accounting", "trade", "crm", "registry", "other"]
ROLES: tuple[Role, ...] = ("accounting", "trade", "crm", "registry", "other")
_BY_PROFILE: Mapping[str, Role] = {
    "onec_bp3": "accounting",
    "onec_ut11": "trade",
    "onec_unf": "trade",
    "calendar": "other",
    "mailing": "other",
}
#: In an order of systems: the one in which the record was made.
ORIGIN = "origin"
#: The name under which the end of a record (its mark of deletion) is written.
STATE = "record_state"

PolicyWord = Literal["master", "latest", "fill_empty", "union", "append_only", "manual"]


def role_of(profile: str) -> Role:
    """The role of a system whose settings name none: by its profile, a CRM where none is known for it."""
    return _BY_PROFILE.get(profile, "crm")


@dataclass(frozen=True, slots=True)
class BySettings:
    """Another order of systems while ``field`` is one of ``values`` (as they travel); no field: never another one."""

    field: str = ""
    values: tuple[str | int, ...] = ()
    order: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PolicySettings:
    """What a route says of one field in place of the default matrix; ``None``, or no order: as in the matrix.

    ``order``: roles, systems or ``origin``. ``group``: empty for a field that is to survive by itself. ``fades``: days.
    """

    policy: PolicyWord | None = None
    order: tuple[str, ...] = ()
    on_loss: Literal["restore", "keep", "task"] | None = None
    clearable: bool | None = None
    group: str | None = None
    by: BySettings | None = None
    fades: int | None = None


@dataclass(frozen=True, slots=True)
class BudgetSettings:
    """How many records may change unasked: at most ``absolute``, and ``percent`` of those there are.

    The share counts from ``minimum`` records on; ``None`` sets no limit.
    """

    absolute: int | None = None
    percent: int | None = None
    minimum: int = 100


#: What holds where a route says nothing; for balances and prices, which are meant to change all at once, nothing does.
DELETES = BudgetSettings(50, 5, 100)
CHANGES = BudgetSettings(None, 20, 100)


@dataclass(frozen=True, slots=True)
class RouteSettings:
    """How one route (``system.entity``) is exchanged.

    ``read``: how changes are found; ``auto`` chooses by what the base offers. ``sweep``: how often all keys are
    compared, to find what was physically deleted; ``None``: nightly for catalogs, weekly for documents.
    ``window_days``: how far back documents are looked at again. ``stub_after``: seconds that a record waits for another
    one that it cannot do without; then it passes, and its reference stands for what is not here; ``None``: for ever.

    ``write``: names of fields, child tables, ``child[kind]`` that the route writes, or all it can. ``create_in``: the
    mapping in which records are made, of those that ``where`` lets pass: by root field, or child table with the first
    part of its key, the values (as they travel) that will do. ``asks``: what links that are not primary receive too.
    ``policies``: overrides by name. ``deletion``: what the end of a record does to the others; ``None``: as the
    matrix has it. ``shadow``: everything but the write. ``skew``: seconds that the system's clock may be off.
    ``lines``: where in the file each key of the route stands (``""``: the route itself); not a key.
    """

    code: str
    enabled: bool = True
    read: Literal["auto", "feed", "modified", "window", "full"] = "auto"
    sweep: Literal["nightly", "weekly", "never"] | None = None
    window_days: int = 30
    not_before: date | None = None
    stub_after: int | None = None
    write: Literal["all"] | tuple[str, ...] = ()
    create: Literal["never", "always", "after_match"] = "never"
    create_in: str = ""
    where: Mapping[str, tuple[str | int, ...]] = field(default_factory=dict)
    asks: tuple[str, ...] = ()
    policies: Mapping[str, PolicySettings] = field(default_factory=dict)
    deletion: Literal["propagate", "archive", "ignore", "ask", "keep"] | None = None
    delete_budget: BudgetSettings | None = None
    change_budget: BudgetSettings | None = None
    shadow: bool = False
    skew: int = 5
    lines: Mapping[str, int] = field(default_factory=dict, compare=False, repr=False)
