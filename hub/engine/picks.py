"""Which of several statements is heard: how each policy picks one, and what is wrong by itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TypeAlias

from hub.engine.cells import head, names_of
from hub.engine.policies import Rules, Vote, Word

Pick: TypeAlias = Callable[[Sequence[Vote]], Vote]
#: What one system says of cells that survive together, by path.
Said: TypeAlias = Mapping[str, Vote]
_DAY = 24 * 3600


def _first(votes: Sequence[Vote], fades: int) -> Vote:
    """The first, but for those whose word is so many days older than one that comes after them."""
    best = votes[0]
    for one in votes[1:] if fades else ():
        best = one if one.when.first >= best.when.last + fades * _DAY else best
    return best


def _latest(votes: Sequence[Vote]) -> Vote:
    """The first of those that nobody is certainly later than."""
    return next(one for one in votes if not any(other.when.after(one.when) for other in votes))


def _earliest(votes: Sequence[Vote]) -> Vote:
    """The first of those that filled the cell before anybody certainly had."""
    return next(one for one in votes if not any(one.since.after(other.since) for other in votes))


def picker(word: Word, fades: int = 0) -> Pick:
    """How a policy picks one of several statements (at least one), which come in the order of their systems.

    Trust and age are weighed against each other by what was said when, never by the present day.
    """
    oldest = word in {"fill_empty", "append_only"}
    return partial(_first, fades=fades) if word == "master" else _earliest if oldest else _latest


def kind_of(path: str) -> str:
    """What rules call the rows of this kind: ``party_identifier[inn]``."""
    return names_of(path)[1]


def sound(cards: Sequence[Said], rules: Rules) -> list[Said]:
    """The cards without those that say a wrong row where another says a right one of its kind; all, if none is left.

    Of several of one system those that say the most right ones: a card with an ИНН comes before one without.
    """
    found = [(next(iter(card.values())).system, *_kinds(card, rules), card) for card in cards]
    right = set[str]().union(*(good for _, good, _, _ in found))
    kept = [one for one in found if not (one[2] - one[1]) & right] or found
    most = {system: max(len(good) for other, good, _, _ in kept if other == system) for system, *_ in kept}
    return [card for system, good, _, card in kept if len(good) == most[system]]


def _kinds(card: Said, rules: Rules) -> tuple[set[str], set[str]]:
    """Kinds of rows (``party_identifier[inn]``) of which it says a right one, and a wrong one; unlooked at is right."""
    found: tuple[set[str], set[str]] = (set(), set())
    for path, one in card.items():
        at = rules.checks.get(head(path))
        if at is not None and not one.cleared and isinstance(one.value, tuple):
            found[one.value[at] == 0].add(kind_of(path))
    return found
