"""One call, whatever exchange tells of it, and the record that it travels as.

A record is a JSON object of the stream ``calls``. ``id`` is the exchange's own name of the call, ``start`` its local
time (what windows are cut by); ``started_at`` and ``ended_at`` are moments of UTC with a ``Z``, seconds whole numbers.
``people`` are rows ``role, kind, number, raw, ext, name``; ``hub.model.phones`` tells kinds and numbers. Of an inbound
call the client is the caller, of an outbound one the callee; an ``agent`` is who of ours talked.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal
from zoneinfo import ZoneInfo

from connectors.base import StreamInfo
from hub.model.phones import Handle

Direction = Literal["inbound", "outbound", "internal"]
Disposition = Literal["answered", "no_answer", "busy", "failed", "voicemail", "cancelled"]
Status = Literal["held", "missed", "failed", "cancelled"]
Role = Literal["caller", "callee", "agent"]

STREAM = "calls"
_CHOICES = ("direction", "status", "disposition")
_TEXTS = ("id", "key", *_CHOICES, "line", "did", "queue", "agent", "hangup_cause", "recording")
_NUMBERS = ("duration_s", "ring_s", "wait_s", "talk_s", "legs")
_MOMENTS = ("start", "started_at", "ended_at")
_PEOPLE = ("role", "kind", "number", "raw", "ext", "name")

#: The stream that every exchange offers.
CALLS = StreamInfo(
    STREAM,
    {
        **dict.fromkeys(_TEXTS, "text"),
        **dict.fromkeys(_MOMENTS, "timestamp"),
        **dict.fromkeys(_NUMBERS, "integer"),
        "transferred": "boolean",
    },
    {"people": dict.fromkeys(_PEOPLE, "text")},
    ("id",),
)


@dataclass(frozen=True, slots=True)
class Someone:
    """Who takes part. ``name``: as the exchange shows it, empty where it does not."""

    role: Role
    handle: Handle
    name: str = ""


@dataclass(slots=True)
class Call:
    """All legs of one call together.

    ``started``, ``ended``: with their zone. ``line``: the number or trunk of ours that it went through; ``did``: the
    number that the client dialled. ``agent``: the extension that answered. ``ring_s``: how long the telephone of who
    answered rang, or all rang for nothing; ``wait_s``: from the start to the answer; ``talk_s``: talking with people.
    ``recording``: a reference that the connector's ``fetch_recording`` opens.
    """

    id: str
    direction: Direction
    disposition: Disposition
    started: datetime
    ended: datetime
    people: list[Someone] = field(default_factory=list)
    line: str = ""
    did: str = ""
    queue: str = ""
    agent: str = ""
    ring_s: int | None = None
    wait_s: int | None = None
    talk_s: int = 0
    transferred: bool = False
    legs: int = 1
    hangup_cause: str = ""
    recording: str = ""

    @property
    def status(self) -> Status:
        """What it is to whoever works with clients: nobody of ours missed a call that we made."""
        if self.disposition == "answered":
            return "held"
        if self.direction != "outbound":
            return "missed"
        return "cancelled" if self.disposition == "cancelled" else "failed"

    def record(self, system: str, zone: ZoneInfo | None = None) -> dict[str, Any]:
        """As it travels. ``system``: the code of the exchange; ``zone``: its own, where ``started`` is in another."""
        start = self.started if zone is None else self.started.astimezone(zone)
        return {
            "id": self.id,
            "key": f"{system}:{self.id}",
            "direction": self.direction,
            "status": self.status,
            "disposition": self.disposition,
            "start": start.isoformat()[:19],
            "started_at": _utc(self.started),
            "ended_at": _utc(self.ended),
            "duration_s": round((self.ended - self.started).total_seconds()),
            "ring_s": self.ring_s,
            "wait_s": self.wait_s,
            "talk_s": self.talk_s,
            "line": self.line,
            "did": self.did,
            "queue": self.queue,
            "agent": self.agent,
            "hangup_cause": self.hangup_cause,
            "transferred": self.transferred,
            "legs": self.legs,
            "recording": self.recording,
            "people": [_row(one) for one in self.people],
        }


def _utc(moment: datetime) -> str:
    return f"{moment.astimezone(UTC).isoformat()[:19]}Z"


def _row(one: Someone) -> dict[str, str]:
    kind, norm, ext, raw = one.handle
    return {"role": one.role, "kind": kind, "number": norm, "raw": raw, "ext": ext, "name": one.name}
