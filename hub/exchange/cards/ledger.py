"""What became of cards, written down: golden rows, contributions, the change log, conflicts, pins, and what is owed.

Everything that moves a card ends here, whoever moved it: a system's page, a read-back, a person's decision, an undo. So
there is one place that says what a change is, and one that says who is to be told.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, delete, update

from hub.engine.arrive import Arrival, Conflict, Loss
from hub.engine.cells import HUB, STATE, Contribution, Golden, Value, head, is_member
from hub.engine.codec import encode
from hub.engine.decide import Change, decide_child
from hub.engine.outgoing import outgoing
from hub.exchange.cards.card import UNSEEN, Card
from hub.exchange.cards.layout import layout_of
from hub.exchange.cards.owed import Owed, enqueue, withdraw
from hub.exchange.cards.tasks import LostEdit, give
from hub.exchange.naming import called
from hub.exchange.runs import now
from hub.exchange.write import write_log
from hub.model.fields import show
from hub.store import bulk, core, tables

if TYPE_CHECKING:
    from hub.exchange.cards.desk import CardDesk

_OPS = {"marked": "mark", "deleted": "delete", "absent": "absent", "archived": "archive"}


@dataclass(slots=True)
class _Entry:
    """One card with all that befell it in this transaction. ``before``: its cells when it was first touched."""

    card: Card
    before: Mapping[str, Value]
    golden: Mapping[str, Golden]
    first: set[int] = field(default_factory=set)
    read: dict[int, tuple[datetime, str]] = field(default_factory=dict)


class Ledger:
    """Collects what befalls the cards of one entity in one transaction, then writes it table by table."""

    def __init__(self, desk: CardDesk, entity: str) -> None:
        self.desk, self.entity, self.layout = desk, entity, layout_of(entity)
        self._entries: dict[int, _Entry] = {}
        self._log: list[tuple[Any, ...]] = []
        self._conflicts: list[dict[str, Any]] = []
        self._renewed: list[tuple[int, dict[str, Any]]] = []
        self._closed: list[tuple[int, str]] = []
        self._ended: list[int] = []
        self._tasks: list[LostEdit] = []

    def arrived(
        self,
        card: Card,
        arrival: Arrival,
        link_id: int,
        read_at: datetime,
        mapping: str,
        *,
        first: bool = False,
        op: str = "",
    ) -> bool:
        """A record of one link has arrived at the card; whether readers see anything change.

        ``first``: two full cards met, so that nothing is sent before a person has seen the differences.
        """
        entry = self._entry(card, arrival.golden)
        entry.read[link_id] = (read_at, mapping)
        card.links[link_id] = replace(card.links[link_id], state="active")
        if first:
            entry.first.update(number for number, link in card.links.items() if link.state not in UNSEEN)
        changed = self._moved(entry, arrival, link_id, op)
        for found in arrival.conflicts:
            self._conflict(card, found, link_id)
        for path in arrival.settled:
            self._close(card, path, "settled")
        for path in arrival.ended:
            self._end_pin(card, path, link_id)
        for loss in arrival.losses:
            self._lose(card, loss, link_id)
        return changed

    def decided(self, card: Card, after: Arrival, *, op: str = "", note: str | None = None) -> bool:
        """A person's word, an undo or a confirmed write has moved the card; whether readers see anything change.

        ``op``: how the change log calls it. ``note``: a row without a field besides, such as ``undo``.
        """
        entry = self._entry(card, after.golden)
        if note is not None:
            self._row(card, None, note, None, None, None)
        return self._moved(entry, after, None, op)

    def log(self, card: Card, link_id: int | None, op: str, path: str | None, before: Value, after: Value) -> None:
        """Write a row about one cell into the change log."""
        self._row(card, link_id, op, path, self._shown(path, before), self._shown(path, after))

    def ask(self, card: Card, question: Conflict, link_id: int) -> None:
        """Open a conflict that no edit of a page raised."""
        self._conflict(card, question, link_id)

    def close_conflicts(self, card: Card, path: str, state: str) -> None:
        """A question is answered: its conflicts are open no more."""
        self._close(card, path, state)

    def write(self, conn: Connection) -> None:
        """Write all of it. What is owed to systems afterwards is noted in the outbox."""
        self._roots(conn)
        write_log(conn, self._log)
        self._words(conn)
        if self._conflicts:
            conn.execute(core.conflict.insert(), self._conflicts)
        for number, values in self._renewed:
            conn.execute(update(core.conflict).where(core.conflict.c.id == number).values(**values))
        for number, state in self._closed:
            conn.execute(
                update(core.conflict).where(core.conflict.c.id == number).values(state=state, resolved_at=now())
            )
        if self._ended:
            conn.execute(
                update(core.pin).where(core.pin.c.id.in_(self._ended)).values(revoked_by="exchange", revoked_at=now())
            )
        give(conn, self.desk, self._tasks)
        self._follow(conn)
        even: list[int] = []
        enqueue(conn, self.desk, [owed for entry in self._entries.values() for owed in self._owed(entry, even)])
        withdraw(conn, even)

    def _follow(self, conn: Connection) -> None:
        """What follows for letters and calls from what changed here."""
        from hub.exchange.comms.follow import follow  # late: what follows may move cards of its own

        moved = {number: self._parts(entry) for number, entry in self._entries.items()}
        follow(conn, self.desk, self.entity, [number for number, parts in moved.items() if parts], moved)

    def _parts(self, entry: _Entry) -> set[str]:
        """Fields and tables that are not as they were."""
        before, after = entry.before, entry.card.cells
        return {head(path) for path in before.keys() | after.keys() if before.get(path) != after.get(path)}

    def _entry(self, card: Card, golden: Mapping[str, Golden]) -> _Entry:
        entry = self._entries.get(card.record_id)
        if entry is None:
            before = {path: value for path, value in card.cells.items() if value is not None}
            entry = self._entries[card.record_id] = _Entry(card, before, golden)
        elif golden:
            entry.golden = golden
        return entry

    def _moved(self, entry: _Entry, arrival: Arrival, link_id: int | None, op: str) -> bool:
        """Take the card to where the arrival leaves it; whether any cell is another thing now."""
        card, same = entry.card, self.layout.same(self.desk.refs)
        after = {path: cell.value for path, cell in arrival.golden.items() if cell.value is not None}
        differ = [
            path
            for path in sorted(card.cells.keys() | after.keys())
            if not same(path, card.cells.get(path), after.get(path))
        ]
        for path in differ:
            self._changed(card, path, card.cells.get(path), after.get(path), link_id, op)
        card.cells = {**after, STATE: after.get(STATE, "active")}
        card.known = arrival.known
        return bool(differ)

    def _changed(self, card: Card, path: str, before: Value, after: Value, link_id: int | None, op: str) -> None:
        if path == STATE:
            default = "unmark" if before == "marked" else _OPS.get(str(after), "update")
            self._row(card, link_id, op or default, path, self._shown(path, before), self._shown(path, after))
            return
        for one in self._cells_of(path, before, after):
            shown = (self._shown(one.path, value) for value in (one.before, one.after))
            self._row(card, link_id, op or "update", one.path, *shown)

    def _cells_of(self, path: str, before: Value, after: Value) -> list[Change]:
        """A change of rows as the cells that change in them."""
        child = self.layout.children.get(head(path))
        if child is None or not (child.lines or is_member(path)):
            return [Change(path, before, after)]
        sides = [_as_rows(value, member=is_member(path)) for value in (before, after)]
        return decide_child(child, self.layout.columns[child.name], *sides)

    def _shown(self, path: str | None, value: object) -> str | None:
        if isinstance(value, tuple):
            return json.dumps(value, ensure_ascii=False)
        found = self.layout.field_of(path or "") or self._column(path or "")
        return show(found.kind, value) if found else None if value is None else str(value)

    def _column(self, path: str) -> Any:
        """The field of a column of a row, ``table[key].column``."""
        child = self.layout.children.get(head(path))
        name = path.rpartition(".")[2]
        return next((item for item in child.fields if item.column == name), None) if child else None

    def _row(
        self, card: Card, link_id: int | None, op: str, path: str | None, before: str | None, after: str | None
    ) -> None:
        self._log.append(
            (self.desk.run_id, self.entity, card.record_id, link_id, op, path, before, after, self.desk.at)
        )

    def _lose(self, card: Card, loss: Loss, link_id: int) -> None:
        path, wanted, kept = loss.edit.path, loss.edit.after, loss.winner.value
        self.log(card, link_id, "lost_task" if loss.on_loss == "task" else "lost", path, wanted, kept)
        if loss.on_loss == "task":
            label = called(card.cells) or str(card.record_id)
            said = (self._shown(path, kept) or "—", self._shown(path, wanted) or "—")
            systems = (card.links[link_id].system, loss.winner.system)
            self._tasks.append(LostEdit(self.entity, card.record_id, link_id, label, path, *systems, *said))

    def _conflict(self, card: Card, found: Conflict, link_id: int) -> None:
        values = {"base": found.base, "ours": found.ours, "theirs": found.theirs, "policy": found.rule}
        number = card.conflicts.get((found.path, link_id))
        self.log(card, link_id, "conflict", found.path, found.ours, found.theirs)
        if number is not None:
            self._renewed.append((number, values))
            return
        card.conflicts[found.path, link_id] = 0
        self._conflicts.append(
            {
                "route_id": self.desk.route_id(card.links[link_id].system, self.entity),
                "link_id": link_id,
                "entity": self.entity,
                "record_id": card.record_id,
                "field": found.path,
                **values,
                "state": "open",
                "run_id": self.desk.run_id,
                "created_at": now(),
            }
        )

    def _close(self, card: Card, path: str, state: str) -> None:
        for (name, link_id), number in list(card.conflicts.items()):
            if name == path:
                self._closed.append((number, state))
                del card.conflicts[name, link_id]

    def _end_pin(self, card: Card, path: str, link_id: int) -> None:
        self._ended.append(card.pins.pop(path))
        self.log(card, link_id, "pin_ended", path, None, None)

    def _roots(self, conn: Connection) -> None:
        changed = [entry for entry in self._entries.values() if entry.before != entry.card.cells]
        columns = tuple(item.column for item in self.layout.entity.fields)
        rows: list[tuple[Any, ...]] = []
        children: dict[str, tuple[list[int], list[tuple[Any, ...]]]] = {name: ([], []) for name in self.layout.children}
        for entry in changed:
            card = entry.card
            root, ext, after = self.layout.stored(card.cells)
            _, _, before = self.layout.stored(entry.before)
            rows.append((card.record_id, *root, ext, card.cells[STATE], self.desk.run_id, card.version + 1))
            for name, (ids, made) in children.items():
                if before[name] != after[name]:
                    ids.append(card.record_id)
                    made.extend(_numbered(card.record_id, after[name], lines=self.layout.children[name].lines))
        names = ("id", *columns, "ext", "record_state", "updated_by_run", "row_version")
        bulk.update_rows(conn, tables.ROOTS[self.entity], names, rows)
        parent = tables.parent_column(self.layout.entity)
        for name, (ids, made) in children.items():
            if ids:
                table, number = tables.CHILDREN[name], self.layout.children[name].number_column
                bulk.delete_children(conn, table, parent, ids)
                bulk.insert_rows(conn, table, (parent, number, *self.layout.columns[name]), made)

    def _words(self, conn: Connection) -> None:
        """Contributions: a row for each, none where the golden record is exactly what the only link says."""
        gone: list[int] = []
        kept: list[dict[str, Any]] = []
        for entry in self._entries.values():
            card = entry.card
            if _needs_no_rows(card) and self.desk.read_at is None:  # where it was read earlier a row has to say so
                gone.extend(card.stored)
                continue
            kept.extend(self._word(entry, card, one) for one in card.known.contributions)
        if gone or kept:
            ids = sorted({*gone, *(row["link_id"] for row in kept)})
            for start in range(0, len(ids), 400):
                conn.execute(delete(core.contribution).where(core.contribution.c.link_id.in_(ids[start : start + 400])))
        if kept:
            conn.execute(core.contribution.insert(), kept)

    def _word(self, entry: _Entry, card: Card, one: Contribution) -> dict[str, Any]:
        link_id = card.hub_link if one.system == HUB else one.link_id
        link = card.links.get(link_id)
        before = (link.read_at, link.mapping) if link else (now(), None)
        read_at, mapping = entry.read.get(link_id, before)
        return {"link_id": link_id, **encode(one), "run_id": self.desk.run_id, "read_at": read_at, "mapping": mapping}

    def _owed(self, entry: _Entry, even: list[int]) -> Iterator[Owed]:
        """Links that do not stand for the golden record as it is now; those that do go to ``even``."""
        card, rules = entry.card, self.desk.rules(self.entity)
        same = self.layout.same(self.desk.refs)
        for one in card.known.contributions:
            link = card.links.get(one.link_id)
            if one.system == HUB or link is None or link.state in UNSEEN:
                continue
            way = self.desk.way(one.system, self.entity)
            if way.writes and outgoing(one, entry.golden, rules, way, same):
                yield Owed(one.system, self.entity, one.link_id, waits=one.link_id in entry.first)
            else:
                even.append(one.link_id)


def _as_rows(value: Value, *, member: bool) -> Sequence[tuple[Any, ...]]:
    if not isinstance(value, tuple):
        return ()
    return (value,) if member else value  # type: ignore[return-value]  # the lines of a document are rows


def _numbered(parent: int, rows: Sequence[tuple[Any, ...]], *, lines: bool) -> list[tuple[Any, ...]]:
    if lines:
        return [(parent, *row) for row in rows]
    return [(parent, number, *row) for number, row in enumerate(rows, 1)]


def _needs_no_rows(card: Card) -> bool:
    """One link, and golden is exactly what it shows of its own accord: nothing is pinned, held or kept."""
    if len(card.known.contributions) != 1 or len(card.links) != 1 or card.known.pins or card.known.holds:
        return False
    only = card.known.contributions[0]
    shown = {path: value for path, value in only.shown.items() if value is not None}
    return not only.sent and shown == card.cells
