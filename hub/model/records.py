"""Records as they travel, and the counters that account for them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import field as attribute
from datetime import date
from typing import Any

#: The outcomes a received record can have; their sum is always ``received``.
OUTCOMES = ("created", "updated", "unchanged", "skipped", "parked", "held", "quarantined")
#: The outcomes that what is owed to a system can have; their sum is always what was owed.
PUSHED = ("confirmed", "superseded", "waiting", "held", "unknown", "failed")


@dataclass(slots=True)
class Page:
    """One page of one stream, as a connector hands it over.

    ``records``: each a JSON object (bytes-like, ``msgspec.Raw`` or ``bytes``) with the source's own field names,
    whatever the wire format was. ``deleted``: external ids that the source itself declared physically deleted.
    ``position``: where reading goes on after this page (JSON-able, opaque to all but the connector).
    ``last``: the stream is exhausted. ``nbytes``: size of the body, unpacked (read-ahead bounds memory by it).
    ``more``, of a last page: the source keeps back what follows until this page's position is handed to it, which says
    that everything before it is stored for good.

    Of a source that keeps a place in its history (``Capabilities.tokens``) and that had to list what there is:
    ``listed``, key and version of records that are there and were not fetched; ``whole``, beginnings of external ids of
    which everything that is there was listed or fetched by this read, up to this page.
    """

    stream: str
    records: Sequence[Any]
    deleted: Sequence[str] = ()
    position: dict[str, Any] = attribute(default_factory=dict)
    last: bool = False
    nbytes: int = 0
    listed: Sequence[tuple[str, str | None]] = ()
    whole: Sequence[str] = ()
    more: bool = False


@dataclass(slots=True)
class Reject:
    """A record that a mapping refused: what goes to quarantine.

    ``code`` is a key of the catalogue; ``field`` and ``value`` name the culprit in the source's own words.
    """

    external_id: str
    code: str
    field: str = ""
    value: str = ""
    params: dict[str, Any] = attribute(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Window:
    """A half-open range of days in the system's own time zone: ``start`` included, ``end`` excluded."""

    start: date
    end: date


@dataclass(slots=True)
class Counters:
    """What became of the records of one route in one run."""

    received: int = 0
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    skipped: int = 0
    parked: int = 0
    held: int = 0
    quarantined: int = 0
    skipped_by: dict[str, int] = attribute(default_factory=dict)

    def add(self, other: Counters) -> None:
        """Add ``other`` to this one, reasons of skipping included."""
        self.received += other.received
        for name in OUTCOMES:
            setattr(self, name, getattr(self, name) + getattr(other, name))
        for reason, number in other.skipped_by.items():
            self.skipped_by[reason] = self.skipped_by.get(reason, 0) + number

    def skip(self, reason: str, number: int = 1) -> None:
        """Count ``number`` records as skipped for ``reason``."""
        self.skipped += number
        self.skipped_by[reason] = self.skipped_by.get(reason, 0) + number

    @property
    def balanced(self) -> bool:
        """True when every received record has exactly one outcome."""
        return self.received == sum(getattr(self, name) for name in OUTCOMES) and self.skipped == sum(
            self.skipped_by.values()
        )


@dataclass(slots=True)
class PushCounters:
    """What became of what one route owed in one run. ``by``: numbers by outcome and reason."""

    confirmed: int = 0
    superseded: int = 0
    waiting: int = 0
    held: int = 0
    unknown: int = 0
    failed: int = 0
    by: dict[str, dict[str, int]] = attribute(default_factory=dict)

    def add(self, outcome: str, reason: str = "", number: int = 1) -> None:
        """Count ``number`` rows that ended as ``outcome``, one of ``PUSHED``."""
        setattr(self, outcome, getattr(self, outcome) + number)
        if reason:
            told = self.by.setdefault(outcome, {})
            told[reason] = told.get(reason, 0) + number

    @property
    def owed(self) -> int:
        """All that was owed: each row had one outcome."""
        return sum(getattr(self, outcome) for outcome in PUSHED)
