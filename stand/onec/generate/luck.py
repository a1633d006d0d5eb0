"""Cheap deterministic randomness: one generator, no call that depends on the Python version's distribution code."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import TypeVar

T = TypeVar("T")


class Luck:
    """Draws from one seeded generator; only ``random()`` and ``getrandbits()`` are used, whose streams are stable."""

    def __init__(self, seed: int) -> None:
        source = Random(seed)
        self.real = source.random
        self.bits = source.getrandbits

    def pick(self, items: Sequence[T]) -> T:
        """Any item, all equally likely."""
        return items[int(self.real() * len(items))]

    def whole(self, low: int, high: int) -> int:
        """A whole number from ``low`` to ``high``, both included."""
        return low + int(self.real() * (high - low + 1))

    def chance(self, share: float) -> bool:
        """True in that share of calls."""
        return self.real() < share

    def digits(self, count: int) -> str:
        """That many decimal digits, leading zeros kept."""
        return f"{int(self.real() * 10**count):0{count}d}"

    def guid(self) -> str:
        """A time-based looking GUID, as 1C makes them."""
        bits = self.bits(96)
        text = f"{bits:024x}"
        return f"{text[:8]}-{text[8:12]}-11e{text[12]}-{8 + int(text[13], 16) % 4:x}{text[14:17]}-0050{text[16:24]}"
