"""What is owed to one link: the golden cells it does not stand for yet, and that its route may write."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from hub.engine.cells import LIVING, STATE, Contribution, Golden, Same, Value, equal, names_of
from hub.engine.policies import Rules

#: States in which a record is not there any more: nothing can be written to it.
GONE = frozenset({"absent", "deleted"})
#: Golden states that other systems are told, and how: the hub never deletes in another system, it marks.
_TOLD = {LIVING: LIVING, "marked": "marked", "absent": "marked", "deleted": "marked"}
#: A cell that we wrote while somebody spoke of it who has left the record since: his link was moved away.
_ORPHAN = Golden(None, "nobody", cleared=True)


@dataclass(frozen=True, slots=True)
class Way:
    """What a route may write, by the names of ``names_of``. ``asks``: what also links that are not primary receive."""

    writes: frozenset[str]
    asks: frozenset[str] = frozenset()

    def may(self, path: str, contribution: Contribution) -> bool:
        """Whether the cell may be written to that link."""
        names = names_of(path)
        if self.writes.isdisjoint(names):
            return False
        return contribution.primary or not self.asks.isdisjoint(names)


def outgoing(
    contribution: Contribution, golden: Mapping[str, Golden], rules: Rules, way: Way, same: Same = equal
) -> dict[str, Value]:
    """Values owed to the link, by path; ``None`` empties a field or takes a row out of a set.

    Silence is never sent, nor a value back to who cleared it, nor what survives together with a cell in question there,
    nor anything but its state to a marked record. What we wrote there and nobody says any more is taken back.
    """
    state = contribution.shown.get(STATE, LIVING)
    if state in GONE:
        return {}
    asked = {
        rules.unit(path) for path, cell in golden.items() if cell.rule == "held" and contribution.link_id in cell.guards
    }
    left = contribution.sent.keys() - golden.keys()
    orphans = {path: _ORPHAN for path in sorted(left) if contribution.shown.get(path) is not None}
    owed = {}
    for path, cell in {**golden, **orphans}.items():
        value = _TOLD.get(str(cell.value)) if path == STATE else cell.value
        if (
            (state == LIVING or path == STATE)
            and way.may(path, contribution)
            and contribution.link_id not in cell.guards
            and rules.unit(path) not in asked
            and (value is not None or (cell.cleared and path != STATE))
            and not same(path, value, contribution.stands_for(path))
            and not _tolerated(path, contribution, cell, rules)
        ):
            owed[path] = value
    return owed


def _tolerated(path: str, contribution: Contribution, cell: Golden, rules: Rules) -> bool:
    """The link shows its own word, which lost, and keeps it until the winner says something new.

    A person's word is new; a system that says a record is gone keeps that unless it is outlived. New is what became
    known later: that the winner spoke certainly later is more than can be asked of systems read one after another.
    """
    own = contribution.own.get(path)
    if own is None or path in contribution.sent or cell.rule in {"pin", "held"}:
        return False
    if path != STATE and rules.of(path).on_loss == "restore":
        return False
    return cell.when is None or cell.when.last <= (own.cleared or own.when).last
