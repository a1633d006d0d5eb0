"""Killed with signal 9 between any two steps of reading and writing, the exchange ends as if nobody had."""

from __future__ import annotations

import os
import random
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.exchange.two.killed import scenario

SEED = 20261126
#: Kills that every run of the suite tries, and those of the long one.
SHARE, MANY = 8, 220
pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")


@pytest.fixture(scope="module")
def undisturbed(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], list[int]]:
    """The end of the story when nobody is killed, and how many steps each night took."""
    folder = tmp_path_factory.mktemp("undisturbed")
    shutil.copyfile(sqlite_template, folder / "store.db")
    state, steps = scenario(f"sqlite:///{folder / 'store.db'}", folder)
    assert len(state["ut Catalog_Контрагенты"]) == 4
    assert state["outbox"] == []
    return state, steps


def kills(steps: list[int], number: int) -> list[tuple[int, int]]:
    """The kill of that number: a night and a step, sometimes a second one soon after the restart."""
    rng = random.Random(SEED + number)
    night = rng.choices(range(len(steps)), steps)[0]
    first = (night, rng.randint(1, steps[night]))
    return [first, (night, rng.randint(1, steps[night]))] if rng.random() < 0.3 else [first]


def check(url: str, folder: Path, undisturbed: tuple[dict[str, Any], list[int]], number: int) -> None:
    """One killed life ends as the undisturbed one."""
    wanted, steps = undisturbed
    chosen = kills(steps, number)
    state, _ = scenario(url, folder, chosen)
    assert state == wanted, chosen


@pytest.mark.parametrize("number", range(SHARE))
def test_a_killed_exchange_ends_like_one_that_was_not(
    tmp_path: Path, sqlite_template: Path, undisturbed: tuple[dict[str, Any], list[int]], number: int
) -> None:
    """Nothing is lost, nothing is made twice, and the systems show what they would have shown."""
    shutil.copyfile(sqlite_template, tmp_path / "store.db")
    check(f"sqlite:///{tmp_path / 'store.db'}", tmp_path, undisturbed, number)


@pytest.mark.slow
@pytest.mark.parametrize("number", range(SHARE, MANY))
def test_many_killed_exchanges(
    tmp_path: Path, sqlite_template: Path, undisturbed: tuple[dict[str, Any], list[int]], number: int
) -> None:
    """The same at many more places."""
    shutil.copyfile(sqlite_template, tmp_path / "store.db")
    check(f"sqlite:///{tmp_path / 'store.db'}", tmp_path, undisturbed, number)


@pytest.mark.parametrize("number", range(1000, 1002))
def test_killed_on_either_database(
    store_url: str, tmp_path: Path, undisturbed: tuple[dict[str, Any], list[int]], number: int
) -> None:
    """A few of them on PostgreSQL too."""
    check(store_url, tmp_path, undisturbed, number)
