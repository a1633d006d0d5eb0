"""What is needed to talk to one mailing service."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import urlsplit

from connectors.onec_odata.config import is_loopback
from connectors.rest import Patience
from connectors.web import Way
from hub.model.errors import NeedsPerson


@dataclass(frozen=True, slots=True)
class Account:
    """One service. ``user``, ``secret``: of its administration interface. ``lists``: ids or addresses of the lists that
    are exchanged, all of them without.
    """

    service: str
    url: str = ""
    user: str = ""
    secret: str = field(default="", repr=False)
    title: str = ""
    lists: tuple[str, ...] = ()
    page_size: int = 500
    max_sessions: int = 1
    timeout: float = 60.0
    connect: float = 10.0
    verify: bool | str = True
    proxy: str | None = field(default=None, repr=False)
    patience: Patience = field(default_factory=Patience)

    @property
    def way(self) -> Way:
        """How the service is reached."""
        return Way(self.title, self.max_sessions, self.connect, self.timeout, self.verify, self.proxy)


def address(account: Account, example: str) -> str:
    """Address of the service without a slash at its end; ``NeedsPerson(service_url_needed, service_url_bare)``."""
    url = account.url.strip().rstrip("/")
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        host, parts = "", urlsplit("")
    if not host or parts.scheme not in {"http", "https"} or parts.username:
        raise NeedsPerson("service_url_needed", system=account.title, example=example)
    if parts.scheme == "http" and not is_loopback(host):
        raise NeedsPerson("service_url_bare", system=account.title)
    return url
