"""One long-running process that the supervisor keeps alive: starting, noticing its death, stopping it for good.

Each gets a process group of its own. A Ctrl-C in the terminal therefore reaches the supervisor alone, which stops its
processes in their order; and what a process has started itself (the workers of running exchanges) can be ended with it.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from hub.model.process import alive, process_mark

#: A log file larger than this is moved aside; one older file is kept.
LOG_BYTES = 20_000_000
#: Seconds between being asked to end and being ended.
ASKED = 10.0
#: Seconds that a service waits for the one it needs.
GATE = 30.0
_POLL = 0.1


@dataclass(frozen=True, slots=True)
class Service:
    """What to keep alive. ``patience``: seconds it may take to finish its work when asked to stop; ``firm``: seconds
    that it and all it has started get after that, before they are killed.

    ``after``: a port of this machine that must be listened on before the first start, 0 for none; it is not waited for
    longer than ``GATE`` seconds.
    """

    name: str
    command: Sequence[str]
    log: Path
    env: Mapping[str, str] = field(default_factory=dict)
    patience: float = ASKED
    firm: float = ASKED
    after: int = 0


@dataclass(slots=True)
class Backoff:
    """How long to wait before the next start: twice as long after each quick death, from ``first`` to ``longest``.

    A process that lived for ``healthy`` seconds starts the count anew.
    """

    first: float = 1.0
    longest: float = 60.0
    healthy: float = 60.0
    deaths: int = 0

    def after(self, lived: float) -> float:
        """Seconds to wait after a process died that had lived for ``lived`` seconds."""
        self.deaths = 1 if lived >= self.healthy else self.deaths + 1
        return min(self.longest, self.first * 2.0 ** min(self.deaths - 1, 16))


def listened_on(port: int) -> bool:
    """True when somebody answers on the port of this machine."""
    with socket.socket() as probe:
        probe.settimeout(1.0)
        return probe.connect_ex(("127.0.0.1", port)) == 0


class Child:
    """A service and the process that is it right now. ``clock``: seconds that only grow."""

    def __init__(self, service: Service, clock: Callable[[], float] = time.monotonic) -> None:
        self.service = service
        self.process: subprocess.Popen[bytes] | None = None
        self.backoff = Backoff()
        self.orphans: set[int] = set()
        self._clock = clock
        self._started = 0.0
        self._due = 0.0
        self._gate = clock() + GATE if service.after else 0.0

    @property
    def pid(self) -> int | None:
        """Id of the running process."""
        return self.process.pid if self.process else None

    def start(self) -> None:
        """Start the process, its output appended to its log."""
        self.service.log.parent.mkdir(parents=True, exist_ok=True)
        self.trim_log()
        with self.service.log.open("ab") as log:
            self.process = subprocess.Popen(
                list(self.service.command),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**os.environ, **self.service.env},
                creationflags=_FLAGS,
                start_new_session=True,  # means nothing on Windows; the flags mean nothing elsewhere
            )
        self._started = self._clock()

    def look(self) -> tuple[int, float] | None:
        """Start again what is due; on a death its exit code and the seconds until the next start, once."""
        self.orphans = {group for group in self.orphans if group_lives(group)}
        if self.process is None:
            return self._start_if_due()
        code = self.process.poll()
        if code is None:
            return None
        if group_lives(self.process.pid):  # workers that outlive their server finish their work; stop() ends them
            self.orphans.add(self.process.pid)
        self.process = None
        return code, self._postpone(self._clock() - self._started)

    def _start_if_due(self) -> tuple[int, float] | None:
        if self._clock() < self._due or not self._may_start():
            return None
        try:
            self.start()
        except OSError as error:  # out of memory, processes or disk: that passes, and the others go on
            return error.errno or 1, self._postpone(0.0)
        return None

    def _postpone(self, lived: float) -> float:
        wait = self.backoff.after(lived)
        self._due = self._clock() + wait
        return wait

    def _may_start(self) -> bool:
        if self._gate and self._clock() < self._gate and not listened_on(self.service.after):
            return False
        self._gate = 0.0
        return True

    def trim_log(self) -> None:
        """Move a large log aside by content: whoever writes to it goes on writing to the emptied file."""
        log = self.service.log
        if log.exists() and log.stat().st_size > LOG_BYTES:
            with suppress(OSError):  # a full disk is helped more by emptying the log than by keeping it
                shutil.copyfile(log, log.with_suffix(".1.log"))
            os.truncate(log, 0)

    def stop(self, hurry: Callable[[], bool] = lambda: False) -> None:
        """Ask the process to end, wait for its patience (not when in a ``hurry``), then end it and all it started."""
        if self.process is not None:
            pid = self.process.pid
            ask(pid)
            _wait(self.process, self.service.patience, hurry)
            end_group(pid, self.service.firm)
            self.process.wait()
            self.process = None
        for group in self.orphans:
            end_group(group, self.service.firm)
        self.orphans.clear()


def _wait(process: subprocess.Popen[bytes], seconds: float, hurry: Callable[[], bool]) -> None:
    until = time.monotonic() + seconds
    while process.poll() is None and time.monotonic() < until and not hurry():
        time.sleep(_POLL)


if sys.platform == "win32":  # pragma: no cover - not tried: no Windows machine at hand
    _FLAGS = subprocess.CREATE_NEW_PROCESS_GROUP

    def ask(pid: int) -> None:
        """Ask a process that leads a group to end."""
        os.kill(pid, signal.CTRL_BREAK_EVENT)

    def group_lives(pid: int) -> bool:
        """Groups cannot be looked up here; ``taskkill /T`` ends them by their tree."""
        return alive(pid, "")

    def end_group(pid: int, seconds: float = ASKED) -> None:
        """End the process and its whole tree."""
        del seconds
        subprocess.run(["taskkill", "/F", "/T", "/PID", str(pid)], check=False, capture_output=True)
else:
    _FLAGS = 0

    def ask(pid: int) -> None:
        """Ask a process that leads a group to end; what it has started is not asked."""
        _signal(os.kill, pid, signal.SIGTERM)

    def end_group(pid: int, seconds: float = ASKED) -> None:
        """Ask every member of the group to end, then kill what is left after ``seconds``."""
        if not _signal(os.killpg, pid, signal.SIGTERM):
            return
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if not group_lives(pid):
                return
            time.sleep(_POLL)
        _signal(os.killpg, pid, signal.SIGKILL)

    def _signal(send: Callable[[int, int], None], pid: int, number: int) -> bool:
        try:
            send(pid, number)
        except ProcessLookupError:
            return False
        except PermissionError:  # macOS says so of a group whose last member has ended and is not waited for
            return False
        return True

    def group_lives(group: int) -> bool:
        """True while a member of the group runs; one that only waits to be waited for runs no more.

        The id of a group cannot be given to another process as long as the group has a member.
        """
        if not _signal(os.killpg, group, 0):
            return False
        proc = Path("/proc")
        if not proc.is_dir():
            return True
        return any(_in_group(stat, group) for stat in proc.glob("[0-9]*/stat"))

    def _in_group(stat: Path, group: int) -> bool:
        try:
            fields = stat.read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
        except OSError:
            return False
        return int(fields[2]) == group and fields[0] not in {"Z", "X"}


def end_left_over(services: Mapping[str, tuple[int, str]], seconds: float = ASKED) -> list[str]:
    """End what a killed supervisor left running; names of what could not be told from strangers and lives.

    A process is ours only if it has the mark we wrote down: ids are given again.
    """
    unsure = []
    for name, (pid, mark) in services.items():
        if mark and process_mark(pid) == mark:
            end_group(pid, seconds)
        elif not mark and alive(pid, ""):
            unsure.append(f"{name} ({pid})")
    return unsure
