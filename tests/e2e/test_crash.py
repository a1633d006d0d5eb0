"""kill -9 in the middle of a nightly run: of its process, of the code server, of everything.

Whatever was killed, the night ends as if nothing had been: the run is failed and tried again (or goes on, where only
its server died), no slot of the pool is held, and the store holds what an undisturbed exchange brings.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from dagster import DagsterInstance
from sqlalchemy import select

from hub.exchange.hub import Hub
from hub.exchange.service import run_exchange
from hub.model.entities import ENTITIES
from hub.model.process import alive
from hub.store import core
from hub.store.database import open_store
from hub.store.journal import content_hash
from tests.cli.test_supervisor import members
from tests.e2e.site import PASSWORD, VARIABLE, Site, kill, running_site, until

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(900),
    pytest.mark.skipif(os.name == "nt", reason="kill -9 is of POSIX; Windows is untried"),
]

LAUNCH = """
mutation Launch($selector: JobOrPipelineSelector!, $tags: [ExecutionTag!]) {
  launchRun(executionParams: {selector: $selector, executionMetadata: {tags: $tags}}) {
    __typename ... on LaunchRunSuccess { run { runId } } ... on PythonError { message }
  }
}
"""


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """A running installation whose source is slow, so that there is a middle to be killed in."""
    with running_site(tmp_path / "home") as made:
        made.stand.quirks.latency = 0.4
        yield made


def launch(site: Site) -> str:
    """The nightly job, as the schedule would ask for it; the id of its run."""
    selector = {
        "repositoryLocationName": "hub",
        "repositoryName": "__repository__",
        "jobName": "nightly_exchange",
    }
    tags = [{"key": "dagster/partition", "value": "2026-01-15"}, {"key": "obmen/mode", "value": "nightly"}]
    answer = site.ask(LAUNCH, selector=selector, tags=tags)["launchRun"]
    assert answer["__typename"] == "LaunchRunSuccess", answer
    return str(answer["run"]["runId"])


def journal(site: Site, query: Any) -> list[Any]:
    """What the store of the site says."""
    store = open_store(f"sqlite:///{(site.home / 'store.db').as_posix()}")
    try:
        with store.read() as conn:
            return list(conn.execute(query))
    finally:
        store.close()


def worker_in_the_middle(site: Site) -> int:
    """Id of the process that exchanges, once clients have begun to come and are not all here."""
    part, run, route = core.run_route, core.exchange_run, core.route
    going_on = (
        select(run.c.pid)
        .join(part, part.c.run_id == run.c.id)
        .join(route, route.c.id == part.c.route_id)
        .where(route.c.code == "ut.party", part.c.state == "running", part.c.received > 0, run.c.state == "running")
    )
    rows = until(lambda: journal(site, going_on), "clients coming in")
    return int(rows[0].pid)


def slots_held(site: Site) -> int:
    """Slots of the system's pool that somebody holds."""
    with DagsterInstance.from_config(str(site.home / "dagster")) as instance:
        return instance.event_log_storage.get_concurrency_info("system_ut").active_slot_count


def contents(home: Path, exchange: bool = False) -> dict[str, str]:
    """Fingerprints of the business tables of a home, after an exchange if asked for."""
    with Hub.open(home) as hub:
        if exchange:
            assert run_exchange(hub).exit_code == 0
        with hub.store.read() as conn:
            return {name: content_hash(conn, entity) for name, entity in ENTITIES.items()}


def undisturbed(site: Site, home: Path) -> dict[str, str]:
    """What an exchange brings that nobody kills, into a store of its own."""
    home.mkdir()
    (home / "hub.yaml").write_text((site.home / "hub.yaml").read_text(encoding="utf-8"), encoding="utf-8")
    return contents(home, exchange=True)


def last_run(site: Site, first: str) -> dict[str, Any] | None:
    """The run that ended well: the first one or a retry of it."""
    well = [run for run in site.runs() if run["status"] == "SUCCESS"]
    return next((run for run in well if first in {run["runId"], run["tags"].get("dagster/root_run_id")}), None)


@pytest.mark.parametrize("victim", ["worker", "code", "everything"])
def test_a_killed_night_ends_as_if_nothing_had_been(
    site: Site, victim: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """See the module: the same end state, no slot held, the journal closed."""
    monkeypatch.setenv(VARIABLE, PASSWORD)
    first = launch(site)
    worker = worker_in_the_middle(site)
    assert alive(worker, "")
    if victim == "everything":
        assert site.process is not None
        everybody = members(site.home) | {worker}
        site.process.kill()
        site.process.wait(30)
        kill(everybody)
        assert site.process.returncode == -signal.SIGKILL
        until(lambda: not alive(worker, ""), "the end of the worker")
        site.stand.quirks.latency = 0.0
        site.start()
    else:
        os.kill(worker if victim == "worker" else site.services()["code"], signal.SIGKILL)
        site.stand.quirks.latency = 0.0
    ended = until(lambda: last_run(site, first), "a run that ended well", 300)
    if victim == "code":
        assert ended["runId"] == first, "its process lives and needs no server"
    else:
        assert site.ended(first) == "FAILURE"
        assert ended["tags"]["dagster/parent_run_id"] == first
    until(lambda: slots_held(site) == 0, "no slot held", 60)
    rows = journal(site, select(core.exchange_run.c.state).order_by(core.exchange_run.c.id))
    assert [row.state for row in rows] == (["completed"] if victim == "code" else ["failed", "completed"])
    assert contents(site.home) == undisturbed(site, tmp_path / "other")
