"""A FAKE of the eight cloud exchanges, in this process, on loopback. It is made from the same notes as the connector,
so it proves that the connector keeps to them, not that the services do.

It checks signatures with formulas of its own (``fake_services``), makes reports wait, pages, limits and fails on order.
"""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
USER, SECRET, HOOK = "key-0451", "s3cret+salt/07", "hook-word"
AUDIO = b"ID3\x04" + bytes(range(256)) * 40


@dataclass(frozen=True)
class FakeCall:
    """A call as the fake exchange knows it. ``legs``: extensions that rang before the one that answered."""

    id: str
    start: datetime
    direction: str = "in"
    client: str = "+79161234567"
    line: str = "+74951112233"
    agent: str = "101"
    wait: int = 7
    talk: int = 60
    answered: bool = True
    legs: tuple[str, ...] = ()
    word: str = ""

    @property
    def finish(self) -> datetime:
        """When it ended."""
        return self.start + timedelta(seconds=self.wait + (self.talk if self.answered else 0))


@dataclass(frozen=True)
class Got:
    """A request: ``params`` are of the query and of a form."""

    method: str
    path: str
    params: dict[str, str]
    headers: dict[str, str]
    body: bytes
    raw_query: str = ""


@dataclass
class Reply:
    """What comes back."""

    status: int = 200
    body: bytes = b""
    kind: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)


#: One way to fail: what comes instead of the answer; ``None`` closes the connection without a word.
FAULTS: dict[str, Reply | None] = {
    "busy": Reply(503, b"busy", "text/plain"),
    "limit": Reply(429, b"{}", headers={"Retry-After": "0"}),
    "gateway": Reply(502, b"<html>bad gateway</html>", "text/html"),
    "dropped": None,
    "cut": Reply(200, b'{"a": [', headers={"Content-Length": "500"}),
    "key": Reply(401, b"{}"),
    "address": Reply(403, b"forbidden", "text/plain"),
    "page": Reply(200, b"<!doctype html><html>please log in</html>", "text/html"),
    "moved": Reply(302, b"", headers={"Location": "https://elsewhere.example/x?token=1"}),
}


class FakeCloud:
    """One account of one service. ``answer`` is the service's own protocol (``fake_services.PROTOCOLS``)."""

    def __init__(self, service: str, answer: Callable[[FakeCloud, Got], Reply]) -> None:
        self.service, self._answer = service, answer
        self.calls: dict[str, FakeCall] = {}
        self.got: list[Got] = []
        self.failing: list[str] = []
        self.not_ready = 1
        self.state: dict[str, Any] = {}
        self.pages_from = 0
        self.cap = 7
        self.on_list: Callable[[FakeCloud], None] | None = None
        self.recording_waits = 0
        self.url = ""
        self.lock = threading.RLock()

    def add(self, *calls: FakeCall) -> None:
        """Calls happen."""
        self.calls |= {call.id: call for call in calls}

    def change(self, key: str, **what: Any) -> None:
        """A call is another than it was."""
        self.calls[key] = replace(self.calls[key], **what)

    def within(self, start: datetime, end: datetime) -> list[FakeCall]:
        """Calls that began in the time, in order; ``end`` does not belong to it."""
        found = sorted(self.calls.values(), key=lambda call: (call.start, call.id))
        return [call for call in found if start <= call.start < end]

    def part(self, rows: list[Any], skip: int, size: int) -> list[Any]:
        """A page, never longer than ``cap``, whatever was asked for; then something may happen to the list."""
        found = rows[skip : skip + min(size, self.cap)]
        if self.on_list is not None:
            act, self.on_list = self.on_list, None
            act(self)
        return found

    def reply(self, got: Got) -> Reply | None:
        """What comes back for a request; ``None`` is a closed connection."""
        with self.lock:
            self.got.append(got)
            if self.failing:
                name = self.failing[0] if self.failing[0].endswith("!") else self.failing.pop(0)
                return FAULTS[name.rstrip("!")]
            return self._answer(self, got)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def do_GET(self) -> None:
        """Answer as the service would."""
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parts = urlsplit(self.path)
        params = dict(parse_qsl(parts.query, keep_blank_values=True))
        headers = {name.lower(): value for name, value in self.headers.items()}
        if "form" in headers.get("content-type", ""):
            params |= dict(parse_qsl(body.decode(), keep_blank_values=True))
        reply = self.server.cloud.reply(Got(self.command, parts.path, params, headers, body, parts.query))
        if reply is None:
            self.close_connection = True
            return
        self.send_response(reply.status)
        told = {"Content-Type": reply.kind, "Content-Length": str(len(reply.body)), **reply.headers}
        for name, value in told.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(reply.body)
        self.close_connection = self.close_connection or "Content-Length" in reply.headers

    do_POST = do_GET

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, cloud: FakeCloud) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.cloud = cloud

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is no fault."""

    def server_bind(self) -> None:
        """Without the reverse look-up of the base class."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = "127.0.0.1", self.server_address[1]


@contextmanager
def serving(cloud: FakeCloud) -> Iterator[FakeCloud]:
    """The fake answers until the block ends."""
    server = _Server(cloud)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    cloud.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield cloud
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)
