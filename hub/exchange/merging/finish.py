"""The end of every move of links: cards are loaded anew, decided anew, written by the ledger, and told of."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace

from sqlalchemy import Connection, select

from hub.engine.cells import HUB, STATE, Contribution, Moment, Own, Value
from hub.engine.outgoing import outgoing
from hub.exchange.cards.card import UNSEEN, Card, CardLink, load, seconds
from hub.exchange.cards.creation import offer
from hub.exchange.cards.desk import CardDesk
from hub.exchange.cards.layout import layout_of
from hub.exchange.cards.ledger import Ledger
from hub.exchange.cards.moving import MERGED, note
from hub.exchange.cards.pinning import golden, settle
from hub.exchange.comms.follow import follow
from hub.exchange.hub import Hub
from hub.exchange.merging.told import Cell, Moved, MovedLink, Told
from hub.exchange.runs import now
from hub.exchange.showing import Shower
from hub.exchange.which import label_of
from hub.store import core
from hub.store.database import Store

#: What else is to be set right on the loaded cards before they are decided.
Mend = Callable[[CardDesk, Mapping[int, Card]], None]


class _RolledBack(Exception):
    """The end of a rehearsal."""


@contextmanager
def rehearsing(store: Store) -> Iterator[Connection]:
    """A transaction in which all is done as it would be, and nothing stays."""
    try:
        with store.begin() as conn:
            yield conn
            raise _RolledBack
    except _RolledBack:
        return


def desk_of(hub: Hub, run_id: int) -> CardDesk:
    """For one step; who names whom is another thing after it, and so is the desk."""
    return CardDesk(hub, run_id, now().strftime("%Y-%m-%d %H:%M:%S"))


def finish(
    conn: Connection,
    hub: Hub,
    report: Moved,
    before: Mapping[int, Card],
    moved: Mapping[int, tuple[int, int]],
    mend: Mend = lambda _desk, _cards: None,
) -> None:
    """Let readers and systems see what comes of links that were moved (link: from, to). ``before``: the cards then.

    What changes and what is owed goes into the report.
    """
    desk = desk_of(hub, report.run_id)
    cards = load(conn, report.entity, before.keys() | {to for _, to in moved.values()}, desk.refs)
    ledger = Ledger(desk, report.entity)
    for number, (source, target) in moved.items():
        note(ledger, cards[source], cards[target], number)
        link = cards[target].links[number]
        report.links.append(MovedLink(number, link.system, link.external_id, source, target))
    for record_id, card in cards.items():
        known = before[record_id].cells[STATE] if record_id in before else None
        if known is None:
            ledger.log(card, None, "insert", None, None, None)
        elif MERGED in (known, card.cells[STATE]) and known != card.cells[STATE]:
            ledger.log(card, None, "update", STATE, known, card.cells[STATE])
    mend(desk, cards)
    alive = [card for card in cards.values() if card.cells[STATE] != MERGED]
    for card in alive:
        settle(desk, ledger, card)
    ledger.write(conn)
    offer(conn, desk, report.entity, [card.record_id for card in alive])
    follow(conn, desk, report.entity, cards)  # letters and calls are whose they are by the cards of now
    _tell(conn, desk, report, before, alive)


def _tell(conn: Connection, desk: CardDesk, report: Moved, before: Mapping[int, Card], cards: Sequence[Card]) -> None:
    shower, layout = Shower(conn, report.entity), layout_of(report.entity)
    same = layout.same(desk.refs)
    report.cells = [cell for cell in report.cells if cell.record_id not in {card.record_id for card in cards}]
    report.told = [one for one in report.told if one.record_id not in {card.record_id for card in cards}]
    for card in cards:
        number = card.record_id
        report.labels[number] = label_of(conn, report.entity, number)
        was = before[number].cells if number in before else {}
        for path in sorted(was.keys() | card.cells.keys()):
            told = (was.get(path), card.cells.get(path))
            if not same(path, *told) and not (path == STATE and MERGED in told):
                report.cells.append(Cell(number, path, *(shower.text(path, value) for value in told)))
        report.told += _owed(desk, card)


def _owed(desk: CardDesk, card: Card) -> Iterator[Told]:
    """Systems that do not show yet what readers of the card see."""
    cells, same = golden(desk, card), layout_of(card.entity).same(desk.refs)
    for one in card.known.contributions:
        if one.system == HUB or card.links[one.link_id].state in UNSEEN:
            continue
        link = card.links[one.link_id]
        owed = outgoing(one, cells, desk.rules(card.entity), desk.way(one.system, card.entity), same)
        if owed:
            yield Told(card.record_id, link.system, link.external_id, tuple(sorted(owed)))


def adopt(conn: Connection, card: Card) -> None:
    """A card of which only we have spoken in its systems is what they show: they speak for it from now on."""
    card.known = replace(card.known, contributions=adopted(conn, card, card.known.contributions))


def adopted(conn: Connection, card: Card, said: Sequence[Contribution]) -> tuple[Contribution, ...]:
    """The contributions, with what they show as their own word where all of their records were made by us."""
    links = {one.link_id for one in said if one.system != HUB}
    if not links or made_by_us(conn, [card.links[number] for number in sorted(links)]) != links:
        return tuple(said)
    return tuple(one if one.system == HUB else _speaking(one, card) for one in said)


def made_by_us(conn: Connection, links: Sequence[CardLink]) -> set[int]:
    """Those of the links whose record the hub made in its system; one that was found there has a row in the log."""
    log, ids = core.change_log, [link.id for link in links if not link.origin]
    found = (log.c.link_id.in_(ids), log.c.op == "link", log.c.before.is_(None))
    return set(ids) - set(conn.execute(select(log.c.link_id).where(*found)).scalars())


def _speaking(one: Contribution, card: Card) -> Contribution:
    link = card.links[one.link_id]
    by = Moment(0, seconds(link.read_by, up=True))
    shown: dict[str, Value] = {path: value for path, value in one.shown.items() if value is not None and path != STATE}
    words = {path: Own(value, by, by) for path, value in shown.items() if path not in one.own}
    sent = {path: value for path, value in one.sent.items() if path not in words}
    return replace(one, own={**one.own, **words}, sent=sent)
