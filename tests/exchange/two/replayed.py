"""What a golden record ought to be, told from its whole history by brute force, with neither engine nor contributions.

Everything that each link ever said is kept. Who wins is found by asking who beats whom; a clearing that is not to be
followed is struck from the history, and the history is read again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from hub.engine.cells import LIVING, STATE, Value, blank, head, is_member
from hub.engine.policies import Policy, Rules
from tests.engine.oracle import Statement
from tests.exchange.two.recorded import Forgotten, Look, Said

#: The link under which the hub itself says what persons answered.
HUB = 0


@dataclass(frozen=True, slots=True)
class Told:
    """A cell as it ought to be. ``link``: whose word it is; ``until``: by when that was said."""

    value: Value
    rule: str
    link: int | None = None
    until: int = 0
    cleared: bool = False
    guards: frozenset[int] = frozenset()


@dataclass
class Replay:
    """One record. ``systems``: of each link; ``origins``: links where it was made; ``may``: is a cell written there?"""

    rules: Rules
    systems: Mapping[int, str]
    origins: frozenset[int]
    may: Callable[[int, str], bool]
    same: Callable[[str, Value, Value], bool]
    said: dict[str, dict[int, list[Statement]]] = field(default_factory=lambda: defaultdict(dict))
    shows: dict[int, dict[str, Value]] = field(default_factory=dict)
    sent: dict[int, dict[str, Value]] = field(default_factory=lambda: defaultdict(dict))
    pins: dict[str, tuple[Value, bool]] = field(default_factory=dict)
    held: dict[str, tuple[Value, set[int]]] = field(default_factory=dict)

    # --- the history --------------------------------------------------------------------------------------------

    def look(self, look: Look) -> None:
        """A record was taken in."""
        shown = self.shows.get(look.link, {})
        away = (path for path in shown if is_member(path) and head(path) in look.lists)
        told: dict[str, Value] = dict.fromkeys(away) | {path: blank(value) for path, value in look.told.items()}
        if STATE in told:
            told[STATE] = told[STATE] or LIVING
        if look.alone:
            self.shows[look.link] = {**shown, **told}
            self.forget(Forgotten(look.link, 0))
            return
        ours = {path: value for path, value in look.ours.items() if path in told}
        first, before = look.link not in self.shows, {**shown, **{path: told[path] for path in ours}}
        news = {path: value for path, value in told.items() if value != before.get(path, _empty(path))}
        if first:
            news = {path: value for path, value in news.items() if path not in ours and value is not None}
        for path, value in news.items() if not first else ():
            self._question(look.link, path, value)
        self.shows[look.link] = {**shown, **told}
        self.sent[look.link].update(ours)
        for path, value in news.items():
            low = 0 if first else look.when.first
            self.said[path].setdefault(look.link, []).append(Statement("", value, low, look.when.last))
            if not first:
                self.sent[look.link].pop(path, None)
                if path in self.pins and self.pins[path][1]:
                    del self.pins[path]
        self.held |= self._joined
        self.held = {path: question for path, question in self.held.items() if question[1]}
        self._joined.clear()

    def forget(self, event: Forgotten) -> None:
        """Nothing is known of the link but what it shows."""
        for said in self.said.values():
            said.pop(event.link, None)
        self.sent.pop(event.link, None)
        for path, value in self.shows.get(event.link, {}).items():
            if value is not None and (path, value) != (STATE, LIVING):
                self.said[path][event.link] = [Statement("", value, 0, event.by)]

    def word(self, word: Said) -> None:
        """A person has spoken, or a guard has asked one."""
        if word.kind == "pin":
            self.pins[word.path] = (word.value, word.ends)
        elif word.kind == "unpin":
            self.pins.pop(word.path, None)
        elif word.kind == "answer":
            self.held.pop(word.path, None)
            self.said[word.path][HUB] = [Statement("", word.value, word.when.first, word.when.last)]
        elif word.kind == "ask" and word.link is not None:
            links = self.held[word.path][1] if word.path in self.held else set()
            self.held[word.path] = (word.value, links | {word.link})
        elif word.link is not None:
            self.sent[word.link][word.path] = word.value

    _joined: dict[str, tuple[Value, set[int]]] = field(default_factory=dict)

    def _question(self, link: int, path: str, value: Value) -> None:
        """The question that an edit opens, joins, or leaves, by what was known before it."""
        held = self.held.get(path)
        if held is not None and link in held[1] and self.same(path, value, held[0]):
            self._joined[path] = (held[0], held[1] - {link})
            return
        cell = self.golden(path)
        if path in self.pins or self.same(path, value, cell.value):
            return
        if path == STATE:
            others = bool(self.shows.keys() - {link})
            asks = others and (self.rules.state != "ignore" if value == LIVING else self.rules.state == "ask")
        else:
            alike = [one for one in self._paths() if self.rules.unit(one) == self.rules.unit(path)]
            asks = self.rules.of(path).word == "manual" and any(self._owed(link, one) for one in alike)
        if asks or held is not None:
            self._joined[path] = (cell.value, (held[1] if held else set()) | {link})

    def _owed(self, link: int, path: str) -> bool:
        """Whether a golden value was still to be sent there."""
        cell, own = self.golden(path), self.said[path].get(link)
        stands = self.sent[link][path] if path in self.sent[link] else self.shows[link].get(path)
        if (
            self.shows[link].get(STATE, LIVING) != LIVING
            or not self.may(link, path)
            or link in cell.guards
            or (cell.value is None and not cell.cleared)
            or self.same(path, cell.value, stands)
        ):
            return False
        keeps = self.rules.of(path).on_loss != "restore" and path not in self.sent[link]
        tolerated = own is not None and keeps and cell.rule not in {"pin", "held"}
        return not (tolerated and own is not None and (cell.link is None or cell.until <= own[-1].high))

    # --- what it comes to ---------------------------------------------------------------------------------------

    def _paths(self) -> list[str]:
        return sorted({path for path, said in self.said.items() if said} | self.pins.keys() | self.held.keys())

    def golden(self, path: str) -> Told:
        """The cell."""
        if path in self.pins:
            return Told(self.pins[path][0], "pin", cleared=self.pins[path][0] is None)
        if path in self.held:
            return Told(self.held[path][0], "held", guards=frozenset(self.held[path][1]))
        if path == STATE:
            return self._state()
        if not self.said[path]:
            return Told(None, "nobody")
        unit = self.rules.unit(path)
        if unit != path:
            return self._group([one for one in self._paths() if self.rules.unit(one) == unit and one != STATE], path)
        policy, names = self.rules.of(path), self._ranked(self.said[path], self._order(path))
        names = [name for name in names if name not in self._ended()] or names
        if policy.word == "union":
            return self._union(path, names)
        return self._alone(path, names, policy, policy.word)

    def lost(self, path: str) -> list[tuple[str, Value]]:
        """Systems with what they say and is not golden."""
        cell = self.golden(path)
        last = {name: said[-1] for name, said in self.said[path].items()}
        apart = {name: one for name, one in last.items() if not self.same(path, one.value, cell.value)}
        if path == STATE:
            apart = {name: one for name, one in apart.items() if name != cell.link}
        return [(self.systems[name], one.value) for name, one in apart.items()]

    def _order(self, path: str) -> tuple[str, ...]:
        policy = self.rules.of(path)
        if policy.by is not None and self.golden(policy.by.field).value in policy.by.values:
            return policy.by.order
        return policy.order

    def _ranked(self, names: Iterable[int], order: tuple[str, ...]) -> list[int]:
        def rank(name: int) -> tuple[int, str, int]:
            called = {self.systems[name], *(("origin",) if name in self.origins else ())}
            return min([at for at, one in enumerate(order) if one in called] or [len(order)]), self.systems[name], name

        return sorted(names, key=rank)

    def _ended(self) -> set[int]:
        return {name for name, said in self.said[STATE].items() if said[-1].value != LIVING}

    def _state(self) -> Told:
        last = {name: self.said[STATE][name][-1] for name in self._ranked(self.said[STATE], self.rules.state_order)}
        lives = [name for name, one in last.items() if one.value == LIVING]
        alone, word = self.shows.keys() - {HUB} <= self._ended(), self.rules.state
        for name, one in last.items():
            valid = one.value != LIVING and (alone or one.low > 0)
            if valid and (alone or word != "ignore") and not any(last[live].later(one) for live in lives):
                value = "archived" if word == "archive" and not alone else one.value
                return Told(value, word, name, one.high)
        best = next((name for name in lives if not any(last[other].later(last[name]) for other in lives)), None)
        return Told(LIVING, word, best)

    def _best(self, said: Mapping[int, list[Statement]], word: str) -> int:
        """Whom nobody beats, of those in order."""
        if word in {"fill_empty", "append_only"}:
            begun = {name: _begun(one) for name, one in said.items()}
            return next(name for name, one in begun.items() if not any(one.later(other) for other in begun.values()))
        if word == "master":
            return next(iter(said))
        last = {name: one[-1] for name, one in said.items()}
        return next(name for name, one in last.items() if not any(other.later(one) for other in last.values()))

    def _alone(self, path: str, names: Iterable[int], policy: Policy, word: str) -> Told:
        said = {name: list(self.said[path][name]) for name in names if self.said[path].get(name)}
        follows, guards = policy.clearable and policy.word != "append_only", set[int]()
        if follows and policy.word == "fill_empty":
            said = {name: one for name, one in said.items() if one[-1].value is not None} or said
        while said:
            best = self._best(said, word)
            last = said[best][-1]
            if last.value is not None or follows:
                rule = "kept" if guards else policy.word
                return Told(last.value, rule, best, last.high, last.value is None, frozenset(guards))
            guards.add(best)
            while said[best] and said[best][-1].value is None:
                said[best].pop()
            if not said[best]:
                del said[best]
        return Told(None, "nobody", guards=frozenset(guards))

    def _union(self, path: str, names: list[int]) -> Told:
        word, last = self.rules.of(path).word, {name: self.said[path][name][-1] for name in names}
        drops = {name: one for name, one in last.items() if one.value is None}
        there = {name: one for name, one in last.items() if one.value is not None}
        there = {name: one for name, one in there.items() if not any(drop.later(one) for drop in drops.values())}
        heard = there or drops
        best = next((name for name, one in heard.items() if not any(two.later(one) for two in heard.values())), None)
        if best is None:
            return Told(None, "nobody")
        back = {name for name, drop in drops.items() if there and not any(one.later(drop) for one in there.values())}
        return Told(heard[best].value, word, best, heard[best].high, not there, frozenset(back))

    def _group(self, paths: list[str], path: str) -> Told:
        """One card wins them all. What it does not say is filled from cards that contradict it nowhere."""
        order, policy = self._order(paths[0]), self.rules.of(path)
        names = self._ranked({name for one in paths for name in self.said[one]}, order)
        if not names:
            return Told(None, "nobody")
        cards = {name: {one: self.said[one][name] for one in paths if name in self.said[one]} for name in names}
        ended = self._ended()
        living = [name for name in names if name not in ended]
        heard = {name: _whole(cards[name]) for name in self._sound(living or names, cards)}
        winner = self._best(heard, self.rules.of(paths[0]).word)
        mine, echo = cards[winner], self.sent[winner].get(path)
        told_whole = is_member(path) and (
            _kind(path) not in self.rules.policies or any(_kind(one) == _kind(path) for one in mine)
        )
        rest = [name for name in names if name != winner and not told_whole and self._agree(mine, cards[name])]
        rest = [*(one for one in rest if one not in ended), *(one for one in rest if one in ended)]
        if any(path in cards[name] for name in (winner, *rest)) or (echo is None and not is_member(path)):
            return self._alone(path, [winner, *rest], policy, "master")
        return Told(echo, policy.word, winner, 0, echo is None)

    def _sound(self, names: list[int], cards: Mapping[int, Mapping[str, list[Statement]]]) -> list[int]:
        """Without cards of which a number is wrong where another's is right; of each system those with most numbers."""
        right: dict[int, set[str]] = {name: set() for name in names}
        wrong: dict[int, set[str]] = {name: set() for name in names}
        for name in names:
            for path, said in cards[name].items():
                at, value = self.rules.checks.get(path.partition("[")[0]), said[-1].value
                if at is not None and isinstance(value, tuple):
                    (wrong if value[at] == 0 else right)[name].add(_kind(path))
        known = set().union(*right.values())
        kept = [name for name in names if not (wrong[name] - right[name]) & known] or names
        most: dict[str, int] = {}
        for name in kept:
            most[self.systems[name]] = max(most.get(self.systems[name], 0), len(right[name]))
        return [name for name in kept if len(right[name]) == most[self.systems[name]]]

    def _agree(self, mine: Mapping[str, list[Statement]], other: Mapping[str, list[Statement]]) -> bool:
        rows = [{path for path in card if is_member(path)} for card in (mine, other)]
        if not (rows[0] <= rows[1] or rows[1] <= rows[0]):
            return False
        filled = [(path, _filled(mine[path]), _filled(other[path])) for path in mine.keys() & other.keys()]
        return all(one is None or two is None or self.same(path, one, two) for path, one, two in filled)


def _kind(path: str) -> str:
    """``party_identifier[inn]`` of ``party_identifier[inn,7707083893]``."""
    name, _, key = path.rstrip("]").partition("[")
    return f"{name}[{key.partition(',')[0]}]"


def _empty(path: str) -> Value:
    return LIVING if path == STATE else None


def _filled(said: list[Statement]) -> Value:
    """The last value that was not empty."""
    return next((one.value for one in reversed(said) if one.value is not None), None)


def _begun(said: list[Statement]) -> Statement:
    """By which the cell was filled the last time that it was empty."""
    pairs = zip([None, *said], said, strict=False)
    starts = [one for before, one in pairs if one.value is not None and (before is None or before.value is None)]
    return starts[-1] if starts else said[0]


def _whole(card: Mapping[str, list[Statement]]) -> list[Statement]:
    """A card as if it were one cell: filled when its first cell was, last changed when its last one was."""
    begun = min((_begun(said) for said in card.values()), key=lambda one: (one.high, one.low))
    last = max((said[-1] for said in card.values()), key=lambda one: (one.high, one.low))
    return [Statement("", "", begun.low, begun.high), Statement("", "", last.low, last.high)]
