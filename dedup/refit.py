"""Weights fitted to a site: what persons said of pairs moves the bits of the levels that these pairs stand at.

The score is a sum of bits that claims to be the logarithm of odds, so judged pairs fit a logistic regression: each
level gets a correction, and so does what every pair starts from. A correction is held to zero as if it had been
measured before with an error of ``DOUBT`` bits; a level that few pairs stand at stays where it was. Pairs come to a
person by their score, and the score is all that the fit looks at, so the choice does not bend it.

What comes of it is believed only where it foretells judgements that it was not fitted to better than the table does
that made them: each fifth of the pairs is foretold by a fit to the others.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from dedup.score import Part
from dedup.weights import Weights

#: Judged pairs, and pairs of either word, without which nothing is fitted.
LEAST, LEAST_EACH = 200, 20
#: Pairs that have to stand at a level for its bits to move.
SEEN = 10
#: Bits by which the shipped weights of a level may well be wrong.
DOUBT = 2.0
FOLDS = 5
_ROUNDS, _STILL = 100, 1e-9
_LN2 = float(np.log(2))

Numbers = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Judged:
    """A pair with its ``weight`` and ``parts`` (hundredths of a bit), and whether it was one client."""

    parts: tuple[Part, ...]
    weight: int
    one: bool


@dataclass(frozen=True, slots=True)
class Fit:
    """``moved``: hundredths of a bit by fact and level, ``start`` for what every pair starts from.

    ``before``, ``after``: bits of surprise for each judgement under the table and under fits to the other ones.
    """

    pairs: int
    same: int
    start: int
    moved: Mapping[tuple[str, str], int]
    before: float
    after: float

    @property
    def better(self) -> bool:
        """Whether it foretells what it has not seen better than the table does."""
        return self.after < self.before


def enough(judged: Sequence[Judged]) -> bool:
    """Whether there are pairs enough to fit anything to."""
    same = sum(pair.one for pair in judged)
    return len(judged) >= LEAST and LEAST_EACH <= same <= len(judged) - LEAST_EACH


def fit(judged: Sequence[Judged]) -> Fit:
    """Fit to all pairs; ``ValueError`` where there are not ``enough``."""
    if not enough(judged):
        raise ValueError(f"too few judged pairs: {len(judged)}")
    seen = Counter((part.fact, part.level) for pair in judged for part in pair.parts)
    levels = sorted(level for level, n in seen.items() if n >= SEEN)
    place = {level: n for n, level in enumerate(levels, 1)}
    stands = np.zeros((len(judged), len(levels) + 1))
    stands[:, 0] = 1
    for row, pair in enumerate(judged):
        for part in pair.parts:
            if (part.fact, part.level) in place:
                stands[row, place[part.fact, part.level]] = 1
    told = np.array([pair.weight / 100 for pair in judged])
    one = np.array([float(pair.one) for pair in judged])
    after = np.zeros(len(judged))
    for fold in range(FOLDS):
        out = np.arange(len(judged)) % FOLDS == fold
        after[out] = _surprise(told[out] + stands[out] @ _corrections(stands[~out], told[~out], one[~out]), one[out])
    found = np.rint(100 * _corrections(stands, told, one)).astype(int)
    return Fit(
        pairs=len(judged),
        same=int(one.sum()),
        start=int(found[0]),
        moved={level: int(found[n]) for level, n in place.items() if found[n]},
        before=float(_surprise(told, one).mean()),
        after=float(after.mean()),
    )


def _corrections(stands: Numbers, told: Numbers, one: Numbers) -> Numbers:
    """Bits to add for what each pair stands at: the likeliest, by Newton's steps, halved where they lead down."""

    def height(at: Numbers) -> float:
        return float(-_LN2 * _surprise(told + stands @ at, one).sum() - (at @ at) / (2 * DOUBT**2))

    found = np.zeros(stands.shape[1])
    top = height(found)
    for _ in range(_ROUNDS):
        likely = np.exp2(-np.logaddexp2(0, -(told + stands @ found)))
        slope = _LN2 * stands.T @ (one - likely) - found / DOUBT**2
        bend = _LN2**2 * (stands.T * (likely * (1 - likely))) @ stands + np.eye(len(found)) / DOUBT**2
        step = np.linalg.solve(bend, slope)
        while (reached := height(found + step)) < top and np.abs(step).max() > _STILL:
            step = step / 2
        if reached - top < _STILL:
            break
        found, top = found + step, reached
    return found


def _surprise(bits: Numbers, one: Numbers) -> Numbers:
    """Bits of surprise about each judgement."""
    return np.asarray(np.logaddexp2(0, np.where(one > 0, -bits, bits)))


def moved(table: Weights, found: Fit, version: str) -> Weights:
    """The table with the bits that were fitted, under another name; what is forbidden and what blocks stay."""
    levels = {
        fact: {
            level: spec._replace(plus=spec.plus + by, least=spec.least + by, most=spec.most + by)
            for level, spec in given.items()
            for by in (found.moved.get((fact, level), 0),)
        }
        for fact, given in table.levels.items()
    }
    return replace(table, version=version, expected=table.expected * 2 ** (found.start / 100), levels=levels)
