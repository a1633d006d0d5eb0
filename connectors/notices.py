"""Notices that a service sends by itself: what they may be used for, and what a connector knows of them.

Notices come late, twice, in any order or not at all, and anybody may send one. So who sent it is proven first, and even
then it is a hint to look, never a record: nothing but an earlier read follows from it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol, runtime_checkable


@dataclass(frozen=True, slots=True)
class Hint:
    """What a notice tells: look at this call again. It is never taken for the call itself.

    ``over``: the call has ended, or its recording is there, so that there is something to be read. ``told``: what the
    service said, without what proves it: that is a secret of the account.
    """

    service: str
    call: str
    event: str
    recording: str = ""
    over: bool = False
    told: str = field(default="", compare=False)


@runtime_checkable
class Notified(Protocol):
    """A connector to a service that sends notices."""

    def notice(self, headers: Mapping[str, str], body: bytes, /) -> Hint:
        """What a notice tells; headers by lower-case name. ``SkipRecord(cloud_hook_refused)`` for one not proven."""

    def greeting(self, query: Mapping[str, str], /) -> str:
        """What the service wants to hear when it asks whether an address takes notices; empty where it asks nothing."""

    def covered(self, position: Mapping[str, Any], /) -> datetime | None:
        """What came before this moment is dealt with by the read that ended at ``position``; ``None`` for one that did
        not come to its end.
        """

    def ripe(self, received: datetime, /) -> datetime:
        """When a read will find what a notice of that moment is about."""
