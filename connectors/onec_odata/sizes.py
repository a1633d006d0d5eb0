"""How many records to ask for at once. No I/O.

A page is kept near a weight and within a time, because documents with a thousand lines make 1C run out of memory at
``$top=1000``. What failed is remembered as a ceiling and approached again from below, ever more rarely, so that a base
that cannot do more is not asked for more on every other page, and one that was only short of memory for an hour is
read in full pages again.
"""

from __future__ import annotations

from dataclasses import dataclass

#: The first page of a stream that was never read: 1C's own advice is to probe before asking for a thousand.
PROBE = 50
_GROWTH = 8
#: Good pages before a size near the one that failed is tried: at first, and at most.
WAIT, LONGEST_WAIT = 2, 64


@dataclass(slots=True)
class Sizer:
    """``most``: the settings' limit; ``target`` bytes and ``seconds``: what a page should weigh and take at most.

    ``limit`` is what is dared now, ``failed`` the smallest size that failed since a bigger one worked (0: none),
    ``proven`` the biggest full page since the last failure.
    """

    most: int
    target: int
    seconds: float = 30.0
    size: int = 0
    limit: int = 0
    failed: int = 0
    proven: int = 0
    _good: int = 0
    _wait: int = WAIT
    _failing: bool = False

    def __post_init__(self) -> None:
        self.most = self.limit = max(1, self.most)
        self.size = min(self.size or PROBE, self.most)

    def learn(self, rows: int, nbytes: int, seconds: float = 0.0) -> None:
        """Fit the size to what the last page weighed and took; growth is bounded, for the next may be fatter."""
        if not rows:
            return
        if seconds > self.seconds and self.halve():
            return
        size = self.size
        if rows >= size:
            self._works(size)
        by_weight = max(1, self.target * rows // max(1, nbytes))
        by_time = int(rows * self.seconds / 2 / max(seconds, 0.001))
        self.size = min(self.limit, by_weight, size * _GROWTH, max(size, by_time))

    def _works(self, size: int) -> None:
        """A full page of ``size`` came: dare more when that was all we dared, and have waited long enough."""
        self._failing = False
        self.proven = max(self.proven, size)
        if self.failed and size >= self.failed:
            self.failed, self._good, self._wait = 0, 0, max(WAIT, self._wait // 2)
        if size < self.limit or self.limit >= self.most:
            return
        self._good += 1
        if not self.failed:
            self.limit = min(self.most, 2 * size)
        elif self._good >= self._wait:
            self._good = 0
            self.limit = size + max(1, (self.failed - size) // 2)

    def halve(self) -> bool:
        """The page was too much: ask for half, or for what worked before; ``False`` when it is one record already."""
        if self.size <= 1:
            return False
        if not self._failing:
            self._wait = min(LONGEST_WAIT, 2 * self._wait)
        self._failing, self._good, self.failed = True, 0, self.size
        self.limit = self.size = self.proven if 0 < self.proven < self.size else self.size // 2
        self.proven = 0
        return True
