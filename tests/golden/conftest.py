"""The worlds of the golden scenarios: three systems on one client, two branches beside their accountants."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, tzinfo
from pathlib import Path
from typing import Any

import pytest

from hub.exchange import runs
from hub.model.settings import RouteSettings
from hub.store.database import Store
from stand.onec.generate.build import build
from stand.onec.generate.kinds import KINDS
from stand.onec.server import OneCStand
from tests.exchange import frozen
from tests.golden.wire import PASSWORD, USER, Wire, make_wire, small_world
from tests.golden.world import PROFILES, TRIO, Builder, Clock, World, make_world


@pytest.fixture(scope="session")
def shapes() -> dict[str, frozen.Frozen]:
    """What bases of УТ, УНФ and Бухгалтерия publish, without a record but the kinds of contact information."""
    found = {}
    for kind in ("ut", "unf", "bp"):
        with OneCStand(build(seed=7, clients=5, products=5, orders=5, configuration=kind)) as running:
            found[kind] = frozen.freeze(running, "", "", PROFILES[kind])
        for stream, part in found[kind].items():
            part["records"] = part["records"] if stream == KINDS else []
    return found


class _Watch(datetime):
    """What modules of the exchange take for ``datetime``: the clock of the test."""

    clock = Clock()

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
        return cls.clock.now(tz)


@pytest.fixture
def build_world(
    store: Store, tmp_path: Path, shapes: dict[str, frozen.Frozen], monkeypatch: pytest.MonkeyPatch
) -> Builder:
    """Make a world that lives by a clock of its own: ``build_world({"ut": "ut"}, routes)``."""

    def build(systems: Mapping[str, str], routes: Mapping[str, RouteSettings] | None = None, **more: Any) -> World:
        _Watch.clock = Clock()
        monkeypatch.setattr(runs, "datetime", _Watch)
        return make_world(store, tmp_path, shapes, systems, routes, clock=_Watch.clock, **more)

    return build


@pytest.fixture
def trio(build_world: Builder) -> World:
    """УТ (trade), Бухгалтерия (accounting) and the CRM."""
    return build_world(TRIO)


@pytest.fixture
def branches(build_world: Builder) -> World:
    """Two branches with a УТ each, and the Бухгалтерия of both."""
    return build_world({"ut": "ut", "ut2": "ut", "bp": "bp"})


@pytest.fixture
def stand() -> Iterator[OneCStand]:
    """УТ on the wire."""
    with OneCStand(small_world(), user=USER, password=PASSWORD) as running:
        yield running


@pytest.fixture
def wire(stand: OneCStand, build_world: Builder) -> Wire:
    """УТ on the wire beside the CRM; both know one client and a person has seen what they say of it."""
    return make_wire(stand, build_world)
