"""Why a value is what it is: whose word it is, which rule let it win, what lost, who has not been told yet, what was.

Nothing is computed in another way than in an exchange: the card is loaded and decided by the same functions, only that
nothing is written. So this holds for records without a contribution row, too: the one system's word is the card itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, select

from hub.engine.arrive import golden_of
from hub.engine.cells import HUB, NOBODY, STATE, Golden, Moment, Value, head, is_member
from hub.engine.policies import order_of
from hub.exchange.cards.card import Card, as_value, load
from hub.exchange.cards.desk import CardDesk
from hub.exchange.cards.layout import layout_of
from hub.exchange.hub import Hub
from hub.exchange.merging import log
from hub.exchange.merging.judgements import members
from hub.exchange.showing import Shower, cell_of
from hub.exchange.which import label_of, living, the_one
from hub.exchange.why_model import Came, Cell, Event, Pinning, Place, Question, Said, Why
from hub.exchange.why_shown import Telling, waits
from hub.model.errors import NeedsPerson
from hub.store import core

#: Rows of the change log that tell of a cell, and change none.
QUIET = frozenset({"lost", "lost_task", "conflict", "pin_ended", "unsaid", "pin", "unpin", "link", "unlink"})


def why(hub: Hub, entity: str, ident: str, field: str | None = None) -> Why:
    """The reasons of the cells of the record that ``ident`` names, or of those that ``field`` does.

    ``NeedsPerson``: ``which_nothing``, ``which_several``, ``why_unknown_field``.
    """
    with hub.store.read() as conn:
        record_id = living(conn, the_one(conn, hub, entity, ident))
        return _Teller(conn, hub, entity, record_id).why(field)


@dataclass(frozen=True, slots=True)
class _Row:
    """A row of the change log with the run and the system it is of."""

    id: int
    event: Event
    link_id: int | None


class _Teller:
    """Tells of one record, all of it read in one snapshot."""

    def __init__(self, conn: Connection, hub: Hub, entity: str, record_id: int) -> None:
        self.conn, self.hub, self.entity = conn, hub, entity
        self.desk = CardDesk(hub, 0, "")
        self.layout, self.shower = layout_of(entity), Shower(conn, entity)
        self.card: Card = load(conn, entity, [record_id], self.desk.refs, lock=False)[record_id]
        self.rules = self.desk.rules(entity)
        self.same = self.layout.same(self.desk.refs)
        self.golden = golden_of(self.card.known, self.rules, self.same)
        self.rows = log_of(conn, record_id)
        self.pins = _pins(conn, record_id)
        self.questions = _questions(conn, record_id)
        self.telling = Telling(conn, self.desk, self.card, self.golden, self.shower, [row.event for row in self.rows])

    def why(self, field: str | None) -> Why:
        card = self.card
        events = tuple(row.event for row in self.rows if row.event.field is None)
        return Why(
            self.entity,
            card.record_id,
            label_of(self.conn, self.entity, card.record_id),
            str(card.cells[STATE]),
            tuple(self._places()),
            tuple(self._cell(path) for path in self._paths(field)),
            events,
            tuple(self._merges()),
        )

    def _merges(self) -> Iterable[Came]:
        """How records of other cards came here, and which were taken out."""
        ids = members(self.conn, self.card.record_id)
        found = {one.id: one for number in ids for one in log.entries(self.conn, record_id=number, standing=True)}
        for _, one in sorted(found.items()):
            other = one.other_id if one.record_id in ids else one.record_id
            keys = tuple(
                (link.system, link.external_id) for number, link in self.card.links.items() if number in one.links
            )
            told = (one.by, one.at, one.mode, one.rule, one.reason)
            yield Came(one.op, one.run_id, other, label_of(self.conn, self.entity, other), keys, *told)

    def _paths(self, field: str | None) -> list[str]:
        logged = {cell_of(self.layout, row.event.field) for row in self.rows if row.event.field}
        there = sorted({path for path, cell in self.golden.items() if cell.value is not None or cell.lost} | logged)
        there = sorted({*there, *(path for path, value in self.card.cells.items() if value is not None)})
        if field is None:
            return there
        chosen = [path for path in there if self._named(path, field)]
        known = {*self.layout.fields, *self.layout.children, STATE}
        if not chosen and field not in known:
            raise NeedsPerson("why_unknown_field", entity=self.entity, field=field, valid=", ".join(there))
        return chosen or [field]

    def _named(self, path: str, field: str) -> bool:
        """By its path, its table, the kind of its rows, or its label."""
        kind = f"{field.removesuffix(']')},"
        label = self.shower.label(path).casefold()
        return field in (path, head(path)) or (is_member(path) and path.startswith(kind)) or label == field.casefold()

    def _cell(self, path: str) -> Cell:
        cell, stored = self.golden.get(path, NOBODY), self.card.cells.get(path)
        own = [row for row in self.rows if row.event.field and cell_of(self.layout, row.event.field) == path]
        changes = [row.event for row in own if row.event.op not in QUIET]
        born = next((row.event for row in self.rows if row.event.op == "insert"), None)
        change = changes[-1] if changes else born if stored is not None else None
        unit = self.rules.unit(path)
        return Cell(
            path,
            self.shower.label(path),
            self.shower.text(path, stored),
            cell.rule,
            self.rules.state_order if path == STATE else order_of(self.rules.of(path), self.golden),
            self._winner(path, cell),
            tuple(self._said(one.link_id, one.system, path, one.value, one.when) for one in cell.lost),
            "" if unit == path else unit,
            not self.same(path, stored, cell.value if path != STATE else cell.value or "active"),
            self.pins.get(path),
            tuple(self._question(row) for row in self.questions if row["field"] == path),
            tuple(self.telling.of(path)),
            self._readable(path, change),
            self._mapping(cell, change),
            tuple(filter(None, (self._readable(path, row.event) for row in own))),
        )

    def _winner(self, path: str, cell: Golden) -> Said | None:
        if cell.link_id is None or cell.when is None:
            return None
        return self._said(cell.link_id, cell.system, path, cell.value, cell.when)

    def _said(self, link_id: int, system: str, path: str, value: Value, when: Moment) -> Said:
        link = self.card.links.get(link_id)
        first = moment(when.first) if when.first else None
        shown = self.shower.text(path, value)
        return Said(system, link.external_id if link else "", shown, value is None, first, moment(when.last))

    def _question(self, row: Mapping[str, Any]) -> Question:
        link = self.card.links[row["link_id"]]
        ours, theirs = (self.shower.text(row["field"], as_value(row[side])) for side in ("ours", "theirs"))
        return Question(link.system, link.external_id, ours, theirs, row["policy"], row["created_at"])

    def _readable(self, path: str, event: Event | None) -> Event | None:
        """The event with its values as people read them."""
        if event is None:
            return None
        told = [self.shower.logged(event.field or path, text) for text in (event.before, event.after)]
        return Event(
            event.run, event.mode, event.initiator, event.at, event.op, event.field, event.system, told[0], told[1]
        )

    def _mapping(self, cell: Golden, change: Event | None) -> str | None:
        """The fingerprint that the winner's record was read by: of its contribution, else of the run's route."""
        link = self.card.links.get(cell.link_id) if cell.link_id is not None else None
        if link is None or cell.system == HUB:
            return None
        if link.mapping is not None or change is None:
            return link.mapping
        route = self.hub.routes.get(f"{link.system}.{self.entity}")
        table = core.run_route
        return self.conn.execute(
            select(table.c.mapping_hash).where(
                table.c.run_id == change.run, table.c.route_id == (route.id if route else 0)
            )
        ).scalar()

    def _places(self) -> Iterable[Place]:
        waiting = waits(self.conn, [(one.stream_id, one.external_id) for one in self.card.links.values()])
        for link in self.card.links.values():
            yield Place(
                link.system,
                link.stream,
                link.external_id,
                link.state,
                link.primary,
                link.read_at,
                link.mapping,
                tuple(waiting.get((link.stream_id, link.external_id), ())),
            )


def log_of(conn: Connection, record_id: int) -> list[_Row]:
    """The whole change log of one record, in the order of its rows."""
    log, run, link, stream, system = core.change_log, core.exchange_run, core.link, core.stream, core.system
    rows = conn.execute(
        select(log, run.c.mode, run.c.initiator, system.c.code)
        .outerjoin(run, run.c.id == log.c.run_id)
        .outerjoin(link, link.c.id == log.c.link_id)
        .outerjoin(stream, stream.c.id == link.c.stream_id)
        .outerjoin(system, system.c.id == stream.c.system_id)
        .where(log.c.record_id == record_id)
        .order_by(log.c.id)
    )
    return [
        _Row(
            row.id,
            Event(
                row.run_id,
                row.mode or "",
                row.initiator or "",
                row.at,
                row.op,
                row.field,
                row.code,
                row.before,
                row.after,
            ),
            row.link_id,
        )
        for row in rows
    ]


def moment(seconds: int) -> datetime:
    """A second since 1970 as a moment in UTC."""
    return datetime.fromtimestamp(seconds, UTC)


def _pins(conn: Connection, record_id: int) -> dict[str, Pinning]:
    table = core.pin
    rows = conn.execute(select(table).where(table.c.record_id == record_id, table.c.revoked_at.is_(None))).mappings()
    return {row["field"]: Pinning(row["pinned_by"], row["at"], row["note"], bool(row["ends"])) for row in rows}


def _questions(conn: Connection, record_id: int) -> list[Mapping[str, Any]]:
    table = core.conflict
    query = select(table).where(table.c.record_id == record_id, table.c.state == "open").order_by(table.c.id)
    return [dict(row) for row in conn.execute(query).mappings()]
