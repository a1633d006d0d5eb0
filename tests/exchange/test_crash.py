"""Killed with signal 9 anywhere between fetching and acknowledging, the next run ends in the same state."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import select

from hub.store import core
from hub.store.database import Store
from tests.exchange import frozen
from tests.exchange.crash_child import PLACES, scenario
from tests.exchange.dump import Dump, dump

ROOT = Path(__file__).parents[2]
SEED = 20261124
#: How often each place is come to at least in the scenario; the kill is at a random one of these times.
_TIMES = {
    "insert_missing": 4,
    "update_rows": 6,
    "park": 8,
    "quarantine": 20,
    "acknowledge": 1,
    "end_route": 15,
    "fetch_by_key": 3,
    "known_versions": 3,
    "unseen": 5,
}


def points() -> list[tuple[str, int]]:
    """Every place before and after, and fetching and committing, each at a seeded random time."""
    rng = random.Random(SEED)
    chosen = [("fetch", rng.randint(1, 40)), ("fetch", rng.randint(1, 10))]
    for when in ("before", "after"):
        chosen += [(f"{when}:commit", rng.randint(2, 50))]
        for name in PLACES:
            chosen.append((f"{when}:{name}", rng.randint(1, _TIMES.get(name, 25))))
    return chosen


@pytest.fixture(scope="module")
def base_file(frozen_streams: frozen.Frozen, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The frozen base with one order that cannot pass and one whose client never comes."""
    streams = {name: part | {"records": [dict(r) for r in part["records"]]} for name, part in frozen_streams.items()}
    orders = streams["Document_ЗаказКлиента"]["records"]
    orders[3]["Date"] = "2026-13-01T00:00:00"
    orders[7]["Контрагент_Key"] = "11111111-2222-3333-4444-555555555555"
    return frozen.save(streams, tmp_path_factory.mktemp("crash") / "base.json")


@pytest.fixture(scope="module")
def undisturbed(base_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Dump:
    """The end state of the scenario when nobody kills it."""
    from hub.store.database import open_store

    home = tmp_path_factory.mktemp("undisturbed")
    store = open_store(f"sqlite:///{home / 'store.db'}")
    store.migrate()
    scenario(store, base_file, home)
    state = dump(store)
    store.close()
    assert state["quarantine"] == [(state["quarantine"][0][0], "bad_date")]
    assert len(state["parked"]) == 1
    return state


def _marked() -> list[object]:
    """All points; those after a call are left to the long run, but for the two where it matters most."""
    always, rare = {"after:commit", "after:acknowledge"}, {"before:known_versions", "before:unseen"}
    return [
        pytest.param(
            point,
            nth,
            id=f"{point}-{nth}",
            marks=[pytest.mark.slow] if point not in always and (point.startswith("after:") or point in rare) else [],
        )
        for point, nth in points()
    ]


@pytest.mark.parametrize(("point", "nth"), _marked())
def test_the_end_state_after_a_kill_is_that_without_it(
    store: Store, tmp_path: Path, base_file: Path, undisturbed: Dump, point: str, nth: int
) -> None:
    """The child dies by signal 9 at the point; the scenario run again ends in the undisturbed state, counters whole."""
    url = store.engine.url.render_as_string(hide_password=False)
    command = [sys.executable, "-m", "tests.exchange.crash_child", url, str(base_file), str(tmp_path), point, str(nth)]
    child = subprocess.run(command, cwd=ROOT, capture_output=True, timeout=120, check=False)
    assert child.returncode == -signal.SIGKILL, child.stderr.decode()[-2000:]
    scenario(store, base_file, tmp_path)
    assert dump(store) == undisturbed
    with store.read() as conn:
        runs = conn.execute(select(core.exchange_run.c.state, core.exchange_run.c.pid)).all()
        leases = conn.execute(select(core.route.c.lease_run_id).where(core.route.c.lease_run_id.is_not(None))).all()
    assert "running" not in {row.state for row in runs}
    assert leases == []
