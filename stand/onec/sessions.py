"""Sessions of the web service: how they are reused, how many there may be, what becomes of a cookie.

``autouse``: the pool gives any free session of the same user, no cookie. ``use``: a client says ``IBSession: start``,
gets a cookie and sends it until ``IBSession: finish``; without the header a request has a session of its own.
``dontuse``: always a session of its own. A live session holds a licence.
"""

from __future__ import annotations

import re
import threading
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field

from stand.onec.quirks import Quirks

COOKIE = "ibsession"
_COOKIE = re.compile(rf"(?:^|;)\s*{COOKIE}=([^;\s]+)")


class Refused(Exception):
    """No session for this request. ``status``: 406 pool exhausted, 400 unknown cookie, 500 no licence."""

    def __init__(self, status: int) -> None:
        super().__init__(str(status))
        self.status = status


@dataclass(slots=True)
class Session:
    """``kept``: lives on after the request. ``cold``: nothing had been asked for so long that 1C starts anew."""

    id: str
    user: str
    kept: bool
    busy: bool = True
    used: float = 0.0
    fresh: bool = True
    cold: bool = False
    started: bool = False


@dataclass(slots=True)
class Counters:
    """Counted since the start or ``clear``. ``at_once``: requests between their arrival and their answer."""

    started: int = 0
    refused: int = 0
    most_open: int = 0
    most_busy: int = 0
    most_at_once: int = 0


@dataclass(slots=True)
class Sessions:
    """All live sessions of the base. Thread-safe."""

    quirks: Quirks
    counters: Counters = field(default_factory=Counters)
    _live: dict[str, Session] = field(default_factory=dict)
    _free: threading.Condition = field(default_factory=threading.Condition)
    _at_once: int = 0
    _last: float = -1e9

    @property
    def busy(self) -> int:
        """Sessions that answer a request right now."""
        return sum(session.busy for session in [*self._live.values()])

    def state(self) -> dict[str, int]:
        """Live sessions, busy ones, requests under way, and the counters."""
        with self._free:
            self._expire()
            now = {"open": len(self._live), "busy": self.busy, "at_once": self._at_once}
            return now | {name: getattr(self.counters, name) for name in Counters.__slots__}

    def clear(self) -> None:
        """Count anew from what is open now."""
        with self._free:
            self.counters = Counters(most_open=len(self._live), most_busy=self.busy, most_at_once=self._at_once)

    def close_all(self) -> None:
        """The base restarts: every session is gone and the next call is a cold one."""
        with self._free:
            self._live.clear()
            self._last = -1e9
            self._free.notify_all()

    def enter(self, user: str, headers: Mapping[str, str], mode: str = "") -> Session:
        """A session for one request; waits up to ``pool_timeout`` for one. ``Refused`` when there is none.

        ``mode``: how sessions are reused at this address; empty as everywhere.
        """
        with self._free:
            self._at_once += 1
            self.counters.most_at_once = max(self.counters.most_at_once, self._at_once)
            try:
                session = self._found(user, headers, mode or self.quirks.reuse_sessions)
            except Refused:
                self._at_once -= 1
                self.counters.refused += 1
                raise
            now = time.monotonic()
            session.cold = now - self._last > self.quirks.session_max_age
            self._last = now
            self.counters.most_open = max(self.counters.most_open, len(self._live))
            self.counters.most_busy = max(self.counters.most_busy, self.busy)
            return session

    def leave(self, session: Session, headers: Mapping[str, str]) -> None:
        """The request is answered; the session waits for the next one or ends."""
        with self._free:
            self._at_once -= 1
            self._last = session.used = time.monotonic()
            session.busy = False
            if not session.kept or headers.get("ibsession", "").lower() == "finish":
                self._live.pop(session.id, None)
            self._free.notify_all()

    def _found(self, user: str, headers: Mapping[str, str], mode: str) -> Session:
        limit, cookie = self.quirks.pool_size, _cookie(headers)
        if cookie and mode == "use":
            return self._named(cookie)
        start = mode == "use" and headers.get("ibsession", "").lower() == "start"
        found: list[Session] = []

        def ready() -> bool:
            self._expire()
            free = mode == "autouse" and next((s for s in self._own(user) if not s.busy), None)
            if free:
                free.busy, free.fresh = True, False
                found.append(free)
            elif mode == "dontuse" or not limit or len(self._own(user)) < limit:
                found.append(self._opened(user, kept=start or mode == "autouse", started=start))
            return bool(found)

        if not self._free.wait_for(ready, self.quirks.pool_timeout):
            raise Refused(406)
        return found[0]

    def _named(self, cookie: str) -> Session:
        """The session of a cookie: one request at a time. 400 when it is unknown or has ended."""
        self._expire()
        if cookie not in self._live:
            raise Refused(400)
        free = self._free.wait_for(
            lambda: cookie not in self._live or not self._live[cookie].busy, self.quirks.pool_timeout
        )
        if not free:
            raise Refused(406)
        if cookie not in self._live:
            raise Refused(400)
        session = self._live[cookie]
        session.busy, session.fresh, session.started = True, False, False
        return session

    def _own(self, user: str) -> list[Session]:
        return [session for session in self._live.values() if session.user == user]

    def _opened(self, user: str, *, kept: bool, started: bool) -> Session:
        if 0 < self.quirks.licences <= len(self._live):
            raise Refused(500)
        session = Session(uuid.uuid4().hex, user, kept, started=started)
        self._live[session.id] = session
        self.counters.started += 1
        return session

    def _expire(self) -> None:
        edge = time.monotonic() - self.quirks.session_max_age
        for session in [s for s in self._live.values() if not s.busy and s.used < edge]:
            del self._live[session.id]


def _cookie(headers: Mapping[str, str]) -> str:
    """The session that the Cookie header names, or an empty string."""
    match = _COOKIE.search(headers.get("cookie", ""))
    return match[1] if match else ""
