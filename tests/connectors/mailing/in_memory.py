"""A mailing service in memory, in the shape that ``connectors.mailing.service`` asks for: a second service beside
Mailman.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field

import pytest

from connectors.base import Traffic
from connectors.mailing import connector
from connectors.mailing.config import Account
from connectors.mailing.connector import Mailing
from connectors.writing import Taken


@dataclass
class MemoryService:
    """Lists of addresses; who was ever here is known for good. ``asked``: subscriptions that came."""

    rosters: dict[str, set[str]] = field(default_factory=dict)
    ever: set[str] = field(default_factory=set)
    asked: list[str] = field(default_factory=list)
    traffic: Traffic = field(default_factory=Traffic)

    def new_list(self) -> str:
        """A new list; its id."""
        name = f"news-{uuid.uuid4().hex[:8]}"
        self.rosters[name] = set()
        return name

    def members(self, list_id: str) -> set[str]:
        """Who is on it."""
        return set(self.rosters[list_id])

    def product(self) -> str:
        """See ``Service``."""
        return "memory"

    def lists(self) -> list[str]:
        """See ``Service``."""
        return sorted(self.rosters)

    def size(self, list_id: str) -> int:
        """See ``Service``."""
        return len(self.rosters[list_id])

    def roster(self, list_id: str) -> dict[str, str]:
        """See ``Service``."""
        return dict.fromkeys(self.rosters[list_id], "1")

    def version(self, list_id: str, email: str) -> str | None:
        """See ``Service``."""
        return "1" if email in self.rosters.get(list_id, ()) else None

    def known(self, email: str) -> bool:
        """See ``Service``."""
        return email in self.ever

    def subscribe(self, list_id: str, email: str) -> None:
        """See ``Service``."""
        self.asked.append(email)
        if email in self.rosters[list_id]:
            raise Taken
        self.rosters[list_id].add(email)
        self.ever.add(email)

    def unsubscribe(self, list_id: str, email: str) -> None:
        """See ``Service``."""
        self.rosters[list_id].discard(email)

    def pause(self, attempt: int) -> bool:
        """See ``Service``."""
        return attempt < 2

    def close(self) -> None:
        """See ``Service``."""


def on_memory(service: MemoryService, patch: pytest.MonkeyPatch, list_id: str) -> Mailing:
    """A connector to it, made known as any further service would be."""
    patch.setitem(connector.SERVICES, "mailman", lambda account, sleep: service)
    return Mailing(Account("mailman", title="Рассылки", lists=(list_id,)))
