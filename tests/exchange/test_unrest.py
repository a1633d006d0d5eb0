"""Random edits while the connector reads: once they stop and one more pass has run, the store equals the base."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from connectors.memory import MemoryBase, MemoryConnector
from hub.exchange import ways
from hub.exchange.hub import Hub
from hub.exchange.service import RunReport, exchange_changes, run_exchange
from hub.model.settings import BudgetSettings, RouteSettings, SystemSettings
from hub.store.database import Store, open_store
from tests.exchange import frozen
from tests.exchange.dump import Dump, dump
from tests.exchange.installation import make_hub
from tests.exchange.unrest import CHANGED, Killed, People, RestlessConnector, bury, deadly, small

COMPARED = ("party", "sales_order")
#: What each strategy is set up with: ``read`` of clients and orders, days of their windows, node, "changed at".
STRATEGIES: dict[str, dict[str, Any]] = {
    "feed": {"read": "auto", "node": "n"},
    "modified": {"read": "auto", "changed": True},
    "window": {"read": "window"},
    "sweep": {"read": "auto", "window_days": 1},
    "full": {"read": "full"},
}
NO_BRAKES = {"change_budget": BudgetSettings(), "delete_budget": BudgetSettings()}


@pytest.fixture(autouse=True)
def sweeps_are_always_due(monkeypatch: pytest.MonkeyPatch) -> None:
    """A pass of these tests stands for one with the night's sweep."""
    monkeypatch.setattr(ways, "_DUE", {"nightly": timedelta(0), "weekly": timedelta(0)})


def overlay(folder: Path) -> Path:
    """Mappings of clients and orders with their "changed at"."""
    folder.mkdir(exist_ok=True)
    for name in ("counterparty", "sales_order"):
        (folder / f"{name}.yaml").write_text(f"changed: {CHANGED}\n", encoding="utf-8")
    return folder


def system(home: Path, strategy: dict[str, Any]) -> SystemSettings:
    """The system ``ut`` as the strategy wants it."""
    changed = overlay(home / "overlay") if strategy.get("changed") else None
    return SystemSettings(
        code="ut",
        kind="memory",
        timezone="Europe/Moscow",
        profile="onec_ut11",
        page_size=1000,
        overlay=changed,
        node=strategy.get("node"),
    )


def restless_hub(store: Store, home: Path, strategy: dict[str, Any], connector: MemoryConnector) -> Hub:
    """A hub of one process: clients and orders by the strategy, everything else as by default.

    Without brakes: people here delete more of the orders than a night may end unasked.
    """
    settings = {"read": strategy["read"], "window_days": strategy.get("window_days", 40), **NO_BRAKES}
    routes = {f"ut.{entity}": RouteSettings(f"ut.{entity}", **settings) for entity in COMPARED}
    return make_hub(store, home, {"ut": connector}, {"ut": system(home, strategy)}, routes)


def take(hub: Hub, whole: bool) -> RunReport:
    """One pass: changes, or the two routes exchanged."""
    return run_exchange(hub, [f"ut.{entity}" for entity in COMPARED]) if whole else exchange_changes(hub)


def truth(base: MemoryBase, home: Path) -> Dump:
    """What a new store holds that has read the base once and whole, in peace."""
    store = open_store(f"sqlite:///{home / 'truth.db'}")
    store.migrate()
    hub = restless_hub(store, home, {"read": "full"}, MemoryConnector(base))
    assert run_exchange(hub).exit_code in {0, 1}
    state = dump(store)
    store.close()
    return state


def living(state: Dump) -> dict[str, list[Any]]:
    """Clients and orders that are not deleted; refused and waiting ones."""
    told = {name: [row for row in state[name] if row[1] != "deleted"] for name in COMPARED}
    return told | {name: state[name] for name in ("parked", "quarantine")}


def deleted(state: Dump) -> set[str]:
    """Keys of what is in state deleted."""
    return {row[0] for name in COMPARED for row in state[name] if row[1] == "deleted"}


def passes(store: Store, home: Path, strategy: dict[str, Any], people: People, size: int, rounds: int) -> None:
    """Passes in unrest, each a process of its own, which may fail or be killed; then peace and one more pass."""
    rng, kills = people.rng, 0
    for number in range(rounds):
        connector = RestlessConnector(people, size, strategy.get("node", ""))
        connector.unrest, connector.faults = 0.4, rng.choice([0.0, 0.0, 0.08])
        try:
            with deadly(store, rng, rng.choice([0.0, 0.0, 0.01])):
                for report in take(restless_hub(store, home, strategy, connector), number == 0).routes:
                    assert report.counters.balanced
                    assert report.error is None or report.error.code == "source_unreachable", report.error
        except Killed:
            kills += 1
            bury(store)
        for _ in range(rng.randint(0, 5)):
            people.act()
    last = take(restless_hub(store, home, strategy, RestlessConnector(people, size, strategy.get("node", ""))), False)
    assert {report.error for report in last.routes} == {None}


def check(store: Store, home: Path, streams: frozen.Frozen, name: str, seed: int, rounds: int) -> People:
    """One life of a base under one strategy; the store is at its end what the base is."""
    rng = random.Random(seed)
    base = small(streams)
    base.subscribe("n")
    people = People(base, rng)
    passes(store, home, STRATEGIES[name], people, rng.choice([3, 7, 50]), rounds)
    state, wanted = dump(store), truth(base, home)
    assert living(state) == living(wanted), f"seed {seed}"
    assert deleted(state) <= people.gone
    links = [row[0] for name in COMPARED for row in state[name]]
    assert len(links) == len(set(links))
    return people


@pytest.fixture
def quick(tmp_path: Path) -> Iterator[Store]:
    """A store on SQLite: this test is about the ways of reading, the other database has its own."""
    store = open_store(f"sqlite:///{tmp_path / 'store.db'}")
    store.migrate()
    yield store
    store.close()


@pytest.mark.parametrize("name", STRATEGIES)
def test_store_equals_the_base_once_edits_stop(
    quick: Store, tmp_path: Path, frozen_streams: frozen.Frozen, name: str
) -> None:
    """Edits, renames, marks, insertions and deletions between and within pages, faults and kills: nothing is lost."""
    people = check(quick, tmp_path, frozen_streams, name, seed=20261126, rounds=4)
    assert people.edits > 20


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("name", STRATEGIES)
def test_store_equals_the_base_for_long(
    quick: Store, tmp_path: Path, frozen_streams: frozen.Frozen, name: str, seed: int
) -> None:
    """The same with more rounds and many seeds."""
    check(quick, tmp_path, frozen_streams, name, seed=seed, rounds=8)
