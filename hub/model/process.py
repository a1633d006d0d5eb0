"""Is a process still the one we knew? Process ids are reused, so a process is named by its id and its start."""

from __future__ import annotations

import os
import sys
from pathlib import Path


def process_mark(pid: int) -> str:
    """A text that changes when another process gets this id; empty where the platform does not tell."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    except OSError:
        return ""
    # The command name in parentheses may hold blanks; what follows the last ")" is fixed. Field 22 is the start time.
    return stat.rpartition(")")[2].split()[19]


def _exists_windows(pid: int) -> bool:  # pragma: no cover - not tried: no Windows machine at hand
    import ctypes

    synchronize = 0x00100000
    handle = ctypes.windll.kernel32.OpenProcess(synchronize, False, pid)  # type: ignore[attr-defined]
    if not handle:
        return False
    still_running: bool = ctypes.windll.kernel32.WaitForSingleObject(handle, 0) != 0  # type: ignore[attr-defined]
    ctypes.windll.kernel32.CloseHandle(handle)  # type: ignore[attr-defined]
    return still_running


def _zombie(pid: int) -> bool:
    """A killed child that its parent has not yet waited for: it has an id but runs no more."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] in {"Z", "X"}


def alive(pid: int, mark: str) -> bool:
    """True while the process ``pid`` that had ``mark`` runs on this machine."""
    if sys.platform == "win32":  # pragma: no cover - os.kill(pid, 0) would end the process there
        return _exists_windows(pid)
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass  # it exists and belongs to someone else
    return not _zombie(pid) and (not mark or process_mark(pid) in {"", mark})
