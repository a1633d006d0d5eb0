"""What is needed to ask one account of a cloud telephone exchange."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import urlsplit

from connectors.web import Patience, Way, is_loopback, service_address
from hub.model.errors import NeedsPerson


@dataclass(frozen=True, slots=True)
class CloudSettings:
    """One account. ``user`` and ``password``: what the service's description says they are (docs/cloud-telephony.md).

    ``url``: instead of the service's own address, or the company's own one where each has another. ``timezone``: of
    dates that carry none. ``history_days``: how far back the first read goes. ``ready_seconds``: how long a report that
    is being made is waited for. ``hook``: what the service puts into its notices to prove them, where that is no key.
    """

    service: str
    url: str = ""
    user: str = ""
    password: str = field(default="", repr=False)
    title: str = ""
    timezone: str = "Europe/Moscow"
    area_code: str = ""
    history_days: int = 30
    page_size: int = 1000
    max_sessions: int = 1
    timeout: float = 60.0
    connect: float = 10.0
    verify: bool | str = True
    proxy: str | None = field(default=None, repr=False)
    ready_seconds: float = 300.0
    patience: Patience = field(default_factory=lambda: Patience(retries=4, first=1.0, longest=60.0))
    hook: str = field(default="", repr=False)

    @property
    def way(self) -> Way:
        """How the service is reached."""
        return Way(self.title, self.max_sessions, self.connect, self.timeout, self.verify, self.proxy)


def safe_host(url: str, home: str) -> bool:
    """Whether something may be fetched from ``url``: over TLS from a named host, or from this machine itself if the
    service's own address ``home`` is on it (a stand-in of a test).
    """
    try:
        parts, at_home = urlsplit(url), urlsplit(home)
        host = parts.hostname or ""
        _ = parts.port
    except ValueError:
        return False
    if parts.username or parts.password or not host:
        return False
    if is_loopback(at_home.hostname or ""):
        return parts.scheme in {"http", "https"} and is_loopback(host)
    bare = host.replace(".", "").isdigit() or ":" in host  # an address instead of a name: nobody's certificate
    return parts.scheme == "https" and not bare and not is_loopback(host) and "." in host


def address(settings: CloudSettings, own: str, example: str) -> str:
    """Address of the service without a slash at its end; ``NeedsPerson(cloud_url_needed, cloud_url_bare)``.

    ``own``: the service's, empty where each company has one of its own such as ``example``.
    """
    return service_address(
        settings.url or own,
        needed=NeedsPerson("cloud_url_needed", system=settings.title, example=example or own),
        bare=NeedsPerson("cloud_url_bare", system=settings.title),
    )
