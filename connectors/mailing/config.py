"""What is needed to talk to one mailing service."""

from __future__ import annotations

from dataclasses import dataclass, field

from connectors.web import Patience, Way, service_address
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
    return service_address(
        account.url,
        needed=NeedsPerson("service_url_needed", system=account.title, example=example),
        bare=NeedsPerson("service_url_bare", system=account.title),
    )
