"""Decisions that come back in a file: which of its lines can be used, and why the others cannot."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from dataclasses import field as attribute
from typing import TYPE_CHECKING, Any

from hub.exchange.hub import Hub
from hub.exchange.mending import mended
from hub.exchange.naming import stream_name
from hub.exchange.replay import Action, Order
from hub.model.errors import HubError, SkipRecord
from hub.store.quarantined import Quarantined, by_ids
from hub.texts import LANGS, sentence

if TYPE_CHECKING:
    from mappings.compiled import CompiledMapping

ACTIONS: tuple[Action, ...] = ("retry", "skip", "correct")


@dataclass(frozen=True, slots=True)
class Line:
    """One line as it was read: its number in the file, the key of its row, the word and the value of a person."""

    row: int
    key: str
    word: str
    value: Any = None


@dataclass(frozen=True, slots=True)
class Fault:
    """A line that cannot be used; ``error`` tells why."""

    row: int
    error: HubError


@dataclass(slots=True)
class Checked:
    """``mistakes`` are a person's and stop the whole file; ``late`` lines were overtaken by events and are left out.

    ``undecided``: how many lines say nothing.
    """

    orders: list[Order] = attribute(default_factory=list)
    mistakes: list[Fault] = attribute(default_factory=list)
    late: list[Fault] = attribute(default_factory=list)
    undecided: int = 0


def words(lang: str) -> tuple[str, ...]:
    """What a person writes for each of ``ACTIONS``."""
    return tuple(sentence(f"decision_{action}", lang) for action in ACTIONS)


def check(hub: Hub, lines: Iterable[Line]) -> Checked:
    """Take the lines apart; ``HubError`` where a system cannot tell what its fields are now."""
    checked = Checked()
    told = [line for line in lines if not _undecided(line, checked)]
    known = {word.casefold(): action for lang in LANGS for word, action in zip(words(lang), ACTIONS, strict=True)}
    with hub.store.read() as conn:
        rows = by_ids(conn, [number for line in told if (number := _number(line.key)) is not None])
    seen: set[int] = set()
    fields = _Fields(hub)
    for line in told:
        action, row = known.get(line.word.casefold()), rows.get(_number(line.key) or 0)
        mistake, late = _faults(line, action, row, seen)
        if mistake is None and late is None and action == "correct" and row is not None:
            mistake, late = fields.faults(row, line.value)
        if mistake is not None:
            checked.mistakes.append(Fault(line.row, mistake))
        elif late is not None:
            checked.late.append(Fault(line.row, late))
        elif action is not None and row is not None:
            checked.orders.append(Order(row.id, action, line.key, line.value if action == "correct" else None))
    return checked


def _undecided(line: Line, checked: Checked) -> bool:
    if line.word or line.value not in {None, ""}:
        return False
    checked.undecided += 1
    return True


def _number(key: str) -> int | None:
    number, _, form = key.partition(":")
    return int(number) if form and number.isascii() and number.isdigit() and len(number) < 19 else None


def _faults(
    line: Line, action: Action | None, row: Quarantined | None, seen: set[int]
) -> tuple[HubError | None, HubError | None]:
    """A person's mistake in the line, and what has overtaken it."""
    number = _number(line.key)
    if number is None:
        return SkipRecord("decision_no_key"), None
    if number in seen:
        return SkipRecord("decision_twice"), None
    seen.add(number)
    if not line.word:
        return SkipRecord("decision_missing", value=line.value), None
    if action is None:
        return SkipRecord("decision_unknown", value=line.word, known=", ".join(words("ru") + words("en"))), None
    if row is None or row.state != "open":
        return None, SkipRecord("decision_gone")
    if row.key != line.key and action != "retry":
        return None, SkipRecord("decision_changed")
    return None, None


class _Fields:
    """The mappings of now by stream, asked for only where a value is to be corrected."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._known: dict[str, dict[int, CompiledMapping]] = {}

    def faults(self, row: Quarantined, value: Any) -> tuple[HubError | None, HubError | None]:
        """As ``_faults``, of a correction."""
        system = row.route.partition(".")[0]
        if row.route not in self._hub.routes:
            return None, SkipRecord("replay_no_route", route=row.route)
        if system not in self._known:
            profile, streams = self._hub.profile(system), self._hub.streams[system]
            live = (mapping for name, mapping in profile.mappings.items() if name not in profile.paused)
            self._known[system] = {streams[stream_name(mapping)]: mapping for mapping in live}
        mapping = self._known[system].get(row.stream_id)
        if mapping is None:
            return None, SkipRecord("replay_paused", stream=row.stream)
        try:
            mended(mapping, row, value)
        except SkipRecord as error:
            return error, None
        return None, None
