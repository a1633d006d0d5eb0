"""The stand as an HTTP server: logins, keep-alive, the session pool, faults on demand.

``OneCStand`` runs in a background thread of a test; ``python -m stand.onec`` runs the same as a process.
"""

from __future__ import annotations

import base64
import binascii
import threading
import time
from collections import Counter, deque
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import unquote

from stand.onec import control
from stand.onec.engine import Engine
from stand.onec.generate.build import build
from stand.onec.quirks import Quirks
from stand.onec.wire import Request, Response
from stand.onec.world import World

BASE_PATH = "/trade/odata/standard.odata"
HTML = "text/html; charset=utf-8"
#: IIS refuses a path segment longer than this.
LONGEST_SEGMENT = 260
_SAFE_POSTS = ("SelectChanges", "NotifyChangesReceived")
_UNAUTHORISED = (
    "<!DOCTYPE html><html><head><title>401 - Unauthorized: Access is denied due to invalid credentials.</title></head>"
    "<body><h1>Server Error</h1><h2>401 - Unauthorized: Access is denied due to invalid credentials.</h2></body></html>"
)
_APPLICATION_ERROR = (
    "<!DOCTYPE html><html><head><title>1C:Enterprise 8 application error</title></head>"
    "<body><h1>1C:Enterprise 8 application error</h1><p>Ошибка при выполнении запроса</p></body></html>"
)
_BAD_URL = "<html><head><title>Bad Request</title></head><body><h2>Bad Request - Invalid URL</h2></body></html>"
_DOWN = "<html><head><title>503 Service Unavailable</title></head><body><h1>Service Unavailable</h1></body></html>"


@dataclass(slots=True)
class RequestLog:
    """What was asked of the stand: the last requests and counters since the start (or since ``clear``)."""

    items: deque[tuple[str, str]] = field(default_factory=lambda: deque(maxlen=20000))
    methods: Counter[str] = field(default_factory=Counter)
    sets: Counter[str] = field(default_factory=Counter)
    writes: int = 0
    bytes_sent: int = 0

    def note(self, method: str, path: str) -> None:
        """Count one request. Reading a change feed is a POST but no write."""
        self.items.append((method, unquote(path)))
        self.methods[method] += 1
        self.sets[set_name(path)] += 1
        if method not in ("GET", "HEAD") and not any(word in path for word in _SAFE_POSTS):
            self.writes += 1

    def clear(self) -> None:
        """Start counting anew."""
        self.items.clear()
        self.methods.clear()
        self.sets.clear()
        self.writes = self.bytes_sent = 0

    def __len__(self) -> int:
        return sum(self.methods.values())


def set_name(path: str) -> str:
    """The set a path below the root names, ``$metadata``, or an empty string for the service document."""
    below = unquote(path).partition("?")[0].removeprefix(BASE_PATH).lstrip("/")
    return below.partition("/")[0].partition("(")[0]


class Login:
    """Basic authentication; user and password must have been UTF-8 before base64, anything else is a stranger."""

    def __init__(self, user: str, password: str) -> None:
        self.expected = f"{user}:{password}" if user else ""

    def admits(self, header: str) -> bool:
        """Whether the Authorization header is right (always, when no user is set)."""
        if not self.expected:
            return True
        kind, _, text = header.partition(" ")
        try:
            return kind.lower() == "basic" and base64.b64decode(text, validate=True).decode() == self.expected
        except (binascii.Error, UnicodeDecodeError):
            return False


class Service:
    """Everything between the socket and the engine."""

    def __init__(self, engine: Engine, login: Login, quirks: Quirks, controlled: bool) -> None:
        self.engine = engine
        self.login = login
        self.quirks = quirks
        self.controlled = controlled
        self.log = RequestLog()
        self.busy = 0
        self.free = threading.Condition()

    def answer(self, method: str, target: str, headers: dict[str, str], body: bytes) -> tuple[Response, Quirks | None]:
        """The response, and the faults to apply to it if any."""
        path, _, query = target.partition("?")
        if self.controlled and path.startswith(control.PREFIX):
            return control.answer(self, method, path, body), None
        self.log.note(method, path)
        if any(len(part) > LONGEST_SEGMENT for part in unquote(path).split("/")):
            return Response(400, HTML, _BAD_URL.encode()), None
        if not self.login.admits(headers.get("authorization", "")):
            challenge = {"WWW-Authenticate": 'Basic realm="1C:Enterprise 8.3"'}
            return Response(401, HTML, _UNAUTHORISED.encode(), challenge), None
        faults = self.quirks.fault(set_name(path))
        if faults is not None and faults.down:
            return Response(503, HTML, _DOWN.encode()), None
        if not unquote(path).startswith(BASE_PATH):
            return Response(404, HTML, b"<html><body><h1>404 - File or directory not found.</h1></body></html>"), None
        if not self._enter():
            return Response(406, HTML, b"<html><body><h1>406 - Not Acceptable</h1></body></html>"), None
        try:
            time.sleep(self.quirks.delay())
            below = path[len(BASE_PATH) :].lstrip("/")
            response = self.engine.handle(Request(method, below, query, headers, body))
        finally:
            self._leave()
        return self._spoil(response, faults), faults

    def _enter(self) -> bool:
        """Take a session of the pool; False when none got free within ``pool_timeout``."""
        with self.free:
            limit = self.quirks.pool_size
            if limit and not self.free.wait_for(lambda: self.busy < limit, self.quirks.pool_timeout):
                return False
            self.busy += 1
            return True

    def _leave(self) -> None:
        with self.free:
            self.busy -= 1
            self.free.notify()

    def _spoil(self, response: Response, faults: Quirks | None) -> Response:
        if self.quirks.bom and response.status == 200:
            response.body = b"\xef\xbb\xbf" + response.body
        if faults is None:
            return response
        if faults.html_instead_of_json:
            return Response(200, HTML, _APPLICATION_ERROR.encode())
        if faults.exception_body:
            body = '{"exception":"Exception","inner":null,"descr":"Ошибка при выполнении запроса GET к ресурсу"}'
            return Response(500, "application/json", body.encode())
        if faults.fail_status:
            return Response(faults.fail_status, HTML, _APPLICATION_ERROR.encode())
        if faults.wrong_content_type:
            response.content_type = HTML
        if faults.cut_page_in_half:
            response.body = response.body[: len(response.body) // 2]
        return response


class Handler(BaseHTTPRequestHandler):
    """One connection; kept alive between requests."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    service: Service

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        response, faults = self.service.answer(self.command, self.path, headers, body)
        self.send_response(response.status)
        self.send_header("Content-Type", response.content_type)
        self.send_header("Content-Length", str(len(response.body)))
        self.send_header("DataServiceVersion", "3.0")
        for name, value in response.headers.items():
            # Location holds raw UTF-8 bytes, as 1C sends it; header text is latin-1 on its way out.
            self.send_header(name, value.encode().decode("latin-1"))
        self.end_headers()
        self.service.log.bytes_sent += len(response.body)
        if faults is not None and faults.drop_connection:
            self.wfile.write(response.body[: len(response.body) // 2])
            self.close_connection = True
            return
        if self.command != "HEAD":
            self.wfile.write(response.body)

    do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = do_HEAD = _serve

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing is printed: requests are counted in ``RequestLog``."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64


class OneCStand:
    """A running stand. As a context manager it serves from a background thread until left.

    ``url``: the service root. ``world``: the data, to look into and edit. ``quirks``: switches. ``requests``: what was
    asked. With ``user`` empty no login is needed.
    """

    def __init__(
        self, world: World | None = None, *, port: int = 0, user: str = "", password: str = "", control: bool = False
    ) -> None:
        self.world = world if world is not None else build()
        self.quirks = Quirks()
        self._server = _Server(("127.0.0.1", port), Handler)
        self.port: int = self._server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}{BASE_PATH}"
        self.engine = Engine(self.world, self.url, self.quirks)
        self.service = Service(self.engine, Login(user, password), self.quirks, control)
        self._server.RequestHandlerClass = type("BoundHandler", (Handler,), {"service": self.service})
        self._thread: threading.Thread | None = None

    @property
    def requests(self) -> RequestLog:
        """What was asked so far."""
        return self.service.log

    def serve(self) -> None:
        """Serve in this thread until ``stop``."""
        self._server.serve_forever(poll_interval=0.05)

    def start(self) -> Self:
        """Serve from a background thread."""
        self._thread = threading.Thread(target=self.serve, name="onec-stand", daemon=True)
        self._thread.start()
        return self

    def stop(self) -> None:
        """Stop serving and free the port."""
        self._server.shutdown()
        self._server.server_close()
        if self._thread is not None:
            self._thread.join(5)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
