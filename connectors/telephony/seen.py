"""What a poll remembers of the calls that it looks at again: that nothing changed shows by a few hundred bytes.

An exchange writes a leg when it ends, under the moment when it began, so that the last hours are looked at again and
again. They are cut into half hours; of each the token holds a hash of its calls. A half hour that hashes the same has
nothing new; of one that does not, all calls are delivered (those that are as they were count as unchanged).

A token is ``{"until", "seen"}`` once a read has come to its end, and has ``"after"`` (start and name of the last call
delivered) while it has not.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from connectors.telephony.columns import FIRST

_SPAN = timedelta(minutes=30)


def slot(start: datetime) -> int:
    """The half hour that a call began in."""
    return (start - FIRST) // _SPAN


@dataclass(slots=True)
class Place:
    """Where reading stands. ``until``: the start of the last call seen; ``marks``: hashes by half hour."""

    until: datetime | None = None
    after: tuple[datetime, str] | None = None
    marks: dict[int, str] = field(default_factory=dict)

    @classmethod
    def told(cls, position: dict[str, Any] | None) -> Place:
        """Out of a token."""
        position = position or {}
        after, until = position.get("after"), position.get("until")
        return cls(
            datetime.fromisoformat(until) if until else None,
            (datetime.fromisoformat(after[0]), after[1]) if after else None,
            {int(key): mark for key, mark in position.get("seen", {}).items()},
        )

    def token(self) -> dict[str, Any]:
        """As it is kept."""
        kept: dict[str, Any] = {"until": self.until.isoformat() if self.until else None}
        if self.after:
            kept["after"] = [self.after[0].isoformat(), self.after[1]]
        return {**kept, "seen": {str(key): mark for key, mark in self.marks.items()}}

    def begins(self, reach: timedelta) -> datetime:
        """From when on calls are looked at: a whole half hour."""
        if self.after:
            return FIRST + slot(self.after[0]) * _SPAN
        return FIRST + slot(self.until - reach) * _SPAN if self.until else FIRST

    def saw(self, start: datetime, now: datetime) -> None:
        """A call began then. A clock that ran ahead for a moment must not hide what follows."""
        if start <= now + timedelta(days=1) and (self.until is None or start > self.until):
            self.until = start

    def keep(self, number: int, mark: str, reach: timedelta) -> None:
        """Remember a half hour that was looked at to its end, and forget those that no poll will look at."""
        self.marks[number] = mark
        oldest = slot(self.until - reach) if self.until else 0
        for key in [key for key in self.marks if key < oldest]:
            del self.marks[key]
