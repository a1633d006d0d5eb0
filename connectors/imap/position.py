"""Where the reading of a mailbox stands: what a page's position holds."""

from __future__ import annotations

import zlib
from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from connectors.imap.ranges import Ranges

#: What is kept of the flags of letters.
MARKS = ("answered", "flagged")
#: Ranges longer than this, of mailboxes in which much was deleted, are packed: a place is written with every page.
_PACKED_FROM = 2000
#: A folder whose numbers begin anew more often than this, time after time, is parked.
MOST_RENEWALS = 3


@dataclass(slots=True)
class Place:
    """One folder. ``have``: uids of the letters that were read; ``uidnext``, ``modseq`` and ``exists``: of the server
    when all of it was read last, 0 while it was not. ``renewals``: times in a row that its numbers had begun anew.
    ``old``: letters under numbers that hold no more and are still to be told as gone, by uidvalidity. ``marked``: those
    of ``have`` that bore each of ``MARKS``.
    """

    uidvalidity: int = 0
    have: Ranges = field(default_factory=Ranges)
    uidnext: int = 0
    modseq: int = 0
    exists: int = 0
    renewals: int = 0
    old: dict[int, Ranges] = field(default_factory=dict)
    marked: dict[str, Ranges] = field(default_factory=lambda: {mark: Ranges() for mark in MARKS})

    @property
    def parked(self) -> bool:
        """Whether its numbers mean nothing for the time being."""
        return self.renewals > MOST_RENEWALS

    def renewed(self, uidvalidity: int) -> None:
        """Its numbers began anew: all there is has to be looked at again, and what was told holds no more."""
        if self.have:
            self.old[self.uidvalidity] = self.have
        self.uidvalidity, self.have = uidvalidity, Ranges()
        self.marked = {mark: Ranges() for mark in MARKS}
        self.uidnext = self.modseq = self.exists = 0
        self.renewals += 1

    def read(self, records: Mapping[int, Mapping[str, Any]]) -> None:
        """Letters were read, by uid: they are here, with the marks that they bear."""
        self.have.add(records)
        for mark, uids in self.marked.items():
            uids.add(uid for uid, one in records.items() if one.get(mark))

    def drop(self, uids: Sequence[int]) -> None:
        """Letters are here no more."""
        for ranges in (self.have, *self.marked.values()):
            ranges.discard(uids)

    def unchanged(self, status: Mapping[str, int]) -> bool:
        """Whether a folder that stands so holds the very letters that it held: numbers only grow, and none is missing.

        HIGHESTMODSEQ is asked for nothing but marks: it goes down on some servers, and others have none.
        """
        return (
            not self.old
            and self.uidnext > 0
            and status.get("HIGHESTMODSEQ", 0) <= (self.modseq or status.get("HIGHESTMODSEQ", 0))
            and (status.get("UIDVALIDITY"), status.get("UIDNEXT"), status.get("MESSAGES"))
            == (self.uidvalidity, self.uidnext, self.exists)
        )

    def told(self) -> dict[str, Any]:
        """As JSON; short names, since a mailbox may have hundreds of folders."""
        found: dict[str, Any] = {"v": self.uidvalidity, "u": _packed(self.have)}
        numbers = {"n": self.uidnext, "m": self.modseq, "e": self.exists, "r": self.renewals}
        found |= {name: number for name, number in numbers.items() if number}
        found |= {mark[0]: _packed(uids) for mark, uids in self.marked.items() if uids}
        if self.old:
            found["o"] = {str(uidvalidity): _packed(uids) for uidvalidity, uids in self.old.items()}
        return found

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> Place:
        """The same back."""
        return cls(
            int(told["v"]),
            _unpacked(told["u"]),
            int(told.get("n", 0)),
            int(told.get("m", 0)),
            int(told.get("e", 0)),
            int(told.get("r", 0)),
            {int(v): _unpacked(uids) for v, uids in told.get("o", {}).items()},
            {mark: _unpacked(told.get(mark[0], "")) for mark in MARKS},
        )


def _packed(ranges: Ranges) -> str:
    """As text; of many ranges the steps from one to the next, deflated: those are small and alike."""
    text = str(ranges)
    if len(text) < _PACKED_FROM:
        return text
    before, steps = 0, list[str]()
    for first, last in ranges.spans():
        steps.append(f"{first - before},{last - first}")
        before = last
    return "z" + b64encode(zlib.compress(" ".join(steps).encode(), 6)).decode()


def _unpacked(text: str) -> Ranges:
    if not text.startswith("z"):
        return Ranges.parse(text)
    last, spans = 0, list[str]()
    for step in zlib.decompress(b64decode(text[1:])).decode().split():
        gap, length = map(int, step.split(","))
        spans.append(f"{last + gap}:{last + gap + length}")
        last += gap + length
    return Ranges.parse(",".join(spans))


class Position:
    """Places by folder."""

    def __init__(self, told: Mapping[str, Any] | None) -> None:
        folders = (told or {}).get("folders", {})
        self.places = {str(name): Place.of(place) for name, place in folders.items()}

    def told(self) -> dict[str, Any]:
        """As JSON."""
        return {"folders": {name: place.told() for name, place in self.places.items()}}
