"""What is needed to talk to one calendar account or feed."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from connectors.web import Patience


@dataclass(frozen=True, slots=True)
class Account:
    """One account. ``secret``: its password, or with ``bearer`` a token; kept out of the representation.

    ``timezone``: the zone of what says none. ``calendars``: names or paths of those that are exchanged, all without;
    ``new_in``: the one of them that new records go to, the first that takes them without. ``owner``: e-mail address of
    whose calendar it is. ``past``, ``ahead``: days around today that a service is asked for which shows no more than a
    window.
    """

    title: str
    url: str
    timezone: str
    user: str = ""
    secret: str = field(default="", repr=False)
    bearer: bool = False
    calendars: tuple[str, ...] = ()
    new_in: str = ""
    owner: str = ""
    page_size: int = 500
    timeout: float = 60.0
    connect: float = 10.0
    max_sessions: int = 2
    verify: bool | str = True
    proxy: str | None = field(default=None, repr=False)
    past: int = 90
    ahead: int = 365
    patience: Patience = field(default_factory=Patience)

    @property
    def zone(self) -> ZoneInfo:
        """The zone itself."""
        return ZoneInfo(self.timezone)

    @property
    def host(self) -> str:
        """Name of the server."""
        return urlsplit(self.url).hostname or ""
