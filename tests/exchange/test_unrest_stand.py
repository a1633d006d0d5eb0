"""Random edits on the stand while the real connector reads: once they stop and one more pass has run, all is equal."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import threading
from datetime import timedelta
from pathlib import Path

import pytest

from connectors.onec_odata.config import OneCSettings
from connectors.onec_odata.connector import OneC
from connectors.web import Patience
from hub.exchange import ways
from hub.exchange.hub import Hub
from hub.exchange.service import RunReport, exchange_changes, run_exchange
from hub.model.entities import ENTITIES
from hub.model.fields import SCALE
from hub.model.settings import RouteSettings, SystemSettings
from hub.store.database import Store, open_store
from stand.onec.feed import PLAN
from stand.onec.server import OneCStand
from tests.exchange.dump import Dump, dump
from tests.exchange.installation import make_hub
from tests.exchange.restless_stand import CASES, Case, Unrest, Workers, make_world
from tests.exchange.standing_truth import compare
from tests.exchange.unrest import Killed, bury, deadly

ROOT = Path(__file__).parents[2]
SIZES = (1, 2, 3, 7, 20, 50, 200)
#: No unrest of the base may lead to these.
NEVER = {"internal", "store_refuses", "base_went_back", "skip_ignored", "key_missing"}


@pytest.fixture(autouse=True)
def sweeps_are_always_due(monkeypatch: pytest.MonkeyPatch) -> None:
    """A pass of these tests stands for one with the night's sweep."""
    monkeypatch.setattr(ways, "_DUE", {"nightly": timedelta(0), "weekly": timedelta(0)})


def opened(url: str, home: Path, case: Case, size: int) -> OneC:
    """A connector that meets a passing fault once, and at once."""
    plan = PLAN if case.fed else ""
    patience = Patience(retries=1, first=0.0)
    settings = OneCSettings(
        "ut", url, page_size=size, patience=patience, timeout=20.0, exchange_plan=plan, node=case.node, request_days=9
    )
    return OneC(settings, home / "cache")


def one_hub(store: Store, home: Path, case: Case, connector: OneC, size: int) -> Hub:
    """A hub of one process: clients, products and orders by the strategy, everything else as by default."""
    system = SystemSettings(
        code="ut",
        kind="onec_odata",
        timezone="Europe/Moscow",
        profile=case.base.profile,
        page_size=size,
        exchange_plan=PLAN if case.fed else None,
        node=case.node or None,
    )
    made = {
        f"ut.{entity}": RouteSettings(f"ut.{entity}", read=case.read, window_days=case.window_days)  # type: ignore[arg-type]
        for entity in ("party", "product", "sales_order")
    }
    return make_hub(store, home, {"ut": connector}, {"ut": system}, made)


def take(store: Store, home: Path, case: Case, url: str, size: int, *, night: bool) -> RunReport:
    """One pass of a process of its own: of changes, or the whole exchange of a night."""
    connector = opened(url, home, case, size)
    try:
        hub = one_hub(store, home, case, connector, size)
        return run_exchange(hub) if night else exchange_changes(hub)
    finally:
        connector.close()


def disturbed(store: Store, home: Path, case: Case, unrest: Unrest, rng: random.Random, *, night: bool) -> None:
    """One pass in unrest, which may fail or be killed."""
    rage = unrest.raging(rng.choice([0.05, 0.3]), rng.choice([0.0, 0.02, 0.1]), rng.choice([0, 0, 0, 4]))
    try:
        with rage, deadly(store, rng, rng.choice([0.0, 0.0, 0.02])):
            report = take(store, home, case, unrest.stand.url, rng.choice(SIZES), night=night)
    except Killed:
        bury(store)
        return
    for route in report.routes:
        assert route.counters.balanced
        assert route.error is None or route.error.code not in NEVER, route.error


def peace(store: Store, home: Path, case: Case, unrest: Unrest, size: int) -> None:
    """The edits have stopped: one more pass, and the store is the base; a night, and its balances are, too."""
    stand, workers = unrest.stand, unrest.workers
    for night in (False, True):
        report = take(store, home, case, stand.url, size, night=night)
        assert {route.error for route in report.routes} == {None}
        compare(store, case.base, stand.world, workers.gone)
    state, wanted = dump(store), truth(home, case, stand.url)
    for entity in ENTITIES:
        assert living(state, entity) == living(wanted, entity), entity
    assert (state["parked"], state["quarantine"]) == (wanted["parked"], wanted["quarantine"]) == ([], [])


def truth(home: Path, case: Case, url: str) -> Dump:
    """What a new store holds that has read the base once and whole, in peace."""
    store = open_store(f"sqlite:///{home / 'truth.db'}")
    store.migrate()
    assert run_exchange(one_hub(store, home, case, opened(url, home, case, 1000), 1000)).exit_code == 0
    state = dump(store)
    store.close()
    return state


def living(state: Dump, entity: str) -> list[object]:
    """Records that are not deleted; balances that are gone stand at zero, where a new store has no row."""
    amounts = [place for place, field in enumerate(ENTITIES[entity].fields) if field.kind in SCALE]
    rows = [row for row in state[entity] if row[1] != "deleted"]
    if not entity.endswith("_balance"):
        return rows
    return [row for row in rows if any(row[2][place] for place in amounts)]


def check(store: Store, home: Path, name: str, seed: int, rounds: int) -> Unrest:
    """One life of a base under one strategy; the store is at its end what the base is."""
    case, rng = CASES[name], random.Random(seed)
    world = make_world(case.base, seed)
    with OneCStand(world) as stand:
        workers = Workers(case.base, world, random.Random(seed + 1))
        unrest = Unrest(stand, workers, random.Random(seed + 2))
        for number in range(rounds):
            disturbed(store, home, case, unrest, rng, night=number == 0 or rng.random() < 0.2)
            for _ in range(rng.randint(0, 4)):
                workers.act()
        peace(store, home, case, unrest, rng.choice(SIZES))
        return unrest


@pytest.mark.timeout(400)
@pytest.mark.parametrize("name", CASES)
def test_store_equals_the_stand_once_edits_stop(quick: Store, tmp_path: Path, name: str) -> None:
    """Edits before, between and behind pages of any size, faults of the way, kills: never lost, never doubled."""
    unrest = check(quick, tmp_path, name, seed=20261126, rounds=3)
    assert unrest.workers.edits > 10


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("name", CASES)
def test_store_equals_the_stand_for_long(store: Store, tmp_path: Path, name: str, seed: int) -> None:
    """The same with more rounds and many seeds, on both databases."""
    check(store, tmp_path, name, seed, rounds=7)


#: Children that are to be killed.
KILLS = 4


def killed(url: str, home: Path, name: str, unrest: Unrest, rng: random.Random, *, night: bool) -> bool:
    """One pass of a child that is killed some moments after a random request of its; ``False`` when it was faster."""
    due, last = threading.Event(), unrest.requests + rng.randint(1, 90)
    unrest.seen = lambda number: due.set() if number >= last else None
    command = [sys.executable, "-m", "tests.exchange.unrest_child", url, str(home), name, unrest.stand.url]
    with (
        unrest.raging(0.1, rng.choice([0.0, 0.02]), 0),
        (home / "child.log").open("wb") as log,
        subprocess.Popen(
            [*command, str(rng.choice(SIZES)), "night" if night else "changes"], cwd=ROOT, stdout=log, stderr=log
        ) as child,
    ):
        try:
            while child.poll() is None and not due.wait(0.05):
                pass
            threading.Event().wait(rng.random() * 0.1)  # somewhere between this request and the next commits
        finally:
            child.kill()
        code = child.wait(30)
    assert code in {0, -signal.SIGKILL}, (home / "child.log").read_text(encoding="utf-8")[-2000:]
    return code == -signal.SIGKILL


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", CASES)
def test_store_equals_the_stand_after_real_kills(store: Store, tmp_path: Path, name: str) -> None:
    """Children killed by signal 9 at random moments while people edit, then one more pass: nothing lost or doubled."""
    case, rng, kills = CASES[name], random.Random(name), 0
    world = make_world(case.base, 5)
    url = store.engine.url.render_as_string(hide_password=False)
    with OneCStand(world) as stand:
        workers = Workers(case.base, world, random.Random(6))
        unrest = Unrest(stand, workers, random.Random(7))
        for number in range(40):  # a child on a fast machine may end before its moment comes
            kills += killed(url, tmp_path, name, unrest, rng, night=number < 2)
            if kills == KILLS:
                break
        unrest.seen = lambda _number: None
        peace(store, tmp_path, case, unrest, rng.choice(SIZES))
    assert kills == KILLS
