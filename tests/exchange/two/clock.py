"""A clock that a test moves: each look at it is a second later, so that what comes after is told apart from before."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from hub.exchange import runs


class Clock:
    """Stands in for ``runs.now``; begins today at the same hour, so that a story goes the same way each time."""

    def __init__(self, at: datetime | None = None) -> None:
        self.at = at or datetime.now(UTC).replace(hour=18, minute=0, second=0, microsecond=0)

    def __call__(self) -> datetime:
        """The present second; the next look is a second later."""
        self.at += timedelta(seconds=1)
        return self.at

    def pass_(self, **span: float) -> None:
        """Let time pass."""
        self.at += timedelta(**span)


@contextmanager
def ticking(clock: Clock) -> Iterator[Clock]:
    """All of the hub looks at this clock."""
    honest = runs.now
    places = [module for name, module in sys.modules.items() if name.startswith("hub.")]
    moved = [module for module in places if module.__dict__.get("now") is honest]
    for module in moved:
        module.__dict__["now"] = clock
    try:
        yield clock
    finally:
        for module in moved:
            module.__dict__["now"] = honest
