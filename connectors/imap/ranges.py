"""Numbers of letters as sets that stay small: ``1:5,7`` as IMAP writes them."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator


class Ranges:
    """A set of whole numbers kept as ranges, ordered; what is added at its end costs nothing."""

    __slots__ = ("_first", "_last")

    def __init__(self, numbers: Iterable[int] = ()) -> None:
        self._first: list[int] = []
        self._last: list[int] = []
        self.add(numbers)

    @classmethod
    def parse(cls, text: str) -> Ranges:
        """Of ``str``, or of what a server writes (``7:5`` is ``5:7``); ``ValueError`` for anything else."""
        made = cls()
        spans = []
        for part in filter(None, text.split(",")):
            first, _, last = part.partition(":")
            one, other = int(first), int(last or first)
            spans.append((min(one, other), max(one, other)))
        for first_, last_ in sorted(spans):
            made._append(first_, last_)
        return made

    def _append(self, first: int, last: int) -> None:
        if self._last and first <= self._last[-1] + 1:
            self._last[-1] = max(self._last[-1], last)
        else:
            self._first.append(first)
            self._last.append(last)

    def add(self, numbers: Iterable[int]) -> None:
        """Add numbers, in any order."""
        new = sorted(numbers)
        if not new:
            return
        if self._last and new[0] <= self._last[-1]:
            spans = sorted([*zip(self._first, self._last, strict=True), *((n, n) for n in new)])
            self._first, self._last = [], []
        else:
            spans = [(n, n) for n in new]
        for first, last in spans:
            self._append(first, last)

    def discard(self, numbers: Iterable[int]) -> None:
        """Take numbers out; those that are not in it do no harm."""
        gone = sorted(set(numbers))
        if not gone:
            return
        spans = list(zip(self._first, self._last, strict=True))
        self._first, self._last = [], []
        for first, last in spans:
            for n in gone[bisect_left(gone, first) : bisect_right(gone, last)]:
                if first < n:
                    self._append(first, n - 1)
                first = n + 1
            if first <= last:
                self._append(first, last)

    def within(self, other: Ranges) -> list[int]:
        """The numbers that are in both, in order."""
        return [n for first, last in other.spans() for n in self._between(first, last)]

    def _between(self, low: int, high: int) -> Iterator[int]:
        place = bisect_left(self._last, low)
        while place < len(self._first) and self._first[place] <= high:
            yield from range(max(low, self._first[place]), min(high, self._last[place]) + 1)
            place += 1

    def spans(self) -> Iterator[tuple[int, int]]:
        """First and last of each range, in order."""
        return zip(self._first, self._last, strict=True)

    def __contains__(self, number: int) -> bool:
        place = bisect_left(self._last, number)
        return place < len(self._first) and self._first[place] <= number

    def __iter__(self) -> Iterator[int]:
        for first, last in self.spans():
            yield from range(first, last + 1)

    def __len__(self) -> int:
        return sum(last - first + 1 for first, last in self.spans())

    def __bool__(self) -> bool:
        return bool(self._first)

    def __str__(self) -> str:
        return ",".join(str(a) if a == b else f"{a}:{b}" for a, b in self.spans())

    @property
    def last(self) -> int:
        """The highest number; 0 of an empty set."""
        return self._last[-1] if self._last else 0
