"""Recordings of calls: references in records, and files behind them, never outside the folder of recordings.

What a row calls the recording is written by the exchange, and perhaps by a caller whose name got into it: it is a text
of somebody else's, and becomes a path only within the folder.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from hub.model.errors import NeedsPerson, SkipRecord

#: Where Asterisk keeps recordings, under whatever folder its own is.
_MONITOR = "/monitor/"


def reference(told: str, monitor: str, start: datetime) -> str:
    """A path within the folder of recordings; empty for what would lead out of it.

    A bare name is one of FreePBX: it lies in a folder of the day. An absolute path is cut at the folder of recordings,
    as the settings name it or as Asterisk does (the folder may be mounted elsewhere here).
    """
    if "/" not in told:
        told = f"{start:%Y/%m/%d}/{told}" if _plain(told) else ""
    elif monitor and told.startswith(monitor.rstrip("/") + "/"):
        told = told.removeprefix(monitor.rstrip("/") + "/")
    elif told.startswith("/"):
        told = told.partition(_MONITOR)[2]
    return told if told and all(map(_plain, told.split("/"))) else ""


def _plain(part: str) -> bool:
    return part not in {"", ".", ".."} and "\\" not in part and "\0" not in part and ":" not in part


def open_recording(folder: str, ref: str, system: str) -> BinaryIO:
    """The file of a reference, opened for reading.

    ``NeedsPerson(calls_no_recordings)`` where the settings name no folder, ``SkipRecord(calls_recording_missing)``
    where there is no such file in it, or the reference leads out of it (by dots, or by a link).
    """
    if not folder:
        raise NeedsPerson("calls_no_recordings", system=system)
    root = Path(folder).resolve()
    for name in (ref, PurePosixPath(ref).name):
        path = (root / name).resolve() if all(map(_plain, name.split("/"))) else root
        if path != root and path.is_relative_to(root) and path.is_file():
            return path.open("rb")
    raise SkipRecord("calls_recording_missing", system=system)  # its name holds the client's number
