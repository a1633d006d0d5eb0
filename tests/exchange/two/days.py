"""Days of two systems that know nothing but clients, on a clock that a test moves: for histories by the dozen."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

from hub.exchange import runs
from hub.exchange.service import RunReport
from hub.model.settings import RouteSettings
from hub.store.database import open_store
from tests.exchange import frozen
from tests.exchange.two.systems import Two, make_two

ROUTES = ("ut.party", "ut2.party")
START = datetime(2026, 3, 1, 2, 0, tzinfo=UTC)


class Shapes(frozen.Frozen):
    """Streams that no failing example need print."""

    def __repr__(self) -> str:
        return "shapes"


def empty(streams: frozen.Frozen) -> frozen.Frozen:
    """The streams of a base without a single record."""
    return Shapes({name: {**part, "records": []} for name, part in streams.items()})


class Clock:
    """Each look is two seconds later, so that nothing happens at once; ``sleep`` goes to the next night."""

    def __init__(self) -> None:
        self.at = START

    def __call__(self) -> datetime:
        self.at += timedelta(seconds=2)
        return self.at

    def sleep(self) -> None:
        self.at += timedelta(days=1)


@contextmanager
def clock() -> Iterator[Clock]:
    """All of the exchange looks at this clock."""
    made, real = Clock(), runs.now
    holders = [module for module in list(sys.modules.values()) if getattr(module, "now", None) is real]
    patches = [patch.object(module, "now", made) for module in holders]
    for one in patches:
        one.start()
    try:
        yield made
    finally:
        for one in patches:
            one.stop()


@contextmanager
def two_of(
    template: Path, streams: frozen.Frozen, routes: Mapping[str, RouteSettings] | None = None
) -> Iterator[tuple[Two, Clock]]:
    """Two empty systems, УТ (trade) and another (crm), on a store of their own."""
    folder = Path(tempfile.mkdtemp(prefix="obmen_days_"))
    path = folder / "store.db"
    path.write_bytes(template.read_bytes())
    store = open_store(f"sqlite:///{path}")
    try:
        with clock() as made:
            bases = {code: frozen.load(streams) for code in ("ut", "ut2")}
            yield make_two(store, folder, bases, routes, roles={"ut": "trade", "ut2": "crm"}), made
    finally:
        store.close()
        shutil.rmtree(folder)


def night(two: Two, clock: Clock) -> RunReport:
    """The clients of both systems, a day later."""
    clock.sleep()
    return two.exchange(*ROUTES)


def show(two: Two, keys: Mapping[str, str], field: str) -> dict[str, Any]:
    """What both systems show of the one client."""
    return {system: two.shows(system, key)[field] for system, key in keys.items()}
