"""What one process keeps while it runs steps: the opened hub, which systems are down, which steps wait."""

from __future__ import annotations

import atexit
import math
import time
from collections.abc import Callable, Collection
from pathlib import Path

from hub.exchange.hub import Hub
from hub.model.errors import HubError, RetryLater

#: A system that did not answer is not asked for its other routes for this many seconds: less than the first wait
#: before a step is tried again.
DOWN_FOR = 20.0


class Workplace:
    """Opens the hub at first use and keeps it for the process: sixteen steps compile the mappings once."""

    def __init__(self, opener: Callable[[], Hub], clock: Callable[[], float] = time.monotonic) -> None:
        self._opener = opener
        self._clock = clock
        self._hub: Hub | None = None
        self._down: dict[tuple[str, str], tuple[HubError, float]] = {}
        self._waiting: set[tuple[str, str]] = set()

    @classmethod
    def at(cls, home: Path) -> Workplace:
        """The workplace of an installation."""
        return cls(lambda: Hub.open(home))

    @property
    def hub(self) -> Hub:
        """The opened hub; ``HubError`` if it cannot be opened."""
        if self._hub is None:
            self._hub = self._opener()
            atexit.register(self.close)
        return self._hub

    def close(self) -> None:
        """Give sessions and connections back."""
        hub, self._hub = self._hub, None
        if hub is not None:
            hub.close()

    def note_down(self, run: str, system: str, error: HubError) -> None:
        """Remember that the system refused as a whole in this run: for a while, or for good (a wrong password)."""
        lasts = DOWN_FOR if isinstance(error, RetryLater) else math.inf
        self._down[run, system] = (error, self._clock() + lasts)

    def known_down(self, run: str, system: str) -> HubError | None:
        """Why the system need not be asked now; None once it is worth another try."""
        error, until = self._down.get((run, system), (None, 0.0))
        return error if self._clock() < until else None

    def begin(self, run: str, step: str) -> None:
        """The step is at work now."""
        self._waiting.discard((run, step))

    def put_off(self, run: str, step: str) -> None:
        """The step will be tried again later."""
        self._waiting.add((run, step))

    def waits(self, run: str, besides: Collection[str] = ()) -> bool:
        """True while some step of the run, none of ``besides``, is put off."""
        return any(each == run and step not in besides for each, step in self._waiting)
