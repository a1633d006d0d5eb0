"""What an author tells of the system behind a connector, so that the kit can hold the connector to it.

Every subject says what can be read. What else the test can do to the source is an ability, one class each: an author
derives from those that the source has, and the tests of the others are skipped with their sentence (``LACKING``)::

    class Acme(Changing, Writing, Faulty): ...
"""

from __future__ import annotations

import uuid
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, ClassVar, Literal

from connectors.base import Change, Connector, ReadRequest
from hub.model.errors import HubError
from hub.model.records import Window

#: A key that no record of any subject has.
NOBODY = "00000000-0000-4000-8000-00000000dead"


@dataclass(frozen=True)
class Known:
    """A stream whose content the test knows: its name, key, fields, and the external ids that must come.

    ``version``: the field that holds a record's version. ``changed``: a field that tells when a record was changed (or
    any other date that the system can compare), for reading "since".
    """

    stream: str
    fields: tuple[str, ...]
    ids: frozenset[str]
    key: tuple[str, ...] = ("Ref_Key",)
    date_field: str = ""
    total_field: str = ""
    table: str = "set"
    version: str = ""
    changed: str = ""

    def request(self, page_size: int = 1000, window: Window | None = None) -> ReadRequest:
        """Read it."""
        return ReadRequest(self.stream, self.fields, self.key, self.table, window, self.date_field, page_size=page_size)


class Subject(ABC):
    """What stands behind a connector under test; made anew for every test and closed after it.

    ``catalog``: some tens of records. ``dated``: at least thirty documents on several days, with a date and a total.
    ``virtual``: a virtual table of a register, perhaps empty, where the system has such a thing. ``node``: the reader
    of the change feed, as ``Connector.feed`` takes it, and ``no_node`` one that does not exist.
    """

    catalog: Known
    dated: Known
    virtual: Known | None = None
    node: str = ""
    no_node: str = "нет такого"

    @abstractmethod
    def connect(self) -> Connector:
        """A new connector to the same source."""

    @cached_property
    def opened(self) -> list[Connector]:
        """Every connector of this test."""
        return []

    def open(self) -> Connector:
        """A new connector, closed when the test ends."""
        self.opened.append(self.connect())
        return self.opened[-1]

    def close(self) -> None:
        """Close what was opened; a subject that started a server overrides this, calls it, and ends the server."""
        for connector in self.opened:
            connector.close()


class Deleting(Subject):
    """A source of which the test can delete records past the connector, as its users would."""

    LACKING: ClassVar[str] = "the test cannot delete records behind this connector (the subject is not Deleting)"

    @abstractmethod
    def delete(self, stream: str, key: str) -> None:
        """Delete one record physically."""


class Changing(Deleting):
    """A source that the test can change as well. A source whose records never change (letters) is ``Deleting`` only."""

    LACKING: ClassVar[str] = "the test cannot change the source behind this connector (the subject is not Changing)"

    @abstractmethod
    def edit(self, stream: str, key: str) -> None:
        """Change one record, other than it was: a second edit changes it again."""


@dataclass(frozen=True)
class Bent:
    """A value that the system does not keep as it was sent, and how it then shows it (``Difference.how``)."""

    field: str
    sent: Any
    how: Literal["cut", "rounded", "spaced", "dropped", "other"]


@dataclass(frozen=True)
class Writable:
    """A stream that the kit may write to, and values that it may write there, in the system's own JSON forms.

    ``create``: fields of a new record, kept as they are sent. ``other``: other values of some of these. ``marker``: a
    text field by which a created record is found, where the system gives keys of its own. ``version``: as in ``Known``.
    ``table``/``rows``: a nested table and two contents of it, the second shorter. ``bent``: values that are not kept.
    ``fills``: fields that the system fills when a record is created without them. ``refused``: fields that the system
    refuses. ``posted``: the field of a document that tells whether it is posted; ``unpostable``: fields of a new
    document that is stored and cannot be posted. ``executed``: the field of a task that tells whether it is done.
    ``derived``: the system's key is another than the one reserved, and always the same one for it (a path made of it).
    """

    stream: str
    create: Mapping[str, Any]
    other: Mapping[str, Any]
    key: tuple[str, ...] = ("Ref_Key",)
    marker: str = ""
    version: str = ""
    table: str = ""
    rows: tuple[Sequence[Mapping[str, Any]], Sequence[Mapping[str, Any]]] = ((), ())
    bent: tuple[Bent, ...] = ()
    fills: tuple[str, ...] = ()
    refused: Mapping[str, Any] = field(default_factory=dict)
    posted: str = ""
    unpostable: Mapping[str, Any] = field(default_factory=dict)
    executed: str = ""
    derived: bool = False

    def __post_init__(self) -> None:
        """``ValueError`` for values that the tests could not tell apart."""
        if self.marker in {*self.create, *self.other}:
            raise ValueError(f"{self.stream}: {self.marker} is the marker, it cannot be a sample as well")
        if wrong := [name for name, value in self.other.items() if self.create.get(name, value) == value]:
            raise ValueError(f"{self.stream}: other must differ from create at {', '.join(wrong)}")

    def creation(self, key: str, **fields: Any) -> Change:
        """A change that creates a record under ``key``."""
        chosen, marker = {**self.create, **fields}, None
        if self.marker:
            marker = (self.marker, f"obmen {key}")
            chosen[self.marker] = marker[1]
        return Change(key, chosen, create=True, marker=marker)


#: What is lost with the answer to a write: the answer only (the write was done), or the request itself.
Lost = Literal["after", "before"]


class Writing(Subject):
    """A source that the connector may write to and that the test can look into past the connector.

    ``writables``: streams to write to, each on its own. ``losses``: which losses of an answer ``lose`` can bring about.
    """

    LACKING: ClassVar[str] = "the test has nothing to write to behind this connector (the subject is not Writing)"

    writables: Sequence[Writable]
    losses: ClassVar[tuple[Lost, ...]] = ()

    def new_key(self) -> str:
        """A key for a record to be created."""
        return str(uuid.uuid4())

    @abstractmethod
    def stored(self, stream: str, key: str) -> Mapping[str, Any] | None:
        """The record as the source holds it now, looked up past the connector; ``None`` where there is none."""

    @abstractmethod
    def population(self, stream: str) -> int:
        """How many records of the stream the source holds now, counted past the connector."""

    def lose(self, lost: Lost) -> None:
        """Lose the answer to the next writing request: once, with the request (``before``) or without (``after``)."""
        raise NotImplementedError(lost)


@dataclass(frozen=True)
class Fault:
    """One way the source may fail.

    ``error``: what the connector raises while it lasts; ``None`` where it must do its work all the same. ``hidden``: a
    single occurrence is met by the connector itself, by trying again, and nobody sees it. ``pages_only``: it cannot be
    seen in the answer to a count (half of a number is a number).
    """

    error: type[HubError] | None
    hidden: bool = False
    pages_only: bool = False


class Faulty(Subject):
    """A source that fails on order. ``faults``: its faults by name; each is tested on its own."""

    LACKING: ClassVar[str] = "the source behind this connector cannot fail on order (the subject is not Faulty)"

    faults: ClassVar[Mapping[str, Fault]] = {}

    @abstractmethod
    def fail(self, name: str, times: int = 0) -> None:
        """Let the next ``times`` requests fail in that way; 0 is until ``mend``."""

    @abstractmethod
    def mend(self) -> None:
        """No request fails any more."""
