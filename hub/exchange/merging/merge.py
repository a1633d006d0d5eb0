"""Records of one client are put together: a run of its own, in one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import Connection

from hub.engine.cells import LIVING, STATE
from hub.exchange.acting import acting
from hub.exchange.cards.card import Card, load
from hub.exchange.hub import Hub
from hub.exchange.merging import log
from hub.exchange.merging.finish import desk_of, finish, rehearsing
from hub.exchange.merging.judgements import standing, take_back
from hub.exchange.merging.moves import join, refuse_busy, with_marks
from hub.exchange.merging.told import Moved, Veto
from hub.exchange.merging.vetoes import Vetoes, known_vetoes
from hub.exchange.runs import now
from hub.exchange.which import entity_of, label_of, living, the_one
from hub.model.errors import NeedsPerson
from hub.texts import sentence

#: Entities of which records may be merged.
MERGEABLE = ("party",)
Mode = Literal["auto", "manual"]


@dataclass(frozen=True, slots=True)
class Asked:
    """Who wants which records to be one, and why. ``confirm``: a person goes over what speaks against it.

    ``rule``: by which the records were found to be one. ``vetoes``: what may speak against it.
    """

    entity: str
    survivor: int
    losers: tuple[int, ...]
    by: str
    reason: str | None = None
    rule: str | None = None
    mode: Mode = "manual"
    confirm: bool = False
    vetoes: Vetoes = known_vetoes


def ask(hub: Hub, entity: str, survivor: str, losers: Sequence[str], *, by: str, **more: Any) -> Asked:
    """The wish, with records as persons name them; ``more``: as ``Asked`` has it.

    ``NeedsPerson``: ``merge_entity``, ``merge_is_merged``, ``merge_same``, and what finding the records may raise.
    """
    mergeable(hub, entity)
    with hub.store.read() as conn:
        numbers = [the_one(conn, hub, entity, ident) for ident in (survivor, *losers)]
        for number in numbers:
            alive(conn, entity, number)
    if len(set(numbers)) != len(numbers) or len(numbers) < 2:
        raise NeedsPerson("merge_same", record=numbers[0])
    return Asked(entity, numbers[0], tuple(numbers[1:]), by, **more)


def plan(hub: Hub, asked: Asked) -> Moved:
    """What the merge would do: it is done, and rolled back. What speaks against it stands in ``vetoes``."""
    report = Moved("merge", asked.entity, asked.survivor, list(asked.losers))
    with rehearsing(hub.store) as conn:
        merge_in(conn, hub, asked, report)
    return report


def merge(hub: Hub, asked: Asked, *, dagster_run_id: str | None = None) -> Moved:
    """Merge. What is then owed to systems goes with the next exchange.

    ``NeedsPerson``: ``merge_vetoed`` where something speaks against it and no person has confirmed it (a rule cannot),
    ``merge_is_merged``, ``merge_ended``. ``RetryLater(merge_busy)``: something is being sent there just now.
    """
    with hub.store.read() as conn:  # what cannot be leaves no run behind
        refuse_vetoed(hub, asked, against(conn, hub, asked))
    report = Moved("merge", asked.entity, asked.survivor, list(asked.losers))
    with acting(hub, "merge", asked.by, dagster_run_id=dagster_run_id) as run_id, hub.store.begin() as conn:
        report.run_id = run_id
        merge_in(conn, hub, asked, report)
        refuse_vetoed(hub, asked, report.vetoes)
    return report


def against(conn: Connection, hub: Hub, asked: Asked) -> list[Veto]:
    """What speaks against it, as things stand now."""
    desk = desk_of(hub, 0)
    cards = load(conn, asked.entity, (asked.survivor, *asked.losers), desk.refs, lock=False)
    survivor, found = cards[asked.survivor], list[Veto]()
    for number in asked.losers:
        _end_fits(survivor, cards[number])
        found += asked.vetoes(conn, desk.refs, survivor, cards[number])
    return found


def merge_in(conn: Connection, hub: Hub, asked: Asked, report: Moved) -> None:
    """All of it inside the caller's transaction. Vetoes are gathered, not heeded."""
    desk = desk_of(hub, report.run_id)
    cards = load(conn, asked.entity, (asked.survivor, *asked.losers), desk.refs)
    for number in (asked.survivor, *asked.losers):
        alive(conn, asked.entity, number)
    refuse_busy(conn, cards.values())
    report.labels = {number: label_of(conn, asked.entity, number) for number in cards}
    original = dict(cards)
    for number in asked.losers:
        survivor, other = load(conn, asked.entity, [asked.survivor], desk.refs)[asked.survivor], cards[number]
        report.vetoes += asked.vetoes(conn, desk.refs, survivor, other)
        _end_fits(survivor, other)
        _merge_one(conn, hub, asked, report, original, survivor, other)
        desk = desk_of(hub, report.run_id)


def _merge_one(
    conn: Connection, hub: Hub, asked: Asked, report: Moved, original: dict[int, Card], survivor: Card, other: Card
) -> None:
    desk = desk_of(hub, report.run_id)
    desk.refs.learn(conn, other.links)
    before = join(conn, desk, survivor, other)
    report.pins += sorted(path for path, number in other.pins.items() if number in before["pins"])
    said = [one for one in standing(conn, survivor.record_id, other.record_id) if one.verdict == "different"]
    take_back(conn, said, by=asked.by, run_id=report.run_id)
    before["judgements"] = [one.id for one in said]
    told = {"rule": asked.rule, "reason": asked.reason, "done_by": asked.by, "at": now(), "mode": asked.mode}
    pair = {"record_id": survivor.record_id, "other_id": other.record_id}
    log.write(conn, {"run_id": report.run_id, "entity": asked.entity, "op": "merge", **pair, **told, "before": before})
    moved = {int(number): (other.record_id, survivor.record_id) for number in before["links"]}
    marks = before["marks"]
    there = {number: original[number] for number in (survivor.record_id, other.record_id)}
    finish(
        conn,
        hub,
        report,
        there,
        moved,
        lambda _, cards: with_marks(cards[survivor.record_id], marks, first_met=True),
    )


def mergeable(hub: Hub, entity: str) -> None:
    """``NeedsPerson(merge_entity)`` for what is not merged."""
    entity_of(hub, entity)
    if entity not in MERGEABLE:
        raise NeedsPerson("merge_entity", entity=entity, valid=", ".join(MERGEABLE))


def alive(conn: Connection, entity: str, record_id: int) -> None:
    """``NeedsPerson(merge_is_merged)`` names the record that this one was merged into."""
    into = living(conn, record_id)
    if into != record_id:
        raise NeedsPerson("merge_is_merged", record=record_id, into=into, label=label_of(conn, entity, into))


def refuse_vetoed(hub: Hub, asked: Asked, vetoes: Sequence[Veto]) -> None:
    """``NeedsPerson(merge_vetoed)`` where something speaks against it that no person goes over."""
    if vetoes and (asked.mode == "auto" or not asked.confirm):
        reasons = " ".join(sentence(one.code, hub.settings.locale, **one.params) for one in vetoes)
        raise NeedsPerson("merge_vetoed", reasons=reasons)


def _end_fits(survivor: Card, other: Card) -> None:
    """A living record is not merged into one that has ended: its end would be everybody's."""
    state = str(survivor.cells[STATE])
    if state != LIVING and other.cells[STATE] == LIVING:
        raise NeedsPerson("merge_ended", record=survivor.record_id, other=other.record_id, state=state)
