"""Everything between the socket and the engine: logins, the web server's limits, sessions, faults on demand."""

from __future__ import annotations

import base64
import binascii
import time
from collections import Counter, deque
from dataclasses import dataclass, field
from urllib.parse import quote, unquote

from stand.onec import control, jsonout, pages
from stand.onec.doors import Door, OData, act_of
from stand.onec.engine import Engine
from stand.onec.enterprise.dsl import Dsl
from stand.onec.enterprise.exchange import Synchronisation
from stand.onec.enterprise.folder import Folder
from stand.onec.enterprise.soap import Soap
from stand.onec.errors import OUT_OF_MEMORY, locked
from stand.onec.quirks import Quirks
from stand.onec.restore import Snapshots
from stand.onec.script import Script
from stand.onec.sessions import COOKIE, Refused, Session, Sessions
from stand.onec.wire import Request, Response

_VIRTUAL = ("/Balance", "/Turnovers", "/SliceLast", "/SliceFirst", "/DrCrTurnovers", "/RecordsWithExtDimensions")


@dataclass(slots=True)
class RequestLog:
    """What was asked of the stand: the last requests and counters since the start (or since ``clear``)."""

    items: deque[tuple[str, str]] = field(default_factory=lambda: deque(maxlen=20000))
    methods: Counter[str] = field(default_factory=Counter)
    sets: Counter[str] = field(default_factory=Counter)
    writes: int = 0
    bytes_sent: int = 0

    def note(self, method: str, path: str, name: str, act: str) -> None:
        """Count one request. Reading a change feed is a POST but no write."""
        self.items.append((method, unquote(path)))
        self.methods[method] += 1
        self.sets[name] += 1
        if act not in ("read", "select", "notify"):
            self.writes += 1

    def clear(self) -> None:
        """Start counting anew."""
        self.items.clear()
        self.methods.clear()
        self.sets.clear()
        self.writes = self.bytes_sent = 0

    def __len__(self) -> int:
        return sum(self.methods.values())


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
    """Everything between the socket and what answers. ``publication``: the first step of every address."""

    def __init__(
        self,
        engine: Engine,
        login: Login,
        quirks: Quirks,
        controlled: bool,
        publication: str,
        exchange: Synchronisation,
        folder: Folder | None = None,
    ) -> None:
        self.engine = engine
        self.login = login
        self.quirks = quirks
        self.controlled = controlled
        self.publication = publication
        self.exchange = exchange
        self.folder = folder
        self.log = RequestLog()
        self.sessions = Sessions(quirks)
        self.script = Script(engine.world)
        self.snapshots = Snapshots(engine.world, engine.exchange, exchange.nodes)
        self.odata = OData(engine, self.script, quirks)
        self.doors: tuple[Door, ...] = (self.odata, Soap(exchange, publication), Dsl(exchange))
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
        door, below = self._door(path)
        request = Request(method, below, query, headers, body)
        name, act = door.what(request) if door is not None else ("", act_of(method, path))
        self.log.note(method, path, name, act)
        refused = self._web_server(path, query, headers)
        if refused is not None:
            return refused, None
        faults = self.quirks.fault(name, act, unquote(path))
        if (faults is not None and faults.down) or time.monotonic() < self.down_until:
            return pages.html(503, pages.DOWN), faults
        if faults is not None:
            time.sleep(faults.slow)
        if door is None:
            return pages.html(404, pages.NOT_FOUND), None
        try:
            session = self.sessions.enter(self.login.user, headers, door.sessions)
        except Refused as refusal:
            return _no_session(refusal.status), None
        try:
            time.sleep(self._delay(session, path))
            response = self._carried_out(door, request, name, faults)
        finally:
            self.sessions.leave(session, headers)
        if session.started:
            response.headers["Set-Cookie"] = f"{COOKIE}={session.id}; Path=/{quote(self.publication)}"
        return self._spoil(response, faults, name, bom=door is self.odata), faults

    def _door(self, path: str) -> tuple[Door | None, str]:
        """What answers at a path, and the rest of it. Slashes at the front are one: 1C's own client sends two."""
        plain = "/" + path.lstrip("/")
        for door in self.doors:
            root = f"/{quote(self.publication)}/{door.prefix}"
            if plain == root or plain.startswith(f"{root}/"):
                return door, plain[len(root) :].lstrip("/")
        return None, ""

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
        virtual = quirks.slow_virtual if any(name in path for name in _VIRTUAL) else 0.0
        return (
            quirks.latency
            + virtual
            + (quirks.slow_first if session.cold else 0.0)
            + (quirks.session_start if session.fresh else 0.0)
        )

    def _carried_out(self, door: Door, request: Request, name: str, faults: Quirks | None) -> Response:
        """The answer, unless a fault strikes before it is asked for."""
        if faults is not None and faults.locked:
            return door.refuse(locked(name).text, request)
        if faults is not None and (faults.drop_before_commit or faults.not_carried_out):
            return pages.html(500, pages.APPLICATION_ERROR)
        return door.answer(request)

    def _spoil(self, response: Response, faults: Quirks | None, name: str, *, bom: bool) -> Response:
        if response.status == 200 and self.quirks.too_large(name, size=len(response.body)):
            return pages.exception(OUT_OF_MEMORY)
        if bom and self.quirks.bom and response.status == 200:
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
