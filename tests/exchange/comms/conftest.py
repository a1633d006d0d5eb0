"""Firms of these tests read by small profiles of their own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hub.store.database import Store
from mappings import profile
from tests.exchange.comms.world import PROFILES, Firm, make_firm


@pytest.fixture(autouse=True)
def own_profiles(monkeypatch: pytest.MonkeyPatch) -> None:
    """The profiles of the tests are the ones there are."""
    monkeypatch.setattr(profile, "ROOT", PROFILES)


@pytest.fixture
def make(store: Store, tmp_path: Path) -> Callable[..., Firm]:
    """Make a firm on the store of the test."""

    def build(**told: Any) -> Firm:
        return make_firm(store, tmp_path, **told)

    return build


@pytest.fixture
def firm(make: Callable[..., Firm]) -> Firm:
    """A firm that has read its systems once: what comes now is new."""
    made = make()
    made.night()
    return made
