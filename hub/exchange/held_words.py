"""Words about held changes that come back in a file: which can be used, and why the others cannot."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from hub.exchange.decisions import Fault, Line
from hub.exchange.held import Item, Wanted, items, number
from hub.exchange.held_decided import Word
from hub.exchange.hub import Hub
from hub.model.errors import SkipRecord
from hub.texts import LANGS, sentence

WORDS: tuple[Word, ...] = ("approve", "reject")


@dataclass(slots=True)
class Checked:
    """``mistakes`` are a person's and stop the whole file; ``late`` ones were overtaken by events and are left out.

    ``undecided``: how many lines say nothing.
    """

    words: list[tuple[Item, Word]] = field(default_factory=list)
    mistakes: list[Fault] = field(default_factory=list)
    late: list[Fault] = field(default_factory=list)
    undecided: int = 0


def words(lang: str) -> tuple[str, ...]:
    """What a person writes for each of ``WORDS``."""
    return tuple(sentence(f"held_word_{word}", lang) for word in WORDS)


def check(hub: Hub, lines: Iterable[Line]) -> Checked:
    """Take the lines apart."""
    checked, seen = Checked(), set[str]()
    known = {said.casefold(): word for lang in LANGS for said, word in zip(words(lang), WORDS, strict=True)}
    there = {item.id: item for item in items(hub, Wanted(), cells=False)}
    for line in lines:
        name = line.key.partition(":")[0]
        word = known.get(line.word.casefold())
        if not line.word:
            checked.undecided += 1
        elif not number(name):
            checked.mistakes.append(Fault(line.row, SkipRecord("decision_no_key")))
        elif name in seen:
            checked.mistakes.append(Fault(line.row, SkipRecord("decision_twice")))
        elif word is None:
            valid = ", ".join(words("ru") + words("en"))
            checked.mistakes.append(Fault(line.row, SkipRecord("decision_unknown", value=line.word, known=valid)))
        elif name not in there:
            checked.late.append(Fault(line.row, SkipRecord("question_gone")))
        elif there[name].key != line.key:
            checked.late.append(Fault(line.row, SkipRecord("question_changed")))
        else:
            checked.words.append((there[name], word))
        seen.add(name)
    return checked
