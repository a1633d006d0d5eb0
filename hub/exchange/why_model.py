"""What ``why`` tells of a record, as plain values; moments are aware, in UTC, values are as people read them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Said:
    """What one system says of a cell. ``first`` to ``last``: when; ``first`` is ``None`` where nobody knows."""

    system: str
    external_id: str
    value: str | None
    cleared: bool
    first: datetime | None
    last: datetime


@dataclass(frozen=True, slots=True)
class Event:
    """One row of the change log. ``system``: whose record caused it; ``None``: a person or the exchange itself."""

    run: int
    mode: str
    initiator: str
    at: datetime
    op: str
    field: str | None
    system: str | None
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class Shown:
    """A system that shows something else than readers see. ``meant``: what it is to show, where it is owed that.

    ``reason``: ``owed`` (``state``, ``code``, ``params``, ``next_at`` of its outbox row say why not yet), ``unsaid``,
    ``spelling``, ``not_written``, ``guarded``, ``tolerated``, ``ended``.
    """

    system: str
    external_id: str
    shown: str | None
    meant: str | None
    reason: str
    state: str | None = None
    code: str | None = None
    params: dict[str, Any] | None = None
    next_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Pinning:
    """A person's word on the cell."""

    by: str
    at: datetime
    note: str | None
    ends: bool


@dataclass(frozen=True, slots=True)
class Question:
    """An open conflict: ``ours`` is kept until somebody decides, ``theirs`` is what the system says."""

    system: str
    external_id: str
    ours: str | None
    theirs: str | None
    rule: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell. ``rule``: a policy's word, ``pin``, ``held``, ``kept``, ``nobody``; ``order``: who comes first.

    ``run``: the exchange in which the value came to be; ``mapping``: fingerprint that the winner was read by;
    ``stale``: rules have changed and the next exchange will make another value of it; ``together``: survives with.
    """

    path: str
    label: str
    value: str | None
    rule: str
    order: tuple[str, ...]
    winner: Said | None
    lost: tuple[Said, ...]
    together: str
    stale: bool
    pin: Pinning | None
    questions: tuple[Question, ...]
    shown: tuple[Shown, ...]
    change: Event | None
    mapping: str | None
    history: tuple[Event, ...]


@dataclass(frozen=True, slots=True)
class Place:
    """A link. ``state``: ``reserved`` where the record is still to be made; ``read_at``: when it was read last.

    ``waits``: codes and parameters of what came from there and is not in the card: held back, or in quarantine.
    """

    system: str
    stream: str
    external_id: str
    state: str
    primary: bool
    read_at: datetime
    mapping: str | None
    waits: tuple[tuple[str, str, dict[str, Any]], ...] = ()


@dataclass(frozen=True, slots=True)
class Came:
    """A merge by which record ``record_id`` went into this one, with ``keys`` (system, key) that are here still.

    ``op`` ``split``: a part was taken out, ``record_id`` is the card of the other part. ``mode``: ``auto`` by ``rule``.
    """

    op: str
    run: int
    record_id: int
    label: str
    keys: tuple[tuple[str, str], ...]
    by: str
    at: datetime
    mode: str
    rule: str | None
    reason: str | None


@dataclass(frozen=True, slots=True)
class Why:
    """A record with the reasons of its cells. ``cells``: those asked for, in the order of their paths.

    ``events``: what befell the record as a whole: it was made, linked, an edit lost. ``merges``: that still hold.
    """

    entity: str
    record_id: int
    label: str
    state: str
    places: tuple[Place, ...]
    cells: tuple[Cell, ...]
    events: tuple[Event, ...]
    merges: tuple[Came, ...] = ()
