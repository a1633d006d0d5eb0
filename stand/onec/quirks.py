"""Switches for the ways a published base misbehaves. All off: the base behaves as live probes report it.

A test sets fields of ``OneCStand.quirks``; an admin trying the demo posts the same names to ``/_stand/quirks``.
"""

from __future__ import annotations

import dataclasses
import threading
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Quirks:
    """``only``: sets (or ``$metadata``) that are touched, empty for all; ``times``: how many requests, 0 for no limit.

    These two bound the faults (all that ``fault()`` decides about); the rest are lasting traits of the base.
    """

    only: tuple[str, ...] = ()
    times: int = 0
    # Faults of one answer.
    html_instead_of_json: bool = False
    cut_page_in_half: bool = False
    drop_connection: bool = False
    down: bool = False
    fail_status: int = 0
    exception_body: bool = False
    wrong_content_type: bool = False
    # Traits of the base.
    bom: bool = False
    ignore_skip: bool = False
    count_unusable: bool = False
    inlinecount_ignores_top: bool = False
    memory_error_over_rows: int = 0
    empty_service_list: bool = False
    if_match_checked: bool = False
    slow_first: float = 0.0
    latency: float = 0.0
    pool_size: int = 0
    pool_timeout: float = 5.0
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)
    _warm: bool = field(default=False, repr=False)

    def fault(self, name: str) -> Quirks | None:
        """The faults for one request of that set, or ``None``; counts ``times`` down and ends them at zero."""
        if not any(getattr(self, fault) for fault in FAULTS) or (self.only and name not in self.only):
            return None
        with self._lock:
            found = dataclasses.replace(self, _lock=threading.Lock())
            if self.times:
                self.times -= 1
                if self.times == 0:
                    for fault in FAULTS:
                        setattr(self, fault, type(getattr(self, fault))())
            return found

    def delay(self) -> float:
        """Seconds to wait before this answer: the first call after the start may be slow."""
        first = 0.0 if self._warm else self.slow_first
        self._warm = True
        return first + self.latency

    def update(self, values: dict[str, Any]) -> None:
        """Set switches by name. ``ValueError`` lists the valid names."""
        known = {f.name for f in dataclasses.fields(self) if not f.name.startswith("_")}
        if unknown := values.keys() - known:
            raise ValueError(f"unknown quirks {sorted(unknown)}; known: {', '.join(sorted(known))}")
        for name, value in values.items():
            setattr(self, name, tuple(value) if name == "only" else value)

    def state(self) -> dict[str, Any]:
        """All switches by name."""
        return {f.name: getattr(self, f.name) for f in dataclasses.fields(self) if not f.name.startswith("_")}


FAULTS = (
    "html_instead_of_json",
    "cut_page_in_half",
    "drop_connection",
    "down",
    "fail_status",
    "exception_body",
    "wrong_content_type",
)
