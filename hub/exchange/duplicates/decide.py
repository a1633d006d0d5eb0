"""A person's decisions on pairs: one client, two clients, later. One by one, by pattern, or out of a file."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from hub.exchange.acting import acting
from hub.exchange.decisions import Fault, Line
from hub.exchange.duplicates.marks import ENTITY
from hub.exchange.duplicates.queue import Doubt, doubts
from hub.exchange.hub import Hub
from hub.exchange.merging.judgements import put
from hub.exchange.merging.merge import Asked, merge_in
from hub.exchange.merging.told import Moved
from hub.exchange.which import living
from hub.model.errors import HubError, SkipRecord
from hub.texts import LANGS, sentence

Word = Literal["merge", "different", "later"]
WORDS: tuple[Word, ...] = ("merge", "different", "later")


@dataclass(frozen=True, slots=True)
class Decision:
    """On one pair. ``one``: the record that stays."""

    one: int
    other: int
    word: Word


@dataclass(slots=True)
class Checked:
    """``mistakes`` are a person's and stop the whole file; ``late`` ones were overtaken by events and are left out."""

    decisions: list[Decision] = field(default_factory=list)
    mistakes: list[Fault] = field(default_factory=list)
    late: list[Fault] = field(default_factory=list)
    undecided: int = 0


@dataclass(slots=True)
class Decided:
    """What came of it, by word. ``gone``: pairs that are one record by now; ``refused``: merges that something speaks
    against, each with the two records and the sentence's code and parameters.
    """

    run_id: int | None = None
    by_word: dict[str, int] = field(default_factory=dict)
    gone: int = 0
    refused: list[tuple[int, int, HubError]] = field(default_factory=list)


def words(lang: str) -> tuple[str, ...]:
    """What a person writes for each of ``WORDS``."""
    return tuple(sentence(f"duplicate_{word}", lang) for word in WORDS)


def check(hub: Hub, lines: Iterable[Line]) -> Checked:
    """Take lines of a file apart."""
    checked, seen = Checked(), set[str]()
    known = {said.casefold(): word for lang in LANGS for said, word in zip(words(lang), WORDS, strict=True)}
    there = {one.key.partition(":")[0]: one for one in doubts(hub)}
    for line in lines:
        if not line.word:
            checked.undecided += 1
            continue
        pair, word = line.key.partition(":")[0], known.get(line.word.casefold())
        mistake = _mistake(pair, word, line, seen)
        if mistake is not None or word is None:
            checked.mistakes.append(Fault(line.row, mistake or SkipRecord("decision_no_key")))
            continue
        seen.add(pair)
        doubt = there.get(pair)
        if doubt is None or doubt.key != line.key:
            code = "decision_gone" if doubt is None else "decision_changed"
            checked.late.append(Fault(line.row, SkipRecord(code)))
        else:
            checked.decisions.append(Decision(doubt.one, doubt.other, word))
    return checked


def _mistake(pair: str, word: Word | None, line: Line, seen: set[str]) -> HubError | None:
    if not all(part.isascii() and part.isdigit() for part in pair.split("-")) or pair.count("-") != 1:
        return SkipRecord("decision_no_key")
    if pair in seen:
        return SkipRecord("decision_twice")
    if word is None:
        return SkipRecord("decision_unknown", value=line.word, known=", ".join(words("ru") + words("en")))
    return None


def of(found: Iterable[Doubt], word: Word) -> list[Decision]:
    """One word on all of these."""
    return [Decision(one.one, one.other, word) for one in found]


def decide(hub: Hub, decisions: Sequence[Decision], *, by: str, dagster_run_id: str | None = None) -> Decided:
    """Carry decisions out, each in a transaction of its own, all in one run."""
    result = Decided()
    if not decisions:
        return result
    with acting(hub, "merge", by, dagster_run_id=dagster_run_id) as run_id:
        result.run_id = run_id
        for one in decisions:
            _decide(hub, run_id, one, by, result)
    return result


def _decide(hub: Hub, run_id: int, decision: Decision, by: str, result: Decided) -> None:
    with hub.store.begin() as conn:
        one, other = living(conn, decision.one), living(conn, decision.other)
        if one == other:
            result.gone += 1
            return
        if decision.word != "merge":
            verdict: Literal["different", "unsure"] = "different" if decision.word == "different" else "unsure"
            put(conn, ENTITY, one, other, verdict, by=by, note=None, run_id=run_id)
        else:
            report = Moved("merge", ENTITY, one, [other], run_id=run_id)
            savepoint = conn.begin_nested()
            try:
                merge_in(conn, hub, Asked(ENTITY, one, (other,), by), report)
            except HubError as error:
                savepoint.rollback()
                result.refused.append((one, other, error))
                return
            if report.vetoes:  # a line in a file is no confirmation of what nobody was told
                savepoint.rollback()
                veto = report.vetoes[0]
                result.refused.append((one, other, SkipRecord(veto.code, **veto.params)))
                return
            savepoint.commit()
        result.by_word[decision.word] = result.by_word.get(decision.word, 0) + 1
