"""Two systems in memory with clients and orders, on a clock that moves with each look."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.store.database import Store
from tests.exchange import frozen
from tests.exchange.merging.desk import Desk
from tests.exchange.two.clock import Clock, ticking
from tests.exchange.two.systems import bare, make_two


@pytest.fixture(autouse=True)
def clock(request: pytest.FixtureRequest) -> Iterator[Clock | None]:
    """The clock of the test; histories by the dozen have their own."""
    if request.module.__name__.endswith("test_histories"):
        yield None
        return
    with ticking(Clock()) as moving:
        yield moving


@pytest.fixture
def desk(store: Store, tmp_path: Path, frozen_streams: frozen.Frozen) -> Desk:
    """УТ (trade) and a second one (crm), empty; each may write all clients and makes none."""
    bases = {"ut": bare(frozen_streams), "ut2": bare(frozen_streams)}
    return Desk(make_two(store, tmp_path, bases, roles={"ut": "trade", "ut2": "crm"}))
