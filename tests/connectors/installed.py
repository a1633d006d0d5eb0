"""What every real server of these tests needs before it is started: a port, and where it is installed."""

from __future__ import annotations

import os
import shutil
import socket
from pathlib import Path


def free_port(kind: socket.SocketKind = socket.SOCK_STREAM) -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket(type=kind) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def interpreter(variable: str, script: str) -> str | None:
    """The Python that has a server: the one that the variable names, else the one beside its script."""
    if named := os.environ.get(variable):
        return named
    found = shutil.which(script)
    beside = Path(found).resolve().with_name("python") if found else None
    return str(beside) if beside is not None and beside.exists() else None
