"""What is needed to read one bot or account of a messenger."""

from __future__ import annotations

from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from connectors.web import Patience, Way, service_address
from hub.model.errors import NeedsPerson
from hub.model.messengers import messenger_norm


@dataclass(frozen=True, slots=True)
class Account:
    """One bot or account. ``secret``: its token. ``own``: names of ours, as people write them; ``except_chats``: titles
    or keys of chats that are passed over. ``timezone``: in which dates are told. ``history_days``: how far back the
    first read goes, where what was said before is kept.
    """

    service: str
    url: str = ""
    secret: str = field(default="", repr=False)
    title: str = ""
    own: tuple[str, ...] = ()
    except_chats: tuple[str, ...] = ()
    timezone: str = "Europe/Moscow"
    history_days: int = 30
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

    @property
    def zone(self) -> ZoneInfo:
        """The zone itself."""
        return ZoneInfo(self.timezone)

    @property
    def own_names(self) -> frozenset[str]:
        """Names of ours as they are compared."""
        return frozenset(map(messenger_norm, self.own))

    def passes_over(self, *names: str) -> bool:
        """Whether a chat of these names is none that is read."""
        wanted = {name.lower() for name in self.except_chats}
        return any(name.lower() in wanted for name in names if name)


def address(account: Account, own: str, example: str) -> str:
    """Address of the service without a slash at its end; ``NeedsPerson(service_url_needed, service_url_bare)``.

    ``own``: the service's, empty where each company has one of its own such as ``example``.
    """
    return service_address(
        account.url or own,
        needed=NeedsPerson("service_url_needed", system=account.title, example=example),
        bare=NeedsPerson("service_url_bare", system=account.title),
    )


def token(account: Account) -> str:
    """The token as it stands in a header or an address; ``NeedsPerson(chat_token_missing, service_key_letters)``."""
    if not account.secret:
        raise NeedsPerson("chat_token_missing", system=account.title)
    if not account.secret.isascii() or not account.secret.isprintable() or " " in account.secret:
        raise NeedsPerson("service_key_letters", system=account.title)
    return account.secret
