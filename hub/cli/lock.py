"""One hub per home.

Told as a story: an admin starts ``obmen up``, forgets it, and the machine's service starts another one on the same
home. Two Dagster daemons on one home both tick its schedules, so every night would be exchanged twice at once. So the
supervisor holds a lock of the operating system on ``<home>/up.lock`` for as long as it lives: the system lets go of it
whatever way the process ends, so a killed supervisor leaves no stale lock behind. What it started stands in
``<home>/up.json``, for ``obmen status`` and for the next start, which ends what a killed one left running.
"""

from __future__ import annotations

import json
import os
import socket
import sys
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from hub.model.errors import NeedsPerson
from hub.model.process import alive, process_mark

if sys.platform == "win32":  # pragma: no cover - not tried: no Windows machine at hand
    import msvcrt

    def _take(file: IO[bytes]) -> None:
        file.seek(0)
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
else:
    import fcntl

    def _take(file: IO[bytes]) -> None:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


@dataclass(slots=True)
class Running:
    """What a supervisor tells about itself. ``services``: process id and mark of what it keeps alive, by name.

    ``ready``: the UI has answered. ``url``: where the UI is.
    """

    pid: int
    mark: str
    host: str
    url: str
    started_at: str
    ready: bool = False
    services: dict[str, tuple[int, str]] = field(default_factory=dict)

    @classmethod
    def of_this_process(cls, url: str, started_at: str) -> Running:
        """This process as the supervisor."""
        return cls(os.getpid(), process_mark(os.getpid()), socket.gethostname(), url, started_at)

    @property
    def alive(self) -> bool:
        """True while that supervisor runs on this machine."""
        return self.host == socket.gethostname() and alive(self.pid, self.mark)

    def write(self, home: Path) -> None:
        """Replace ``up.json`` at once, so that no reader sees half of it."""
        path = home / "up.json"
        fresh = path.with_suffix(".tmp")
        fresh.write_text(json.dumps(asdict(self)), encoding="utf-8")
        fresh.replace(path)


def running(home: Path) -> Running | None:
    """What the last supervisor of the home wrote and did not take away; it may be dead by now."""
    try:
        told = Running(**json.loads((home / "up.json").read_text(encoding="utf-8")))
        told.services = {name: (int(pid), str(mark)) for name, (pid, mark) in told.services.items()}
    except (OSError, ValueError, TypeError):
        return None
    return told


def forget(home: Path) -> None:
    """Take ``up.json`` away: a clean end leaves nothing to clean up."""
    (home / "up.json").unlink(missing_ok=True)


class HomeLock:
    """Held from entering to leaving; ``NeedsPerson(cli_up_already)`` while another process holds it."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self._file: IO[bytes] | None = None

    def __enter__(self) -> Self:
        self.home.mkdir(parents=True, exist_ok=True)
        file = (self.home / "up.lock").open("a+b")
        try:
            _take(file)
        except OSError:
            file.close()
            there = running(self.home)
            pid, url = (there.pid, there.url) if there else ("?", "?")
            raise NeedsPerson("cli_up_already", home=self.home, pid=pid, url=url) from None
        self._file = file
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None:
            self._file.close()  # closing lets the lock go
            self._file = None
