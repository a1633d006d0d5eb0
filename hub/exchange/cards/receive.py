"""Records of one system arrive at cards that others speak of too, or on which persons or guards have a word."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

from sqlalchemy import Connection, select

from hub.engine.arrive import Arrival, Known, arrive
from hub.engine.cells import LIVING, STATE, Cells, Moment, Value, changed_at
from hub.engine.incoming import incoming
from hub.exchange.brakes import Held
from hub.exchange.cards.card import UNSEEN, Card, CardLink, as_value, load, seconds
from hub.exchange.cards.desk import CardDesk
from hub.exchange.cards.layout import layout_of
from hub.exchange.cards.ledger import Ledger
from hub.exchange.modified import latest
from hub.exchange.runs import now
from hub.store import bulk, core
from mappings.scope import reads

if TYPE_CHECKING:
    from hub.exchange.mapping_desk import MappingDesk
    from hub.exchange.write import Incoming


@dataclass(slots=True)
class Received:
    """What became of the records: ids of cards that readers see change, one for each record, and what is held back."""

    ids: list[int] = field(default_factory=list)
    held: list[Held] = field(default_factory=list)


@dataclass(slots=True)
class _Arrived:
    """One record on its way. ``item``: ``None`` for one that the system says is gone."""

    card: Card
    link: CardLink
    arrival: Arrival
    item: Incoming | None
    first: bool


def special(conn: Connection, record_ids: Iterable[int]) -> set[int]:
    """Those of the records that the bulk path must not decide: several links, one that was only reserved until now
    (what it shows is ours), a contribution, or a person's word.
    """
    link, said, pin, conflict = core.link, core.contribution, core.pin, core.conflict
    found: set[int] = set()
    ids = sorted(set(record_ids))
    for chunk in bulk.chunks(ids):
        rows = conn.execute(
            select(link.c.record_id, said.c.link_id, link.c.state)
            .outerjoin(said, said.c.link_id == link.c.id)
            .where(link.c.record_id.in_(chunk))
        ).all()
        seen: set[int] = set()
        for record_id, stored, state in rows:
            if record_id in seen or stored is not None or state == "reserved":
                found.add(record_id)
            seen.add(record_id)
        for table in (pin, conflict):
            open_ = table.c.revoked_at.is_(None) if table is pin else table.c.state == "open"
            found.update(conn.execute(select(table.c.record_id).where(table.c.record_id.in_(chunk), open_)).scalars())
    return found


def receive(conn: Connection, desk: CardDesk, work: MappingDesk, items: Sequence[Incoming]) -> Received:
    """Let records with a card (``record_id``) arrive; nothing is written of those that the brakes hold back."""
    if not items:
        return Received()
    layout, refs = layout_of(work.entity.name), desk.refs
    refs.learn(conn, (number for item in items for number in layout.links_told(work, item.mapped)))
    way_in = _WayIn(conn, desk, work, [item.record_id for item in items if item.record_id is not None])
    arrived = [way_in.record(item) for item in items]
    return _written(conn, desk, work, arrived)


def receive_gone(
    conn: Connection, desk: CardDesk, work: MappingDesk, targets: Sequence[tuple[int, int]], state: str
) -> Received:
    """Let the end of records (link id, record id) arrive that their system no longer has.

    What is only reserved there was never there, and has no end.
    """
    if not targets:
        return Received()
    way_in = _WayIn(conn, desk, work, [record_id for _, record_id in targets])
    seen = [target for target in targets if way_in.cards[target[1]].links[target[0]].state not in UNSEEN]
    return _written(conn, desk, work, [way_in.gone(link_id, record_id, state) for link_id, record_id in seen])


class _WayIn:
    """The cards of one page, and what is known of them while its records arrive one after another."""

    def __init__(self, conn: Connection, desk: CardDesk, work: MappingDesk, record_ids: Sequence[int]) -> None:
        self.desk, self.work, self.layout = desk, work, layout_of(work.entity.name)
        self.cards = load(conn, work.entity.name, record_ids, desk.refs)
        self.system = work.route_code.partition(".")[0]
        self.rules, self.way = desk.rules(work.entity.name), desk.way(self.system, work.entity.name)
        self.same = self.layout.same(desk.refs)
        self.read_before = desk.stream_read_at(conn, work.stream_id)
        self.not_taken = set[str]().union(*work.troubled(conn), work.held_back(conn))
        self.now = now() + timedelta(seconds=1)
        self.skew = desk.hub.rules.skew(self.system, work.entity.name)
        self.unknown, self.unsaid = _unsettled(conn, [number for card in self.cards.values() for number in card.links])
        sent = (*self.unknown.values(), *self.unsaid.values())
        desk.refs.learn(conn, (number for cells in sent for number in self.layout.link_ids(cells)))
        self.known: dict[int, Known] = {}
        #: The fields of the system that each root field is read from.
        self.sources = {
            item.field.name: frozenset(name for name, _ in reads(item.expr)) for item in work.mapping.spec.fields
        }

    def record(self, item: Incoming) -> _Arrived:
        assert item.record_id is not None
        card = self.cards[item.record_id]
        link = card.links[item.link_id]
        card.known = self.known.get(card.record_id, card.known)
        old = card.contribution(link.id)
        full = {one.link_id for one in card.known.contributions if one.shown} - {link.id}

        def base(path: str) -> Value:
            return old.stands_for(path) if old.shown else card.cells.get(path)

        cells, lists = self._told(item, base, self.unknown.get(link.id, {}))
        when, fingerprint = self._when(link, item), str(self.work.mapping.fingerprint)
        unsaid, accepts = self.unsaid.get(link.id, {}), self.layout.accepts(self.desk.refs)
        unknown = self._with_echoes(self.unknown.get(link.id), cells, old.shown)
        came = incoming(
            old,
            cells,
            when,
            lists=lists,
            rebase=link.mapping is not None and link.mapping != fingerprint,
            unknown={**unsaid, **(unknown or {})},
            # What a system puts where it has no word for our value is no word of its own.
            accepts=lambda path, meant, shown: path in unsaid or accepts(path, meant, shown),
        )
        arrival = arrive(card.known, came, self.rules, self.way, self.same)
        self.known[card.record_id] = arrival.known
        made_by_us = link.id in self.unknown or link.state == "reserved"
        first = came.first and bool(full) and not made_by_us
        return _Arrived(card, link, arrival, item, first)

    def _told(
        self, item: Incoming, base: Callable[[str], Value], meant: Cells
    ) -> tuple[dict[str, Value], frozenset[str]]:
        """What the record tells. Of rows that we may have written it cannot tell more than its columns: the others are
        as we meant them where these are, and as they were before where they are not.
        """
        told = partial(self.layout.told, self.work, item.mapped, refs=self.desk.refs)
        cells, lists = told(base)
        rows = {path: value for path, value in meant.items() if isinstance(value, tuple) and path in cells}
        if rows:
            accepts = self.layout.accepts(self.desk.refs)
            written, _ = told(lambda path: rows.get(path, base(path)))
            cells |= {path: written[path] for path in rows if accepts(path, rows[path], written.get(path))}
        return cells, lists

    def _with_echoes(self, meant: Cells | None, cells: Cells, shown: Cells) -> Cells | None:
        """What was meant, and cells that show a text of it too by now because they are read from the same field.

        A name that is made of another field moves with that field: it is our doing, and no word of the system's.
        """
        if not meant:
            return meant
        texts = {value for value in meant.values() if isinstance(value, str)}
        written = frozenset[str]().union(*(self.sources.get(path, frozenset()) for path in meant))
        moved = {
            path: value
            for path, value in cells.items()
            if value in texts and value != shown.get(path) and written & self.sources.get(path, frozenset())
        }
        return {**moved, **meant}

    def gone(self, link_id: int, record_id: int, state: str) -> _Arrived:
        card = self.cards[record_id]
        card.known = self.known.get(record_id, card.known)
        old = card.contribution(link_id)
        came = incoming(old, _last_words(card, state), self._when(card.links[link_id], None))
        arrival = arrive(card.known, came, self.rules, self.way, self.same)
        self.known[record_id] = arrival.known
        return _Arrived(card, card.links[link_id], arrival, None, False)

    def _when(self, link: CardLink, item: Incoming | None) -> Moment:
        """When it was said: since the link was read last, or all of its stream was, and as the record itself tells.

        A reading that saw the record and could not take it (refused, waiting, held back) does not count.
        """
        readings = [link.read_at, None if link.external_id in self.not_taken else self.read_before]
        read = max(filter(None, readings), default=None)
        before = 0 if read is None or link.state in UNSEEN else seconds(read)
        name = self.work.mapping.changed_field
        told = _told(self.work, latest([item.raw], name)) if item is not None and name else None
        return changed_at(before, seconds(self.now), told, self.skew)


def _last_words(card: Card, state: str) -> dict[str, Value]:
    """What a system says by no longer having the record; a meeting that its last calendar dropped is off."""
    called_off = card.entity == "activity" and card.cells.get("type") == "meeting"
    return {STATE: state, "status": "cancelled"} if called_off else {STATE: state}


def _told(work: MappingDesk, text: str) -> int | None:
    """The record's own "changed at" in seconds; a bare day tells nothing."""
    if not text or len(text) < len("2026-01-31T00:00") or text[11:16] == "00:00":
        return None
    try:
        moment = work.mapping.clock.moment(text[:19], work.mapping.changed_field)
    except ValueError:
        return None
    return None if moment is None else seconds(datetime.fromisoformat(moment).replace(tzinfo=UTC))


def _unsettled(conn: Connection, link_ids: Sequence[int]) -> tuple[dict[int, Cells], dict[int, Cells]]:
    """Golden values of writes that were sent and whose outcome nobody knows yet, by link: those that the request told,
    and those of a record being made that it had no words for.
    """
    box, found, unsaid = core.outbox, dict[int, Cells](), dict[int, Cells]()
    ids = sorted(link_ids)
    for chunk in bulk.chunks(ids):
        rows = conn.execute(
            select(box.c.link_id, box.c.meant, box.c.unsaid).where(box.c.link_id.in_(chunk), box.c.meant.is_not(None))
        )
        for row in rows:
            found[row.link_id] = {path: as_value(value) for path, value in row.meant.items()}
            if row.unsaid:
                unsaid[row.link_id] = {path: as_value(value) for path, value in row.unsaid.items()}
    return found, unsaid


def _ends(one: _Arrived) -> bool:
    """Whether the record is to be seen to end."""
    state = one.arrival.golden[STATE].value
    return state not in (LIVING, None) and one.card.cells.get(STATE) == LIVING


def _written(conn: Connection, desk: CardDesk, work: MappingDesk, arrived: Sequence[_Arrived]) -> Received:
    result, ledger = Received(), Ledger(desk, work.entity.name)
    changing = [one for one in arrived if one.arrival.changes]
    ends = sum(map(_ends, changing))
    verdict = (
        desk.brakes.judge(conn, work.route_id, work.route_code, ends, len(changing) - ends) if desk.brakes else None
    )
    links: list[tuple[object, ...]] = []
    stopped: set[int] = set()
    read_at = datetime.fromisoformat(desk.read_at or desk.at).replace(tzinfo=UTC)
    for one in arrived:
        stops = verdict is not None and one.arrival.changes and verdict.stops(ends=_ends(one))
        if verdict is not None and (stops or one.card.record_id in stopped):  # what came after it was decided upon it
            stopped.add(one.card.record_id)
            result.held.append(verdict.held(one.link.external_id, one.item.raw if one.item else None, ends=_ends(one)))
            continue
        fingerprint = str(work.mapping.fingerprint)
        op = "" if one.item else "delete"
        if ledger.arrived(one.card, one.arrival, one.link.id, read_at, fingerprint, first=one.first, op=op):
            result.ids.append(one.card.record_id)
        if one.item is not None:
            links.append((one.link.id, one.item.row_hash, one.item.version, "active", desk.run_id))
    bulk.update_rows(conn, core.link, ("id", "row_hash", "version", "state", "last_run"), links)
    ledger.write(conn)
    return result
