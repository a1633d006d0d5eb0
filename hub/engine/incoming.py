"""What a system says, taken into its contribution: what it shows now, and what it shows after a write."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from typing import TypeAlias

from hub.engine.cells import LIVING, STATE, Cells, Contribution, Moment, Own, Value, blank, equal, head, is_member

#: Is ``shown`` what the mapping declares to become of ``meant`` (cut, rounded, normalised)?
Accepts: TypeAlias = Callable[[str, Value, Value], bool]


@dataclass(frozen=True, slots=True)
class Edit:
    """A cell that a system changed of its own accord; ``before`` is what it showed."""

    path: str
    before: Value
    after: Value


@dataclass(frozen=True, slots=True)
class Incoming:
    """The contribution to be, and the edits. ``first``: the first time this system shows the record (no edits then)."""

    contribution: Contribution
    edits: tuple[Edit, ...] = ()
    first: bool = False


@dataclass(frozen=True, slots=True)
class Refused:
    """A cell that shows neither what was meant nor what the mapping declares to become of it."""

    path: str
    meant: Value
    shown: Value


@dataclass(slots=True)
class _Next:
    """The three parts of a contribution while they change."""

    own: dict[str, Own]
    shown: dict[str, Value]
    sent: dict[str, Value]

    def done(self, of: Contribution) -> Contribution:
        return replace(of, own=self.own, shown=self.shown, sent=self.sent)


def _open(contribution: Contribution) -> _Next:
    return _Next(dict(contribution.own), dict(contribution.shown), dict(contribution.sent))


def _told(contribution: Contribution, told: Cells, lists: Collection[str]) -> dict[str, Value]:
    """What is told, cell by cell; a row that is missing from a set told whole is told to be away."""
    missing = (path for path in contribution.shown if is_member(path) and head(path) in lists)
    cells: dict[str, Value] = dict.fromkeys(missing) | {path: blank(value) for path, value in told.items()}
    if STATE in cells:
        cells[STATE] = cells[STATE] or LIVING
    return cells


def _before(contribution: Contribution, path: str) -> Value:
    return contribution.shown.get(path, LIVING if path == STATE else None)


def _said(own: Own | None, value: Value, when: Moment) -> Own:
    """A system's next word on a cell: a value, or a clearing that keeps the last value beside its mark."""
    if value is None:
        return replace(own, cleared=when) if own else Own(None, when, when, cleared=when)
    return Own(value, when, when if own is None or own.cleared else own.since)


def incoming(
    contribution: Contribution,
    told: Cells,
    when: Moment,
    *,
    lists: Collection[str] = (),
    rebase: bool = False,
    unknown: Cells | None = None,
    accepts: Accepts = equal,
) -> Incoming:
    """Take in what a system shows: ``told``, read within ``when``. What differs from what it showed is its own word.

    ``lists``: sets that are told whole. ``rebase``: another mapping looks at the record now, so what differs is no
    edit. ``unknown``: values of a write whose outcome nobody knows; seeing one is its confirmation.
    """
    cells = _told(contribution, told, lists)
    seen = {path: value for path, value in (unknown or {}).items() if path in cells}
    known = _written(contribution, seen, cells, accepts)[0]
    if rebase or not contribution.shown:
        return Incoming(_rebased(known, cells, when), first=not contribution.shown)
    after, edits = _open(known), []
    for path, value in cells.items():
        before = _before(known, path)
        if value == before:
            continue
        after.shown[path] = value
        after.own[path] = _said(after.own.get(path), value, when)
        after.sent.pop(path, None)
        edits.append(Edit(path, before, value))
    return Incoming(after.done(known), tuple(edits))


def _written(
    contribution: Contribution, meant: Cells, cells: Cells, accepts: Accepts
) -> tuple[Contribution, tuple[Refused, ...]]:
    """Cells that show what was meant, or what is declared to become of it, stand for that; the others are refused."""
    after, refused = _open(contribution), []
    for path, value in meant.items():
        if accepts(path, value, cells.get(path)):
            after.shown[path], after.sent[path] = cells.get(path), value
        else:
            refused.append(Refused(path, value, cells.get(path)))
    return after.done(contribution), tuple(refused)


def _rebased(contribution: Contribution, cells: Cells, when: Moment) -> Contribution:
    """First contact, or another mapping: what is shown is taken as it is, nobody knows since when.

    Empty says nothing on first contact, and passes for a clearing after that; a row that is away was never said. What
    we wrote stays what we wrote, however it looks now.
    """
    after = _open(contribution)
    unknown = Moment(0, when.last)
    after.shown.setdefault(STATE, LIVING)  # a card without a single cell was seen, too
    for path, value in cells.items():
        before = contribution.shown.get(path)
        after.shown[path] = value
        own = after.own.get(path)
        if path in after.sent or value == before:
            continue
        if value is None and own and not is_member(path):
            after.own[path] = replace(own, cleared=unknown)
        elif value is None or (path == STATE and value == LIVING):
            after.own.pop(path, None)
        elif own is None or own.cleared:
            after.own[path] = Own(value, unknown, unknown)
        else:
            after.own[path] = replace(own, value=value)
    return after.done(contribution)


def confirmed(
    contribution: Contribution,
    meant: Cells,
    shows: Cells,
    when: Moment,
    *,
    lists: Collection[str] = (),
    accepts: Accepts = equal,
) -> tuple[Contribution, tuple[Refused, ...]]:
    """The contribution after a write, and what was refused: ``meant`` are golden values, ``shows`` what is read back.

    What shows as meant, or as the mapping declares, is confirmed. All else that the record shows is the system's own
    word and passes through ``incoming`` next; of a record that we have just made it is no edit, and taken in here.
    """
    cells = _told(contribution, shows, lists)
    untold = {path: _before(contribution, path) for path in meant}
    written, refused = _written(contribution, meant, untold | cells, accepts)
    return (written if contribution.shown else _rebased(written, cells, when)), refused
