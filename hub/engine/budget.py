"""Brakes: how much of a route may go through unasked."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Budget:
    """The most records that may be ended (or changed) at once.

    ``absolute``: a number. ``percent``: a share of the population, which counts only from ``minimum`` records on: two
    clients of five are not yet a catastrophe. ``None`` sets no limit.
    """

    absolute: int | None = None
    percent: int | None = None
    minimum: int = 0

    def limit(self, population: int) -> int | None:
        """How many of ``population`` records may pass; ``None``: all."""
        limits = [] if self.absolute is None else [self.absolute]
        if self.percent is not None and population >= self.minimum:
            limits.append(population * self.percent // 100)
        return min(limits) if limits else None


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether ``wanted`` records pass; all or none do, so that a catastrophe does not come in slices."""

    passes: bool
    wanted: int
    limit: int | None
    population: int


def judge(budget: Budget, wanted: int, population: int, passed: int = 0) -> Verdict:
    """``wanted`` more records after ``passed`` ones of the same run, of ``population`` that the route knows."""
    limit = budget.limit(population)
    return Verdict(limit is None or passed + wanted <= limit, wanted, limit, population)
