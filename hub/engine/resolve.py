"""The golden cells: a pure function of what each system says, of the policies, and of what persons decided."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from typing import TypeAlias

from hub.engine.cells import HUB, LIVING, NOBODY, STATE, Contribution, Golden, Hold, Lost, Pin, Same, equal, is_member
from hub.engine.picks import Pick, kind_of, picker, sound
from hub.engine.policies import Policy, Rules, StateWord, Vote, order_of, vote

Votes: TypeAlias = dict[str, list[Vote]]


def resolve(
    contributions: Sequence[Contribution],
    rules: Rules,
    pins: Mapping[str, Pin] | None = None,
    holds: Mapping[str, Hold] | None = None,
    same: Same = equal,
) -> dict[str, Golden]:
    """Golden cells by path, for every cell of which anyone says or decided anything; the order of arguments is nothing.

    Pins outrank holds, holds outrank policies. Cells that survive together are decided as one. Every statement that is
    not the golden value stands in ``lost``.
    """
    pins, holds = pins or {}, holds or {}
    golden: dict[str, Golden] = {}
    said = {path for one in contributions for path in one.own} | pins.keys() | holds.keys()
    units: dict[str, list[str]] = {}
    for path in sorted(said - {STATE}):
        units.setdefault(rules.unit(path), []).append(path)
    for paths in sorted(units.values(), key=lambda paths: rules.of(paths[0]).by is not None):
        golden.update(_unit(contributions, rules, paths, pins, holds, golden, same))
    votes = _votes(contributions, STATE, rules.state_order)
    state = _decided(STATE, _state(contributions, votes, rules.state), pins, holds)
    losers = [one for one in votes if one.link_id != state.link_id]
    return golden | {STATE: replace(state, lost=_lost(STATE, losers, state, same))}


def _unit(
    contributions: Sequence[Contribution],
    rules: Rules,
    paths: Sequence[str],
    pins: Mapping[str, Pin],
    holds: Mapping[str, Hold],
    golden: Mapping[str, Golden],
    same: Same,
) -> Iterator[tuple[str, Golden]]:
    """The cells that are decided as one, each with what lost."""
    order = order_of(rules.of(paths[0]), golden)
    every: Votes = {path: _votes(contributions, path, order) for path in paths}
    dead = {one.link_id for one in contributions if not one.living}
    together = rules.unit(paths[0]) != paths[0]
    for path, cell in _together(contributions, every, dead, rules, same) if together else _apart(every, dead, rules):
        decided = _decided(path, cell, pins, holds)
        yield path, replace(decided, lost=_lost(path, every[path], decided, same))


def _votes(contributions: Iterable[Contribution], path: str, order: Sequence[str]) -> list[Vote]:
    found = (vote(path, one, order) for one in contributions)
    return sorted((one for one in found if one is not None), key=lambda one: one.rank)


def _decided(path: str, cell: Golden, pins: Mapping[str, Pin], holds: Mapping[str, Hold]) -> Golden:
    """What a person said of the cell, else what the policy did."""
    if path in pins:
        return Golden(pins[path].value, "pin", cleared=pins[path].value is None)
    if path in holds:
        hold = holds[path]
        return Golden(hold.value, "held", guards=hold.links)
    return cell


def _lost(path: str, votes: Iterable[Vote], golden: Golden, same: Same) -> tuple[Lost, ...]:
    """Statements that are not the golden value."""
    said = ((one, None if one.cleared else one.value) for one in votes)
    return tuple(
        Lost(one.link_id, one.system, value, one.when) for one, value in said if not same(path, value, golden.value)
    )


def _golden(one: Vote, rule: str, guards: Iterable[int] = ()) -> Golden:
    value = None if one.cleared else one.value
    links = frozenset(guards)
    return Golden(value, "kept" if links else rule, one.link_id, one.system, one.when, (), one.cleared, links)


def _apart(every: Votes, dead: AbstractSet[int], rules: Rules) -> Iterator[tuple[str, Golden]]:
    """Cells that are decided each for itself; an ended card is heard where no living one says anything."""
    for path, votes in every.items():
        policy, heard = rules.of(path), [one for one in votes if one.link_id not in dead] or votes
        rows = policy.word == "union"
        yield path, _union(heard, policy) if rows else _single(heard, policy, picker(policy.word, policy.fades))


def _single(votes: Sequence[Vote], policy: Policy, pick: Pick) -> Golden:
    """The winner's value. A clearing that the field does not allow is passed over; its system gets no value back."""
    left: list[Vote] = list(votes)
    guards: set[int] = set()
    heeded = policy.clearable and policy.word != "append_only"
    if heeded and policy.word == "fill_empty":  # who cleared made room for the next
        left = [one for one in left if not one.cleared] or left
    while left:
        winner = pick(left)
        if heeded or not winner.cleared:
            return _golden(winner, policy.word, guards)
        guards.add(winner.link_id)
        left = [kept for one in left if (kept := one.unheeded() if one is winner else one)]
    return replace(NOBODY, guards=frozenset(guards))


def _union(votes: Sequence[Vote], policy: Policy) -> Golden:
    """A row of a set stays as long as someone says it that no later "not there" contradicts.

    It does not return to who dropped it unless a statement that stays is certainly later than that.
    """
    drops = [one for one in votes if one.cleared]
    alive = [one for one in votes if not one.cleared and not any(drop.when.after(one.when) for drop in drops)]
    if not alive:
        return _golden(picker("latest")(drops), policy.word) if drops else NOBODY
    guards = frozenset(drop.link_id for drop in drops if not any(one.when.after(drop.when) for one in alive))
    return replace(_golden(picker("latest")(alive), policy.word), guards=guards)


def _together(
    contributions: Iterable[Contribution], every: Votes, dead: AbstractSet[int], rules: Rules, same: Same
) -> Iterator[tuple[str, Golden]]:
    """Cells that survive together: one card wins them all, a living one if any speaks.

    A field of which the winner has nothing to say is filled from a card that contradicts it nowhere, else it stays what
    we wrote there: who corrects one cell of a card has seen the others. So is a kind of rows that rules name by itself
    (``party_identifier[inn]``); any other row of a set that it shows not is not there.
    """
    cards: dict[int, dict[str, Vote]] = {}
    for path, votes in every.items():
        for one in votes:
            cards.setdefault(one.link_id, {})[path] = one
    if not cards:
        yield from ((path, NOBODY) for path in every)
        return
    heard = sound([card for link_id, card in cards.items() if link_id not in dead] or list(cards.values()), rules)
    spoken = sorted((_card(card) for card in heard), key=lambda one: one.rank)
    decides = rules.of(next(iter(every)))
    winner = picker(decides.word, decides.fades)(spoken)
    card, shows = cards[winner.link_id], next(one for one in contributions if one.link_id == winner.link_id)
    fitting = {link_id for link_id, other in cards.items() if _agree(card, other, same)}
    kinds = {kind_of(path) for path in card}
    for path, votes in every.items():
        policy, echo, kind = rules.of(path), shows.sent.get(path), kind_of(path)
        whole = is_member(path) and (kind in kinds or kind not in rules.policies)
        told = path in card or (not whole and any(one.link_id in fitting for one in votes))
        if not told and (is_member(path) or echo is not None):
            # The winner's last word on rows of this kind, not on the rest of its card.
            when = _card({at: one for at, one in card.items() if kind_of(at) == kind} or card).when
            yield path, Golden(echo, policy.word, winner.link_id, winner.system, when, cleared=echo is None)
        else:
            alone = {winner.link_id} if whole else fitting
            fit = sorted(
                (one for one in votes if one.link_id in alone),
                key=lambda one: (one.link_id != winner.link_id, one.link_id in dead, one.rank),
            )
            yield path, _single(fit, policy, picker("master"))


def _card(card: Mapping[str, Vote]) -> Vote:
    """What one system says of the whole group, as one statement: since its first word, at its last."""
    newest = max(card.values(), key=lambda one: (one.when.last, one.when.first))
    since = min((one.since for one in card.values()), key=lambda moment: (moment.last, moment.first))
    return replace(newest, since=since)


def _agree(winner: Mapping[str, Vote], other: Mapping[str, Vote], same: Same) -> bool:
    """No cell that both fill differs, and neither has rows of a set where the other has different ones."""
    mine, theirs = ({path for path in card if is_member(path)} for card in (winner, other))
    both = ((path, winner[path].value, other[path].value) for path in winner.keys() & other.keys())
    return (mine <= theirs or theirs <= mine) and all(
        one is None or two is None or same(path, one, two) for path, one, two in both
    )


def _state(contributions: Sequence[Contribution], votes: Sequence[Vote], word: StateWord) -> Golden:
    """Whether the record lives. While a system shows it living, only a mark made since it is known here counts.

    ``archive`` then ends it here and nowhere else, ``ignore`` does nothing; ``ask`` is ``propagate`` once nobody holds
    it any more; nothing ever ends a record by ``keep``.
    """
    lives = [one for one in votes if one.value == LIVING]
    alone = not any(one.living and one.system != HUB for one in contributions)
    ends = [one for one in votes if one.value != LIVING and word != "keep" and (alone or one.when.first)]
    valid = [one for one in ends if not any(live.when.after(one.when) for live in lives)]
    if valid and (alone or word != "ignore"):
        golden = _golden(valid[0], word)
        return golden if alone or word != "archive" else replace(golden, value="archived")
    return _golden(picker("latest")(lives), word) if lives else Golden(LIVING, word)
