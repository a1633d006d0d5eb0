"""Everything between the socket and the engine: logins, the web server's limits, sessions, faults on demand."""

from __future__ import annotations

import base64
import binascii
import time
from collections import Counter, deque
from dataclasses import dataclass, field
from urllib.parse import unquote

from stand.onec import control, jsonout, pages
from stand.onec.engine import VIRTUAL, Engine
from stand.onec.errors import OUT_OF_MEMORY, locked
from stand.onec.quirks import Quirks
from stand.onec.restore import Snapshots
from stand.onec.script import Script
from stand.onec.sessions import COOKIE, Refused, Session, Sessions
from stand.onec.wire import Request, Response

BASE_PATH = "/trade/odata/standard.odata"
_POSTS = {"SelectChanges": "select", "NotifyChangesReceived": "notify", "Post": "post", "Unpost": "unpost"}


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
        if act_of(method, path) not in ("read", "select", "notify"):
            self.writes += 1

    def clear(self) -> None:
        """Start counting anew."""
        self.items.clear()
        self.methods.clear()
        self.sets.clear()
        self.writes = self.bytes_sent = 0

    def __len__(self) -> int:
        return sum(self.methods.values())


def act_of(method: str, path: str) -> str:
    """What a request does, as ``Quirks.acts`` calls it."""
    last = unquote(path).rstrip("/").rpartition("/")[2].partition("(")[0]
    if method in ("GET", "HEAD"):
        return "read"
    if method == "POST":
        return _POSTS.get(last, "create")
    return "delete" if method == "DELETE" else "change"


def set_name(path: str) -> str:
    """The set a path below the root names, ``$metadata``, or an empty string for the service document."""
    below = unquote(path).partition("?")[0].removeprefix(BASE_PATH).lstrip("/")
    return below.partition("/")[0].partition("(")[0]


class Login:
    """Basic authentication; user and password must have been UTF-8 before base64, anything else is a stranger."""

    def __init__(self, user: str, password: str) -> None:
        self.user = user
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
        self.sessions = Sessions(quirks)
        self.script = Script(engine.world)
        self.snapshots = Snapshots(engine.world, engine.exchange)
        self.down_until = 0.0

    @property
    def busy(self) -> int:
        """Sessions that answer a request right now."""
        return self.sessions.busy

    def restart(self, seconds: float) -> None:
        """1C is restarted: 503 for that long, sessions are lost, and the next call is a cold one."""
        self.down_until = time.monotonic() + seconds
        self.sessions.close_all()

    def answer(self, method: str, target: str, headers: dict[str, str], body: bytes) -> tuple[Response, Quirks | None]:
        """The response, and the faults to apply to it if any."""
        path, _, query = target.partition("?")
        if self.controlled and path.startswith(control.PREFIX):
            return control.answer(self, method, path, body), None
        self.log.note(method, path)
        refused = self._web_server(path, query, headers)
        if refused is not None:
            return refused, None
        faults = self.quirks.fault(set_name(path), act_of(method, path), unquote(path))
        if (faults is not None and faults.down) or time.monotonic() < self.down_until:
            return pages.html(503, pages.DOWN), faults
        if faults is not None:
            time.sleep(faults.slow)
        if not unquote(path).startswith(BASE_PATH):
            return pages.html(404, pages.NOT_FOUND), None
        try:
            session = self.sessions.enter(self.login.user, headers)
        except Refused as refusal:
            return _no_session(refusal.status), None
        try:
            time.sleep(self._delay(session, path))
            response = self._carried_out(method, path, query, headers, body, faults)
        finally:
            self.sessions.leave(session, headers)
        if session.started:
            response.headers["Set-Cookie"] = f"{COOKIE}={session.id}; Path=/trade"
        return self._spoil(response, faults, set_name(path)), faults

    def _web_server(self, path: str, query: str, headers: dict[str, str]) -> Response | None:
        """What the web server refuses before 1C hears of it."""
        longest, plain = self.quirks.longest_segment, unquote(path)
        if longest and any(len(part) > longest for part in plain.split("/")):
            return pages.html(400, pages.BAD_URL)
        if 0 < self.quirks.longest_query < len(query):
            return pages.html(404, pages.LONG_QUERY)
        if not self.login.admits(headers.get("authorization", "")):
            return pages.html(401, pages.UNAUTHORISED, WWW_Authenticate='Basic realm="1C:Enterprise 8.3"')
        return None

    def _delay(self, session: Session, path: str) -> float:
        """Seconds this answer takes of its own: a cold base, a new session, a virtual table."""
        quirks = self.quirks
        virtual = quirks.slow_virtual if any(f"/{name}" in path for name in VIRTUAL) else 0.0
        return (
            quirks.latency
            + virtual
            + (quirks.slow_first if session.cold else 0.0)
            + (quirks.session_start if session.fresh else 0.0)
        )

    def _carried_out(
        self, method: str, path: str, query: str, headers: dict[str, str], body: bytes, faults: Quirks | None
    ) -> Response:
        """The engine's answer, unless a fault strikes before it is asked."""
        if faults is not None and faults.locked:
            return self.engine.refuse(locked(set_name(path)), query, headers)
        if faults is not None and (faults.drop_before_commit or faults.not_carried_out):
            return pages.html(500, pages.APPLICATION_ERROR)
        if method in ("GET", "HEAD") and unquote(path).endswith(f"/{set_name(path)}"):
            self.script.asked(set_name(path))
        if self.quirks.plus_is_blank:
            query = query.replace("+", "%20")
        return self.engine.handle(Request(method, path[len(BASE_PATH) :].lstrip("/"), query, headers, body))

    def _spoil(self, response: Response, faults: Quirks | None, name: str) -> Response:
        if response.status == 200 and self.quirks.too_large(name, size=len(response.body)):
            return pages.exception(OUT_OF_MEMORY)
        if self.quirks.bom and response.status == 200:
            response.body = b"\xef\xbb\xbf" + response.body
        if faults is None:
            return response
        if faults.html_instead_of_json:
            return pages.html(200, pages.APPLICATION_ERROR)
        if faults.exception_body:
            return pages.exception()
        if faults.fail_status:
            return pages.html(faults.fail_status, pages.APPLICATION_ERROR)
        if faults.wrong_content_type:
            response.content_type = pages.HTML
        if faults.cut_page_in_half:
            response.body = response.body[: len(response.body) // 2]
        if faults.error_mid_page:
            response.body = response.body[: len(response.body) // 2] + jsonout.error(-1, OUT_OF_MEMORY)
        return response


def _no_session(status: int) -> Response:
    return pages.exception(pages.NO_LICENCE) if status == 500 else pages.html(status, pages.NO_SESSION[status])
