"""What a long pull does between pages: tell how far it is, and stop when Dagster no longer counts on it."""

from __future__ import annotations

import time
from collections.abc import Callable

from dagster import AssetKey, AssetObservation, DagsterInstance, DagsterRunStatus

from hub.exchange.service import Progress
from hub.texts import sentence

_GOING_ON = frozenset({DagsterRunStatus.STARTING, DagsterRunStatus.STARTED})
#: Each is a row in Dagster's event log for good.
LOG_EVERY = 10.0
OBSERVE_EVERY = 60.0
LOOK_EVERY = 2.0


class Teller:
    """Writes progress to the run's log, now and then also as an observation that stays on the asset's page."""

    def __init__(
        self,
        info: Callable[[str], None],
        observe: Callable[[AssetObservation], None],
        key: AssetKey,
        lang: str,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._info, self._observe = info, observe
        self._key, self._lang, self._clock = key, lang, clock
        self._logged = self._observed = clock()

    def __call__(self, progress: Progress) -> None:
        """Called by the exchange after every page."""
        now = self._clock()
        if now - self._logged >= LOG_EVERY:
            self._logged = now
            self._info(self._text(progress))
        if now - self._observed >= OBSERVE_EVERY:
            self._observed = now
            self._observe(AssetObservation(self._key, metadata=self._numbers(progress)))

    def _text(self, progress: Progress) -> str:
        return sentence(
            "dg_progress_open" if progress.total is None else "dg_progress",
            self._lang,
            route=progress.route,
            done=progress.done,
            total=progress.total,
            created=progress.created,
            updated=progress.updated,
        )

    def _numbers(self, progress: Progress) -> dict[str, int]:
        numbers = {"dg_done": progress.done, "dg_created": progress.created, "dg_updated": progress.updated}
        if progress.total is not None:
            numbers["dg_total"] = progress.total
        return {sentence(label, self._lang): number for label, number in numbers.items()}


class Fence:
    """True once the run is no longer going on in Dagster: ended by a person, or failed because it seemed dead."""

    def __init__(self, instance: DagsterInstance, run_id: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._instance, self._run_id, self._clock = instance, run_id, clock
        self._looked = clock()
        self._down = False

    def __call__(self) -> bool:
        """Called by the exchange before every page; reads Dagster's storage every ``LOOK_EVERY`` seconds at most."""
        now = self._clock()
        if not self._down and now - self._looked >= LOOK_EVERY:
            self._looked = now
            run = self._instance.get_run_by_id(self._run_id)
            self._down = run is None or run.status not in _GOING_ON
        return self._down
