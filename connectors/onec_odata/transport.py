"""HTTP to one 1C base: few connections kept alive, few 1C sessions, patience with passing faults, no blind repeats.

A request takes one of ``max_sessions`` *lanes*. A lane is a place in the queue and the cookies that the server gave to
it: 1C binds a session to a cookie (``ibsession``), and one session serves one request at a time, so cookies belong to
lanes and not to the pool. Publications with automatic reuse of sessions give no cookie and lose nothing by it.

Reading is repeated while a fault may be a passing one: a busy or broken way, a 500 that 1C does not explain, a web page
with a good status. A writing request is repeated only when it was surely not taken; one
whose answer was lost may have been done (``Unanswered``), and the caller has to look.
"""

from __future__ import annotations

import base64
import logging
import queue
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.cookies import CookieError, SimpleCookie
from typing import IO
from urllib.parse import urlsplit

import urllib3
from urllib3.exceptions import (
    HTTPError,
)
from urllib3.response import BaseHTTPResponse

from connectors import web
from connectors.base import Traffic
from connectors.onec_odata.answers import Answer, Asked, complaint, failure, misfit
from connectors.onec_odata.config import OneCSettings, service_root
from connectors.web import is_loopback
from connectors.writing import Unanswered
from hub.model.errors import HubError, RetryLater

log = logging.getLogger("obmen.onec")

_CHUNK = 1 << 18
_PASSING = frozenset({406, 429, 502, 503, 504})
#: The server says that it has not taken the request: no session was free, or it is not up.
_NOT_TAKEN = frozenset({406, 429, 503})
#: Faults that 1C tells before it begins to work on a request.
_NOT_BEGUN = {"base_locked", "no_licence", "auth_failed"}
#: After so many seconds of silence 1C ends the session (``sessionMaxAge``): the next request may have to start one.
IDLE = 20.0
_START_UP = 60.0


class _Failed(Exception):
    """The way to the base failed. ``patience``: seconds that bytes of the answer were waited for."""

    def __init__(self, error: HTTPError, patience: float) -> None:
        super().__init__(type(error).__name__)
        self.error = error
        self.patience = patience


@dataclass(frozen=True, slots=True)
class _Call:
    """One request. ``limit``: bytes of the body that are taken; ``target``: where a good answer's body goes instead."""

    method: str
    url: str
    asked: Asked
    accept: str = "application/json"
    limit: int | None = None
    target: IO[bytes] | None = None
    body: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    writes: bool = False


@dataclass(slots=True)
class Lane:
    """A place for one request under way, with the session cookies that belong to it."""

    cookies: dict[str, str] = field(default_factory=dict)

    def header(self) -> dict[str, str]:
        """Headers that go on with the lane's 1C session, or ask for one."""
        headers = {} if "ibsession" in self.cookies else {"IBSession": "start"}
        if self.cookies:
            headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        return headers

    def learn(self, response: BaseHTTPResponse) -> None:
        """Keep the cookies of an answer."""
        for line in response.headers.getlist("set-cookie"):
            try:
                jar = SimpleCookie(line)
            except CookieError:
                log.debug("a cookie of the server cannot be read, it is left out")
                continue
            self.cookies.update({name: morsel.value for name, morsel in jar.items()})


class Transport:
    """Sends requests to one base; safe to use from several threads. ``sleep`` is replaced in tests."""

    def __init__(self, settings: OneCSettings, sleep: Callable[[float], None] = time.sleep) -> None:
        self.root = service_root(settings)
        self.traffic = Traffic()
        self._settings = settings
        self._sleep = sleep
        self._host = urlsplit(self.root).hostname or ""
        self._manager = web.manager(_way(settings), https=self.root.startswith("https"))
        self._headers = _headers(settings, self._host)
        self._lock = threading.Lock()
        self._heard: float | None = None
        self._lanes: queue.LifoQueue[Lane] = queue.LifoQueue()
        self._open = [Lane() for _ in range(max(1, settings.max_sessions))]
        for lane in self._open:
            self._lanes.put(lane)

    @property
    def bare(self) -> bool:
        """True when what is sent can be read on its way to another machine."""
        return self.root.startswith("http:") and not is_loopback(self._host)

    def get(self, url: str, asked: Asked, accept: str = "application/json", limit: int | None = None) -> Answer:
        """Read ``url``, patiently; returns answers with status 200 only, raises ``HubError`` for all others.

        ``TooBig`` when the body passes ``limit`` bytes.
        """
        call = _Call("GET", url, asked, accept, limit)
        return self._patiently(lambda: self._once(call), asked)

    def post(self, url: str, asked: Asked, accept: str, *, writes: bool) -> Answer:
        """One POST. ``writes``: counted as a writing request and never repeated; else repeated as ``get`` is.

        Raises as ``get`` does.
        """
        call = _Call("POST", url, asked, accept, writes=writes)
        if not writes:
            return self._patiently(lambda: self._once(call), asked)
        answer = self._once(call)
        if answer.status not in {200, 201, 204}:
            raise failure(answer, asked)
        return answer

    def send(self, method: str, url: str, asked: Asked, body: bytes, headers: Mapping[str, str]) -> Answer:
        """One writing request; its answer whatever the status is, for only the caller knows what a refusal means.

        Sent again only when it was surely not taken: no connection came about, or the server was busy. ``Unanswered``:
        it was sent, and neither 1C's own answer nor a refusal of what stands before it came. Raises ``HubError`` when
        nothing was done.
        """
        call = _Call(method, url, asked, body=body, headers=headers, writes=True)
        return self._patiently(lambda: self._deliver(call), asked, reading=False)

    def pause(self, attempt: int) -> bool:
        """Wait as before try ``attempt`` (from 1) of a reading request; ``False`` at once when patience is over."""
        patience = self._settings.patience
        if attempt > patience.retries:
            return False
        self._sleep(patience.pause(attempt, None))
        return True

    def download(self, url: str, asked: Asked, target: IO[bytes]) -> Answer:
        """Stream a big answer into ``target`` (rewound before each try); the answer returned holds only its head."""

        def once() -> Answer:
            target.seek(0)
            target.truncate()
            return self._once(_Call("GET", url, asked, "application/xml", target=target))

        return self._patiently(once, asked)

    def close(self) -> None:
        """End the 1C sessions that were given to us (a licence each) and close the connections."""
        for lane in self._open:
            if "ibsession" in lane.cookies:
                headers = self._headers | lane.header() | {"IBSession": "finish"}
                try:
                    self._manager.request(
                        "GET", f"{self.root}/", headers=headers, timeout=5, retries=False, redirect=False
                    )
                except HTTPError:
                    log.debug("the base did not confirm the end of a session; it ends by itself")
            lane.cookies.clear()
        self._manager.clear()

    def _patiently(self, once: Callable[[], Answer], asked: Asked, *, reading: bool = True) -> Answer:
        """Repeat while the fault is a passing one and patience lasts. Other answers end it: ``reading``, all but 200
        are raised; writing, they are returned.
        """
        patience, attempt = self._settings.patience, 0
        judged = _judged if reading else _not_taken
        while True:
            asked_pause: float | None = None
            fault: HubError | None
            try:
                answer = once()
                fault, worth = judged(answer, asked)
                if fault is None:
                    return answer
                asked_pause = web.retry_after(answer.headers)
            except RetryLater as error:
                fault, worth = error, error.code != "source_timeout"
            if not worth or attempt >= patience.retries:
                raise fault
            attempt += 1
            with self._lock:
                self.traffic.retries += 1
            log.info("%s: %s, try %d", asked.system, fault.code, attempt + 1)
            self._sleep(patience.pause(attempt, asked_pause))

    def _once(self, call: _Call) -> Answer:
        try:
            return self._attempt(call)
        except _Failed as failed:
            raise self._fault(failed, call.asked) from None

    def _deliver(self, call: _Call) -> Answer:
        """One try of a writing request: tells what was not done (``HubError``) from what may have been."""
        try:
            answer = self._attempt(call)
        except _Failed as failed:
            fault = self._fault(failed, call.asked)
            if web.unsent(failed.error):
                raise fault from None
            log.warning("%s: %s after a writing request", call.asked.system, fault.code)
            raise Unanswered from None
        if answer.status < 500 or answer.status in _NOT_TAKEN or complaint(answer).source == "odata":
            return answer
        fault = failure(answer, call.asked)
        if fault.code in _NOT_BEGUN:
            raise fault
        log.warning("%s: HTTP %d after a writing request", call.asked.system, answer.status)
        raise Unanswered

    def _attempt(self, call: _Call) -> Answer:
        with self._lane() as lane:
            answer = self._send(lane, call)
            if answer.status == 400 and lane.cookies and complaint(answer).source != "odata":
                # 1C answers 400 to the cookie of a session it has already ended, and does nothing: begin a new one.
                lane.cookies.clear()
                answer = self._send(lane, call)
            return answer

    @contextmanager
    def _lane(self) -> Iterator[Lane]:
        lane = self._lanes.get()
        try:
            yield lane
        finally:
            self._lanes.put(lane)

    def _send(self, lane: Lane, call: _Call) -> Answer:
        with self._lock:
            self.traffic.requests += 1
            self.traffic.writes += call.writes
        begun = time.monotonic()
        cold = self._heard is None or begun - self._heard > IDLE
        patience = self._cold_patience if cold else self._settings.timeout
        try:
            response = self._manager.request(
                call.method,
                call.url,
                body=call.body,
                timeout=urllib3.Timeout(connect=self._settings.connect, read=patience),
                headers={**self._headers, "Accept": call.accept, **call.headers, **lane.header()},
                retries=False,
                redirect=False,
                preload_content=False,
            )
            try:
                lane.learn(response)
                keep = call.target if response.status == 200 else None
                body = _read_into(response, keep) if keep is not None else web.read(response, call.limit)
                with self._lock:
                    self.traffic.bytes_read += response.tell() or len(body)
            except BaseException:
                response.close()  # half-read: the connection cannot serve another request
                raise
            finally:
                response.release_conn()
        except HTTPError as error:
            raise _Failed(error, patience) from None
        self._heard = time.monotonic()
        return Answer(response.status, web.lower(response.headers), body, 0.0 if cold else self._heard - begun)

    @property
    def _cold_patience(self) -> float:
        """Seconds to wait for a base that may have to start: 10 to 35 seconds were seen."""
        settings = self._settings
        first = settings.timeout + _START_UP if settings.first_timeout is None else settings.first_timeout
        return max(first, settings.timeout)

    def _fault(self, failed: _Failed, asked: Asked) -> HubError:
        """A fault of the way to the base. Its own text is dropped: it may name what nobody needs to read."""
        error, patience, system, host = failed.error, failed.patience, asked.system, self._host
        fault = web.way_fault(error, system, host, patience)
        if fault is None and web.unreachable(error):
            fault = RetryLater("source_unreachable", system=system, host=host)
        if fault is None and web.cut(error):
            fault = RetryLater("page_cut", system=system, stream=asked.stream)
        return fault or RetryLater("connection_lost", system=system, host=host)


def _judged(answer: Answer, asked: Asked) -> tuple[HubError | None, bool]:
    """What is wrong with the answer to a reading request, if anything is, and whether it may pass."""
    if answer.status != 200:
        fault = failure(answer, asked)
        return fault, answer.status in _PASSING or _fleeting(fault)
    if answer.kind != "html" or not bytes(answer.content[:512]).lstrip().startswith(b"<"):
        return None, False
    fault = misfit(answer, asked)
    return fault, _fleeting(fault)


def _fleeting(fault: HubError) -> bool:
    """Whether a fault may pass whatever its status is: by its kind, or a web server's page where 1C should answer."""
    return isinstance(fault, RetryLater) or fault.code == "html_page"


def _not_taken(answer: Answer, asked: Asked) -> tuple[HubError | None, bool]:
    """The same of a writing request: only what was not taken is a fault here."""
    busy = answer.status in _NOT_TAKEN
    return failure(answer, asked) if busy else None, busy


def _read_into(response: BaseHTTPResponse, target: IO[bytes]) -> bytes:
    """Stream the body into ``target``; its first 4 KB come back, enough to tell what it is."""
    head = b""
    while part := response.read(_CHUNK):
        head = head or part[:4096]
        target.write(part)
    return head


def _headers(settings: OneCSettings, host: str) -> dict[str, str]:
    headers = {"User-Agent": "obmen"}
    if not is_loopback(host):
        headers["Accept-Encoding"] = "gzip"
    if settings.user:
        # UTF-8 whatever the locale is: 1C reads the login as UTF-8, and Cyrillic user names are the rule there.
        login = f"{settings.user}:{settings.password}".encode()
        headers["Authorization"] = "Basic " + base64.b64encode(login).decode("ascii")
    return headers


def _way(settings: OneCSettings) -> web.Way:
    """A pool of as many connections as sessions."""
    return web.Way(
        settings.name,
        settings.max_sessions,
        settings.connect,
        settings.timeout,
        settings.verify,
        settings.proxy,
    )
