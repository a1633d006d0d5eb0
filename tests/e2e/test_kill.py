"""kill -9 while an exchange is under way: each victim dies by signal 9, and the night still ends as it should.

What is proven beyond the end state: before the repair the run really is stuck (going on in Dagster with a slot of the
pool claimed, running in the journal), the repair comes by itself, and a run that has been replaced writes nothing
more, though its process lives.
"""

from __future__ import annotations

import os
import signal
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from dagster import DagsterEventType, DagsterInstance
from sqlalchemy import select
from sqlalchemy.engine import make_url

from hub.assets.names import pool_of
from hub.exchange.hub import Hub
from hub.exchange.service import run_exchange
from hub.model.process import alive
from hub.model.settings import load_settings
from hub.store import core
from hub.texts import sentence
from tests.cli.test_supervisor import members
from tests.e2e.site import Site, until
from tests.exchange.dump import Dump, dump

pytestmark = [
    pytest.mark.timeout(600),
    pytest.mark.skipif(os.name == "nt", reason="kill -9 is of POSIX; Windows is untried"),
]
on_sqlite = pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)

#: Seconds an answer of the base takes: first so that there is a middle, then so that nobody gets past it.
SLOW, STUCK = 0.2, 4.0
WAIT = 180.0
GOING_ON = frozenset({"QUEUED", "NOT_STARTED", "STARTING", "STARTED"})
LAUNCH = """
mutation Launch($selector: JobOrPipelineSelector!, $tags: [ExecutionTag!]) {
  launchRun(executionParams: {selector: $selector, executionMetadata: {tags: $tags}}) {
    __typename ... on LaunchRunSuccess { run { runId } } ... on PythonError { message }
  }
}
"""
LIMITS = "{instance{concurrencyLimits{concurrencyKey activeSlotCount claimedSlots{runId} pendingStepCount}}}"


@on_sqlite
def test_a_killed_worker(quick_site: Site, tmp_path: Path) -> None:
    """The run's process dies: the code server fails the run, and the daemon starts it again."""
    first = launch(quick_site)
    worker = stuck_worker(quick_site)
    end(worker)
    assert alive(quick_site.services()["code"], "")
    comes_right(quick_site, first, tmp_path)


@on_sqlite
def test_a_killed_code_server_and_its_orphan(quick_site: Site, tmp_path: Path) -> None:
    """Given up while no server can start it again, it is started once one can; the orphan writes nothing more."""
    site = quick_site
    first = launch(site)
    worker = stuck_worker(site)
    server = site.services()["code"]
    site.stand.quirks.latency = SLOW
    pause_between_pages(site, worker)
    end(server)
    try:
        give_up(site, first)
        until(lambda: exchange_of(site, first).state == "fenced", "the retry in the place of the orphan", WAIT)
        written = parts_of(site, first)
    finally:
        os.kill(worker, signal.SIGCONT)
    until(lambda: not alive(worker, ""), "the end of the orphan", WAIT)
    comes_right(site, first, tmp_path, dead="fenced")
    assert parts_of(site, first) == written
    told = refusals(site, first)
    assert told.pop("ut__party") in {"stopped", "fenced"}
    assert told
    assert set(told.values()) == {"run_replaced"}


@on_sqlite
def test_a_living_run_outlasts_its_code_server(quick_site: Site, tmp_path: Path) -> None:
    """Only the code server dies: a new one comes, the run's own process needs none, and nothing is done twice."""
    site = quick_site
    first = launch(site)
    stuck_worker(site)
    server = site.services()["code"]
    end(server)
    until(lambda: site.services().get("code") not in {None, server}, "another code server", WAIT)
    site.stand.quirks.latency = 0.0
    assert until(lambda: site.ended(first), "the end of the run", WAIT) == "SUCCESS"
    until(lambda: slots(site) == (0, [], 0), "no slot claimed", WAIT)
    states = journal(site, select(core.exchange_run.c.state))
    assert [row.state for row in states] == ["completed"]
    with Hub.open(site.home) as hub:
        found = dump(hub.store)
    assert found == undisturbed(site, tmp_path / "undisturbed")


def test_everything_killed(quick_site: Site, tmp_path: Path) -> None:
    """Supervisor, code server, daemon, web server, worker: stuck while all are dead, right after `obmen up`."""
    site = quick_site
    first = launch(site)
    worker = stuck_worker(site)
    services = site.services()
    assert set(services) == {"code", "daemon", "web"}
    everybody = members(site.home) | set(services.values()) | {worker}
    assert site.process is not None
    power_cut(site, everybody)
    assert site.process.wait(30) == -signal.SIGKILL
    with DagsterInstance.from_config(str(site.home / "dagster")) as instance:
        run = instance.get_run_by_id(first)
        assert run is not None
        assert run.status.value == "STARTED"
        claimed = instance.event_log_storage.get_concurrency_info(pool_of("ut")).claimed_slots
    assert [slot.run_id for slot in claimed] == [first]
    assert exchange_of(site, first).state == "running"
    site.stand.quirks.latency = 0.0
    site.start()
    comes_right(site, first, tmp_path)


def launch(site: Site) -> str:
    """Start the nightly job on a base that has become slow; the id of its run."""
    site.stand.quirks.latency = SLOW
    selector = {"repositoryLocationName": "hub", "repositoryName": "__repository__", "jobName": "nightly_exchange"}
    tags = [{"key": "dagster/partition", "value": "2026-01-15"}]
    answer = site.ask(LAUNCH, selector=selector, tags=tags)["launchRun"]
    assert answer["__typename"] == "LaunchRunSuccess", answer
    return str(answer["run"]["runId"])


def end(pid: int) -> None:
    """Kill one process and see it gone; nobody else's child is waited for here."""
    if alive(pid, ""):
        os.kill(pid, signal.SIGKILL)
    until(lambda: not alive(pid, ""), f"the end of process {pid}", 30)


def power_cut(site: Site, everybody: set[int]) -> None:
    """Kill the supervisor and everybody else as if at one moment.

    Killed one after another, the code server would see its worker die and fail the run in its last moments. So all are
    frozen first: between the first and the last death nobody does anything.
    """
    assert site.process is not None
    everyone = {site.process.pid} | everybody
    for number in (signal.SIGSTOP, signal.SIGKILL):
        for pid in everyone:
            if alive(pid, ""):
                os.kill(pid, number)
    for pid in everybody:
        until(lambda pid=pid: not alive(pid, ""), f"the end of process {pid}", 30)  # type: ignore[misc]


def journal(site: Site, query: Any) -> list[Any]:
    """What the store of the site says."""
    with Hub.open(site.home) as hub, hub.store.read() as conn:
        return list(conn.execute(query))


def exchange_of(site: Site, dagster_run: str) -> Any:
    """The journal's row of a Dagster run."""
    table = core.exchange_run
    (row,) = journal(site, select(table.c.id, table.c.pid, table.c.state).where(table.c.dagster_run_id == dagster_run))
    return row


def parts_of(site: Site, dagster_run: str) -> list[tuple[Any, ...]]:
    """Everything that the run has written about its routes."""
    table, run = core.run_route, core.exchange_run
    query = select(table).join(run, run.c.id == table.c.run_id).where(run.c.dagster_run_id == dagster_run)
    return [tuple(row) for row in journal(site, query.order_by(table.c.route_id))]


def stuck_worker(site: Site) -> int:
    """Id of the process that has committed some of the clients and now waits long for the rest."""
    part, run, route = core.run_route, core.exchange_run, core.route
    middle = (
        select(run.c.pid)
        .join(part, part.c.run_id == run.c.id)
        .join(route, route.c.id == part.c.route_id)
        .where(route.c.code == "ut.party", part.c.state == "running", part.c.pages > 0)
    )
    rows = until(lambda: journal(site, middle), "clients coming in", WAIT)
    site.stand.quirks.latency = STUCK
    worker = int(rows[0].pid)
    assert alive(worker, "")
    assert worker not in site.services().values()
    return worker


def pause_between_pages(site: Site, worker: int) -> None:
    """Stop the process where it holds no lock of a database: the retry must not wait for it."""
    store = Path(str(make_url(load_settings(site.home).store_url).database))
    databases = [store, *(site.home / "dagster").rglob("*.db")]
    assert store.stat().st_size

    def paused() -> bool:
        os.kill(worker, signal.SIGSTOP)
        if not any(map(locked, databases)):
            return True
        os.kill(worker, signal.SIGCONT)
        return False

    site.stand.quirks.latency = STUCK
    until(paused, "a moment between two pages", WAIT)


def locked(database: Path) -> bool:
    """Whether somebody is writing it."""
    connection = sqlite3.connect(database, timeout=0.2, isolation_level=None)
    try:
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("ROLLBACK")
    except sqlite3.OperationalError:
        return True
    finally:
        connection.close()
    return False


def give_up(site: Site, dagster_run: str) -> None:
    """Fail the run as run monitoring does when it takes a living process for dead (another machine, no /proc)."""
    with DagsterInstance.from_config(str(site.home / "dagster")) as instance:
        run = instance.get_run_by_id(dagster_run)
        assert run is not None
        assert run.status.value == "STARTED"
        instance.report_run_failed(run, "taken for dead")
    site.stand.quirks.latency = 0.0


def refusals(site: Site, dagster_run: str) -> dict[str, str]:
    """The failed steps of the run, each with the code of the reason it was given."""
    label = sentence("dg_code", "ru")
    with DagsterInstance.from_config(str(site.home / "dagster")) as instance:
        failed = instance.all_logs(dagster_run, of_type=DagsterEventType.STEP_FAILURE)
    events = [entry.dagster_event for entry in failed if entry.dagster_event]
    told = {str(event.step_key): event.step_failure_data.user_failure_data for event in events}
    return {step: str(data.metadata[label].value) for step, data in told.items() if data is not None}


def comes_right(site: Site, first: str, tmp_path: Path, dead: str = "failed") -> None:
    """Failed and retried once and well, no slot claimed, nothing running, and the store as if nothing had been."""
    site.stand.quirks.latency = 0.0
    until(lambda: site.ended(first), "the end of the run that was killed", WAIT)
    until(lambda: well_again(site, first), "a retry that ended well", WAIT)
    until(lambda: slots(site) == (0, [], 0), "no slot claimed", WAIT)
    runs = [run for run in until(site.runs, "the list of runs") if run["jobName"] == "nightly_exchange"]
    assert sorted(run["status"] for run in runs) == ["FAILURE", "SUCCESS"]
    assert site.ended(first) == "FAILURE"
    states = journal(site, select(core.exchange_run.c.state).order_by(core.exchange_run.c.id))
    assert [row.state for row in states] == [dead, "completed"]
    assert journal(site, select(core.run_route.c.route_id).where(core.run_route.c.state == "running")) == []
    assert journal(site, select(core.route.c.id).where(core.route.c.lease_run_id.is_not(None))) == []
    with Hub.open(site.home) as hub:
        found = dump(hub.store)
    wanted = undisturbed(site, tmp_path / "undisturbed")
    assert len(wanted["party"]) >= len(site.world.records("Catalog_Контрагенты")) // 2
    assert found == wanted


def well_again(site: Site, first: str) -> str:
    """Id of the retry that the daemon has made of the run, once it has ended well."""
    for run in site.runs():
        tags = run["tags"]
        if run["status"] == "SUCCESS" and tags.get("dagster/parent_run_id") == first and "dagster/retry_number" in tags:
            return str(run["runId"])
    return ""


def slots(site: Site) -> tuple[int, list[str], int]:
    """Of the system's pool, as the UI shows it: slots in use, runs that claim one, steps that wait for one."""
    limits = until(lambda: site.nodes(LIMITS, "instance", "concurrencyLimits"), "the pools")
    (pool,) = [limit for limit in limits if limit["concurrencyKey"] == pool_of("ut")]
    return pool["activeSlotCount"], [slot["runId"] for slot in pool["claimedSlots"]], pool["pendingStepCount"]


def undisturbed(site: Site, home: Path) -> Dump:
    """What an exchange of the same base brings into an empty store when nobody is killed."""
    home.mkdir()
    lines = (site.home / "hub.yaml").read_text(encoding="utf-8").splitlines()
    own = [line for line in lines if not line.startswith("store_")]
    (home / "hub.yaml").write_text("\n".join([*own, ""]), encoding="utf-8")
    with Hub.open(home) as hub:
        assert make_url(hub.settings.store_url).get_backend_name() == "sqlite"
        assert run_exchange(hub).exit_code == 0
        return dump(hub.store)
