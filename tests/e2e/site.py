"""A whole installation that runs: the stand, `obmen up` with its processes, and Dagster's own interface to ask."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hub.cli import lock
from hub.cli.supervisor import free_port
from hub.model.process import alive
from stand.onec.generate.build import build
from stand.onec.server import OneCStand
from stand.onec.world import World
from tests.cli.test_supervisor import members

ROOT = Path(__file__).resolve().parents[2]
USER, PASSWORD, VARIABLE = "obmen", "секрет-Пароль", "OBMEN_E2E_PASSWORD"
#: A loaded machine may take this long for anything that ought to take seconds.
PATIENCE = 150.0
#: And what is seen to be worked on, no longer than this.
LONGEST = 420.0
_POLL, _MORE = 0.25, 10.0


def until(
    true: Callable[[], Any], what: str, seconds: float = PATIENCE, going: Callable[[], bool] = lambda: False
) -> Any:
    """The first answer that is true; ``AssertionError`` naming ``what`` when none comes in time.

    ``going``: whether it is still worked on, by Dagster's own word; then patience lasts longer, up to ``LONGEST``.
    """
    begun = time.monotonic()
    end = begun + seconds
    while True:
        found = true()
        if found:
            return found
        now = time.monotonic()
        if now >= end:
            if now - begun >= LONGEST or not going():
                raise AssertionError(f"not in {now - begun:.0f} s: {what}")
            end = now + _MORE
        time.sleep(_POLL)


class Site:
    """A home with one system, the stand behind it, and the running hub."""

    def __init__(self, home: Path, world: World, stand: OneCStand) -> None:
        self.home, self.world, self.stand = home, world, stand
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.process: subprocess.Popen[bytes] | None = None
        self._starts = 0

    def write_settings(self) -> None:
        """One system ``ut``: the stand."""
        self.home.mkdir(parents=True, exist_ok=True)
        (self.home / "hub.yaml").write_text(
            "company_timezone: Europe/Moscow\n"
            "systems:\n"
            "  ut:\n"
            "    kind: onec_odata\n"
            "    title: Торговля\n"
            f"    url: {self.stand.url}\n"
            f"    user: {USER}\n"
            f"    password: {{env: {VARIABLE}}}\n"
            "    timezone: Europe/Moscow\n"
            "    profile: onec_ut11\n"
            "    page_size: 50\n",
            encoding="utf-8",
        )

    def start(self) -> None:
        """Start the hub and wait until its UI has loaded our code."""
        self._starts += 1
        line = [sys.executable, "-m", "hub.cli", "--home", str(self.home), "--json", "up", "--port", str(self.port)]
        out = self.home / f"up-{self._starts}.out"
        with out.open("wb") as log:
            self.process = subprocess.Popen(line, stdout=log, stderr=log, cwd=ROOT, env=self.environment)
        until(lambda: self.nodes("{assetNodes{id}}", "assetNodes"), "the UI with our assets")

    @property
    def environment(self) -> dict[str, str]:
        """Environment of the hub."""
        return {**os.environ, VARIABLE: PASSWORD, "NO_PROXY": "127.0.0.1"}

    def services(self) -> dict[str, int]:
        """Ids of the processes that the supervisor keeps."""
        there = lock.running(self.home)
        return {name: pid for name, (pid, _) in there.services.items()} if there else {}

    def ask(self, query: str, **variables: Any) -> dict[str, Any]:
        """The data that Dagster's own interface gives; empty while it does not answer."""
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        body = json.dumps({"query": query, "variables": variables}).encode()
        request = urllib.request.Request(f"{self.url}/graphql", body, {"Content-Type": "application/json"})
        try:
            with opener.open(request, timeout=20) as answer:
                found: dict[str, Any] = json.load(answer).get("data") or {}
                return found
        except OSError:
            return {}

    def nodes(self, query: str, *path: str) -> Any:
        """A part of the answer, ``None`` where it is not there."""
        found: Any = self.ask(query)
        for step in path:
            found = found.get(step) if isinstance(found, dict) else None
        return found

    def runs(self) -> list[dict[str, Any]]:
        """Runs, newest first, with their tags as a dictionary."""
        query = "{runsOrError{... on Runs{results{runId jobName status tags{key value}}}}}"
        found = self.nodes(query, "runsOrError", "results") or []
        return [run | {"tags": {tag["key"]: tag["value"] for tag in run["tags"]}} for run in found]

    def ended(self, run_id: str) -> str:
        """State of the run once it has ended, else an empty text."""
        states = {run["runId"]: run["status"] for run in self.runs()}
        state = str(states.get(run_id, ""))
        return state if state in {"SUCCESS", "FAILURE", "CANCELED"} else ""

    def works_on(self, run_id: str) -> bool:
        """Whether the run waits for its turn or is carried out now; one whose process is gone is failed by Dagster."""
        states = {run["runId"]: run["status"] for run in self.runs()}
        return states.get(run_id) in {"QUEUED", "STARTING", "STARTED"}

    def backfills(self) -> list[str]:
        """States of the backfills that were asked for, newest first; a failed one is told with its error."""
        query = "{partitionBackfillsOrError{... on PartitionBackfills{results{status error{message}}}}}"
        found = self.nodes(query, "partitionBackfillsOrError", "results") or []
        failed = [one for one in found if one["status"] in {"FAILED", "FAILING", "COMPLETED_FAILED", "CANCELED"}]
        assert not failed, failed
        return [str(one["status"]) for one in found]

    def daemons_live(self) -> bool:
        """Whether every daemon that this installation needs has been heard of lately and without an error."""
        query = "{instance{daemonHealth{allDaemonStatuses{daemonType required healthy}}}}"
        found = self.nodes(query, "instance", "daemonHealth", "allDaemonStatuses") or []
        return bool(found) and all(one["healthy"] for one in found if one["required"])

    def stop(self) -> None:
        """End the hub and all it has started, whatever state they are in, by their ids."""
        if self.process is None:
            return
        left = members(self.home) | set(self.services().values())
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(90)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(30)
        kill(left)
        self.process = None


def kill(pids: set[int]) -> None:
    """End these processes at once."""
    for pid in pids:
        if alive(pid, ""):
            os.kill(pid, signal.SIGKILL)


@contextmanager
def running_site(home: Path, world: World | None = None) -> Iterator[Site]:
    """A site that is up; everything is ended afterwards."""
    made = world or build(seed=7, clients=60, products=60, orders=200)
    with OneCStand(made, user=USER, password=PASSWORD) as stand:
        site = Site(home, made, stand)
        site.write_settings()
        try:
            site.start()
            yield site
        finally:
            site.stop()
