"""What a mailbox is opened with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import urlsplit

from connectors.web import is_loopback
from hub.model.errors import NeedsPerson
from hub.model.mailaddress import mail_handle

#: How to log in. ``password`` is LOGIN; the others hand over an access token.
Auth = Literal["password", "xoauth2", "oauthbearer"]


def _nothing() -> str:
    return ""


@dataclass(frozen=True, slots=True)
class TokenEndpoint:
    """Where access tokens come from. ``refresh``: gives the refresh token, empty for an application's own (client
    credentials); ``secret``: gives the client's secret, empty without one.
    """

    url: str
    client_id: str
    scope: str = ""
    refresh: Callable[[], str] = field(default=_nothing, repr=False)
    secret: Callable[[], str] = field(default=_nothing, repr=False)


@dataclass(frozen=True, slots=True)
class ImapSettings:
    """``url``: ``imaps://host[:port]``, or ``imap://`` (STARTTLS, but for this machine). ``password``: gives the
    password, or the access token where there is no ``tokens``; asked anew for each login. ``own``: addresses that are
    ours besides ``user``, ``@domain`` for all of a domain. ``folders``: only these; ``except_folders``: never these.
    ``timezone``: in which dates are told. ``timeout``: seconds of silence. ``patience``: seconds before the second try.
    """

    url: str
    user: str
    password: Callable[[], str] = field(default=_nothing, repr=False)
    title: str = ""
    auth: Auth = "password"
    tokens: TokenEndpoint | None = None
    own: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()
    except_folders: tuple[str, ...] = ()
    timezone: str = "UTC"
    verify: bool | str = True
    timeout: float = 180.0
    max_sessions: int = 2
    page_size: int = 500
    patience: float = 1.0

    @property
    def own_handles(self) -> frozenset[str]:
        """Everything that is ours, as handles."""
        told = [self.user, *self.own] if "@" in self.user else list(self.own)
        return frozenset(mail_handle(one) if not one.startswith("@") else one.lower() for one in told)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a mailbox is. ``secured``: ``tls`` from the first byte, ``starttls``, or ``none``."""

    host: str
    port: int
    secured: Literal["tls", "starttls", "none"]


def place_of(settings: ImapSettings) -> Place:
    """The address taken apart; ``NeedsPerson(settings_imap_url)``."""
    try:
        parts = urlsplit(settings.url)
        port = parts.port
    except ValueError:
        raise NeedsPerson("settings_imap_url") from None
    if parts.scheme not in {"imaps", "imap"} or not parts.hostname:
        raise NeedsPerson("settings_imap_url")
    if parts.scheme == "imaps":
        return Place(parts.hostname, port or 993, "tls")
    return Place(parts.hostname, port or 143, "none" if is_loopback(parts.hostname) else "starttls")
