"""What a merge, its undo or a split does, or would do, as plain values for the command and for Dagster."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Op = Literal["merge", "unmerge", "split"]


@dataclass(frozen=True, slots=True)
class Veto:
    """Something that speaks against two records being one; a sentence of the catalogue."""

    code: str
    params: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class MovedLink:
    """A record of a system that changes cards. ``before``, ``after``: numbers of the cards."""

    link_id: int
    system: str
    external_id: str
    before: int
    after: int


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell that readers see change, as they read it."""

    record_id: int
    path: str
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class Told:
    """A record of a system that is owed something by now. ``paths``: the cells that it is to show."""

    record_id: int
    system: str
    external_id: str
    paths: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Stays:
    """Something that an undo leaves: ``link_moved`` (since, by that run), ``pin_gone``, ``link_new``."""

    reason: str
    record_id: int
    what: str
    run: int | None = None


@dataclass(slots=True)
class Moved:
    """``run_id``: 0 of a plan. ``record_id``: the survivor, or the card that a part leaves; ``others``: the rest.

    ``already``: the run that has undone it before; then nothing was done. ``undone``: runs that this one undoes.
    ``judged``: pairs that are said to be different from now on.
    """

    op: Op
    entity: str
    record_id: int
    others: list[int]
    run_id: int = 0
    already: int | None = None
    labels: dict[int, str] = field(default_factory=dict)
    vetoes: list[Veto] = field(default_factory=list)
    links: list[MovedLink] = field(default_factory=list)
    cells: list[Cell] = field(default_factory=list)
    told: list[Told] = field(default_factory=list)
    pins: list[str] = field(default_factory=list)
    stays: list[Stays] = field(default_factory=list)
    undone: list[int] = field(default_factory=list)
    judged: list[tuple[int, int]] = field(default_factory=list)
