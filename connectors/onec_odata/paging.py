"""How to walk a set by ``$skip`` without losing a record while people write to the base. No I/O.

1C cannot page by key (``Ref_Key gt`` fails), so pages are counted from the start, and a record deleted behind us shifts
everything that follows. Hence the *seam*: every page begins a few records before the last one ended. As long as it
shows at least one record of the last page, nothing between them was lost, and the repeats are dropped. If it shows
none, more was deleted than the seam is long: ``Seam`` steps back until it finds the last page again.

``Sizer`` keeps a page's weight near a target: documents with a thousand lines make 1C run out of memory at
``$top=1000``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import msgspec

Key = tuple[str, ...]
KeyOf = Callable[[msgspec.Raw], Key]

#: Records that a page shares with the one before it, and how many of its last keys are kept to know them by.
OVERLAP = 10
TAIL = 64
#: The first page of a stream that was never read: 1C's own advice is to probe before asking for a thousand.
PROBE = 50
#: Pages to search backwards for the last record known, before the set is read again from its start.
STEPS_BACK = 8
_GROWTH = 8
_SIGNATURE = 3


@dataclass(slots=True)
class Sizer:
    """How many records to ask for. ``most``: the settings' limit; ``target``: bytes that a page should weigh."""

    most: int
    target: int
    size: int = 0

    def __post_init__(self) -> None:
        self.most = max(1, self.most)
        self.size = min(self.size or PROBE, self.most)

    def learn(self, rows: int, nbytes: int) -> None:
        """Fit the size to what the records of the last page weighed; growth is bounded, for the next may be fatter."""
        if rows:
            ideal = max(1, self.target * rows // max(1, nbytes))
            self.size = min(self.most, ideal, self.size * _GROWTH)

    def halve(self) -> bool:
        """Ask for half as many, and never for more again in this walk; ``False`` when it is one already."""
        if self.size <= 1:
            return False
        self.size = self.most = self.size // 2
        return True


class Stuck(Exception):
    """The server gives the same records whatever ``$skip`` says."""


@dataclass(slots=True)
class Seam:
    """Where the walk stands: ``done`` records of the set are behind us, ``tail`` are the keys of the last of them."""

    done: int = 0
    tail: list[Key] = field(default_factory=list)
    back: int = 0
    restarted: bool = False
    suspect: int = 0
    first: list[Key] = field(default_factory=list)
    recent: tuple[int, list[Key]] = (0, [])

    @classmethod
    def resume(cls, position: dict[str, Any] | None) -> Seam:
        """Go on from the position of a page delivered earlier, perhaps by another process."""
        if not position:
            return cls()
        return cls(int(position["skip"]), [tuple(key) for key in position.get("tail", ())])

    @property
    def position(self) -> dict[str, Any]:
        """What ``resume`` needs; JSON-able and small."""
        return {"skip": self.done, "tail": [list(key) for key in self.tail[-OVERLAP:]]}

    def start(self, size: int) -> int:
        """``$skip`` of the next page of ``size`` records. A page of one record leaves no room for an overlap."""
        overlap = min(OVERLAP, len(self.tail), size // 2)
        if self.back > STEPS_BACK:
            self.restarted = True
            return 0
        return max(0, self.done - overlap - self.back * (size - overlap))

    def accept(self, start: int, rows: list[msgspec.Raw], key_of: KeyOf) -> list[msgspec.Raw] | None:
        """The new ones among ``rows``, which were read at ``$skip=start``; ``None``: ask again, further back.

        ``Stuck`` when they are the records of another ``$skip``, twice: once can be chance, when as many records were
        inserted before us as we went ahead.
        """
        if self._repeated(start, [key_of(raw) for raw in rows[:_SIGNATURE]]):
            self.back += 1
            return None
        fresh: list[msgspec.Raw] | None = rows
        if self.tail and start < self.done:
            fresh = _without(rows, set(self.tail), key_of)
            if fresh is None and start > 0 and not self.restarted:
                self.back += 1
                return None
        self.done = start + len(rows)
        self.tail = (self.tail + [key_of(raw) for raw in rows[-TAIL:]])[-TAIL:]
        self.back = 0
        return rows if fresh is None else fresh

    def _repeated(self, start: int, signature: list[Key]) -> bool:
        before, seen = self.recent
        again = (start > 0 and signature == self.first) or (start != before and signature == seen)
        self.recent = (start, signature)
        if start == 0:
            self.first = signature
            return False
        self.suspect = self.suspect + 1 if signature and again else 0
        if self.suspect > 1:
            raise Stuck
        return self.suspect > 0


def _without(rows: list[msgspec.Raw], known: set[Key], key_of: KeyOf) -> list[msgspec.Raw] | None:
    """``rows`` without the known ones, or ``None`` when none is known.

    Repeats stand at the head; the whole page is searched only when they do not.
    """
    near = 2 * TAIL
    for head, rest in ((rows[:near], rows[near:]), (rows, [])):
        fresh = [raw for raw in head if key_of(raw) not in known]
        if len(fresh) < len(head):
            return fresh + rest
    return None
