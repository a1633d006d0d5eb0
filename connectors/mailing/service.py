"""What each mailing service does in its own way; a further one needs no more than this."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from connectors.base import Traffic

Member = Mapping[str, Any]


class Service(Protocol):  # pragma: no cover - a declaration
    """One mailing service, opened for one account. Lists and addresses are written as its records show them."""

    @property
    def traffic(self) -> Traffic:
        """What was sent so far."""

    def product(self) -> str:
        """Its name and version, which proves address and password."""

    def lists(self) -> list[str]:
        """Ids of all lists, in one order."""

    def size(self, list_id: str) -> int:
        """How many are on the list, by the service's own word."""

    def roster(self, list_id: str) -> dict[str, str]:
        """Everybody on the list at one moment: version by address. ``RetryLater`` while it will not stand still."""

    def version(self, list_id: str, email: str) -> str | None:
        """Of one address on the list; ``None`` where it is not on it."""

    def known(self, email: str) -> bool:
        """Whether the service has ever heard of the address."""

    def subscribe(self, list_id: str, email: str) -> None:
        """Put the address on the list, once. ``Taken`` where it is on it, ``Refused`` where the service will not."""

    def unsubscribe(self, list_id: str, email: str) -> None:
        """Take the address off the list; one that is not on it is as well."""

    def pause(self, attempt: int) -> bool:
        """Wait before looking again; ``False`` at once when patience is over."""

    def close(self) -> None:
        """Give connections back."""
