"""The listener for notices on a real socket, and the process that ``obmen up`` keeps for it."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from uvicorn import Config, Server

from hub.cli import listening
from hub.cli.listening import Listener
from hub.cli.supervisor import HOST, free_port, services
from hub.exchange.notices import MOST_BYTES
from hub.model.errors import SkipRecord
from tests.cli.conftest import Obmen, all_files, write
from tests.cli.test_processes import until
from tests.connectors.cloud_pbx.base import signed
from tests.connectors.cloud_pbx.fake import SECRET, USER
from tests.house.source import ROOT

HOME = f"""company_timezone: Europe/Moscow
notices_port: PORT
systems:
  office:
    kind: pbx_cloud
    title: Манго
    timezone: Europe/Moscow
    profile: calls
    user: {USER}
    password: {{env: TEST_MANGO}}
    sensor: 5m
    calls: {{service: mango, notices: yes}}
"""


@dataclass
class FakeInbox:
    """Knows one system, whose notices are the word "good"."""

    taken: list[tuple[str, bytes]] = field(default_factory=list)
    closed: bool = False

    def knows(self, system: str) -> bool:
        return system == "office"

    def greeting(self, system: str, query: dict[str, str]) -> str:
        return query.get("zd_echo", "")

    def take(self, system: str, headers: dict[str, str], body: bytes) -> None:
        if headers.get("signature") != "good":
            raise SkipRecord("cloud_hook_refused", service="zadarma")
        self.taken.append((system, body))

    def close(self) -> None:
        self.closed = True


@dataclass
class Heard:
    """A listener that runs, and its inbox."""

    inbox: FakeInbox
    port: int

    def ask(self, method: str, path: str, body: bytes = b"", **headers: str) -> tuple[int, bytes]:
        """Status and body of the answer."""
        with closing(http.client.HTTPConnection(HOST, self.port, timeout=10)) as link:
            link.request(method, path, body, headers)
            answer = link.getresponse()
            return answer.status, answer.read()


@pytest.fixture
def heard() -> Iterator[Heard]:
    """A listener over the fake inbox, on a port of its own."""
    inbox = FakeInbox()
    app = Listener(inbox).application()  # type: ignore[arg-type]
    with socket.socket() as door:
        door.bind((HOST, 0))
        server = Server(Config(app, log_level="warning", log_config=None, ws="none"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [door]}, daemon=True)
        thread.start()
        assert until(lambda: server.started, 20)
        yield Heard(inbox, door.getsockname()[1])
        server.should_exit = True
        thread.join(20)
    assert inbox.closed, "what waits is stored at the end"


def test_a_proven_notice_is_answered_and_taken(heard: Heard) -> None:
    """At the system's address, and at whatever path the service adds to it."""
    assert heard.ask("POST", "/notices/office", b"a=1", Signature="good") == (200, b"")
    assert heard.ask("POST", "/notices/office/events/call", b"b=2", Signature="good") == (200, b"")
    assert heard.inbox.taken == [("office", b"a=1"), ("office", b"b=2")]


def test_anything_else_is_refused(heard: Heard, caplog: pytest.LogCaptureFixture) -> None:
    """Unproven, too long, of a system that nobody named, at another address, by another method: nothing is taken."""
    assert [heard.ask("POST", "/notices/office", b"personal", Signature="bad")[0] for _ in range(3)] == [403] * 3
    assert heard.ask("POST", "/notices/office", bytes(MOST_BYTES + 1), Signature="good")[0] == 413
    assert heard.ask("POST", "/notices/other", b"", Signature="good")[0] == 404
    assert heard.ask("GET", "/")[0] == 404
    assert heard.ask("GET", "/notices")[0] == 404
    assert heard.ask("PUT", "/notices/office", b"", Signature="good")[0] == 405
    assert heard.inbox.taken == []
    told = [record.getMessage() for record in caplog.records if record.name == "obmen.notices"]
    assert len(told) == 1, "a line a minute, however often it is tried"
    assert "not signed" in told[0]
    assert "personal" not in told[0]


def test_a_greeting_is_answered(heard: Heard) -> None:
    """The word that the service asks with comes back as plain text; anything long or odd does not."""
    assert heard.ask("GET", "/notices/office?zd_echo=abc123") == (200, b"abc123")
    for odd in ("", "?zd_echo=", f"?zd_echo={'a' * 101}", "?zd_echo=a%00b", "?other=1"):
        assert heard.ask("GET", f"/notices/office{odd}")[0] == 404


def test_who_sends_for_ever_is_sent_away(heard: Heard, monkeypatch: pytest.MonkeyPatch) -> None:
    """A body that does not come to its end costs a connection for seconds, not for good."""
    monkeypatch.setattr(listening, "_ARRIVES", 0.3)
    with socket.create_connection((HOST, heard.port), timeout=10) as link:
        link.sendall(b"POST /notices/office HTTP/1.1\r\nHost: x\r\nSignature: good\r\nContent-Length: 9\r\n\r\nabc")
        assert b" 408 " in link.recv(1000)
    assert heard.inbox.taken == []


def test_who_hangs_up_leaves_no_trace(heard: Heard, caplog: pytest.LogCaptureFixture) -> None:
    """A connection that breaks off in the middle is nobody's error, and fills no log."""
    for _ in range(3):
        with socket.create_connection((HOST, heard.port), timeout=10) as link:
            link.sendall(b"POST /notices/office HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nabc")
            time.sleep(0.1)
    assert heard.ask("POST", "/notices/office", b"a=1", Signature="good")[0] == 200
    assert heard.inbox.taken == [("office", b"a=1")]
    assert [record.getMessage() for record in caplog.records if record.levelname == "ERROR"] == []


def test_the_process_hears_and_stores(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From a signed notice to a row of the store; a forged one leaves nothing; SIGTERM ends it with all stored."""
    monkeypatch.setenv("TEST_MANGO", SECRET)
    port = free_port()
    write(home, HOME.replace("PORT", str(port)))
    line = [sys.executable, "-m", "hub.cli", "--home", str(home), "notices"]
    process = subprocess.Popen(line, cwd=ROOT, stderr=subprocess.PIPE)
    try:
        assert until(lambda: process.poll() is not None or _listens(port), 60)
        heard = Heard(FakeInbox(), port)
        headers, body = signed("mango", "c1", "Disconnected")
        assert heard.ask("POST", "/notices/office/events/call", body, **headers)[0] == 200
        assert heard.ask("POST", "/notices/office", body.replace(b"c1", b"c2"), **headers)[0] == 403
        process.send_signal(signal.SIGTERM)
        said = process.communicate(timeout=30)[1].decode()
    finally:
        process.kill()
        process.wait()
    assert not (home / "store.db-wal").exists(), "the store was closed"
    with closing(sqlite3.connect(home / "store.db")) as conn:
        assert conn.execute("SELECT call, event, is_over FROM notice").fetchall() == [("c1", "Disconnected", 1)]
    assert (process.returncode, said) == (0, "")
    assert "office: A notice is not signed" in (home / "logs" / "obmen.log").read_text(encoding="utf-8")
    assert SECRET.encode() not in all_files(home)


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((HOST, port)) == 0


def test_up_keeps_a_listener_only_where_one_is_wanted(tmp_path: Path) -> None:
    """Without a system that takes notices no port is opened."""
    assert [one.name for one in services(tmp_path, 3055, notices=True)] == ["daemon", "code", "web", "notices"]
    assert "notices" not in [one.name for one in services(tmp_path, 3055)]
    (hears,) = [one for one in services(tmp_path, 3055, notices=True) if one.name == "notices"]
    assert list(hears.command[-3:]) == ["--home", str(tmp_path), "notices"]


def test_a_taken_port_for_notices_is_refused(obmen: Obmen, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody else's port, or that of the UI: a sentence with the way out before anything is started."""
    monkeypatch.setenv("TEST_MANGO", SECRET)
    with socket.socket() as server:
        server.bind((HOST, 0))
        server.listen()
        port = server.getsockname()[1]
        write(home, HOME.replace("PORT", str(port)))
        said = obmen("up", "--port", str(free_port()))
        assert said.code == 2
        assert "notices_port" in said.err
    own = free_port()
    write(home, HOME.replace("PORT", str(own)))
    assert "notices_port" in obmen("up", "--port", str(own)).err
    assert not (home / "dagster").exists()


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_up_keeps_the_listener_alive(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed, it comes back; ended with the rest."""
    from tests.cli.test_up import Up
    from tests.cli.test_up import services as running

    monkeypatch.setenv("TEST_MANGO", SECRET)
    port = free_port()
    write(home, HOME.replace("PORT", str(port)))
    up = Up(home, "up")
    try:
        assert until(lambda: _listens(port), 120)
        first = running(home)["notices"]
        os.kill(first, signal.SIGKILL)
        assert until(lambda: running(home).get("notices") not in (None, first) and _listens(port), 60)
        headers, body = signed("mango", "c1", "Disconnected")
        assert Heard(FakeInbox(), port).ask("POST", "/notices/office", body, **headers)[0] == 200
    finally:
        up.process.terminate()
        assert up.process.wait(120) == 0
    time.sleep(0.1)
    assert not _listens(port)
