"""A bare HTTP client for the stand's own tests: urls as a client of 1C has to write them, one kept-alive connection."""

from __future__ import annotations

import http.client
import json
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote, urlsplit

from lxml import etree

from stand.onec.server import OneCStand

SAFE = "$()_-,.=/'?&;:*%@"
NS = {
    "a": "http://www.w3.org/2005/Atom",
    "d": "http://schemas.microsoft.com/ado/2007/08/dataservices",
    "m": "http://schemas.microsoft.com/ado/2007/08/dataservices/metadata",
    "at": "http://purl.org/atompub/tombstones/1.0",
    "e": "http://schemas.microsoft.com/ado/2009/11/edm",
}


@dataclass(frozen=True)
class Answer:
    """Status, headers in lower case, body."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)

    @property
    def xml(self) -> etree._Element:
        """The body as XML."""
        return etree.fromstring(self.body)

    @property
    def entries(self) -> list[etree._Element]:
        """Entries of a feed."""
        return self.xml.findall("a:entry", NS)

    @property
    def value(self) -> list[dict[str, Any]]:
        """Records of a set; fails on anything but 200."""
        assert self.status == 200, self.body.decode()
        found: list[dict[str, Any]] = self.json["value"]
        return found

    @property
    def error(self) -> tuple[int, str, str]:
        """Status, code and text of an error body in JSON."""
        body = self.json["odata.error"]
        return self.status, body["code"], body["message"]["value"]


def term(entry: etree._Element) -> str:
    """The set an entry of a feed belongs to."""
    category = entry.find("a:category", NS)
    assert category is not None
    return str(category.get("term")).removeprefix("StandardODATA.")


class Client:
    """Asks one stand."""

    def __init__(self, stand: OneCStand) -> None:
        self.port = urlsplit(stand.url).port
        self.path = stand.path
        self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.connection.close()

    def send(self, method: str, path: str, body: bytes = b"", **headers: str) -> Answer:
        """Send to an absolute path, already encoded."""
        self.connection.request(method, path, body or None, {k.replace("_", "-"): v for k, v in headers.items()})
        response = self.connection.getresponse()
        return Answer(response.status, {k.lower(): v for k, v in response.getheaders()}, response.read())

    def get(self, path: str, **headers: str) -> Answer:
        """GET below the service root, blanks as %20."""
        return self.send("GET", f"{self.path}/{quote(path, safe=SAFE)}", b"", **headers)

    def rows(self, path: str) -> list[dict[str, Any]]:
        """Records of a set in JSON."""
        return self.get(f"{path}{'&' if '?' in path else '?'}$format=json").value

    def fail(self, path: str) -> tuple[int, str, str]:
        """The error a GET in JSON is answered with."""
        return self.get(f"{path}{'&' if '?' in path else '?'}$format=json").error

    def write(self, method: str, path: str, fields: Any = None, **headers: str) -> Answer:
        """POST, PATCH, PUT or DELETE in JSON."""
        body = b"" if fields is None else json.dumps(fields).encode()
        return self.send(method, f"{self.path}/{quote(path, safe=SAFE)}", body, Accept="application/json", **headers)
