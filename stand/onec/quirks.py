"""Switches for the ways a published base misbehaves. All off: the base behaves as live probes report it.

A test sets fields of ``OneCStand.quirks``; another process posts the same names to ``/_stand/quirks``. What each switch
does stands in ``stand/README.md``; a test holds that table to the fields here.
"""

from __future__ import annotations

import dataclasses
import threading
from dataclasses import dataclass, field
from typing import Any

#: What a request does; ``Quirks.acts`` names some of these.
ACTS = ("read", "create", "change", "delete", "post", "unpost", "select", "notify")
#: Values of ``reuse_sessions``, as default.vrd writes them.
REUSE = ("autouse", "use", "dontuse")
#: Bounds of the faults.
BOUNDS = ("only", "keys", "acts", "after", "times")
#: Faults of one answer, decided before the request is carried out.
FAULTS = (
    "slow",
    "down",
    "drop_connection",
    "drop_before_commit",
    "drop_after_commit",
    "locked",
    "fail_status",
    "html_instead_of_json",
    "exception_body",
    "wrong_content_type",
    "cut_page_in_half",
    "error_mid_page",
)
#: Faults that need a write: a read is never struck by them unless ``acts`` says so.
ON_WRITES = ("drop_before_commit", "drop_after_commit", "locked")
#: Faults of a page that is too large; bounded by ``only`` and ``times`` too.
MEMORY = ("memory_error_over_rows", "memory_error_over_bytes")


@dataclass(slots=True)
class Quirks:
    """Bounds, faults, traits. The bounds apply to all faults; traits of the base last until they are switched off.

    ``only``: sets (or ``$metadata``), empty for all. ``keys``: guids that the path must name. ``acts``: of ``ACTS``.
    ``after``: how many of these requests pass first. ``times``: how many are struck then, 0 for no limit.
    """

    only: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()
    acts: tuple[str, ...] = ()
    after: int = 0
    times: int = 0
    # Faults of one answer.
    slow: float = 0.0
    down: bool = False
    drop_connection: bool = False
    drop_before_commit: bool = False
    drop_after_commit: bool = False
    locked: bool = False
    fail_status: int = 0
    html_instead_of_json: bool = False
    exception_body: bool = False
    wrong_content_type: bool = False
    cut_page_in_half: bool = False
    error_mid_page: bool = False
    not_carried_out: bool = False
    memory_error_over_rows: int = 0
    memory_error_over_bytes: int = 0
    # How the base reads.
    bom: bool = False
    ignore_skip: bool = False
    count_unusable: bool = False
    inlinecount_ignores_top: bool = False
    empty_service_list: bool = False
    base64_messages: bool = False
    expand_levels: int = 4
    unpublished: tuple[str, ...] = ()
    retyped: dict[str, str] = field(default_factory=dict)
    # How it writes.
    if_match_checked: bool = False
    own_key_ignored: bool = False
    fills_defaults: bool = True
    closed_until: str = ""
    required_to_post: dict[str, tuple[str, ...]] = field(default_factory=dict)
    refuses: dict[str, str] = field(default_factory=dict)
    no_load_mode: tuple[str, ...] = ()
    operational_today_only: bool = True
    unoperational_moves_nothing: bool = False
    now: str = ""
    # EnterpriseData.
    operation_polls: int = 0
    old_message_lowers_number: bool = False
    lost_error_texts: bool = True
    wsdl_host: str = ""
    russian_words: bool = True
    grouped_numbers: bool = False
    # The web server and the sessions.
    plus_is_blank: bool = False
    longest_segment: int = 260
    longest_query: int = 0
    latency: float = 0.0
    slow_first: float = 0.0
    slow_virtual: float = 0.0
    reuse_sessions: str = "autouse"
    session_start: float = 0.0
    session_max_age: float = 20.0
    pool_size: int = 0
    pool_timeout: float = 5.0
    licences: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)
    _seen: int = field(default=0, repr=False)
    _struck: int = field(default=0, repr=False)

    @property
    def struck(self) -> int:
        """How many requests met a fault so far."""
        return self._struck

    def fault(self, name: str, act: str = "read", path: str = "") -> Quirks | None:
        """The faults for one request of that set, or ``None``; counts ``after`` and ``times`` down."""
        if not self._touches(name, act, path):
            return None
        with self._lock:
            self._seen += 1
            if self._seen <= self.after:
                return None
            found = dataclasses.replace(self, _lock=threading.Lock())
            self._spent()
            return found

    def _touches(self, name: str, act: str, path: str) -> bool:
        wanted = [fault for fault in FAULTS if getattr(self, fault)]
        if act == "read" and not self.acts:
            wanted = [fault for fault in wanted if fault not in ON_WRITES]
        return (
            bool(wanted)
            and (not self.only or name in self.only)
            and (not self.acts or act in self.acts)
            and (not self.keys or any(key in path for key in self.keys))
        )

    def too_large(self, name: str, *, rows: int = 0, size: int = 0) -> bool:
        """Whether a page of that set is more than the base has memory for."""
        over_rows = 0 < self.memory_error_over_rows < rows
        over_bytes = 0 < self.memory_error_over_bytes < size
        if not (over_rows or over_bytes) or (self.only and name not in self.only):
            return False
        with self._lock:
            self._spent()
        return True

    def _spent(self) -> None:
        """One more was struck; the last of ``times`` ends the faults."""
        self._struck += 1
        if self.times:
            self.times -= 1
            if self.times == 0:
                self._clear()

    def _clear(self) -> None:
        self._seen = 0
        for fault in (*FAULTS, *MEMORY, "not_carried_out", "after"):
            setattr(self, fault, type(getattr(self, fault))())

    def update(self, values: dict[str, Any]) -> None:
        """Set switches by name. ``ValueError`` lists the valid names, ``TypeError`` tells a value of another kind."""
        known = self.state()
        if unknown := values.keys() - known.keys():
            raise ValueError(f"unknown quirks {sorted(unknown)}; known: {', '.join(sorted(known))}")
        found = {name: _as(name, known[name], value) for name, value in values.items()}
        for name, value in found.items():
            setattr(self, name, value)
        if values.keys() & {"after", *FAULTS}:
            self._seen = 0

    def state(self) -> dict[str, Any]:
        """All switches by name."""
        return {f.name: getattr(self, f.name) for f in dataclasses.fields(self) if not f.name.startswith("_")}


def _as(name: str, now: Any, value: Any) -> Any:
    """The value as the field holds it: JSON knows lists only, and no difference between 1 and 1.0."""
    if isinstance(now, tuple) and isinstance(value, list | tuple):
        if name == "acts" and (unknown := {*value} - {*ACTS}):
            raise ValueError(f"no such acts: {sorted(unknown)}; known: {', '.join(ACTS)}")
        return tuple(map(str, value))
    if isinstance(now, float) and isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    if type(now) is not type(value):
        raise TypeError(f"{name} is {type(now).__name__}, not {type(value).__name__}")
    if name == "reuse_sessions" and value not in REUSE:
        raise ValueError(f"{name} is one of {', '.join(REUSE)}")
    if name == "required_to_post":
        return {key: tuple(names) for key, names in value.items()}
    return value
