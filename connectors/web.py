"""What every connector over HTTP stands on: a pool of connections, certificates and proxies, bodies with a limit, what
a fault of the way means and how long it is waited out.
"""

from __future__ import annotations

import ipaddress
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http.client import IncompleteRead
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

import urllib3
from urllib3.exceptions import (
    ConnectTimeoutError,
    DecodeError,
    HTTPError,
    InsecureRequestWarning,
    NameResolutionError,
    NewConnectionError,
    ProtocolError,
    ProxyError,
    ReadTimeoutError,
    SSLError,
)
from urllib3.response import BaseHTTPResponse

from hub.model.errors import HubError, NeedsPerson, RetryLater, StopSystem

_CHUNK = 1 << 18
#: By these statuses a server says that it has not taken the request.
NOT_TAKEN = frozenset({408, 425, 429, 503})


class TooBig(Exception):
    """An answer grew past what the caller can take; the connection was dropped."""


class Failed(Exception):
    """The way to the server failed; ``error`` is what it failed by."""

    def __init__(self, error: HTTPError | TooBig) -> None:
        super().__init__(type(error).__name__)
        self.error = error


class Got(NamedTuple):
    """An answer as it came; headers by lower-case name."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Patience:
    """How a passing fault is met: so many more tries, each pause twice as long.

    ``first`` and ``longest`` pause in seconds; ``longest`` is also the most that a server's ``Retry-After`` gets.
    """

    retries: int = 4
    first: float = 0.5
    longest: float = 60.0

    def pause(self, attempt: int, asked: float | None) -> float:
        """Seconds before try ``attempt`` (from 1); ``asked`` is what the server wants."""
        return min(self.longest, asked if asked is not None else self.first * 2 ** (attempt - 1))


@dataclass(frozen=True, slots=True)
class Way:
    """How a system is reached. ``name``: what the admin calls it; ``connect``, ``read``: seconds; ``verify``: ``True``
    for the machine's own certificates, a path for a CA of the company's own, ``False`` to check nothing.
    """

    name: str
    connections: int = 1
    connect: float = 10.0
    read: float = 180.0
    verify: bool | str = True
    proxy: str | None = field(default=None, repr=False)


def manager(way: Way, *, https: bool) -> urllib3.PoolManager:
    """A pool of so many connections; ``NeedsPerson`` for a CA file or a proxy that cannot be used."""
    options: dict[str, object] = {
        "maxsize": max(1, way.connections),
        "timeout": urllib3.Timeout(connect=way.connect, read=way.read),
    }
    if https:
        options["ssl_context"] = _tls(way)
    if not way.proxy:
        return urllib3.PoolManager(num_pools=2, **options)  # type: ignore[arg-type]
    parts = urlsplit(way.proxy)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise NeedsPerson("proxy_invalid", system=way.name)
    address = f"{parts.scheme}://{parts.hostname}:{parts.port or (443 if parts.scheme == 'https' else 80)}"
    login = f"{unquote(parts.username)}:{unquote(parts.password or '')}" if parts.username else None
    headers = urllib3.make_headers(proxy_basic_auth=login, proxy_basic_auth_encoding="utf-8") if login else None
    return urllib3.ProxyManager(address, num_pools=2, proxy_headers=headers, **options)  # type: ignore[arg-type]


def _tls(way: Way) -> ssl.SSLContext:
    if way.verify is False:
        # The settings say so and ``check`` reports it; urllib3 would say it again at every request.
        urllib3.disable_warnings(InsecureRequestWarning)
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return context
    own = way.verify if isinstance(way.verify, str) else None
    try:
        return ssl.create_default_context(cafile=own)
    except (OSError, ssl.SSLError):
        raise NeedsPerson("ca_unreadable", system=way.name, path=own) from None


def chain(error: BaseException) -> list[object]:
    """An error with what it was made of."""
    return [error, *error.args, error.__cause__, error.__context__]


def tls_reason(error: HTTPError) -> str:
    """OpenSSL's own word on the certificate (``certificate has expired`` …)."""
    for part in chain(error):
        if isinstance(part, ssl.SSLCertVerificationError):
            return part.verify_message
        if isinstance(part, ssl.SSLError) and part.reason:
            return part.reason
    return type(error).__name__


def read(response: BaseHTTPResponse, limit: int | None) -> bytes:
    """The whole body; ``TooBig`` past ``limit``. A body that says it is small enough is read in one go."""
    if limit is None:
        return response.read()
    length = response.headers.get("content-length", "")
    if length.isdigit() and not response.headers.get("content-encoding"):
        if int(length) > limit:
            raise TooBig
        return response.read()
    parts: list[bytes] = []
    size = 0
    while part := response.read(_CHUNK):
        size += len(part)
        if size > limit:
            raise TooBig
        parts.append(part)
    return b"".join(parts)


def once(
    pool: urllib3.PoolManager, method: str, url: str, headers: Mapping[str, str], body: bytes | None, limit: int
) -> Got:
    """One request and its whole answer, of at most ``limit`` bytes; no redirect is followed. ``Failed``."""
    try:
        response = pool.request(
            method, url, body=body, headers=headers, retries=False, redirect=False, preload_content=False
        )
        try:
            content = read(response, limit)
        except BaseException:
            response.close()  # half-read: the connection cannot serve another request
            raise
        finally:
            response.release_conn()
    except (HTTPError, TooBig) as error:
        raise Failed(error) from None
    return Got(response.status, lower(response.headers), content)


def lower(headers: Mapping[str, str]) -> dict[str, str]:
    """Headers by lower-case name."""
    return {name.lower(): value for name, value in headers.items()}


def way_fault(error: HTTPError, system: str, host: str, seconds: float) -> HubError | None:
    """What a fault of the way means whoever is at its end: proxy, certificate, name, no bytes for so many ``seconds``.

    ``None`` for any other. The error's own text is dropped: it names the address, and a key may stand there.
    """
    if isinstance(error, ProxyError):
        return RetryLater("proxy_unreachable", system=system)
    if isinstance(error, SSLError):
        return StopSystem("tls_invalid", system=system, host=host, reason=tls_reason(error))
    if isinstance(error, NameResolutionError):
        return RetryLater("host_unknown", system=system, host=host)
    if isinstance(error, ReadTimeoutError):
        return RetryLater("source_timeout", system=system, seconds=round(seconds))
    return None


def unreachable(error: HTTPError) -> bool:
    """Whether no connection came about."""
    return isinstance(error, (NewConnectionError, ConnectTimeoutError))


def cut(error: HTTPError) -> bool:
    """Whether an answer broke off in its middle."""
    broken = isinstance(error, ProtocolError) and any(isinstance(part, IncompleteRead) for part in chain(error))
    return broken or isinstance(error, DecodeError)


def unsent(error: BaseException) -> bool:
    """True when no byte of the request can have reached the server."""
    if isinstance(error, SSLError):  # any other fault of TLS may come in the middle of an answer
        return any(isinstance(part, ssl.SSLCertVerificationError) for part in chain(error))
    return isinstance(error, (ProxyError, NewConnectionError, ConnectTimeoutError))


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds that the server asks to wait; ``None`` when it does not say. A date is measured by the server's clock."""
    value = headers.get("retry-after", "").strip()
    if value.isdigit():
        return float(value)
    until, now = server_time(value), server_time(headers.get("date", ""))
    return max(0.0, (until - now).total_seconds()) if until and now else None


def server_time(value: str) -> datetime | None:
    """An HTTP date as an aware ``datetime``; ``None`` for anything else."""
    try:
        found = parsedate_to_datetime(value)
    except (TypeError, ValueError):
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def is_loopback(host: str) -> bool:
    """Whether what is sent there never leaves this machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def service_address(url: str, *, needed: HubError, bare: HubError) -> str:
    """An address without a slash at its end. ``needed`` is raised where it is none or has a login in it, ``bare`` where
    what is sent could be read on its way to another machine.
    """
    url = url.strip().rstrip("/")
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        host, parts = "", urlsplit("")
    if not host or parts.scheme not in {"http", "https"} or parts.username:
        raise needed
    if parts.scheme == "http" and not is_loopback(host):
        raise bare
    return url
