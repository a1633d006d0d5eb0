"""A way to a real server on which an answer may get lost, or be another one."""

from __future__ import annotations

import http.client
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from tests.connectors.server import Reply, Request, Scripted, serving

#: Ways to fail that any server has.
BROKEN: dict[str, Reply] = {
    "dropped": Reply(cut=-1),
    "cut": Reply(200, b'{"chunk": [', headers={"Content-Length": "500"}, cut=8),
    "busy": Reply(503, b"busy", "text/plain"),
    "gateway": Reply(502, b"<html>bad gateway</html>", "text/html"),
    "page": Reply(200, b"<!doctype html><html>please log in</html>", "text/html"),
    "moved": Reply(302, b"", headers={"Location": "https://elsewhere.example/x"}),
}


@dataclass
class Way:
    """``failing``: names of what comes instead of the next answers; one with ``!`` lasts."""

    port: int
    faults: dict[str, Reply]
    failing: list[str] = field(default_factory=list)
    scripted: Scripted | None = None

    @property
    def url(self) -> str:
        """Its address."""
        assert self.scripted is not None
        return self.scripted.url.removesuffix("/base")

    def answer(self, request: Request) -> Reply:
        """Pass it on, unless something was ordered."""
        if self.failing:
            name = self.failing[0] if self.failing[0].endswith("!") else self.failing.pop(0)
            return self.faults[name.rstrip("!")]
        link = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            kept = {"authorization", "content-type"}
            headers = {name: value for name, value in request.headers.items() if name in kept}
            link.request(request.method, request.raw, request.body or None, headers)
            answer = link.getresponse()
            return Reply(answer.status, answer.read(), answer.headers.get("Content-Type", "application/json"))
        finally:
            link.close()


@contextmanager
def way_to(port: int, faults: dict[str, Reply]) -> Iterator[Way]:
    """Such a way until the block ends."""
    made = Way(port, faults)
    with serving(made.answer) as made.scripted:
        yield made
