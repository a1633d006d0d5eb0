"""How to walk a set by ``$skip`` without losing a record while people write to the base. No I/O.

1C cannot page by key (``Ref_Key gt`` fails), so pages are counted from the start, and a record deleted behind us (or
renamed to stand further on) shifts everything that follows. Hence the *seam*: every page begins a few records before
the last one ended, and is believed only when it joins on to what was read.

It joins on when it begins exactly with the last records read, or when it shows one of them unchanged. *Unchanged*
matters: the records before a page are then all records that were read already or have been changed meanwhile, because
records that nobody touches keep their order. One that was renamed may stand anywhere and proves nothing; records with
a DataVersion tell such a change by it, and of the others two are wanted that still stand in the same order. A page that
does not join on is asked for again further back, in the end from the start.

What a walk cannot show is a record that is moved from before us to behind us while we read. It was edited, so the next
pass, which sees every record whatever its place, brings it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import msgspec

Key = tuple[str, ...]
#: A record as it was seen: its key, and a number that changes when the record does (``rows.sight``).
Seen = tuple[Key, int]
Sight = Callable[[msgspec.Raw], Seen]

#: Records that a page shares with the one before it, and how many of the last ones are kept to know them by.
OVERLAP = 10
TAIL = 64
#: Pages to search backwards for the last record known, before the set is read again from its start; how often that.
STEPS_BACK = 8
RESTARTS = 8
_SIGNATURE = 3
#: Where repeats are looked for first; they stand at the head of a page.
_NEAR = 2 * TAIL


class Stuck(Exception):
    """The server seems to give the same records whatever ``$skip`` says: ask it for what lies far beyond the end."""


class Unsteady(Exception):
    """The set changes faster than it can be read: no page joins on to the one before it, again and again."""


@dataclass(slots=True)
class Seam:
    """Where the walk stands: ``done`` records are behind us, ``tail`` are the last of them as they were seen.

    ``versioned``: a change of a record always shows, because its DataVersion (or all of it) is asked for.
    """

    done: int = 0
    tail: list[Seen] = field(default_factory=list)
    versioned: bool = True
    back: int = 0
    restarts: int = 0
    suspect: int = 0
    first: list[Key] = field(default_factory=list)
    recent: tuple[int, list[Key]] = (0, [])

    @classmethod
    def resume(cls, position: dict[str, Any] | None, *, versioned: bool = True) -> Seam:
        """Go on from the position of a page delivered earlier, perhaps by another process."""
        if not position or "skip" not in position:
            return cls(versioned=versioned)
        tail = [(tuple(key), int(seen)) for *key, seen in position.get("tail", ())]
        return cls(int(position["skip"]), tail, versioned)

    @property
    def position(self) -> dict[str, Any]:
        """What ``resume`` needs; JSON-able and small."""
        return {"skip": self.done, "tail": [[*key, str(seen)] for key, seen in self.tail[-OVERLAP:]]}

    def start(self, size: int, least: int = 0) -> int:
        """``$skip`` of the next page of ``size`` records, which overlaps by ``least`` at least.

        A page of one record leaves no room for an overlap.
        """
        overlap = min(OVERLAP, len(self.tail), max(least, size // 2))
        if self.back > STEPS_BACK:
            return 0
        return max(0, self.done - overlap - self.back * max(1, size - overlap))

    def accept(self, start: int, rows: list[msgspec.Raw], sight: Sight) -> list[msgspec.Raw] | None:
        """The new ones among ``rows``, which were read at ``$skip=start``; ``None``: ask again, further back.

        ``Stuck`` when they are the records of another ``$skip``, twice: which can be chance, when as many records were
        inserted before us as we went ahead. ``Unsteady`` when the set had to be begun anew too often.
        """
        head = [sight(raw) for raw in rows[:_NEAR]]
        if self._repeated(start, [key for key, _ in head[:_SIGNATURE]]):
            self.back += 1
            return None
        fresh = rows
        if self.tail and start < self.done:
            if self.anchor(start, head, versioned=self.versioned) is None:
                head += [sight(raw) for raw in rows[_NEAR:]]
                if self.anchor(start, head, versioned=self.versioned) is None:
                    self.back += 1
                    return None
            known = dict(self.tail)
            fresh = [raw for raw, (key, mark) in zip(rows, head, strict=False) if known.get(key) != mark]
            fresh += rows[len(head) :]
        self._settle(start)
        self.done = start + len(rows)
        self.tail = (self.tail + [sight(raw) for raw in rows[-TAIL:]])[-TAIL:]
        return fresh

    def follow(self, start: int, rows: list[Seen], *, versioned: bool) -> int | None:
        """``$skip`` of the record after the last one read, looked up among ``rows``, the keys of a page at ``start``.

        For pages of one record, which cannot overlap: the walk then stands there, and the page needs no other proof.
        ``None``: they do not join on, look further back.
        """
        place = self.anchor(start, rows, versioned=versioned)
        if place is None:
            self.back += 1
            return None
        self._settle(start)
        self.done = start + 1 + place
        return self.done

    def anchor(self, start: int, rows: list[Seen], *, versioned: bool) -> int | None:
        """The last of ``rows``, a page at ``start``, up to which no untouched record can be unread.

        ``None``: the page does not join on. ``-1``: it is the start of the set, and all of it may be unread.
        """
        shared = self.done - start
        ending = [key for key, _ in self.tail[-shared:]]
        if shared == len(ending) and [key for key, _ in rows[:shared]] == ending:
            return shared - 1
        places = {key: place for place, (key, _) in enumerate(self.tail)}
        found = [(here, places[key], mark) for here, (key, mark) in enumerate(rows) if key in places]
        if versioned:
            sure = [here for here, there, mark in found if self.tail[there][1] == mark]
        else:
            sure = [two[0] for one, two in pairwise(found) if one[1] < two[1]]
            sure = sure or [here for here, _, _ in found if shared == 1]
        return sure[-1] if sure else (-1 if start <= 0 else None)

    def trust(self) -> None:
        """The server does heed ``$skip``: that the same records came twice was chance."""
        self.suspect, self.first, self.recent = 0, [], (0, [])

    def _settle(self, start: int) -> None:
        """The page joins on. That the start of the set does is no merit: it is counted, so that every walk ends."""
        if self.back and start == 0:
            self.restarts += 1
            if self.restarts > RESTARTS:
                raise Unsteady
        self.back = 0

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
