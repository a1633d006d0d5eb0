"""The hub kept alive: code server, daemon, web server and, where notices are heard, a listener as children of one
process, in one order, with one end.

Start: the home is locked, what a killed supervisor left is ended, Dagster's databases are made by one process alone
(``prepare``), then all are started together. Stop: the daemon first (it starts nothing new), then the code
server, which is given time to let running exchanges finish their work, then the web server.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType

from hub.cli import lock
from hub.cli.call import Call
from hub.cli.processes import ASKED, Child, Service, end_left_over
from hub.model.errors import NeedsPerson
from hub.model.process import process_mark

HOST = "127.0.0.1"
#: Name of the code location; schedules and sensors keep their state under it.
LOCATION = "hub"
#: Seconds between two looks at the children, and between two looks at the size of their logs.
TICK = 0.5
TRIM_EVERY = 60.0
#: Seconds that running exchanges get to finish when the hub is stopped.
DRAIN = 60.0

#: Tells a person or a machine what has happened: a code of the catalogue without ``cli_up_``, and its parameters.
Tell = Callable[..., None]


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def port_is_free(port: int) -> bool:
    """False when somebody listens on the port."""
    with socket.socket() as probe:
        if sys.platform != "win32":  # there the option means the opposite
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def dagster_home(home: Path) -> Path:
    """Where Dagster keeps its data; named here so that the supervisor need not load Dagster."""
    return home.absolute() / "dagster"


def services(home: Path, port: int, *, notices: bool = False) -> list[Service]:
    """The services of the home, with its UI on ``port``; writes the workspace file that two of them read.

    ``notices``: with a listener for what services send.
    """
    folder = dagster_home(home)
    code_port = free_port()
    workspace = folder / "workspace.yaml"
    folder.mkdir(parents=True, exist_ok=True)
    workspace.write_text(
        f"load_from:\n  - grpc_server: {{host: {HOST}, port: {code_port}, location_name: {LOCATION}}}\n",
        encoding="utf-8",
    )
    env = {"DAGSTER_HOME": str(folder), "OBMEN_HOME": str(home), "PYTHONUNBUFFERED": "1", "PYTHONUTF8": "1"}
    code = ["dagster", "api", "grpc", "-m", "hub.definitions", "-h", HOST, "-p", str(code_port)]
    code += ["--location-name", LOCATION, "--inject-env-vars-from-instance", "--use-python-environment-entry-point"]
    daemon = ["dagster._daemon", "run", "-w", str(workspace)]
    web = ["dagster_webserver", "-h", HOST, "-p", str(port), "-w", str(workspace)]
    logs = home / "logs"

    def service(name: str, module: Sequence[str], patience: float, after: int = 0) -> Service:
        return Service(name, [sys.executable, "-m", *module], logs / f"{name}.log", env, patience, after=after)

    # The daemon has nothing to do before there is code; the web server takes longer to load than the code does.
    made = [service("daemon", daemon, 15.0, code_port), service("code", code, DRAIN), service("web", web, 10.0)]
    hears = ["hub.cli", "--home", os.fspath(home), "notices"]
    return [*made, service("notices", hears, 10.0)] if notices else made


def answers(url: str) -> bool:
    """True when the web server answers; a proxy of the environment has no business with this machine itself."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(f"{url}/server_info", timeout=2) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


class Supervisor:
    """Keeps ``children`` alive until it is asked to stop. ``url``: where the UI will answer, empty for none.

    ``children`` are stopped in their order and started in it; those that run already are taken over as they are.
    """

    def __init__(self, home: Path, url: str, children: Sequence[Child], tell: Tell) -> None:
        self.home = home
        self.children = list(children)
        self.tell = tell
        self.about = lock.Running.of_this_process(url, datetime.now(UTC).isoformat(timespec="seconds"))
        self.asked = threading.Event()
        self.hurry = threading.Event()
        self._trimmed = time.monotonic()

    def run(self) -> None:
        """Start what does not run, keep it alive, and stop everything when asked by a signal."""
        with self._signals():
            try:
                while not self.asked.is_set():
                    self._look()
                    self.asked.wait(TICK)
            finally:
                self._stop()

    @contextmanager
    def _signals(self) -> Iterator[None]:
        """The first request to end lets work finish, the second one does not.

        A handler that is set here is reset in the children when they are started; an ignored signal would stay ignored
        in them (a shell ignores SIGINT in what it starts with ``&``), and Dagster ends by it. Only an ignored SIGHUP
        stays ignored: ``nohup`` means that.
        """
        names = ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")
        numbers = [getattr(signal, name) for name in names if hasattr(signal, name)]
        numbers = [number for number in numbers if signal.Signals(number).name != "SIGHUP" or not _ignored(number)]
        before = {number: signal.signal(number, self._ask) for number in numbers}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _ask(self, number: int, frame: FrameType | None) -> None:
        del number, frame
        (self.hurry if self.asked.is_set() else self.asked).set()

    def _look(self) -> None:
        changed = False
        for child in self.children:
            before = child.pid
            death = child.look()
            if death is not None:
                self.tell("died", name=child.service.name, status=death[0], seconds=death[1], log=child.service.log)
            changed = changed or child.pid != before
        if not self.about.ready and self.about.url and answers(self.about.url):
            self.about.ready = changed = True
            self.tell("ready", url=self.about.url)
        if changed:
            self._record()
        if time.monotonic() - self._trimmed > TRIM_EVERY:
            self._trimmed = time.monotonic()
            for child in self.children:
                child.trim_log()

    def _record(self) -> None:
        pids = {child.service.name: child.pid for child in self.children}
        self.about.services = {name: (pid, process_mark(pid)) for name, pid in pids.items() if pid is not None}
        with suppress(OSError):  # a full disk, or Windows while somebody reads: `obmen status` is behind, nothing more
            self.about.write(self.home)

    def _stop(self) -> None:
        self.tell("stopping")
        for child in self.children:
            if child.pid is not None and child.service.name == "code":
                self.tell("draining", seconds=child.service.patience)
            child.stop(self.hurry.is_set)
        lock.forget(self.home)
        self.tell("stopped")


def _ignored(number: int) -> bool:
    return signal.getsignal(number) == signal.SIG_IGN


def clear_left_over(home: Path, tell: Tell, seconds: float = ASKED) -> None:
    """End what a killed supervisor of this home left; ``NeedsPerson(cli_up_left_over)`` for what may be a stranger.

    To be called under the lock of the home.
    """
    there = lock.running(home)
    if there is None or there.host != socket.gethostname():
        return
    unsure = end_left_over(there.services, seconds)
    if unsure:
        raise NeedsPerson("cli_up_left_over", processes=", ".join(unsure), file=home / "up.json")
    if there.services:
        tell("ended_left_over")
    lock.forget(home)


def run_own(call: Call, *words: str) -> int:
    """Run another ``obmen`` command on the same home in a process of its own; its exit code.

    It tells its outcome itself; the memory it needs is given back when it ends.
    """
    options = ["--home", os.fspath(call.home), "--lang", call.lang, *(["--json"] if call.as_json else [])]
    line = [sys.executable, "-m", "hub.cli", *options, *words]
    return subprocess.run(line, check=False, stdin=subprocess.DEVNULL).returncode
