"""``obmen up`` and ``obmen demo`` with Dagster itself: from an empty home to the UI, and to a clean end."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from hub.cli import lock
from hub.cli.demo_stands import CALENDAR, MAIL, ONEC
from hub.cli.supervisor import answers, free_port
from hub.model.process import alive
from tests.cli.conftest import PASSWORD, VARIABLE, Obmen, all_files, settings, write
from tests.cli.test_processes import until
from tests.cli.test_supervisor import members
from tests.house.source import ROOT

pytestmark = pytest.mark.skipif(os.name == "nt", reason="signals and process groups of POSIX; Windows is untried")


class Up:
    """A hub as a process with its JSON lines."""

    def __init__(self, home: Path, *words: str) -> None:
        self.home = home
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.out = home.parent / f"up-{self.port}.out"
        line = [sys.executable, "-m", "hub.cli", "--home", str(home), "--json", *words, "--port", str(self.port)]
        with self.out.open("wb") as out:
            self.process = subprocess.Popen(line, stdout=out, cwd=ROOT, env={**os.environ, VARIABLE: PASSWORD})

    def told(self) -> list[dict[str, Any]]:
        """The documents written so far."""
        return [json.loads(line) for line in self.out.read_text(encoding="utf-8").splitlines()]

    def ready(self) -> bool:
        """The UI has answered."""
        return any(item.get("event") == "ready" for item in self.told())

    def ask(self, query: str) -> dict[str, Any]:
        """The answer of the UI's own interface; empty while it does not answer."""
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        body = json.dumps({"query": query}).encode()
        request = urllib.request.Request(f"{self.url}/graphql", body, {"Content-Type": "application/json"})
        try:
            with opener.open(request, timeout=10) as answer:
                found: dict[str, Any] = json.load(answer)["data"]
                return found
        except OSError:
            return {}

    def location(self) -> str:
        """Name of the loaded code location, empty until it is loaded."""
        nodes = self.ask("{repositoriesOrError{... on RepositoryConnection{nodes{location{name}}}}}")
        found = nodes.get("repositoriesOrError", {}).get("nodes", [])
        return found[0]["location"]["name"] if found else ""


@pytest.fixture
def start(home: Path) -> Iterator[Callable[..., Up]]:
    """Starts hubs; they and all they keep are ended by their ids."""
    made: list[Up] = []

    def begin(folder: Path, *words: str) -> Up:
        made.append(Up(folder, *words))
        return made[-1]

    yield begin
    for up in made:
        left = members(up.home)
        if up.process.poll() is None:
            up.process.kill()
            up.process.wait()
        for pid in left:
            if alive(pid, ""):
                os.kill(pid, signal.SIGKILL)


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_the_life_of_a_hub(start: Callable[..., Up], obmen: Obmen, home: Path) -> None:
    """An empty home becomes a UI; a second start is refused; what is killed comes back; the end is clean.

    The password, which the services have in their environment, is in none of the files they leave.
    """
    write(home, settings("http://127.0.0.1:9/ut"))
    up = start(home, "up")
    assert until(up.ready, 120), (home / "logs" / "web.log").read_text(encoding="utf-8")
    assert answers(up.url)
    assert until(lambda: up.location() == "hub", 60)

    refused = obmen("up", "--json")
    assert (refused.code, refused.document["error"]["code"]) == (2, "cli_up_already")
    assert up.url in refused.document["error"]["sentence"]
    hub = obmen("status", "--json").document["result"]["hub"]
    assert (hub["running"], hub["ready"], hub["url"]) == (True, True, up.url)
    assert until(lambda: set(services(home)) == {"daemon", "code", "web"}, 60)

    before = services(home)
    os.kill(before["daemon"], signal.SIGKILL)
    assert until(lambda: services(home).get("daemon") not in (None, before["daemon"]), 60)
    os.kill(before["code"], signal.SIGKILL)
    assert until(lambda: services(home).get("code") not in (None, before["code"]), 60)
    assert until(lambda: up.location() == "hub", 60)
    assert services(home)["web"] == before["web"]

    everything = members(home)
    up.process.send_signal(signal.SIGINT)
    assert up.process.wait(120) == 0
    assert [pid for pid in everything if alive(pid, "")] == []
    assert lock.running(home) is None
    assert [item["event"] for item in up.told()][-1] == "stopped"
    assert PASSWORD.encode() not in all_files(home)


def services(home: Path) -> dict[str, int]:
    """Ids of the services that run."""
    there = lock.running(home)
    return {name: pid for name, (pid, _) in there.services.items()} if there else {}


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_demo_goes_on_as_a_hub(start: Callable[..., Up], tmp_path: Path) -> None:
    """Stand, exchange, UI on the data; the stand is kept alive with the rest and ended with it."""
    home = tmp_path / "demo"
    demo = start(home, "demo", "--orders", "40")
    assert until(demo.ready, 200), demo.told()
    assert until(lambda: set(services(home)) == {"daemon", "code", "web", ONEC, MAIL, CALENDAR}, 60)
    stand = services(home)[ONEC]
    os.kill(stand, signal.SIGKILL)
    assert until(lambda: services(home).get(ONEC) not in (None, stand), 60)
    everything = members(home)
    demo.process.terminate()
    assert demo.process.wait(120) == 0
    assert [pid for pid in everything if alive(pid, "")] == []
    assert demo.told()[0]["result"]["totals"]["created"] > 5000


def test_a_taken_port_is_refused_before_anything_is_started(obmen: Obmen, home: Path) -> None:
    """Another program on the port: a sentence with the way out, and no Dagster home is made."""
    write(home, settings("http://127.0.0.1:9/ut"))
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        said = obmen("up", "--port", str(server.getsockname()[1]))
    assert said.code == 2
    assert "--port" in said.err
    assert not (home / "dagster").exists()


def test_wrong_settings_keep_it_from_starting(obmen: Obmen, home: Path) -> None:
    """With a wrong file nothing is started; it is told by line as everywhere."""
    write(home, settings("http://127.0.0.1:9/ut", more="    colour: red\n"))
    said = obmen("up")
    assert said.code == 2
    assert "строка 11, systems.ut.colour" in said.err
    assert not (home / "up.lock").exists()


def test_what_keeps_a_home_from_being_ready_is_told(home: Path) -> None:
    """The process that prepares the home tells why it cannot, once, and the hub ends with its exit code."""
    write(home, settings("http://127.0.0.1:9/ut").replace("onec_ut11", "onec_zup"))
    line = [sys.executable, "-m", "hub.cli", "up", "--home", str(home), "--port", str(free_port())]
    done = subprocess.run(line, capture_output=True, timeout=100, check=False, cwd=ROOT)
    assert done.returncode == 2
    assert done.stderr.decode().count("onec_zup") == 1
    assert b"Traceback" not in done.stderr
    assert lock.running(home) is None
