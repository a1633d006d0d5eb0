"""The connector is certified on a FAKE of Telegram; the live service was not asked."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from datetime import timedelta
from typing import ClassVar

from connectors.base import Connector
from connectors.certify.kit import Kit
from connectors.certify.subject import Changing, Fault, Faulty, Known
from hub.model.errors import RetryLater, StopRoute, StopSystem
from tests.connectors.messengers.fake_telegram import telegram
from tests.connectors.messengers.opening import on_telegram

_HIDDEN = Fault(RetryLater, hidden=True)


class OnTelegram(Changing, Faulty):
    """Thirty-six messages of twelve days that wait in a bot's queue."""

    faults: ClassVar[Mapping[str, Fault]] = {
        "dropped": _HIDDEN,
        "cut": _HIDDEN,
        "busy": _HIDDEN,
        "gateway": _HIDDEN,
        "limit": _HIDDEN,
        "other_reader": _HIDDEN,
        "revoked": Fault(StopSystem),
        "page": Fault(StopSystem),
        "moved": Fault(StopSystem),
        "refused": Fault(StopRoute),
    }

    def __init__(self) -> None:
        self.stack = ExitStack()
        self.bot = self.stack.enter_context(telegram())
        self.bot.now -= timedelta(days=12)
        self.said = {}
        for n in range(36):
            self.bot.now += timedelta(hours=8)
            message = self.bot.write(f"Сообщение {n}")
            self.said[f"{message['chat']['id']}/{message['message_id']}"] = message
        fields = ("date", "text", "people", "direction")
        self.catalog = self.dated = Known("messages", fields, frozenset(self.said), ("id",), date_field="date")
        self.edits = 0

    def connect(self) -> Connector:
        """Another connector to the same bot."""
        return on_telegram(self.bot)

    def edit(self, stream: str, key: str) -> None:
        """The sender changes what he wrote."""
        self.edits += 1
        self.bot.edit(self.said[key], f"Изменено {self.edits}")

    def delete(self, stream: str, key: str) -> None:
        """It has waited too long."""
        self.bot.expire(key)

    def fail(self, name: str, times: int = 0) -> None:
        """The next answers are bad ones."""
        self.bot.failing = [name] * times or [f"{name}!"]

    def mend(self) -> None:
        """Answers are good again."""
        self.bot.failing = []

    def close(self) -> None:
        """Close connectors and the fake."""
        super().close()
        self.stack.close()


class TestTelegram(Kit):
    """A bot."""

    subject_type = OnTelegram
