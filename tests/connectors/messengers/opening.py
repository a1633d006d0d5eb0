"""Connectors on the servers of these tests, and hubs that have one of them for their only messenger."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from connectors.base import ReadRequest
from connectors.certify.reading import decoded
from connectors.messengers.config import Account
from connectors.messengers.connector import Messenger
from connectors.web import Patience
from hub.exchange.hub import Hub
from hub.model.settings import SystemSettings
from hub.model.settings_comms import MessengerSettings
from hub.store.database import Store
from tests.connectors.messengers.fake_telegram import TOKEN, FakeTelegram
from tests.connectors.messengers.synapse import Synapse
from tests.exchange.installation import make_hub

READ = ReadRequest("messages", key=("id",))
EAGER = Patience(retries=3, first=0.0, longest=30.0)


def on_telegram(bot: FakeTelegram | str, **more: Any) -> Messenger:
    """A connector to the bot; ``more`` replaces settings."""
    url = bot if isinstance(bot, str) else bot.url
    told = {"url": url, "secret": TOKEN, "title": "Бот", "patience": EAGER, "timeout": 10.0}
    return Messenger(Account("telegram", **{**told, **more}), sleep=lambda _: None)


def on_matrix(server: Synapse | str, secret: str, **more: Any) -> Messenger:
    """A connector to an account whose token is ``secret``."""
    url = server if isinstance(server, str) else server.url
    told = {"url": url, "secret": secret, "title": "Матрица", "patience": EAGER, "timeout": 20.0}
    return Messenger(Account("matrix", **{**told, **more}), sleep=lambda _: None)


def read(connector: Messenger, position: dict[str, Any] | None = None, size: int = 500) -> tuple[list[Any], Any]:
    """Records of one read, and its last page."""
    request = ReadRequest("messages", key=("id",), position=position, page_size=size)
    pages = list(connector.read(request))
    return decoded(pages), pages[-1]


def hub_of(store: Store, home: Path, connector: Messenger, **more: Any) -> Hub:
    """A hub whose one system ``chat`` this is; ``more``: keys of its section."""
    system = SystemSettings(
        "chat", "messenger", "Europe/Moscow", "messenger", "Бот", messenger=MessengerSettings("telegram", **more)
    )
    return make_hub(store, home, {"chat": connector}, {"chat": system})
