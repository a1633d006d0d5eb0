"""Connectors on the servers of these tests."""

from __future__ import annotations

from typing import Any

from connectors.mailing.config import Account
from connectors.mailing.connector import Mailing
from connectors.web import Patience
from tests.connectors.mailing.mailman import PASSWORD, USER

EAGER = Patience(retries=3, first=0.0, longest=30.0)


def on_mailman(url: str, *lists: str, **more: Any) -> Mailing:
    """A connector to the lists, all of them without; ``more`` replaces settings."""
    told: dict[str, Any] = {"url": url, "user": USER, "secret": PASSWORD, "title": "Рассылки", "patience": EAGER}
    return Mailing(Account("mailman", lists=lists, **{"timeout": 20.0, **told, **more}), sleep=lambda _: None)
