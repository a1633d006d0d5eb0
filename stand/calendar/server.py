"""Putting a calendar into a server by WebDAV, and a Radicale of its own to put it into."""

from __future__ import annotations

import base64
import http.client
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import quote, urlsplit

_CONFIG = """[server]
hosts = 127.0.0.1:{port}
[auth]
type = htpasswd
htpasswd_filename = {folder}/users
htpasswd_encryption = plain
delay = 0
[storage]
filesystem_folder = {folder}/store
[web]
type = none
[logging]
level = warning
"""


class Server:
    """One account of a CalDAV server; ``url`` is its address, nothing is sent before something is put."""

    def __init__(self, url: str, user: str, password: str) -> None:
        self._parts, self._user = urlsplit(url), user
        self._login = base64.b64encode(f"{user}:{password}".encode()).decode()

    def fill(self, calendar: str, resources: Iterable[tuple[str, str]]) -> int:
        """Make the calendar if it is not there, and put every resource that is not there yet; how many are there then.

        ``ConnectionError`` with the server's word where it refuses one.
        """
        path, number = f"{self._parts.path.rstrip('/')}/{quote(calendar)}/", 0
        self._ask("MKCALENDAR", path, "", {}, {201, 403, 405, 409})
        for name, text in resources:
            headers = {"Content-Type": "text/calendar; charset=utf-8", "If-None-Match": "*"}
            self._ask("PUT", f"{path}{name}.ics", text, headers, {201, 204, 412})
            number += 1
        return number

    def answers(self) -> bool:
        """Whether anybody listens there."""
        try:
            self._ask("PROPFIND", self._parts.path or "/", "", {"Depth": "0"}, set(range(100, 600)))
        except OSError:
            return False
        return True

    def _ask(self, method: str, path: str, body: str, headers: dict[str, str], good: set[int]) -> None:
        make = http.client.HTTPSConnection if self._parts.scheme == "https" else http.client.HTTPConnection
        link = make(self._parts.hostname or "", self._parts.port, timeout=30)
        try:
            link.request(method, path, body.encode(), {"Authorization": f"Basic {self._login}", **headers})
            answer = link.getresponse()
            said = answer.read()[:200].decode(errors="replace")
        finally:
            link.close()
        if answer.status not in good:
            raise ConnectionError(f"{method} {path}: HTTP {answer.status} {said}")


def start_radicale(folder: Path, port: int, user: str, password: str) -> subprocess.Popen[bytes]:
    """Radicale on loopback with one user; its data stay in ``folder``. ``ConnectionError`` when it does not come up."""
    folder.mkdir(parents=True, exist_ok=True)
    users = folder / "users"
    users.touch(mode=0o600)
    users.write_text(f"{user}:{password}\n", encoding="utf-8")
    (folder / "config").write_text(_CONFIG.format(port=port, folder=folder.as_posix()), encoding="utf-8")
    process = subprocess.Popen([sys.executable, "-m", "radicale", "--config", str(folder / "config")])
    server, until = Server(f"http://127.0.0.1:{port}", user, password), time.monotonic() + 30
    while not server.answers():
        if process.poll() is not None or time.monotonic() > until:
            process.terminate()
            raise ConnectionError("Radicale did not come up: is it installed?")
        time.sleep(0.1)
    return process
