"""HTTP to one account: requests are signed anew at each try, passing faults are met with patience, redirects are not
followed, and nothing that is sent is ever shown.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import IO
from urllib.parse import urlsplit

import urllib3
from urllib3.exceptions import (
    HTTPError,
    ReadTimeoutError,
)

from connectors import web
from connectors.base import Traffic
from connectors.cloud_pbx.asking import Ask, Keys, Packed, Sign, packed
from connectors.cloud_pbx.config import CloudSettings
from connectors.cloud_pbx.faults import Complaint, by_status, meant
from connectors.onec_odata.answers import Answer
from hub.model.errors import HubError, NeedsPerson, RetryLater, StopRoute

log = logging.getLogger("obmen.cloud")

#: Bytes of one page of calls; no service's page is near it.
PAGE_LIMIT = 64 << 20
_CHUNK = 1 << 16


class Client:
    """Sends requests of one account; safe to use from several threads. ``sleep`` is replaced in tests.

    ``complaint`` reads the service's own word of a failure; ``login`` asks for a token, where the service wants one;
    ``pace``: seconds that the service wants between this answer and the next request.
    """

    def __init__(
        self,
        settings: CloudSettings,
        service: str,
        base: str,
        sign: Sign,
        complaint: Complaint,
        *,
        login: Callable[[Client], str] | None = None,
        pace: Callable[[Answer], float] | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.traffic = Traffic()
        self.base = base
        self.settings = settings
        self.service = service
        self.sleep = sleep
        self._sign, self._complaint, self._login, self._pace = sign, complaint, login, pace
        self._manager = web.manager(settings.way, https=True)
        self._lock, self._logging_in = threading.Lock(), threading.Lock()
        self._token = ""

    @property
    def keys(self) -> Keys:
        """What the account proves itself with now."""
        return Keys(self.settings.user, self.settings.password, self._token)

    def ask(self, ask: Ask) -> Answer:
        """A good answer (200, 204 …), patiently; any other is raised as ``HubError``."""
        return self._patiently(lambda: self._asked(ask))

    def login(self, ask: Ask) -> Answer:
        """Ask for a token: as ``ask``, without one."""
        return self._patiently(lambda: self._checked(self._send(self._sign(Keys(self.keys.user), ask))))

    def signed(self, ask: Ask) -> Packed:
        """The request as it would go out."""
        if ask.bare:
            return packed(ask)
        if self._login is not None:
            with self._logging_in:  # one token for all threads: the service may know only the last one it gave
                self._token = self._token or self._login(self)
        made = self._sign(self.keys, ask)
        if not all(value.isascii() and value.isprintable() for value in made.headers.values()):
            raise NeedsPerson("cloud_key_letters", system=self.settings.title)
        return made

    def download(self, request: Packed, target: IO[bytes], limit: int) -> Answer:
        """One try of a request whose good body goes into ``target``, at most ``limit`` bytes (``web.TooBig``).

        The answer whatever its status is; what came with a bad one is its body.
        """
        return self._send(request, limit, target)

    def close(self) -> None:
        """Close the connections."""
        self._manager.clear()

    def _asked(self, ask: Ask) -> Answer:
        renewed = False
        while True:
            request, token = self.signed(ask), self._token
            answer = self._send(request)
            if answer.status == 401 and self._login is not None and not renewed:
                renewed = True  # the token has run out: one more is asked for, once
                with self._logging_in:
                    self._token = "" if self._token == token else self._token
                continue
            checked = self._checked(answer)
            if self._pace is not None and (seconds := self._pace(answer)) > 0:
                self.sleep(min(seconds, self.settings.patience.longest))
            return checked

    def _checked(self, answer: Answer) -> Answer:
        told = (self.settings.title, self.service, self.keys)
        meaning = self._complaint(answer)
        fault = meant(meaning, *told) if meaning else by_status(answer, *told)
        if fault is not None:
            raise fault
        return answer

    def _patiently(self, once: Callable[[], Answer]) -> Answer:
        """Repeat while the fault is a passing one and patience lasts; who asks for a longer pause is left in peace."""
        patience, attempt = self.settings.patience, 0
        while True:
            try:
                return once()
            except RetryLater as fault:
                asked = fault.retry_after
                if attempt >= patience.retries or (asked or 0) > patience.longest or fault.code == "cloud_timeout":
                    raise
                attempt += 1
                with self._lock:
                    self.traffic.retries += 1
                log.info("%s: %s, try %d", self.settings.title, fault.code, attempt + 1)
                self.sleep(patience.pause(attempt, asked))

    def _send(self, request: Packed, limit: int = PAGE_LIMIT, target: IO[bytes] | None = None) -> Answer:
        with self._lock:
            self.traffic.requests += 1
        whole = request.path.startswith(("https:", "http:"))
        url = request.path if whole else self.base + request.path
        begun = time.monotonic()
        try:
            response = self._manager.request(
                request.method,
                url,
                body=request.body or None,
                headers={"User-Agent": "obmen", "Accept": "*/*", **request.headers},
                retries=False,
                redirect=False,
                preload_content=False,
            )
            try:
                if target is not None and response.status == 200:
                    body = _into(response, target, limit)
                else:
                    body = web.read(response, limit)
                with self._lock:
                    self.traffic.bytes_read += response.tell() or len(body)
            except BaseException:
                response.close()  # half-read: the connection cannot serve another request
                raise
            finally:
                response.release_conn()
        except HTTPError as error:
            raise self._fault(error, urlsplit(url).hostname or "") from None
        except web.TooBig:
            if target is not None:
                raise
            raise StopRoute("cloud_unexpected", system=self.settings.title, service=self.service) from None
        return Answer(response.status, web.lower(response.headers), body, time.monotonic() - begun)

    def _fault(self, error: HTTPError, host: str) -> HubError:
        system = self.settings.title
        if isinstance(error, ReadTimeoutError):
            return RetryLater("cloud_timeout", system=system, seconds=round(self.settings.timeout))
        fault = web.way_fault(error, system, host, self.settings.timeout)
        if fault is None and web.cut(error):
            fault = RetryLater("cloud_cut", system=system, service=self.service)
        return fault or RetryLater("cloud_unreachable", system=system, host=host)


def _into(response: urllib3.BaseHTTPResponse, target: IO[bytes], limit: int) -> bytes:
    """Stream the body into ``target``; its first bytes come back, enough to tell what it is."""
    head, size = b"", 0
    while part := response.read(_CHUNK):
        size += len(part)
        if size > limit:
            raise web.TooBig
        head = head or part[:512]
        target.write(part)
    return head
