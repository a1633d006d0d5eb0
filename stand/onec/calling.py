"""Calls that the base makes itself: plain HTTP, to the loopback only, with Basic in UTF-8."""

from __future__ import annotations

import base64
import http.client
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

_LOCAL = ("127.0.0.1", "localhost", "::1")


class Failed(Exception):
    """The other side refused, answered with words that mean nothing here, or did not answer."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where the base calls. ``ValueError``: not plain HTTP on the loopback."""

    url: str
    user: str = ""
    password: str = ""
    timeout: float = 30.0

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        if parts.scheme != "http" or parts.hostname not in _LOCAL:
            raise ValueError(f"the stand calls addresses of the loopback only, not {self.url}")

    @property
    def path(self) -> str:
        """The path of the address."""
        return urlsplit(self.url).path

    def call(
        self, method: str, target: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> tuple[int, bytes]:
        """Status and body of an answer; ``target`` is an encoded path with its query. ``Failed``: there is none."""
        parts = urlsplit(self.url)
        login = base64.b64encode(f"{self.user}:{self.password}".encode()).decode()
        sent = {**(headers or {}), **({"Authorization": f"Basic {login}"} if self.user else {})}
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port or 80, timeout=self.timeout)
        try:
            connection.request(method, target, body, sent)
            answer = connection.getresponse()
            return answer.status, answer.read()
        except (OSError, http.client.HTTPException) as error:
            raise Failed(f"{target.partition('?')[0]}: {type(error).__name__}: {error}") from None
        finally:
            connection.close()
