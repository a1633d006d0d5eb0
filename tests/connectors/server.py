"""A scripted HTTP server on loopback: a test says what each request gets, byte by byte, and sees what was asked."""

from __future__ import annotations

import json
import socketserver
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote


@dataclass(frozen=True)
class Request:
    """What was asked; ``path`` is undone of percent signs, ``raw`` is as it came."""

    method: str
    raw: str
    headers: dict[str, str]
    body: bytes = b""

    @property
    def path(self) -> str:
        """Below the service root, with its query."""
        return unquote(self.raw).partition("/odata/standard.odata/")[2]

    def number(self, option: str) -> int:
        """Value of ``$top`` and the like."""
        return int(self.path.partition(f"{option}=")[2].partition("&")[0] or 0)


@dataclass(frozen=True)
class Reply:
    """What comes back. ``cut``: the connection is closed after so many bytes of the body, whatever was promised.

    A ``cut`` below zero: it is closed without a word.
    """

    status: int = 200
    body: bytes = b""
    kind: str = "application/json;charset=utf-8"
    headers: dict[str, str] = field(default_factory=dict)
    cut: int | None = None


Script = Callable[[Request], Reply]


def collection(rows: list[dict[str, Any]], **more: Any) -> Reply:
    """A JSON collection as 1C writes it."""
    return Reply(body=json.dumps({"odata.metadata": "…", **more, "value": rows}, ensure_ascii=False).encode())


def fault(status: int, code: str, text: str) -> Reply:
    """An ``odata.error`` in JSON."""
    error = {"odata.error": {"code": code, "message": {"lang": "ru", "value": text}}}
    return Reply(status, json.dumps(error, ensure_ascii=False).encode())


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def do_GET(self) -> None:
        """Answer by the script."""
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = Request(self.command, self.path, headers, body)
        with self.server.lock:
            self.server.requests.append(request)
        reply = self.server.script(request)
        if reply.cut is not None and reply.cut < 0:
            self.close_connection = True
            return
        self.send_response(reply.status)
        headers = {"Content-Type": reply.kind, "Content-Length": str(len(reply.body)), **reply.headers}
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(reply.body if reply.cut is None else reply.body[: reply.cut])
        self.close_connection = self.close_connection or reply.cut is not None

    do_POST = do_PATCH = do_PUT = do_DELETE = do_GET
    do_PROPFIND = do_REPORT = do_MKCALENDAR = do_GET

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 32

    def __init__(self, script: Script) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.script = script
        self.requests: list[Request] = []
        self.lock = threading.Lock()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is what some tests are about."""

    def server_bind(self) -> None:
        """Without the reverse look-up of the base class, which may wait for a name server."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = "127.0.0.1", self.server_address[1]


@dataclass
class Scripted:
    """A running server: its address for the settings, and what it was asked so far."""

    url: str
    _server: _Server

    @property
    def requests(self) -> list[Request]:
        """In the order of arrival."""
        return self._server.requests

    def becomes(self, script: Script) -> None:
        """Answer otherwise from now on."""
        self._server.script = script


@contextmanager
def serving(script: Script, tls: ssl.SSLContext | None = None) -> Iterator[Scripted]:
    """A server that answers by ``script`` until the block ends."""
    server = _Server(script)
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield Scripted(f"{'https' if tls else 'http'}://127.0.0.1:{server.server_port}/base", server)
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)
