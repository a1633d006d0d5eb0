"""A record arrives: edits, conflicts, golden cells and losses, in the one right order."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from hub.engine.cells import (
    HUB,
    LIVING,
    NOBODY,
    STATE,
    Cells,
    Contribution,
    Golden,
    Hold,
    Moment,
    Own,
    Pin,
    Same,
    Value,
    equal,
)
from hub.engine.decide import Change
from hub.engine.incoming import Edit, Incoming
from hub.engine.outgoing import Way, outgoing
from hub.engine.policies import OnLoss, Rules
from hub.engine.resolve import resolve


@dataclass(frozen=True, slots=True)
class Known:
    """All that is known of one record: who says what, what persons pinned, what waits for a person."""

    contributions: tuple[Contribution, ...] = ()
    pins: Mapping[str, Pin] = field(default_factory=dict)
    holds: Mapping[str, Hold] = field(default_factory=dict)

    def put(self, contribution: Contribution) -> Known:
        """The same with that contribution in place of the link's last one, or beside the others."""
        others = tuple(one for one in self.contributions if one.link_id != contribution.link_id)
        return replace(self, contributions=(*others, contribution))


@dataclass(frozen=True, slots=True)
class Conflict:
    """Both sides changed a cell and a person decides. ``base``: what the system's value stood for before its edit."""

    path: str
    base: Value
    ours: Value
    theirs: Value
    rule: str


@dataclass(frozen=True, slots=True)
class Loss:
    """An edit that did not become the golden value. ``on_loss`` ``task``: someone is to be told."""

    edit: Edit
    winner: Golden
    on_loss: OnLoss


@dataclass(frozen=True, slots=True)
class Arrival:
    """What the arrival of one record does. ``known``: as it is to be stored, new holds in it, ended pins out of it.

    ``settled``: cells whose question is answered, because the system now says what was held. ``ended``: pins that
    ended. ``golden``: all cells; ``changes``: those that readers see change.
    """

    known: Known
    golden: Mapping[str, Golden]
    changes: tuple[Change, ...] = ()
    conflicts: tuple[Conflict, ...] = ()
    losses: tuple[Loss, ...] = ()
    settled: tuple[str, ...] = ()
    ended: tuple[str, ...] = ()


def arrive(known: Known, came: Incoming, rules: Rules, way: Way, same: Same = equal) -> Arrival:
    """What becomes of a record when one contribution moves on; a contribution of a new link is added.

    Every edit is the golden value, a conflict, or a loss.
    """
    link_id = came.contribution.link_id
    before = golden_of(known, rules, same)
    old = next((one for one in known.contributions if one.link_id == link_id), None)
    found = conflicts(known, old, before, came.edits, rules, way, same) if old else ()
    asked = {one.path for one in found}
    holds = dict(known.holds)
    settled = [edit.path for edit in came.edits if _answered(holds, edit, link_id, same)]
    ended = [edit.path for edit in came.edits if edit.path in known.pins and known.pins[edit.path].ends]
    for one in found:
        links = holds[one.path].links if one.path in holds else frozenset()
        holds[one.path] = Hold(one.ours, links | {link_id})
    pins = {path: pin for path, pin in known.pins.items() if path not in ended}
    after = replace(known.put(came.contribution), pins=pins, holds=holds)
    golden = golden_of(after, rules, same)
    lost = [edit for edit in came.edits if edit.path not in asked and not _won(edit, golden, same)]
    losses = tuple(Loss(edit, golden[edit.path], rules.of(edit.path).on_loss) for edit in lost)
    return Arrival(after, golden, changes(before, golden), found, losses, tuple(settled), tuple(ended))


def golden_of(known: Known, rules: Rules, same: Same = equal) -> dict[str, Golden]:
    """The golden cells of all that is known."""
    return resolve(known.contributions, rules, known.pins, known.holds, same)


def changes(before: Mapping[str, Golden], after: Mapping[str, Golden]) -> tuple[Change, ...]:
    """Cells whose golden value differs, in the order of their paths; a cell that is not there is empty."""
    pairs = ((path, before.get(path, NOBODY), after.get(path, NOBODY)) for path in sorted(before.keys() | after.keys()))
    return tuple(Change(path, old.value, new.value) for path, old, new in pairs if old.value != new.value)


def conflicts(
    known: Known,
    old: Contribution,
    golden: Mapping[str, Golden],
    edits: Iterable[Edit],
    rules: Rules,
    way: Way,
    same: Same = equal,
) -> tuple[Conflict, ...]:
    """Edits that a person must decide on.

    ``manual``: the system edited a cell (or one that survives with it) while a golden value was still owed to it.
    The record's end: ``ask`` asks before a mark is followed, and bringing a marked record back is always asked, as long
    as others have a say in it. An edit of a cell that waits already is part of the same question; a pinned one is none.
    """
    owed = {rules.unit(path) for path in outgoing(old, golden, rules, way, same)}
    others = any(one.link_id != old.link_id and one.system != HUB for one in known.contributions)
    found = []
    for edit in edits:
        ours = golden.get(edit.path, NOBODY)
        if edit.path == STATE:
            returns = edit.after == LIVING
            asks = others and (rules.state == "ask" if not returns else rules.state != "ignore")
        else:
            asks = rules.of(edit.path).word == "manual" and rules.unit(edit.path) in owed
        asks = ours.rule == "held" or (asks and ours.rule != "pin")
        if asks and not same(edit.path, edit.after, ours.value):
            rule = "record_state" if edit.path == STATE else rules.of(edit.path).word
            found.append(Conflict(edit.path, old.stands_for(edit.path), ours.value, edit.after, rule))
    return tuple(found)


def _answered(holds: dict[str, Hold], edit: Edit, link_id: int, same: Same) -> bool:
    """Take the link out of the question when it now says what was held; whether nobody is left in it."""
    hold = holds.get(edit.path)
    if hold is None or link_id not in hold.links or not same(edit.path, edit.after, hold.value):
        return False
    holds[edit.path] = Hold(hold.value, hold.links - {link_id})
    if holds[edit.path].links:
        return False
    del holds[edit.path]
    return True


def _won(edit: Edit, golden: Mapping[str, Golden], same: Same) -> bool:
    return same(edit.path, edit.after, golden[edit.path].value)


def decided(known: Known, answers: Cells, when: Moment) -> Known:
    """A person has answered: the hub itself says these values now, and nothing holds their cells any more.

    Of cells that survive together all are to be answered. Later words of the systems count again; what is to outrank
    them is a pin.
    """
    hub = next((one for one in known.contributions if one.system == HUB), Contribution(0, HUB))
    words = {path: Own(value, when, when, None if value is not None else when) for path, value in answers.items()}
    holds = {path: hold for path, hold in known.holds.items() if path not in answers}
    return replace(known.put(replace(hub, own={**hub.own, **words})), holds=holds)
