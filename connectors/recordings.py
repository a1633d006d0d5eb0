"""Recordings of calls: how a call names its recording, and what fetches the file when a person asks for it.

A call keeps a reference, never the temporary link that a service gives out: whoever may listen asks for it through the
hub, which knows the account's keys and writes down who asked.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import IO, Protocol, runtime_checkable

import msgspec


@dataclass(frozen=True, slots=True)
class Recording:
    """``provider``: name of the service; ``recording_id``: its name there; ``url``: a lasting address that needs the
    account's keys; ``expires``: day after which the service keeps it no more, where it is known.
    """

    provider: str
    recording_id: str
    url: str = ""
    expires: str = ""

    def text(self) -> str:
        """As ``call_detail.recording`` keeps it: JSON without what is empty, always written the same."""
        told = {"provider": self.provider, "recording_id": self.recording_id, "url": self.url, "expires": self.expires}
        return msgspec.json.encode({name: value for name, value in told.items() if value}).decode()


def recording_of(text: str) -> Recording:
    """The reference that a call keeps; a bare text is the name of a file of the exchange itself."""
    try:
        found = msgspec.json.decode(text)
    except msgspec.DecodeError:
        found = None
    if not isinstance(found, dict) or "provider" not in found:
        return Recording("", text)
    told = [str(found.get(name) or "") for name in ("provider", "recording_id", "url", "expires")]
    return Recording(*told)


@runtime_checkable
class Recorded(Protocol):
    """A connector that can fetch recordings."""

    def fetch_recording(self, reference: str, target: IO[bytes], limit: int, *, fresh: bool = False) -> str:
        """Write the recording that ``reference`` (``call_detail.recording``) names into ``target``; its file suffix
        (``.mp3``). ``fresh``: the call has just ended, the file may not be ready yet and is waited for.

        Raises ``recording_not_ready`` (``RetryLater``), ``recording_gone``, ``recording_too_big``, ``recording_unsafe``,
        ``recording_not_audio`` (``NeedsPerson``), and what any request raises.
        """
