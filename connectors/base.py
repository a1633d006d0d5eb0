"""What every connector offers, whatever system it speaks to.

A connector is opened for one system, reads streams page by page, and is closed. It never decides what a value means
(mappings do) and never remembers where it was (the store does: a page carries the position after it).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Literal, Protocol, runtime_checkable

from hub.model.errors import HubError
from hub.model.records import Page, Window


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What this kind of system can do; the exchange chooses its way by it.

    ``tokens``: the position after a read's last page is a place in the source's own history. It is kept, and a read
    from it brings what is new, changed or gone (``Page.deleted``) since; a source that knows it no more brings all.
    A source that forgets what was taken (``Page.more``) is told so by a position alone, never by reading.

    ``versions_return``: a record that is changed back may get the version it had (a hash of its content), so seeing an
    earlier one is no evidence that the base went back in time.

    ``places``: the key that a new record will have is known before it is made (``Placing``).
    """

    changes_feed: bool = False
    deletes_in_feed: bool = False
    versions: bool = False
    versions_return: bool = False
    windows: bool = False
    totals: bool = False
    write: bool = False
    read_back: bool = False
    tokens: bool = False
    places: bool = False


@dataclass(frozen=True, slots=True)
class StreamInfo:
    """A stream that the system offers right now: its name and its fields with the source's own type names.

    ``tables``: fields of its nested tables, by the table's name. ``key``: the full key, where the system tells it.
    ``refs``: the stream that a reference field points at, where it is one and is offered. A virtual table of a register
    is a stream of its own, named ``set#balance``, ``set#slice_last`` and so on (``ReadRequest.table``).
    """

    name: str
    fields: dict[str, str]
    tables: dict[str, dict[str, str]] = field(default_factory=dict)
    key: tuple[str, ...] = ()
    refs: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ReadRequest:
    """What to read of one stream.

    ``table``: ``set`` (the plain set) or a virtual table of 1C: ``balance``, ``turnovers``, ``balance_and_turnovers``,
    ``slice_last``, ``slice_first``. Of a virtual table the window is the moment or the period that it is computed for,
    and rows are summed by what is asked for. ``fields``: names to ask for, nothing else is fetched. ``key``: the full
    key, for a stable order. ``window``/``date_field``: only rows dated inside the window, in the system's own time
    zone. ``position``: where an interrupted read goes on.

    ``changed_field``/``since``: only records whose own "changed at" field is ``since`` or later; ``since`` is written
    as the system writes dates (``2026-01-31T00:00:00``, its own time zone), empty for no bound.
    """

    stream: str
    fields: tuple[str, ...] = ()
    key: tuple[str, ...] = ("Ref_Key",)
    table: str = "set"
    window: Window | None = None
    date_field: str = ""
    position: dict[str, Any] | None = None
    page_size: int = 1000
    changed_field: str = ""
    since: str = ""


@dataclass(frozen=True, slots=True)
class FeedPacket:
    """One packet of a change feed: its pages (one stream each), and what to acknowledge after the commit."""

    number: int
    pages: tuple[Page, ...]


@dataclass(frozen=True, slots=True)
class Change:
    """One record to be written, in the system's own field names and JSON forms.

    ``external_id``: its key; of a record to be created, the key reserved for it, so that a repeat does no harm.
    ``fields``: only what is to change; a nested table is a list of rows and replaces the whole table. ``version``: the
    version these values were decided on, ``None`` to write whatever is there. ``marker``: a field and a text in it by
    which a created record is found when the system gives keys of its own. ``look_first``: an earlier try ended unknown:
    see what it did before anything is sent. ``posting``: what to do with the record after its fields are written: post
    or unpost a document, or execute a task, which is done then for good.
    ``load_mode``: ask the system to skip its own business rules.
    """

    external_id: str
    fields: Mapping[str, Any]
    create: bool = False
    version: str | None = None
    marker: tuple[str, str] | None = None
    look_first: bool = False
    posting: Literal["keep", "post", "unpost", "execute"] = "keep"
    load_mode: bool = False


@dataclass(frozen=True, slots=True)
class Difference:
    """A field that shows something else than was sent. ``how``: ``cut`` (a text that begins like it), ``rounded``,
    ``spaced`` (blanks, case of a guid), ``dropped`` (still shows what it did before) or ``other``.
    """

    field: str
    sent: Any
    shown: Any
    how: Literal["cut", "rounded", "spaced", "dropped", "other"]


#: What may become of a change. ``written``: it stands there now · ``unchanged``: it stood there already, nothing sent ·
#: ``moved``: the record is another version than the one decided on, nothing sent · ``refused``: the system says no, and
#: nothing changed · ``not_posted``: the fields stand there, posting (or executing) failed · ``unknown``: no answer
#: came, and looking did not tell.
Became = Literal["written", "unchanged", "moved", "refused", "not_posted", "unknown"]


@dataclass(frozen=True, slots=True)
class WriteResult:
    """What became of one change, proven by reading back.

    ``external_id``: the key that the system knows the record by, which may differ from the one reserved. ``version``
    and ``record`` (a JSON object, ``None`` where nothing could be read): what the system shows now. ``differences``:
    fields sent that show otherwise. ``filled``: fields not sent that changed with the write (defaults, numbers, sums).
    ``error``: why not, with an advice.
    """

    external_id: str
    became: Became
    version: str | None = None
    record: bytes | None = None
    differences: tuple[Difference, ...] = ()
    filled: tuple[str, ...] = ()
    error: HubError | None = None


@dataclass(frozen=True, slots=True)
class DayTotal:
    """Count and sum of the documents of one day, as the source itself tells them now. ``total``: hundredths."""

    day: date
    count: int
    total: int


@dataclass(slots=True)
class CheckReport:
    """What a connection test found, ready to be shown: each problem and note has a sentence and an advice.

    ``problems`` stop an exchange; ``notes`` are worth knowing and stop nothing.
    """

    reachable: bool = False
    product: str = ""
    streams: int = 0
    server_time: datetime | None = None
    problems: list[HubError] = field(default_factory=list)
    notes: list[HubError] = field(default_factory=list)


@dataclass(slots=True)
class Traffic:
    """What the connector has sent so far; shown to the admin and proved by tests (a re-run writes nothing)."""

    requests: int = 0
    writes: int = 0
    retries: int = 0
    bytes_read: int = 0


class Connector(Protocol):  # pragma: no cover - a declaration
    """The contract; ``connectors/certify`` holds every member to it."""

    @property
    def capabilities(self) -> Capabilities:
        """What the exchange may ask of this system."""

    @property
    def traffic(self) -> Traffic:
        """Running totals since the connector was opened."""

    def check(self) -> CheckReport:
        """Try address, login, rights and what is published; never raises for what it can report."""

    def streams(self) -> dict[str, StreamInfo]:
        """What the system offers now, by stream name (cached by content)."""

    def fingerprint(self) -> str:
        """A hash of ``streams()``: changes when the schema does."""

    def count(self, request: ReadRequest) -> int:
        """How many records ``read`` would deliver, by the source's own word."""

    def read(self, request: ReadRequest) -> Iterator[Page]:
        """Pages in a stable order; the last one has ``last=True`` (an empty stream is one empty last page).

        Nothing is asked before the first ``next``; closing the iterator early gives back whatever it held.
        """

    def fetch(self, request: ReadRequest, external_ids: Sequence[str]) -> Page:
        """Single records by key, with the fields of ``request``: those that are there as ``records``, in no order;
        those that the system itself says do not exist as ``deleted``. Every id is in one of them, once.
        """

    def write(self, stream: str, changes: Sequence[Change]) -> Iterator[WriteResult]:
        """Write records one after another, each proven by reading it back; one result per change, in their order.

        A fault of one record is its result. A fault that stops the route or the system is raised once the results so
        far are delivered: of the changes after them nothing was sent. ``StopRoute(read_only)`` where nothing can be
        written.
        """

    def totals(self, stream: str, date_field: str, total_field: str, window: Window) -> list[DayTotal]:
        """A second, independent read of date and total only, summed by day."""

    def feed(self, node: str) -> FeedPacket | None:
        """The next packet of the change feed of ``node``; ``None`` when nothing has changed.

        The same packet (perhaps grown) comes again until it is acknowledged. ``node``: as the kind of system names its
        readers (1C: ``plan/node``); ``""`` is the one of the settings.
        """

    def acknowledge(self, node: str, number: int) -> None:
        """Tell the source that packet ``number`` is committed here."""

    def close(self) -> None:
        """Give sessions and connections back."""


class Placing(Protocol):  # pragma: no cover - a declaration
    """What a connector offers besides whose ``Capabilities.places`` is set."""

    def place(self, stream: str, change: Change) -> str:
        """The key that the record of a creating change will have: of its reserved key, and the same whenever asked."""


@runtime_checkable
class TellsNews(Protocol):  # pragma: no cover - a declaration
    """What a connector with ``tokens`` may offer besides: a question that is cheaper than reading on."""

    def anything_new(self, stream: str, position: dict[str, Any]) -> bool:
        """Whether anything happened after this place in the stream's history; ``True`` where it cannot be told."""
