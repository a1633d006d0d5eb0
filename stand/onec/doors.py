"""The addresses below a publication, and what answers there: OData, the web service, the HTTP service."""

from __future__ import annotations

from typing import Protocol
from urllib.parse import unquote

from stand.onec.engine import Engine
from stand.onec.errors import refused
from stand.onec.quirks import Quirks
from stand.onec.script import Script
from stand.onec.wire import Request, Response

#: Where the standard OData interface lies below a publication.
ODATA = "odata/standard.odata"
_POSTS = {"SelectChanges": "select", "NotifyChangesReceived": "notify", "Post": "post", "Unpost": "unpost"}


class Door(Protocol):
    """Answers below one address.

    ``prefix``: the address below the publication. ``sessions``: a mode of its own for sessions, or empty for the
    base's. The path of a request is what follows the prefix.
    """

    prefix: str
    sessions: str

    def what(self, request: Request) -> tuple[str, str]:
        """What a request is about, as ``Quirks.only`` calls it, and what it does, as ``Quirks.acts`` does."""
        ...

    def answer(self, request: Request) -> Response:
        """Carry it out."""
        ...

    def refuse(self, text: str, request: Request) -> Response:
        """A failure of the base in the form of this address."""
        ...


class OData:
    """The standard interface. ``script``: what people do while sets are read."""

    prefix = ODATA
    sessions = ""

    def __init__(self, engine: Engine, script: Script, quirks: Quirks) -> None:
        self.engine = engine
        self.script = script
        self.quirks = quirks

    def what(self, request: Request) -> tuple[str, str]:
        """The set (or ``$metadata``; empty for the service document) and the act."""
        return set_name(request.path), act_of(request.method, request.path)

    def answer(self, request: Request) -> Response:
        """The engine's answer, after those edits that are due before it."""
        name = set_name(request.path)
        if request.method in ("GET", "HEAD") and unquote(request.path) == name:
            self.script.asked(name)
        if self.quirks.plus_is_blank:
            query = request.query.replace("+", "%20")
            request = Request(request.method, request.path, query, request.headers, request.body)
        response = self.engine.handle(request)
        response.headers["DataServiceVersion"] = "3.0"
        return response

    def refuse(self, text: str, request: Request) -> Response:
        """An OData error with code −1."""
        return self.engine.refuse(refused(text), request.query, request.headers)


def act_of(method: str, path: str) -> str:
    """What a request of OData does, as ``Quirks.acts`` calls it."""
    last = unquote(path).rstrip("/").rpartition("/")[2].partition("(")[0]
    if method in ("GET", "HEAD"):
        return "read"
    if method == "POST":
        return _POSTS.get(last, "create")
    return "delete" if method == "DELETE" else "change"


def set_name(path: str) -> str:
    """The set that a path below the root names, ``$metadata``, or an empty string for the service document."""
    return unquote(path).partition("?")[0].lstrip("/").partition("/")[0].partition("(")[0]
