"""The few methods of the Bot API that are called, and what its refusals mean.

The token is a part of every address, so it is kept out of what urllib3 logs when somebody switches that on.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from typing import Any

from connectors.base import Traffic
from connectors.messengers.config import Account, address, token
from connectors.rest import Answer, Ask, Wire, by_status
from hub.model.errors import HubError, NeedsPerson, RetryLater, StopRoute, StopSystem

NAME = "Telegram"
#: The most that one call gives.
LIMIT = 100
#: What a bot is told of: nothing but messages and their edits.
_WANTED = ["message", "edited_message"]
_TOKEN = re.compile(r"\d{3,20}:[A-Za-z0-9_-]{20,}")
_IN_PATH = re.compile(r"/bot\d+:[A-Za-z0-9_-]+")
_TEXT = 200


class _Masked(logging.Filter):
    """Takes tokens out of what the HTTP library logs of addresses."""

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple):
            record.args = tuple(_IN_PATH.sub("/bot•••", one) if isinstance(one, str) else one for one in record.args)
        return True


class Bot:
    """One bot. Its calls are made one after another: two at once are two readers, and Telegram lets only one read."""

    def __init__(self, account: Account, sleep: Callable[[float], None]) -> None:
        base = address(account, "https://api.telegram.org", "https://api.telegram.org")
        secret = token(account)
        if not _TOKEN.fullmatch(secret):
            raise NeedsPerson("chat_token_form", system=account.title)
        logging.getLogger("urllib3.connectionpool").addFilter(_MASKED)
        self.id = secret.partition(":")[0]
        self._account, self._secret = account, secret
        self._wire = Wire(account.way, f"{base}/bot{secret}", self._meaning, patience=account.patience, sleep=sleep)
        self._me: dict[str, Any] | None = None

    @property
    def traffic(self) -> Traffic:
        """What was sent so far."""
        return self._wire.traffic

    def me(self, *, anew: bool = False) -> dict[str, Any]:
        """The bot as Telegram knows it; asked for once."""
        if self._me is None or anew:
            self._me = self._result("getMe", dict)
        return self._me

    def webhook(self) -> dict[str, Any]:
        """Whether updates go elsewhere, and how many wait."""
        found: dict[str, Any] = self._result("getWebhookInfo", dict)
        return found

    def updates(self, offset: int | None = None) -> list[dict[str, Any]]:
        """The earliest updates that wait, at most ``LIMIT``. With an offset Telegram forgets those before it for good;
        without one it forgets nothing.
        """
        told: dict[str, Any] = {"limit": LIMIT, "timeout": 0, "allowed_updates": _WANTED}
        found = self._result("getUpdates", list, {**told, **({} if offset is None else {"offset": offset})})
        if not all(isinstance(one, dict) and isinstance(one.get("update_id"), int) for one in found):
            raise StopRoute("service_unexpected", system=self._account.title)
        return list(found)

    def close(self) -> None:
        """Close the connections."""
        self._wire.close()

    def _result(self, method: str, kind: type, told: dict[str, Any] | None = None) -> Any:
        answer = self._wire.read(Ask("POST", f"/{method}", body=told or {}))
        found = answer.json.get("result")
        if not isinstance(found, kind):
            raise StopRoute("service_unexpected", system=self._account.title)
        return found

    def _meaning(self, answer: Answer) -> HubError | None:
        system, said = self._account.title, answer.json
        if not isinstance(said, dict):
            broken = answer.status == 200 and not answer.is_page
            return RetryLater("service_cut", system=system) if broken else by_status(answer, system, NAME)
        if said.get("ok") is True and answer.status == 200:
            return None
        text = str(said.get("description") or "")
        if answer.status in {401, 404}:
            return StopSystem("chat_token_refused", system=system, service=NAME)
        if answer.status == 409:
            if "webhook" in text.lower():
                return StopSystem("chat_webhook_set", system=system)
            return RetryLater("chat_other_reader", system=system)
        if answer.status == 429:
            more = said.get("parameters")
            asked = more.get("retry_after") if isinstance(more, dict) else None
            pause = float(asked) if isinstance(asked, int | float) else answer.retry_after
            return RetryLater("service_busy", pause, system=system, service=NAME)
        if 400 <= answer.status < 500 or answer.status == 200:
            text = " ".join(text.replace(self._secret, "•••").split())[:_TEXT]
            return StopRoute("service_refused", system=system, service=NAME, text=text or f"HTTP {answer.status}")
        return by_status(answer, system, NAME)


_MASKED = _Masked()
