"""The supervisor over small processes: one per home, restarts, a clean end, and what a killed one leaves."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from hub.cli import lock
from hub.cli.supervisor import answers, port_is_free, services
from hub.model.process import alive
from tests.cli.test_processes import until
from tests.house.source import ROOT

pytestmark = pytest.mark.skipif(os.name == "nt", reason="signals and process groups of POSIX; Windows is untried")

#: Whoever started the tests may have had hang-ups ignored, which would be inherited.
HEEDING = ("env", "--default-signal=HUP")


class Hub:
    """A fake hub as a process, and what it told so far."""

    def __init__(self, home: Path, prefix: tuple[str, ...] = ()) -> None:
        self.home = home
        self.out = home.parent / "hub.out"
        with self.out.open("ab") as out:
            self.process = subprocess.Popen(
                [*(prefix or HEEDING), sys.executable, "-m", "tests.cli.fake_hub", str(home)], stdout=out, cwd=ROOT
            )

    def events(self) -> list[dict[str, str]]:
        """What was told."""
        return [json.loads(line) for line in self.out.read_text(encoding="utf-8").splitlines()]

    def services(self) -> dict[str, int]:
        """Ids of the kept processes."""
        there = lock.running(self.home)
        return {name: pid for name, (pid, _) in there.services.items()} if there else {}

    def up(self) -> bool:
        """Both services run and have said so."""
        logs = [self.home / "logs" / f"{name}.log" for name in ("polite", "stubborn")]
        return len(self.services()) == 2 and all(log.exists() and b"up" in log.read_bytes() for log in logs)


def members(home: Path) -> set[int]:
    """Every process that belongs to the groups of the services."""
    there = lock.running(home)
    groups = {pid for pid, _ in there.services.values()} if there else set()
    found = set()
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[2]) in groups:
            found.add(int(stat.parent.name))
    return found


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Hub]]:
    """Starts fake hubs on one home; they and what they keep are ended by their ids."""
    home = tmp_path / "home"
    made: list[Hub] = []

    def begin(*prefix: str) -> Hub:
        made.append(Hub(home, prefix))
        return made[-1]

    yield begin
    left = members(home)
    for hub in made:
        if hub.process.poll() is None:
            hub.process.kill()
            hub.process.wait()
    for pid in left:
        if alive(pid, ""):
            os.kill(pid, signal.SIGKILL)


def test_a_clean_end_leaves_nothing(start: Callable[..., Hub]) -> None:
    """Asked to stop, it ends both services, the process one of them has started, and its own traces."""
    hub = start()
    assert until(hub.up)
    assert until(lambda: len(members(hub.home)) == 3)
    everything = members(hub.home)
    hub.process.terminate()
    assert hub.process.wait(90) == 0
    assert [pid for pid in everything if alive(pid, "")] == []
    assert not (hub.home / "up.json").exists()
    assert [event["event"] for event in hub.events()] == ["stopping", "stopped"]


def test_ctrl_c_reaches_it_even_when_started_in_the_background(start: Callable[..., Hub]) -> None:
    """A shell makes what it starts with & ignore SIGINT; the hub listens all the same, and so do its services."""
    hub = start("sh", "-c", 'trap "" INT; exec "$@"', "sh")
    assert until(hub.up)
    blocked = {
        name: int(Path(f"/proc/{pid}/status").read_text(encoding="ascii").split("SigIgn:\t")[1].split()[0], 16)
        for name, pid in hub.services().items()
    }
    assert [name for name, mask in blocked.items() if mask & (1 << (signal.SIGINT - 1))] == []
    hub.process.send_signal(signal.SIGINT)
    assert hub.process.wait(90) == 0


def test_a_hub_started_with_nohup_outlives_its_terminal(start: Callable[..., Hub]) -> None:
    """SIGHUP ends a hub whose terminal is closed, but not one whose starter asked for it to be ignored."""
    hub = start("nohup")
    assert until(hub.up)
    hub.process.send_signal(signal.SIGHUP)
    hub.process.send_signal(signal.SIGHUP)
    assert not until(lambda: hub.process.poll() is not None, 1.5)
    hub.process.terminate()
    assert hub.process.wait(90) == 0
    again = start()
    assert until(again.up)
    again.process.send_signal(signal.SIGHUP)
    assert again.process.wait(90) == 0


def test_a_second_one_on_the_same_home_is_refused(start: Callable[..., Hub]) -> None:
    """It names the process that is there and touches nothing; once that one has ended, the home is free."""
    first = start()
    assert until(first.up)
    before = first.services()
    second = start()
    assert second.process.wait(30) == 2
    (refusal,) = second.events()
    assert (refusal["event"], refusal["pid"]) == ("cli_up_already", str(first.process.pid))
    assert first.services() == before
    assert all(alive(pid, "") for pid in before.values())
    first.process.terminate()
    first.process.wait(30)
    third = start()
    assert until(third.up)


def test_what_dies_is_started_again(start: Callable[..., Hub]) -> None:
    """A service killed by its id comes back under another one, the other service is left alone."""
    hub = start()
    assert until(hub.up)
    before = hub.services()
    os.kill(before["polite"], signal.SIGKILL)
    assert until(lambda: hub.services().get("polite") not in (None, before["polite"]))
    assert hub.services()["stubborn"] == before["stubborn"]
    (death,) = hub.events()
    assert (death["event"], death["name"], death["status"]) == ("died", "polite", "-9")
    assert death["log"].endswith("polite.log")


def test_a_killed_supervisor_leaves_no_lock_and_its_processes_are_ended(start: Callable[..., Hub]) -> None:
    """With kill -9 of the supervisor alone the next one ends what is left before it starts its own."""
    first = start()
    assert until(first.up)
    left = members(first.home)
    first.process.kill()
    first.process.wait()
    assert all(alive(pid, "") for pid in left)
    second = start()
    assert until(lambda: second.up() and set(second.services().values()).isdisjoint(left))
    assert until(lambda: not [pid for pid in left if alive(pid, "")])
    assert second.events()[0]["event"] == "ended_left_over"


def test_the_three_services(tmp_path: Path) -> None:
    """Each runs with this interpreter on this home; two of them are told where the third one listens."""
    made = {service.name: service for service in services(tmp_path, 3055)}
    assert list(made) == ["daemon", "code", "web"], "the order of stopping"
    assert {service.command[0] for service in made.values()} == {sys.executable}
    assert "127.0.0.1" in made["web"].command
    port = made["daemon"].after
    assert str(port) in made["code"].command
    workspace = (tmp_path / "dagster" / "workspace.yaml").read_text(encoding="utf-8")
    assert f"port: {port}" in workspace
    env: dict[str, Any] = dict(made["web"].env)
    assert (env["OBMEN_HOME"], env["DAGSTER_HOME"]) == (str(tmp_path), str(tmp_path / "dagster"))


def test_a_taken_port_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody listens: not free, and no answer of ours; a proxy of the environment is not asked."""
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        port = server.getsockname()[1]
        assert not port_is_free(port)
    assert port_is_free(port)
    assert not answers(f"http://127.0.0.1:{port}")
