"""Where notices of services are heard: an HTTP listener on this machine, behind the company's own web server.

``POST /notices/SYSTEM`` (and whatever path a service adds to it) is answered as soon as the notice is proven; nothing
else is there. It asks no system anything and tells nobody what is in the store.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from uvicorn import Config, Server

from hub.exchange.notices import MOST_BYTES, Inbox
from hub.model.errors import SkipRecord

log = logging.getLogger("obmen.notices")
#: A greeting is a short word; what is longer is somebody else's.
_GREETING = 100
#: Seconds that a notice may take to arrive, and between two lines of the log about what was refused.
_ARRIVES, _QUIET = 20.0, 60.0


class Listener:
    """The web application over an inbox."""

    def __init__(self, inbox: Inbox) -> None:
        self._inbox = inbox
        self._refused: dict[str, float] = {}

    def application(self) -> Starlette:
        """What a web server runs; at its end what waits is stored."""

        @asynccontextmanager
        async def living(_: Starlette) -> AsyncIterator[None]:
            yield
            await asyncio.to_thread(self._inbox.close)

        path = "/notices/{system}"
        routes = [Route(one, self._answer, methods=["GET", "POST"]) for one in (path, f"{path}/{{rest:path}}")]
        return Starlette(routes=routes, lifespan=living)

    async def _answer(self, request: Request) -> Response:
        system = request.path_params["system"]
        if not self._inbox.knows(system):
            raise HTTPException(404)
        if request.method == "GET":
            said = self._inbox.greeting(system, request.query_params)
            if not said or len(said) > _GREETING or not said.isprintable():
                raise HTTPException(404)
            return PlainTextResponse(said, headers={"X-Content-Type-Options": "nosniff"})
        try:
            body = await asyncio.wait_for(_body(request), _ARRIVES)
        except (TimeoutError, ClientDisconnect):
            raise HTTPException(408) from None
        try:
            self._inbox.take(system, dict(request.headers), body)
        except SkipRecord as error:
            self._tell(system, error)
            raise HTTPException(403) from None
        return Response()

    def _tell(self, system: str, error: SkipRecord) -> None:
        """Once a minute that notices are refused: whoever tries keys must not fill the disk."""
        if time.monotonic() - self._refused.get(system, -_QUIET) >= _QUIET:
            self._refused[system] = time.monotonic()
            log.warning("%s: %s %s", system, error.sentence("en"), error.advice("en"))


async def _body(request: Request) -> bytes:
    """The body, as far as a notice may be long."""
    found = b""
    async for part in request.stream():
        found += part
        if len(found) > MOST_BYTES:
            raise HTTPException(413)
    return found


def listen(inbox: Inbox, host: str, port: int) -> None:
    """Hear notices until the process is asked to end."""
    for ends in (signal.SIGINT, signal.SIGTERM):
        # uvicorn stops by them and then raises them once more: the store is to be closed behind it.
        signal.signal(ends, lambda *_: None)
    Server(
        Config(
            Listener(inbox).application(),
            host,
            port,
            log_level="warning",
            access_log=False,
            server_header=False,
            proxy_headers=False,
            limit_concurrency=100,
            timeout_graceful_shutdown=5,
            ws="none",
        )
    ).run()
