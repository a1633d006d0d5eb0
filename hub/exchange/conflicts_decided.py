"""A person's answers to open questions: the hub says them itself, and whoever shows something else is owed them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from sqlalchemy import Connection, select, update

from hub.engine.arrive import Arrival, decided, golden_of
from hub.engine.cells import NOBODY, Moment, Pin, Value
from hub.exchange.acting import acting
from hub.exchange.cards.card import Card, as_value, load, seconds
from hub.exchange.cards.desk import CardDesk
from hub.exchange.cards.layout import layout_of
from hub.exchange.cards.ledger import Ledger
from hub.exchange.cards.pinning import set_pin, settle
from hub.exchange.conflicts import key_of, unit_of, words_of
from hub.exchange.decisions import Fault, Line
from hub.exchange.hub import Hub
from hub.exchange.runs import now
from hub.exchange.typed import Reader
from hub.exchange.which import link_of
from hub.model.errors import HubError, NeedsPerson, SkipRecord
from hub.store import core
from hub.texts import LANGS, sentence

Word = Literal["ours", "theirs", "value", "later"]
WORDS: tuple[Word, ...] = ("ours", "theirs", "value", "later")


@dataclass(frozen=True, slots=True)
class Answer:
    """To one question, by the number of its row. ``text``: the value as typed, of the word ``value``."""

    id: int
    word: Word
    text: str = ""


@dataclass(slots=True)
class Checked:
    """``mistakes`` are a person's and stop the whole file; ``late`` ones were overtaken by events and are left out.

    ``undecided``: how many lines say nothing.
    """

    answers: list[Answer] = field(default_factory=list)
    mistakes: list[Fault] = field(default_factory=list)
    late: list[Fault] = field(default_factory=list)
    undecided: int = 0


@dataclass(slots=True)
class Resolved:
    """What came of it. ``answered``: cells that are open no more, with what survives together with them.

    ``gone``: questions that were not open any more. ``run_id``: ``None`` where there was nothing to answer.
    """

    run_id: int | None = None
    answered: int = 0
    put_off: int = 0
    gone: int = 0
    by_word: dict[str, int] = field(default_factory=dict)


def words(lang: str) -> tuple[str, ...]:
    """What a person writes for each of ``WORDS``."""
    return tuple(sentence(f"answer_{word}", lang) for word in WORDS)


def check(hub: Hub, lines: Iterable[Line]) -> Checked:
    """Take lines of a file apart."""
    checked, seen = Checked(), set[int]()
    known = {said.casefold(): word for lang in LANGS for said, word in zip(words(lang), WORDS, strict=True)}
    with hub.store.read() as conn:
        for line in lines:
            if not line.word and line.value in {None, ""}:
                checked.undecided += 1
                continue
            number = _number(line.key)
            word = known.get(line.word.casefold())
            mistake = _mistake(number, word, line, seen)
            if mistake is not None or number is None or word is None:
                checked.mistakes.append(Fault(line.row, mistake or SkipRecord("decision_no_key")))
                continue
            seen.add(number)
            text = "" if line.value is None else str(line.value)
            late, wrong = _stands(conn, hub, number, line.key, word, text)
            if late is not None:
                checked.late.append(Fault(line.row, late))
            elif wrong is not None:
                checked.mistakes.append(Fault(line.row, wrong))
            else:
                checked.answers.append(Answer(number, word, text))
    return checked


def _number(key: str) -> int | None:
    number = key.partition(":")[0]
    return int(number) if number.isascii() and number.isdigit() and len(number) < 19 else None


def _mistake(number: int | None, word: Word | None, line: Line, seen: set[int]) -> HubError | None:
    if number is None:
        return SkipRecord("decision_no_key")
    if number in seen:
        return SkipRecord("decision_twice")
    if not line.word:
        return SkipRecord("decision_missing", value=line.value)
    if word is None:
        return SkipRecord("decision_unknown", value=line.word, known=", ".join(words("ru") + words("en")))
    return None


def _stands(
    conn: Connection, hub: Hub, number: int, key: str, word: Word, text: str
) -> tuple[HubError | None, HubError | None]:
    """Whether events have overtaken the line, and whether its value will do."""
    row = conn.execute(select(core.conflict).where(core.conflict.c.id == number)).mappings().first()
    if row is None or row["state"] != "open":
        return SkipRecord("question_gone"), None
    if key_of(row) != key:
        return SkipRecord("question_changed"), None
    try:
        if word == "value":
            _typed(conn, hub, row["entity"], row["field"], text)
    except NeedsPerson as error:
        return None, error
    return None, None


def _typed(conn: Connection, hub: Hub, entity: str, path: str, text: str) -> Value:
    reader = Reader(
        layout_of(entity), hub.settings.company_timezone, lambda target, named: link_of(conn, hub, target, named)
    )
    return reader.read(path, text).value


def resolve(hub: Hub, answers: Sequence[Answer], *, by: str, dagster_run_id: str | None = None) -> Resolved:
    """Carry the answers out, record by record, in one run; ``NeedsPerson`` for a value that cannot be.

    What is then owed to the systems is sent by the next exchange, or by ``push_now``.
    """
    result = Resolved()
    table = core.conflict
    of_id = {answer.id: answer for answer in answers}
    with hub.store.read() as conn:
        open_ = select(table.c.id, table.c.entity, table.c.field, table.c.record_id).where(
            table.c.id.in_(list(of_id)), table.c.state == "open"
        )
        rows = conn.execute(open_.order_by(table.c.id)).all()
        for row in rows:  # before anything is written
            if of_id[row.id].word == "value":
                _typed(conn, hub, row.entity, row.field, of_id[row.id].text)
    result.gone = len(of_id) - len(rows)
    if not rows:
        return result
    with acting(hub, "decide", by, dagster_run_id=dagster_run_id) as run_id:
        result.run_id = run_id
        for entity, record_id in dict.fromkeys((row.entity, row.record_id) for row in rows):
            ids = [row.id for row in rows if row.record_id == record_id]
            with hub.store.begin() as conn:
                _Record(conn, hub, run_id, entity, record_id, by, result).answer([of_id[number] for number in ids])
    return result


class _Record:
    """The questions of one record, answered one after another in one transaction."""

    def __init__(
        self, conn: Connection, hub: Hub, run_id: int, entity: str, record_id: int, by: str, result: Resolved
    ) -> None:
        self.conn, self.hub, self.by, self.result = conn, hub, by, result
        self.at = now()
        self.desk = CardDesk(hub, run_id, self.at.strftime("%Y-%m-%d %H:%M:%S"))
        self.card: Card = load(conn, entity, [record_id], self.desk.refs)[record_id]
        self.ledger = Ledger(self.desk, entity)
        self.rules, self.same = self.desk.rules(entity), layout_of(entity).same(self.desk.refs)

    def answer(self, answers: Sequence[Answer]) -> None:
        closed: list[tuple[list[int], dict[str, Any]]] = []
        for answer in answers:
            row = (
                self.conn.execute(
                    select(core.conflict).where(core.conflict.c.id == answer.id, core.conflict.c.state == "open")
                )
                .mappings()
                .first()
            )
            if row is None or (row["field"], row["link_id"]) not in self.card.conflicts:
                self.result.gone += 1  # answered with another one of its group
            elif answer.word == "later":
                self._put_off(answer.id)
            else:
                closed.append(self._one(answer, row["field"], row["link_id"]))
        self.ledger.write(self.conn)
        for numbers, resolution in closed:
            self.conn.execute(
                update(core.conflict)
                .where(core.conflict.c.id.in_(numbers))
                .values(state="resolved", resolution=resolution, resolved_by=self.by, resolved_at=self.at)
            )

    def _put_off(self, number: int) -> None:
        told = {"answer": "later", "by": self.by, "at": self.at.isoformat()}
        self.conn.execute(update(core.conflict).where(core.conflict.c.id == number).values(resolution=told))
        self.result.put_off += 1

    def _one(self, answer: Answer, path: str, link_id: int) -> tuple[list[int], dict[str, Any]]:
        """Answer the cell and what survives together with it; numbers of the rows that are open no more."""
        unit = unit_of(self.card, self.rules, path)
        cells = self._cells(answer, path, link_id, unit)
        known = decided(self.card.known, cells, self._moment(unit))
        self.ledger.decided(self.card, Arrival(known, golden_of(known, self.rules, self.same)))
        golden = golden_of(self.card.known, self.rules, self.same)
        for name, value in cells.items():
            if not self.same(name, golden.get(name, NOBODY).value, value):
                # The policy asks a master, not the hub: the word stands until some system says something new.
                set_pin(self.conn, self.desk, self.ledger, self.card, name, Pin(value, ends=True), self.by, "conflict")
        settle(self.desk, self.ledger, self.card)
        numbers = [number for (name, _), number in self.card.conflicts.items() if name in unit]
        for name in unit:
            self.ledger.close_conflicts(self.card, name, "resolved")
        self.result.answered += len(numbers)
        self.result.by_word[answer.word] = self.result.by_word.get(answer.word, 0) + 1
        return numbers, {"answer": answer.word, "asked": answer.id, "value": cells[path]}

    def _cells(self, answer: Answer, path: str, link_id: int, unit: Sequence[str]) -> dict[str, Value]:
        if answer.word == "theirs":
            return words_of(self.card, link_id, unit)
        golden = golden_of(self.card.known, self.rules, self.same)
        cells = {name: golden.get(name, NOBODY).value for name in unit}
        if answer.word == "value":
            cells[path] = as_value(_typed(self.conn, self.hub, self.card.entity, path, answer.text))
        return cells

    def _moment(self, unit: Sequence[str]) -> Moment:
        """Now, and certainly after everything that was said of the cells."""
        said = [one.own[name] for one in self.card.known.contributions for name in unit if name in one.own]
        last = max((moment.last for own in said for moment in (own.when, own.cleared) if moment), default=0)
        first = max(seconds(self.at), last)
        return Moment(first, first + 1)
