"""A small stand (the УТ shape, 150 clients) for tests of the exchange, and the same base frozen in memory."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from connectors.memory import MemoryBase
from hub.store.database import Store, open_store
from stand.onec.generate.build import build
from stand.onec.server import OneCStand
from stand.onec.world import World
from tests.exchange import frozen
from tests.exchange.two.days import empty
from tests.exchange.unrest import small

USER, PASSWORD = "обмен", "секрет-Пароль"


def small_world() -> World:
    """The data of ``stand``, made anew."""
    return build(seed=7, clients=150, products=120, orders=500, today=date(2026, 11, 13))


@pytest.fixture
def stand() -> Iterator[OneCStand]:
    """A running stand with data of its own; user and password are Cyrillic."""
    with OneCStand(small_world(), user=USER, password=PASSWORD) as running:
        yield running


@pytest.fixture(scope="session")
def frozen_streams() -> frozen.Frozen:
    """What that stand sends, stream by stream; not to be changed by a test."""
    with OneCStand(small_world(), user=USER, password=PASSWORD) as running:
        return frozen.freeze(running, USER, PASSWORD)


@pytest.fixture(scope="session")
def shapes(frozen_streams: frozen.Frozen) -> frozen.Frozen:
    """The streams without their records."""
    return empty(frozen_streams)


@pytest.fixture
def base(frozen_streams: frozen.Frozen) -> MemoryBase:
    """The frozen base, for this test alone."""
    return frozen.load(frozen_streams)


@pytest.fixture
def small_base(frozen_streams: frozen.Frozen) -> MemoryBase:
    """A few clients and orders of it, with the node ``n`` subscribed to their changes."""
    made = small(frozen_streams)
    made.subscribe("n")
    return made


@pytest.fixture
def quick(tmp_path: Path, sqlite_template: Path) -> Iterator[Store]:
    """A store on SQLite alone, for what does not hang on the database."""
    path = tmp_path / "store.db"
    path.write_bytes(sqlite_template.read_bytes())
    made = open_store(f"sqlite:///{path}")
    yield made
    made.close()
