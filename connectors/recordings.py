"""Recordings of calls: how a call names its recording, and what fetches the file when a person asks for it.

A call keeps a reference, never the temporary link that a service gives out: whoever may listen asks for it through the
hub, which knows the account's keys and writes down who asked.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import IO, Protocol, runtime_checkable

import msgspec

#: No recording is bigger: at 16 kB a second this is more than eight hours.
LIMIT = 512 << 20


@dataclass(frozen=True, slots=True)
class Recording:
    """``provider``: name of the service; ``recording_id``: its name there, of several with commas between them;
    ``url``: a lasting address that needs the account's keys; ``expires``: day after which the service keeps it no more,
    where it is known.
    """

    provider: str
    recording_id: str
    url: str = ""
    expires: str = ""

    def text(self) -> str:
        """As ``call_detail.recording`` keeps it: JSON without what is empty, always written the same."""
        told = {"provider": self.provider, "recording_id": self.recording_id, "url": self.url, "expires": self.expires}
        return msgspec.json.encode({name: value for name, value in told.items() if value}).decode()

    def parts(self) -> list[Recording]:
        """Each recording by itself, for a call that has several."""
        return [replace(self, recording_id=one) for one in self.recording_id.split(",")]


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

    def fetch_recording(self, reference: str, /) -> IO[bytes]:
        """The recording that ``reference`` (``call_detail.recording``, of one recording) names, open for reading; at
        most ``LIMIT`` bytes. Whoever asked closes it.

        Raises ``recording_not_ready`` (``RetryLater``: it is not there, perhaps not yet), ``recording_gone``,
        ``recording_too_big``, ``recording_unsafe``, ``recording_not_audio`` (``NeedsPerson``), and what any request
        raises.
        """
