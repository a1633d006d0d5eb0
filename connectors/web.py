"""What every connector over HTTP stands on: a pool of connections, certificates and proxies, bodies with a limit."""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

import urllib3
from urllib3.exceptions import HTTPError, InsecureRequestWarning
from urllib3.response import BaseHTTPResponse

from hub.model.errors import NeedsPerson

_CHUNK = 1 << 18


class TooBig(Exception):
    """An answer grew past what the caller can take; the connection was dropped."""


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
