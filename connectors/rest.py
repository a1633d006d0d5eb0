"""JSON over HTTP to one service: patient with passing faults while reading, and never a blind repeat of a write.

What an answer means that is no good one is the service's own word: ``Meaning`` turns it into an error of the house.
Redirects are not followed: a key is meant for the server that it was given for. Nothing that is sent is ever shown.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode, urlsplit

import msgspec
from urllib3.exceptions import HTTPError, ReadTimeoutError

from connectors import web
from connectors.base import Traffic
from connectors.writing import Unanswered
from hub.model.errors import HubError, RetryLater, StopRoute, StopSystem

log = logging.getLogger("obmen.rest")

#: Bytes of an answer that are taken.
LIMIT = 64 << 20


@dataclass(frozen=True, slots=True)
class Ask:
    """One request. ``path``: below the service's address; ``body``: becomes JSON; ``form``: a form instead of it."""

    method: str
    path: str
    query: Mapping[str, Any] = field(default_factory=dict)
    body: Any = None
    form: Mapping[str, Any] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer as it came; headers by lower-case name."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body as JSON; ``None`` where it is none."""
        try:
            return msgspec.json.decode(self.body)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return None

    @property
    def is_page(self) -> bool:
        """Whether a web page came: somebody else answered."""
        return self.body[:512].lstrip().startswith(b"<")

    @property
    def retry_after(self) -> float | None:
        """Seconds that the ``Retry-After`` of the answer asks to wait."""
        return web.retry_after(self.headers)


#: The error that an answer means; ``None`` for a good one.
Meaning = Callable[[Answer], HubError | None]


class Wire:
    """Sends requests to one service; safe to use from several threads. ``sleep`` is replaced in tests.

    ``base``: its address, ``headers``: what goes with every request, keys included.
    """

    def __init__(
        self,
        way: web.Way,
        base: str,
        meaning: Meaning,
        headers: Mapping[str, str] | None = None,
        patience: web.Patience | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.traffic = Traffic()
        self._way, self._base, self._meaning = way, base, meaning
        self._patience = patience or web.Patience()
        self._headers = {"User-Agent": "obmen", "Accept": "application/json", **(headers or {})}
        self._sleep, self._lock = sleep, threading.Lock()
        self._pool = web.manager(way, https=base.startswith("https"))

    def read(self, ask: Ask) -> Answer:
        """A good answer, patiently; any other is raised as the error that it means."""
        attempt = 0
        while True:
            try:
                answer = self._once(ask)
                fault = self._meaning(answer)
                if fault is None:
                    return answer
                pause = fault.retry_after if isinstance(fault, RetryLater) else None
            except web.Failed as failed:
                fault, pause = self._broken(failed.error), None
            if not self._again(fault, attempt):
                raise fault
            attempt += 1
            self._wait(fault, attempt, pause)

    def send(self, ask: Ask) -> Answer:
        """Write, once; the answer whatever it says. ``Unanswered``: it may have been done. ``HubError``: it was not.

        Sent again only when it was surely not taken.
        """
        attempt = 0
        while True:
            with self._lock:
                self.traffic.writes += 1
            try:
                answer = self._once(ask)
            except web.Failed as failed:
                fault = self._broken(failed.error)
                if not web.unsent(failed.error):
                    log.warning("%s: %s after a writing request", self._way.name, fault.code)
                    raise Unanswered from None
            else:
                if answer.status >= 500 and answer.status not in web.NOT_TAKEN:
                    raise Unanswered
                if answer.status not in web.NOT_TAKEN:
                    return answer
                name = self._way.name
                fault = self._meaning(answer) or RetryLater("service_busy", system=name, service=name)
            if not self._again(fault, attempt):
                raise fault
            attempt += 1
            self._wait(fault, attempt, fault.retry_after if isinstance(fault, RetryLater) else None)

    def pause(self, attempt: int) -> bool:
        """Wait as before try ``attempt`` (from 1) of a reading request; ``False`` at once when patience is over."""
        if attempt > self._patience.retries:
            return False
        self._sleep(self._patience.pause(attempt, None))
        return True

    def close(self) -> None:
        """Close the connections."""
        self._pool.clear()

    def _again(self, fault: HubError, attempt: int) -> bool:
        """Whether a fault passes by itself, soon enough."""
        passing = isinstance(fault, RetryLater) and fault.code != "service_timeout"
        asked = (fault.retry_after or 0.0) if isinstance(fault, RetryLater) else 0.0
        return passing and attempt < self._patience.retries and asked <= self._patience.longest

    def _wait(self, fault: HubError, attempt: int, pause: float | None) -> None:
        with self._lock:
            self.traffic.retries += 1
        log.info("%s: %s, try %d", self._way.name, fault.code, attempt + 1)
        self._sleep(self._patience.pause(attempt, pause))

    def _once(self, ask: Ask) -> Answer:
        with self._lock:
            self.traffic.requests += 1
        url = self._base + ask.path + (f"?{urlencode(ask.query)}" if ask.query else "")
        headers = {**self._headers, **ask.headers}
        body: bytes | None = None
        if ask.form is not None:
            body, headers["Content-Type"] = urlencode(ask.form).encode(), "application/x-www-form-urlencoded"
        elif ask.body is not None:
            body, headers["Content-Type"] = msgspec.json.encode(ask.body), "application/json"
        got = web.once(self._pool, ask.method, url, headers, body, LIMIT)
        with self._lock:
            self.traffic.bytes_read += len(got.body)
        return Answer(*got)

    def _broken(self, error: HTTPError | web.TooBig) -> HubError:
        system, host = self._way.name, urlsplit(self._base).hostname or ""
        if isinstance(error, web.TooBig):
            return StopRoute("service_unexpected", system=system)
        if isinstance(error, ReadTimeoutError):
            return RetryLater("service_timeout", system=system, seconds=round(self._way.read))
        fault = web.way_fault(error, system, host, self._way.read)
        if fault is None and web.cut(error):
            fault = RetryLater("service_cut", system=system)
        return fault or RetryLater("service_unreachable", system=system, host=host)


def by_status(answer: Answer, system: str, service: str) -> HubError | None:
    """What an answer means by its status alone, where the service has no word of its own for it."""
    status = answer.status
    if 300 <= status < 400:
        host = urlsplit(answer.headers.get("location", "")).hostname or "—"
        return StopSystem("service_moved", system=system, host=host)
    if status in web.NOT_TAKEN:
        return RetryLater("service_busy", answer.retry_after, system=system, service=service)
    if status >= 500:
        return RetryLater("service_failed", answer.retry_after, system=system, service=service, status=status)
    if answer.is_page:
        return StopSystem("service_not_it", system=system, service=service)
    return None if status < 300 else StopRoute("service_refused", system=system, service=service, text=f"HTTP {status}")
