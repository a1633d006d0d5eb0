"""One kept process: started, noticed when it dies, ended with all it has started."""

from __future__ import annotations

import errno
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hub.cli import processes
from hub.cli.processes import Backoff, Child, Service, end_group, end_left_over, group_lives
from hub.model.process import alive, process_mark

SLEEP = "import time; print('up', flush=True); time.sleep(600)"
WITH_CHILD = (
    "import subprocess, sys, time;"
    "p = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)']);"
    "print(p.pid, flush=True); time.sleep(600)"
)

pytestmark = pytest.mark.skipif(os.name == "nt", reason="process groups of POSIX; Windows is untried")


class Clock:
    """Seconds that pass when the test says so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        """The time."""
        return self.now


def until(true: Callable[[], bool], seconds: float = 20.0) -> bool:
    """Waits for a condition; whether it came true in time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if true():
            return True
        time.sleep(0.02)
    return bool(true())


@pytest.fixture
def clock() -> Clock:
    """A clock that stands still."""
    return Clock()


@pytest.fixture
def make(tmp_path: Path, clock: Clock) -> Iterator[Callable[..., Child]]:
    """Makes children of small scripts; what is left of them is ended by its id."""
    made: list[Child] = []

    def child(script: str, **more: object) -> Child:
        service = Service("x", [sys.executable, "-c", script], tmp_path / "x.log", **more)  # type: ignore[arg-type]
        made.append(Child(service, clock))
        return made[-1]

    yield child
    for item in made:
        item.stop(lambda: True)


def test_what_it_prints_goes_to_its_log(make: Callable[..., Child]) -> None:
    """Output of every start is appended, the environment of the service reaches it."""
    child = make("import os; print('said', os.environ['OBMEN_TEST'], flush=True)", env={"OBMEN_TEST": "42"})
    for expected in (1, 2):
        child.start()
        assert child.process is not None
        child.process.wait(20)
        assert child.service.log.read_text(encoding="utf-8").count("said 42") == expected


def test_a_killed_process_is_started_again_after_a_wait(make: Callable[..., Child], clock: Clock) -> None:
    """Killed by its id, it is told once with its exit code and comes back when the wait is over, not before."""
    child = make(SLEEP)
    assert child.look() is None
    first = child.pid
    assert first is not None
    os.kill(first, signal.SIGKILL)
    assert until(lambda: not alive(first, ""))
    assert child.look() == (-signal.SIGKILL, 1.0)
    assert child.look() is None
    assert child.pid is None
    clock.now += 1.1
    assert child.look() is None
    assert child.pid not in (None, first)


def test_back_off_grows_and_is_forgiven() -> None:
    """Each quick death doubles the wait up to its limit; a long life starts anew."""
    backoff = Backoff(first=1, longest=10, healthy=60)
    assert [backoff.after(0.1) for _ in range(6)] == [1, 2, 4, 8, 10, 10]
    assert backoff.after(61) == 1
    assert backoff.after(1) == 2
    assert [Backoff().after(0) for _ in range(1)] == [1]
    long = Backoff()
    assert [long.after(0) for _ in range(5000)][-1] == 60


def test_a_start_that_fails_is_tried_again(
    make: Callable[..., Child], clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The machine has no room for a process: told as a death, tried again after the wait, the supervisor lives."""
    child = make(SLEEP)

    def no_room(*_: object, **__: object) -> None:
        raise BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable")

    with monkeypatch.context() as broken:
        broken.setattr(subprocess, "Popen", no_room)
        assert child.look() == (errno.EAGAIN, 1.0)
        assert child.look() is None
        clock.now += 1.1
        assert child.look() == (errno.EAGAIN, 2.0)
    clock.now += 2.1
    assert child.look() is None
    assert child.pid is not None


def test_a_service_waits_for_the_one_it_needs(make: Callable[..., Child], clock: Clock) -> None:
    """It is not started before the port answers; after half a minute it is started all the same."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        port = server.getsockname()[1]
        waiting, late = make(SLEEP, after=port), make(SLEEP, after=port)
        assert (waiting.look(), waiting.pid) == (None, None)
        server.listen()
        waiting.look()
        assert waiting.pid is not None
    assert (late.look(), late.pid) == (None, None)
    clock.now += processes.GATE
    late.look()
    assert late.pid is not None


def test_stopping_ends_what_it_has_started_too(make: Callable[..., Child]) -> None:
    """The process is asked to end, and its own children end with it."""
    child = make(WITH_CHILD, patience=5.0)
    child.start()
    assert until(lambda: child.service.log.read_text(encoding="utf-8").strip().isdigit())
    grandchild = int(child.service.log.read_text(encoding="utf-8"))
    leader = child.pid
    assert leader is not None
    assert alive(grandchild, "")
    child.stop()
    assert not alive(leader, "")
    assert until(lambda: not alive(grandchild, ""))


def test_one_that_does_not_listen_is_ended(make: Callable[..., Child]) -> None:
    """Ignoring the request only costs the patience: then it is killed."""
    child = make(f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {SLEEP}", patience=0.2, firm=0.3)
    child.start()
    assert until(lambda: b"up" in child.service.log.read_bytes())
    pid = child.pid
    assert pid is not None
    child.stop()
    assert not alive(pid, "")


def test_work_is_given_time_to_finish(make: Callable[..., Child], tmp_path: Path) -> None:
    """Asked to end, a process that needs a moment for its last work gets it."""
    done = tmp_path / "done"
    script = (
        "import signal, sys, time, pathlib;"
        f"last = lambda *_: (time.sleep(1), pathlib.Path({str(done)!r}).touch(), sys.exit(0));"
        f"signal.signal(signal.SIGTERM, last); {SLEEP}"
    )
    child = make(script, patience=20.0)
    child.start()
    assert until(lambda: b"up" in child.service.log.read_bytes())
    child.stop()
    assert done.exists()


def test_workers_that_outlive_their_server_are_ended_at_the_stop(make: Callable[..., Child]) -> None:
    """The server is killed, its worker goes on: it is left to work while the hub is up, and ended with it."""
    child = make(WITH_CHILD)
    child.start()
    assert until(lambda: child.service.log.read_text(encoding="utf-8").strip().isdigit())
    worker = int(child.service.log.read_text(encoding="utf-8"))
    leader = child.pid
    assert leader is not None
    os.kill(leader, signal.SIGKILL)
    assert until(lambda: not alive(leader, ""))
    child.look()
    assert child.orphans == {leader}
    assert alive(worker, "")
    child.stop()
    assert until(lambda: not alive(worker, ""))
    assert not group_lives(leader)


def test_a_large_log_is_moved_aside(make: Callable[..., Child], monkeypatch: pytest.MonkeyPatch) -> None:
    """The process goes on writing to the emptied file; one older file is kept."""
    monkeypatch.setattr(processes, "LOG_BYTES", 1000)
    child = make("import time\nfor n in range(6000): print('x' * 50, n, flush=True); time.sleep(0.01)")
    child.start()
    log = child.service.log
    assert until(lambda: log.stat().st_size > 1000)
    child.trim_log()
    assert log.stat().st_size < 1000
    assert log.with_suffix(".1.log").stat().st_size > 1000
    assert until(lambda: log.stat().st_size > 0)
    assert not log.read_bytes().startswith(b"\0")


def test_what_a_killed_supervisor_left_is_ended_but_no_stranger() -> None:
    """A process is ended only if it bears the mark that was written down; its id alone proves nothing."""
    ours, stranger = (
        subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True)
        for _ in range(2)
    )
    try:
        left = {"ours": (ours.pid, process_mark(ours.pid)), "stranger": (stranger.pid, "another start")}
        assert end_left_over(left) == []
        assert ours.wait(20) == -signal.SIGTERM
        assert stranger.poll() is None
        assert end_left_over({"unsure": (stranger.pid, "")}) == [f"unsure ({stranger.pid})"]
        assert stranger.poll() is None
        end_group(stranger.pid)
        stranger.wait(20)
        assert end_left_over({"unsure": (stranger.pid, "")}) == []
    finally:
        for process in (ours, stranger):
            if process.poll() is None:
                process.kill()
                process.wait()
