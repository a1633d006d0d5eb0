"""Single records of systems are taken out of a card to one of their own: a wrong merge, or a wrong exact name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from hub.engine.arrive import Known, golden_of
from hub.engine.cells import HUB, STATE, Value
from hub.exchange.acting import acting
from hub.exchange.cards.card import UNSEEN, Card, load
from hub.exchange.cards.desk import CardDesk
from hub.exchange.cards.layout import layout_of
from hub.exchange.cards.moving import insert_record
from hub.exchange.cards.rows import give_rows
from hub.exchange.hub import Hub
from hub.exchange.merging import log
from hub.exchange.merging.finish import adopt, adopted, desk_of, finish, rehearsing
from hub.exchange.merging.judgements import put, take_along
from hub.exchange.merging.merge import alive, mergeable
from hub.exchange.merging.moves import even_primaries, point, refuse_busy, take_questions
from hub.exchange.merging.told import Moved
from hub.exchange.runs import now
from hub.exchange.which import label_of, the_one
from hub.model.errors import NeedsPerson
from hub.store import bulk


@dataclass(frozen=True, slots=True)
class Parting:
    """Which links leave which card, and by whom. ``judge``: the two records are said to be different from now on."""

    entity: str
    record_id: int
    links: tuple[int, ...]
    by: str
    reason: str | None = None
    judge: bool = True


def ask(
    hub: Hub, entity: str, ident: str, keys: Sequence[str], *, by: str, reason: str | None = None, judge: bool = True
) -> Parting:
    """The wish, with records of systems by their keys: ``key`` or ``system:key``.

    ``NeedsPerson``: ``split_which`` lists the records of the card, ``split_all``, and as for a merge.
    """
    mergeable(hub, entity)
    with hub.store.read() as conn:
        record_id = the_one(conn, hub, entity, ident)
        alive(conn, entity, record_id)
        card = load(conn, entity, [record_id], desk_of(hub, 0).refs, lock=False)[record_id]
    chosen = tuple(sorted({_link(card, key) for key in keys}))
    _leaves_two(card, chosen)
    return Parting(entity, record_id, chosen, by, reason, judge)


def plan(hub: Hub, asked: Parting) -> Moved:
    """What the split would do: it is done, and rolled back."""
    report = Moved("split", asked.entity, asked.record_id, [])
    with rehearsing(hub.store) as conn:
        split_in(conn, hub, asked, report)
    return report


def split(hub: Hub, asked: Parting, *, dagster_run_id: str | None = None) -> Moved:
    """Split, in a run of its own. ``NeedsPerson(split_all)``; ``RetryLater(merge_busy)``."""
    plan(hub, asked)  # what cannot be leaves no run behind
    report = Moved("split", asked.entity, asked.record_id, [])
    with acting(hub, "split", asked.by, dagster_run_id=dagster_run_id) as run_id, hub.store.begin() as conn:
        report.run_id = run_id
        split_in(conn, hub, asked, report)
    return report


def split_in(conn: Connection, hub: Hub, asked: Parting, report: Moved) -> None:
    """All of it inside the caller's transaction."""
    desk = desk_of(hub, report.run_id)
    card = load(conn, asked.entity, [asked.record_id], desk.refs)[asked.record_id]
    alive(conn, asked.entity, asked.record_id)
    _leaves_two(card, asked.links)
    refuse_busy(conn, [card])
    report.labels = {card.record_id: label_of(conn, asked.entity, card.record_id)}
    give_rows(conn, desk, card)
    (number,) = bulk.allocate(conn, "record", 1)
    insert_record(conn, desk, asked.entity, number, _cells(conn, desk, card, asked.links))
    point(conn, number, asked.links)
    take_questions(conn, card.record_id, number, asked.links)
    report.others.append(number)
    _write_down(conn, asked, number, card, report.run_id)

    def mend(_: CardDesk, cards: Mapping[int, Card]) -> None:
        for one in cards.values():
            adopt(conn, one)
            even_primaries(conn, one)

    moved = dict.fromkeys(asked.links, (card.record_id, number))
    finish(conn, hub, report, {card.record_id: card}, moved, mend)
    take_along(conn, asked.entity, card.record_id, number, since=None)
    if asked.judge:
        note = asked.reason or f"split {report.run_id}"
        pair = (card.record_id, number)
        put(conn, asked.entity, *pair, "different", by=asked.by, note=note, run_id=report.run_id)
        report.judged.append(pair)


def _cells(conn: Connection, desk: CardDesk, card: Card, links: Sequence[int]) -> dict[str, Value]:
    """What readers are to see of the part."""
    said = adopted(conn, card, [one for one in card.known.contributions if one.link_id in links])
    golden = golden_of(Known(said), desk.rules(card.entity), layout_of(card.entity).same(desk.refs))
    cells = {path: cell.value for path, cell in golden.items() if cell.value is not None}
    return {**cells, STATE: cells.get(STATE, "active")}


def _write_down(conn: Connection, asked: Parting, number: int, card: Card, run_id: int) -> None:
    flags = {str(link): {"primary": card.links[link].primary} for link in asked.links}
    nothing = {"primary": {}, "state": "active", "pins": [], "conflicts": {}, "hub": [], "marks": {}}
    before = {"links": flags, **nothing, "redirects": [], "judgements": []}
    told = {"rule": None, "reason": asked.reason, "done_by": asked.by, "at": now(), "mode": "manual"}
    pair = {"record_id": asked.record_id, "other_id": number}
    log.write(conn, {"run_id": run_id, "entity": asked.entity, "op": "split", **pair, **told, "before": before})


def _link(card: Card, key: str) -> int:
    system, _, bare = key.rpartition(":")
    found = [
        link.id
        for link in card.links.values()
        if link.state not in UNSEEN
        and link.external_id.lower() == bare.strip().lower()
        and system.strip() in ("", link.system)
    ]
    if len(found) != 1:
        there = ", ".join(f"{link.system}:{link.external_id}" for link in card.links.values())
        raise NeedsPerson("split_which", record=card.record_id, key=key, valid=there or "—")
    return found[0]


def _leaves_two(card: Card, links: Sequence[int]) -> None:
    """Something leaves, and something that speaks stays."""
    stay = [link for link in card.links.values() if link.id not in links and link.state not in UNSEEN]
    spoken = bool(stay) or any(one.system == HUB for one in card.known.contributions)
    if not links or not spoken or not set(links) <= card.links.keys():
        raise NeedsPerson("split_all", record=card.record_id)
