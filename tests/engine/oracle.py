"""What the golden record ought to be, told by replaying the whole history of what was seen, with no engine at all.

The history is a list of looks at systems. From it each system's statements are told apart from our writes by asking,
look by look, what the cell showed before. A winner is one whom nobody beats; a clearing that is not to be followed is
struck from the history, and the history is read again.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

STATE, LIVING = "record_state", "active"


@dataclass(eq=False)
class Statement:
    """One thing that a system said of one cell by itself, after ``low``, by ``high``; ``value`` None: emptied."""

    system: str
    value: Any
    low: int
    high: int

    def later(self, other: Statement) -> bool:
        """Said when the other had been said already: for certain, or because the other was there at the first look."""
        apart = self.low >= other.high or other.low == 0 < self.low
        return apart and self.high > other.high


@dataclass
class Oracle:
    """``order``: systems by rank. ``words``: policy of each cell. ``clearable``: cells that may go empty.

    ``groups``: cells that survive together. ``writable``: systems that are written to.
    """

    order: list[str]
    words: dict[str, str]
    clearable: set[str]
    groups: list[list[str]]
    writable: set[str]
    ends: str = "propagate"
    said: dict[str, list[Statement]] = field(default_factory=dict)
    showed: dict[tuple[str, str], Any] = field(default_factory=dict)
    stands: dict[tuple[str, str], Any] = field(default_factory=dict)
    looked: dict[str, int] = field(default_factory=dict)
    held: dict[str, tuple[Any, set[str]]] = field(default_factory=dict)

    def look(self, system: str, card: dict[str, Any], now: int, ours: dict[str, tuple[Any, Any]]) -> None:
        """A look at a system at ``now``. ``ours``: by path, what a write of ours leaves in a cell and what it means."""
        first = system not in self.looked
        lived = self.showed.get((system, STATE), LIVING) == LIVING
        news = []
        for path in {path for name, path in self.showed if name == system} | card.keys():
            value = card.get(path)
            before = self.showed.get((system, path))
            self.showed[system, path] = value
            if path in ours and ours[path][0] == value:
                self.stands[system, path] = ours[path][1]
            elif value != before and (value not in {None, LIVING} or not first):
                news.append((path, Statement(system, value, 0 if first else self.looked[system], now)))
        asked = [] if first else [self._ask(path, new, lived) for path, new in news]
        self.held |= {path: question for found in asked for path, question in found.items()}
        self.held = {path: question for path, question in self.held.items() if question[1]}
        for path, new in news:
            self.said.setdefault(path, []).append(new)
            self.stands[system, path] = new.value
        self.looked[system] = now

    def _ask(self, path: str, new: Statement, lived: bool) -> dict[str, tuple[Any, set[str]]]:
        """The question that an edit opens, joins or leaves; without anybody left in it, it is over."""
        golden, guards = self.golden(path)
        asked = self.held[path][1] if path in self.held else set()
        if golden == new.value:
            return {path: (golden, asked - {new.system})} if path in self.held else {}
        owed = golden is not None or any(one.value is None for one in self.said.get(path, ()))
        owed = owed and golden != self.stands.get((new.system, path)) and new.system in self.writable - guards
        asks = self.words.get(path) == "manual" and owed and lived
        if path == STATE and len(self.looked) > 1:
            asks = self.ends != "ignore" if new.value == LIVING else self.ends == "ask"
        return {path: (golden, asked | {new.system})} if asks or path in self.held else {}

    def golden(self, path: str) -> tuple[Any, set[str]]:
        """The value of a cell, and who must not be sent it."""
        if path in self.held:
            return self.held[path]
        if path == STATE:
            return self._state(), set()
        for group in self.groups:
            if path in group:
                return self._group(group, path)
        word, ended = self.words[path], self._ended()
        said = self.said.get(path, [])
        said = [one for one in said if one.system not in ended] or said
        if word == "union":
            return self._union(said)
        return self._alone(said, word, path in self.clearable and word != "append_only")

    def _ended(self) -> set[str]:
        """Systems that say the record has ended."""
        return {one.system for one in self._now(self.said.get(STATE, [])) if one.value != LIVING}

    def _state(self) -> str:
        """Whether the record lives: marks that no later "it lives" contradicts, by policy while one card lives."""
        now, ended = self._now(self.said.get(STATE, [])), self._ended()
        alone = ended == set(self.looked)
        marks = [one for one in now if one.value != LIVING and (alone or one.low > 0)]
        marks = [one for one in marks if not any(live.value == LIVING and live.later(one) for live in now)]
        if not marks or (self.ends == "ignore" and not alone):
            return LIVING
        return "archived" if self.ends == "archive" and not alone else str(marks[0].value)

    def _now(self, history: list[Statement]) -> list[Statement]:
        """The last statement of each system, in the order of systems."""
        newest = {one.system: one for one in history}
        return [newest[name] for name in self.order if name in newest]

    @staticmethod
    def _filled(history: list[Statement], system: str) -> Statement:
        """The statement by which the system filled the cell the last time it was empty there."""
        mine = [one for one in history if one.system == system]
        starts = [
            one
            for before, one in zip([None, *mine], mine, strict=False)
            if one.value is not None and (before is None or before.value is None)
        ]
        return starts[-1] if starts else mine[0]

    def _unbeaten(self, history: list[Statement], word: str, clearable: bool) -> Statement | None:
        now = self._now(history)
        if word == "fill_empty" and clearable:
            now = [one for one in now if one.value is not None] or now
        if word in {"fill_empty", "append_only"}:
            starts = {one: self._filled(history, one.system) for one in now}
            now = [one for one in now if not any(starts[one].later(starts[other]) for other in now)]
        elif word in {"latest", "manual"}:
            now = [one for one in now if not any(other.later(one) for other in now)]
        return now[0] if now else None

    def _alone(self, history: list[Statement], word: str, clearable: bool) -> tuple[Any, set[str]]:
        guards: set[str] = set()
        while best := self._unbeaten(history, word, clearable):
            if best.value is not None or clearable:
                return best.value, guards
            guards.add(best.system)
            history = [one for one in history if one is not best]
        return None, guards

    def _union(self, history: list[Statement]) -> tuple[Any, set[str]]:
        now = self._now(history)
        drops = [one for one in now if one.value is None]
        alive = [one for one in now if one.value is not None and not any(drop.later(one) for drop in drops)]
        best = next((one for one in alive if not any(other.later(one) for other in alive)), None)
        back = {drop.system for drop in drops if alive and not any(one.later(drop) for one in alive)}
        return (best.value if best else None), back

    def _group(self, group: list[str], path: str) -> tuple[Any, set[str]]:
        cards = {name: {p: [s for s in self.said.get(p, ()) if s.system == name] for p in group} for name in self.order}
        speaking = {name: card for name, card in cards.items() if any(card.values())}
        ended = self._ended()
        newest = [
            max((one for said in card.values() for one in said), key=lambda one: (one.high, one.low))
            for name, card in speaking.items()
            if name not in ended or speaking.keys() <= ended
        ]
        winner = next((one for one in newest if not any(other.later(one) for other in newest)), None)
        if winner is None:
            return None, set()
        mine = cards[winner.system]
        rest = sorted(self.order, key=lambda name: name in ended)
        names = [winner.system, *(n for n in rest if n != winner.system and self._agree(mine, cards[n]))]
        if not any(cards[name][path] for name in names):
            return self.stands.get((winner.system, path)), set()
        guards: set[str] = set()
        for name in names:
            values = [one.value for one in cards[name][path]]
            if not values:
                continue
            if values[-1] is None and path not in self.clearable:
                guards.add(name)
            elif values[-1] is None:
                return None, guards
            filled = [value for value in values if value is not None]
            if filled:
                return filled[-1], guards
        return None, guards

    @staticmethod
    def _agree(mine: dict[str, list[Statement]], other: dict[str, list[Statement]]) -> bool:
        last = [
            [next((one.value for one in reversed(card[path]) if one.value is not None), None) for path in mine]
            for card in (mine, other)
        ]
        return all(one is None or two is None or one == two for one, two in zip(*last, strict=True))
