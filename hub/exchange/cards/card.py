"""Cards read from the store, with everything that any system says of them.

Two routes on one card at once, told as a story: УТ's page and the CRM's page hold the same client. Both read its
contributions, both decide, the second to commit overwrites what the first one decided. Hence the canonical rows are
locked, in the order of their numbers, before a contribution is read.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, func, select

from hub.engine.arrive import Known
from hub.engine.cells import HUB, STATE, Contribution, Hold, Moment, Pin, Value
from hub.engine.codec import decode
from hub.engine.incoming import incoming
from hub.exchange.cards.layout import Layout, layout_of
from hub.exchange.cards.refs import References
from hub.exchange.runs import now
from hub.store import bulk, core, tables

#: Links whose record has not arrived at the card yet: to be made by us, only named by others, found to belong here, or
#: of a record that a person did not want made there.
UNSEEN = frozenset({"reserved", "expected", "found", "refused"})


@dataclass(frozen=True, slots=True)
class CardLink:
    """A link of a card. ``state``: ``reserved`` until what we make there is confirmed, ``found`` while it arrives.

    What it says was read between ``read_at`` and ``read_by``; ``mapping``: fingerprint that it was read by.
    """

    id: int
    stream_id: int
    system: str
    stream: str
    external_id: str
    state: str
    version: str | None
    read_at: datetime
    read_by: datetime
    primary: bool = True
    origin: bool = True
    mapping: str | None = None


@dataclass(slots=True)
class Card:
    """One record. ``cells``: golden cells as stored, ``record_state`` among them; ``known``: what they are made of.

    ``stored``: links whose contribution has a row (the hub's own: ``-record_id``); ``conflicts``: numbers of the open
    ones by path and link; ``pins``: numbers of those that hold by path.
    """

    entity: str
    record_id: int
    version: int
    cells: dict[str, Value]
    links: dict[int, CardLink]
    known: Known = field(default_factory=Known)
    stored: set[int] = field(default_factory=set)
    conflicts: dict[tuple[str, int], int] = field(default_factory=dict)
    pins: dict[str, int] = field(default_factory=dict)

    @property
    def hub_link(self) -> int:
        """Where the hub's own contribution is kept."""
        return -self.record_id

    def contribution(self, link_id: int) -> Contribution:
        """What the link says; one that was never seen says nothing."""
        for one in self.known.contributions:
            if one.link_id == link_id:
                return one
        link = self.links[link_id]
        return Contribution(link_id, link.system, primary=link.primary, origin=link.origin)


def load(
    conn: Connection, entity: str, record_ids: Iterable[int], refs: References, *, lock: bool = True
) -> dict[int, Card]:
    """The cards of these records, by number; with ``lock`` nobody else changes them before the transaction ends."""
    ids = sorted(set(record_ids))
    if not ids:
        return {}
    layout = layout_of(entity)
    if lock:
        lock_records(conn, entity, ids)
    links = _links(conn, ids)
    rows = _Rows(conn, layout, ids)
    refs.learn(conn, rows.link_ids(layout))
    cards = {
        number: Card(entity, number, version, rows.cells(layout, number, refs), links.get(number, {}))
        for number, version in rows.versions.items()
    }
    _add_contributions(conn, cards, layout, refs)
    _add_words_of_persons(conn, cards)
    return cards


def lock_records(conn: Connection, entity: str, record_ids: Iterable[int]) -> None:
    """Nobody else changes these records before the transaction ends; a writer of SQLite is alone anyway."""
    if conn.dialect.name != "postgresql":
        return
    root, ids = tables.ROOTS[entity], sorted(set(record_ids))
    for chunk in bulk.chunks(ids):
        conn.execute(select(root.c.id).where(root.c.id.in_(chunk)).order_by(root.c.id).with_for_update()).all()


def lock_links(conn: Connection, entity: str, records: Mapping[int, int]) -> dict[int, int]:
    """Lock the records that links hang on (record by link); where they hang once that is done.

    A merge, told as a story: a page reads that a link hangs on B, and waits for B's lock, which a merge of B into A
    holds. When it gets the lock the link hangs on A, and A is what it has to lock.
    """
    lock_records(conn, entity, records.values())
    if conn.dialect.name != "postgresql" or not records:
        return dict(records)
    there = {row[0]: row[1] for row in bulk.fetch_rows(conn, core.link, ("id", "record_id"), "id", sorted(records))}
    moved = {number: there[number] for number in records if there.get(number) not in (None, records[number])}
    return {**records, **(lock_links(conn, entity, moved) if moved else {})}


class _Rows:
    """Rows of the records in travelling form."""

    def __init__(self, conn: Connection, layout: Layout, ids: Sequence[int]) -> None:
        entity = layout.entity
        columns = tuple(item.column for item in entity.fields)
        self.roots = {}
        self.versions: dict[int, int] = {}
        found = bulk.fetch_rows(
            conn, tables.ROOTS[entity.name], ("id", "row_version", "record_state", "ext", *columns), "id", ids
        )
        for number, version, state, ext, *values in found:
            self.roots[number] = (state, ext, tuple(values))
            self.versions[number] = version or 0
        self.children: dict[int, dict[str, list[Any]]] = defaultdict(lambda: defaultdict(list))
        parent = tables.parent_column(entity)
        for child in entity.children:
            skip = 1 if child.lines else 2
            wanted = (parent, child.number_column, *layout.columns[child.name])
            order = (parent, child.number_column)
            for row in bulk.fetch_rows(conn, tables.CHILDREN[child.name], wanted, parent, ids, order):
                self.children[row[0]][child.name].append(tuple(row[skip:]))

    def link_ids(self, layout: Layout) -> Iterator[int]:
        nothing = References()
        for number in self.roots:
            yield from layout.link_ids(self.cells(layout, number, nothing))

    def cells(self, layout: Layout, number: int, refs: References) -> dict[str, Value]:
        state, ext, root = self.roots[number]
        return {**layout.cells(root, ext, self.children.get(number, {}), refs), STATE: state}


def _links(conn: Connection, ids: Sequence[int]) -> dict[int, dict[int, CardLink]]:
    link, stream, system, said, run = core.link, core.stream, core.system, core.contribution, core.exchange_run
    found: dict[int, dict[int, CardLink]] = defaultdict(dict)
    for chunk in bulk.chunks(ids):
        rows = conn.execute(
            select(
                link.c.id,
                link.c.record_id,
                link.c.stream_id,
                system.c.code.label("system"),
                stream.c.name.label("stream"),
                link.c.external_id,
                link.c.state,
                link.c.version,
                link.c.is_primary,
                link.c.origin,
                said.c.read_at,
                said.c.mapping,
                run.c.started_at,
                run.c.ended_at,
            )
            .join(stream, stream.c.id == link.c.stream_id)
            .join(system, system.c.id == stream.c.system_id)
            .outerjoin(said, said.c.link_id == link.c.id)
            .outerjoin(run, run.c.id == func.coalesce(link.c.last_run, link.c.first_run))
            .where(link.c.record_id.in_(chunk))
            .order_by(link.c.id)
        )
        for row in rows:
            found[row.record_id][row.id] = CardLink(
                row.id,
                row.stream_id,
                row.system,
                row.stream,
                row.external_id,
                row.state,
                row.version,
                row.read_at or row.started_at or now(),
                row.ended_at or now(),
                bool(row.is_primary),
                bool(row.origin),
                row.mapping,
            )
    return found


def _add_contributions(conn: Connection, cards: Mapping[int, Card], layout: Layout, refs: References) -> None:
    said = core.contribution
    of_link = {number: card for card in cards.values() for number in (*card.links, card.hub_link)}
    for chunk in bulk.chunks(sorted(of_link)):
        for row in conn.execute(select(said).where(said.c.link_id.in_(chunk))).mappings():
            card = of_link[row["link_id"]]
            card.stored.add(row["link_id"])
            card.known = card.known.put(_decoded(card, row))
    refs.learn(conn, (number for card in cards.values() for number in _named(card, layout)))
    for card in cards.values():
        card.known = replace(
            card.known, contributions=tuple(_restood(one, layout, refs) for one in card.known.contributions)
        )
        seen = [link for link in card.links.values() if link.state not in UNSEEN]
        if not card.stored and len(seen) == 1:
            card.known = card.known.put(bare(card, seen[0]))
        elif not card.stored and not seen and card.cells[STATE] != "merged":  # a rule of the hub made it and says it
            card.known = card.known.put(_told(Contribution(0, HUB), card, seconds(now(), up=True)))


def _decoded(card: Card, row: RowMapping) -> Contribution:
    said = {name: row[name] for name in ("own", "shown", "sent")}
    if row["link_id"] == card.hub_link:
        return decode(0, HUB, said)
    link = card.links[row["link_id"]]
    return decode(link.id, link.system, said, primary=link.primary, origin=link.origin)


def _named(card: Card, layout: Layout) -> Iterator[int]:
    for one in card.known.contributions:
        yield from layout.link_ids(one.shown)
        yield from layout.link_ids(one.sent)
        yield from layout.link_ids({path: own.value for path, own in one.own.items()})


def _restood(one: Contribution, layout: Layout, refs: References) -> Contribution:
    """The contribution with rows that name a record under the link that stands for it now."""
    own = {}
    for path, word in one.own.items():
        moved = layout.restand({path: word.value}, refs)
        own[next(iter(moved))] = replace(word, value=next(iter(moved.values())))
    return replace(one, own=own, shown=layout.restand(one.shown, refs), sent=layout.restand(one.sent, refs))


def bare(card: Card, link: CardLink) -> Contribution:
    """The contribution of a link that needs no row: the golden record is exactly what its system says."""
    empty = Contribution(link.id, link.system, primary=link.primary, origin=link.origin)
    return _told(empty, card, seconds(link.read_by, up=True))


def _told(empty: Contribution, card: Card, by: int) -> Contribution:
    """The contribution with all cells of the card as its word, said by that second."""
    return incoming(empty, card.cells, Moment(0, by)).contribution


def _add_words_of_persons(conn: Connection, cards: Mapping[int, Card]) -> None:
    """Pins and open conflicts."""
    pin, conflict = core.pin, core.conflict
    pins: dict[int, dict[str, Pin]] = defaultdict(dict)
    holds: dict[int, dict[str, Hold]] = defaultdict(dict)
    for chunk in bulk.chunks(sorted(cards)):
        rows = conn.execute(select(pin).where(pin.c.record_id.in_(chunk), pin.c.revoked_at.is_(None))).mappings()
        for row in rows:
            pins[row["record_id"]][row["field"]] = Pin(as_value(row["value"]), bool(row["ends"]))
            cards[row["record_id"]].pins[row["field"]] = row["id"]
        rows = conn.execute(
            select(conflict).where(conflict.c.record_id.in_(chunk), conflict.c.state == "open")
        ).mappings()
        for row in rows:
            before = holds[row["record_id"]].get(row["field"])
            links = before.links if before else frozenset()
            holds[row["record_id"]][row["field"]] = Hold(as_value(row["ours"]), links | {row["link_id"]})
            cards[row["record_id"]].conflicts[row["field"], row["link_id"]] = row["id"]
    for number, card in cards.items():
        card.known = replace(card.known, pins=pins.get(number, {}), holds=holds.get(number, {}))


def as_value(value: Any) -> Value:
    """A value that was kept as JSON: rows come back as lists."""
    return tuple(as_value(part) for part in value) if isinstance(value, list) else value


def seconds(moment: datetime, *, up: bool = False) -> int:
    """Whole seconds since 1970, rounded down, or up."""
    told = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    return int(told) + (1 if up and told != int(told) else 0)
