"""The stand's engine without sockets: a transport whose requests are answered in this process, one after another."""

from __future__ import annotations

from collections.abc import Callable
from typing import IO, Any
from urllib.parse import unquote

from connectors.onec_odata.answers import Answer, Asked, failure
from connectors.onec_odata.config import OneCSettings
from connectors.onec_odata.connector import OneC
from connectors.onec_odata.transport import Transport
from stand.onec.engine import Engine
from stand.onec.wire import Request

ROOT = "http://127.0.0.1/base/odata/standard.odata"


class Inside(Transport):
    """Asks ``engine``; ``before`` is called with the number of each request before it is answered."""

    def __init__(self, engine: Engine, settings: OneCSettings, before: Callable[[int], None]) -> None:
        super().__init__(settings)
        self.engine = engine
        self.before = before
        self.urls: list[str] = []

    def get(self, url: str, asked: Asked, accept: str = "application/json", limit: int | None = None) -> Answer:
        """One request, no patience."""
        self.before(len(self.urls))
        self.urls.append(unquote(url))
        path, _, query = url.removeprefix(f"{ROOT}/").partition("?")
        found = self.engine.handle(Request("GET", path, query, {"accept": accept}))
        answer = Answer(found.status, {"content-type": found.content_type}, found.body)
        if found.status != 200:
            raise failure(answer, asked)
        return answer

    def download(self, url: str, asked: Asked, target: IO[bytes]) -> Answer:
        """The document into ``target``."""
        answer = self.get(url, asked, "application/xml")
        target.write(answer.body)
        return answer


def inside(engine: Engine, before: Callable[[int], None] = lambda _: None, **settings: Any) -> tuple[OneC, Inside]:
    """A connector to ``engine``."""
    given = OneCSettings("ut", ROOT, **settings)
    transport = Inside(engine, given, before)
    return OneC(given, transport=transport), transport
