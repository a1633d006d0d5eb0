"""HTTP to one calendar server: patient with passing faults while reading, and never a blind repeat of a write.

Redirects are followed on the same host only, as discovery needs: a password is meant for the server that it was given
for. ``Retry-After`` is heeded; a wait longer than patience allows is handed on (``RetryLater.retry_after``).
"""

from __future__ import annotations

import base64
import logging
import threading
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from urllib.parse import urljoin, urlsplit

from urllib3.exceptions import (
    HTTPError,
)

from connectors import web
from connectors.base import Traffic
from connectors.calendars.account import Account
from connectors.writing import Unanswered
from hub.model.errors import HubError, RetryLater, StopRoute, StopSystem

log = logging.getLogger("obmen.calendars")

_PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})
_MOVED = frozenset({301, 302, 307, 308})
_HOPS = 5
#: Bytes of an answer that are taken: a year of a big company's meetings is far below.
_LIMIT = 256 << 20


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer as it came; headers by lower-case name. ``url``: what answered, after redirects."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    url: str

    @property
    def retry_after(self) -> float | None:
        """Seconds that the server asks to wait; ``None`` when it does not say."""
        return web.retry_after(self.headers)


@dataclass(frozen=True, slots=True)
class Ask:
    """One request."""

    method: str
    url: str
    body: bytes | None = None
    headers: Mapping[str, str] | None = None


class Wire:
    """Sends requests; safe to use from several threads. ``sleep`` is replaced in tests."""

    def __init__(self, account: Account, sleep: Callable[[float], None] = time.sleep) -> None:
        self.account = account
        self.traffic = Traffic()
        self._sleep = sleep
        self._lock = threading.Lock()
        way = web.Way(
            account.title, account.max_sessions, account.connect, account.timeout, account.verify, account.proxy
        )
        self._pool = web.manager(way, https=account.url.startswith("https"))
        self._headers = {"User-Agent": "obmen", **_login(account)}

    def read(self, ask: Ask, good: Collection[int] = (200,), stream: str = "") -> Answer:
        """Ask until the answer has one of the ``good`` statuses; ``HubError`` for any other that does not pass."""
        patience, attempt = self.account.patience, 0
        while True:
            pause: float | None = None
            try:
                answer = self._follow(ask, stream)
                if answer.status in good:
                    return answer
                fault, pause = self.fault(answer, stream), answer.retry_after
                worth = answer.status in _PASSING and (pause is None or pause <= patience.longest)
            except web.Failed as failed:
                fault = self._broken(failed.error, stream)
                worth = isinstance(fault, RetryLater) and fault.code != "source_timeout"
            if not worth or attempt >= patience.retries:
                raise fault
            attempt += 1
            with self._lock:
                self.traffic.retries += 1
            log.info("%s: %s, try %d", self.account.title, fault.code, attempt + 1)
            self._sleep(patience.pause(attempt, pause))

    def send(self, ask: Ask, stream: str = "") -> Answer:
        """Write, once; the answer whatever it says. ``Unanswered``: it may have been done. ``HubError``: it was not.

        Sent again only when it was surely not taken.
        """
        patience, attempt = self.account.patience, 0
        while True:
            with self._lock:
                self.traffic.writes += 1
            try:
                answer = self._once(ask)
            except web.Failed as failed:
                fault = self._broken(failed.error, stream)
                if not web.unsent(failed.error):
                    log.warning("%s: %s after a writing request", self.account.title, fault.code)
                    raise Unanswered from None
                pause = None
            else:
                if answer.status >= 500 and answer.status not in web.NOT_TAKEN:
                    raise Unanswered
                if answer.status not in web.NOT_TAKEN:
                    return answer
                fault, pause = self.fault(answer, stream), answer.retry_after
            if attempt >= patience.retries or (pause is not None and pause > patience.longest):
                raise fault
            attempt += 1
            self._sleep(patience.pause(attempt, pause))

    def pause(self, attempt: int) -> bool:
        """Wait as before try ``attempt`` (from 1) of a reading request; ``False`` at once when patience is over."""
        if attempt > self.account.patience.retries:
            return False
        self._sleep(self.account.patience.pause(attempt, None))
        return True

    def close(self) -> None:
        """Close the connections."""
        self._pool.clear()

    def fault(self, answer: Answer, stream: str = "") -> HubError:
        """What an answer means that nobody asked for."""
        system, status = self.account.title, answer.status
        if status == 401:
            return StopSystem("calendar_auth_failed", system=system)
        if status == 403:
            return StopSystem("calendar_forbidden", system=system)
        if status in {404, 410}:
            return StopRoute("calendar_not_there", system=system, stream=stream or answer.url)
        if status in web.NOT_TAKEN:
            return RetryLater("calendar_busy", answer.retry_after, system=system, status=status)
        if status >= 500:
            return RetryLater("calendar_failed", answer.retry_after, system=system, status=status)
        return StopRoute("calendar_answer", system=system, stream=stream, status=status)

    def _follow(self, ask: Ask, stream: str) -> Answer:
        for _ in range(_HOPS):
            answer = self._once(ask)
            if answer.status not in _MOVED:
                return answer
            target = urljoin(ask.url, answer.headers.get("location", ""))
            here, there = urlsplit(ask.url), urlsplit(target)
            if there.hostname != here.hostname or (here.scheme, there.scheme) == ("https", "http"):
                raise StopSystem("address_moved", system=self.account.title, target=target.split("?")[0])
            ask = replace(ask, url=target)
        raise StopRoute("calendar_answer", system=self.account.title, stream=stream, status=answer.status)

    def _once(self, ask: Ask) -> Answer:
        with self._lock:
            self.traffic.requests += 1
        headers = {**self._headers, **(ask.headers or {})}
        got = web.once(self._pool, ask.method, ask.url, headers, ask.body, _LIMIT)
        with self._lock:
            self.traffic.bytes_read += len(got.body)
        return Answer(*got, ask.url)

    def _broken(self, error: HTTPError | web.TooBig, stream: str) -> HubError:
        system, host = self.account.title, self.account.host
        if isinstance(error, web.TooBig):
            return StopRoute("calendar_answer", system=system, stream=stream, status="256 MB")
        fault = web.way_fault(error, system, host, self.account.timeout)
        if fault is None and web.unreachable(error):
            fault = RetryLater("source_unreachable", system=system, host=host)
        if fault is None and web.cut(error):
            fault = RetryLater("page_cut", system=system, stream=stream)
        return fault or RetryLater("connection_lost", system=system, host=host)


def _login(account: Account) -> dict[str, str]:
    if account.bearer:
        return {"Authorization": f"Bearer {account.secret}"}
    if not account.user:
        return {}
    plain = f"{account.user}:{account.secret}".encode()
    return {"Authorization": "Basic " + base64.b64encode(plain).decode("ascii")}
