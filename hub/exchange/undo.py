"""Undo of a run: a compensation made of pins and moved links, from the before-images in the change log.

Nothing is taken back behind anybody's back. Cells get the value from before as a pin that ends when a system changes
the cell again; what systems were told in the meantime is owed to them anew, through the same brakes. An undo is a run
itself, and can be undone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, select

from hub.engine.cells import STATE, Pin
from hub.exchange import runs
from hub.exchange.acting import acting
from hub.exchange.cards.card import as_value, load
from hub.exchange.cards.desk import CardDesk
from hub.exchange.cards.layout import layout_of
from hub.exchange.cards.ledger import Ledger
from hub.exchange.cards.pinning import golden, left_in, set_pin, settle, take_pin
from hub.exchange.comms import unsay
from hub.exchange.comms.unsay import Unsaid
from hub.exchange.hub import Hub
from hub.exchange.merging import again
from hub.exchange.merging.told import Moved
from hub.exchange.naming import stream_name
from hub.exchange.showing import Shower
from hub.exchange.undo_links import move_all
from hub.exchange.undo_log import Backwards, Row, Unreadable, cancelled, records_of, rows_about
from hub.exchange.undo_plan import ARCHIVED, Back, Judge, Left, OldPin
from hub.exchange.which import label_of
from hub.model.entities import Child
from hub.model.errors import NeedsPerson
from hub.model.fields import Kind
from hub.store import core, journal
from hub.store.journal import RunEntry

#: Records that are set back in one transaction.
BATCH = 200
#: Steps that a report holds; all are counted.
SHOWN = 1000


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that an undo does. ``kind``: ``value``, ``archive``, ``unpin``, ``pin`` (one taken away is set again),
    ``split`` (a record gets a card of its own), ``join``; ``match_party``, ``match_ignored``, ``match_rules`` (whose an
    activity is: that client's, nobody's, what the rules say). ``now``, ``then``: as people read them.
    """

    entity: str
    record_id: int
    label: str
    kind: str
    path: str | None
    now: str | None
    then: str | None


@dataclass(frozen=True, slots=True)
class Stays:
    """Something that is left as it is; ``run``, ``mode``, ``initiator``, ``at``: who touched it, if that is known."""

    entity: str
    record_id: int
    label: str
    path: str | None
    reason: str
    run: int | None = None
    mode: str = ""
    initiator: str = ""
    at: datetime | None = None


@dataclass(slots=True)
class UndoReport:
    """What an undo does, or would do. ``run_id``: of the undo, 0 of a plan; ``undone_by``: an undo that was.

    ``counts``: steps by kind; ``steps``, ``stays``: the first thousand; ``already``: what is as before without us;
    ``made``: records that the run made in other systems, which stay there.
    """

    run: RunEntry
    run_id: int = 0
    undone_by: int | None = None
    counts: Counter[str] = field(default_factory=Counter)
    steps: list[Step] = field(default_factory=list)
    stays: list[Stays] = field(default_factory=list)
    left: int = 0
    already: int = 0
    made: int = 0


def plan(hub: Hub, run_id: int) -> UndoReport:
    """What an undo of the run would set back; nothing is written. ``NeedsPerson`` where it cannot be undone."""
    with hub.store.read() as conn:
        report, batches = _opened(conn, hub, run_id)
    if again.concerns(hub.store, run_id):
        return _of_merges(report, again.take_back(hub, run_id, by="", apply=False))
    if unsay.concerns(hub.store, run_id):
        return _of_words(hub, report, unsay.take_back(hub, run_id, by="", apply=False))
    for entity, ids in batches:
        with hub.store.read() as conn:
            work = _Batch(conn, hub, run_id, CardDesk(hub, 0, ""), entity)
            work.tell(work.judge(ids, lock=False), report)
    return report


def undo(hub: Hub, run_id: int, *, by: str, dagster_run_id: str | None = None) -> UndoReport:
    """Set back what the run changed, in a run of its own; the same words as ``plan``.

    Killed in the middle, what was set back stays so, and another undo of the same run goes on with the rest.
    """
    with hub.store.begin() as conn:
        runs.close_dead_runs(conn)
    with hub.store.read() as conn:
        report, batches = _opened(conn, hub, run_id)
    if again.concerns(hub.store, run_id):
        return _of_merges(report, again.take_back(hub, run_id, by=by, apply=True, dagster_run_id=dagster_run_id))
    if unsay.concerns(hub.store, run_id):
        said = unsay.take_back(hub, run_id, by=by, apply=True, dagster_run_id=dagster_run_id)
        return _of_words(hub, report, said)
    with acting(hub, "undo", by, undoes=run_id, dagster_run_id=dagster_run_id) as number:
        report.run_id = number
        for entity, ids in batches:
            with hub.store.begin() as conn:
                _Batch(conn, hub, run_id, _desk(hub, number), entity).undo(ids, by, report)
    return report


def _of_merges(report: UndoReport, moved: Moved) -> UndoReport:
    """The report on a run that merged or split: links that go back, and what readers see change."""
    if moved.already is not None:
        return report
    report.run_id = moved.run_id
    for link in moved.links:
        who = (moved.entity, link.before, moved.labels.get(link.before, ""))
        report.steps.append(Step(*who, "join", None, f"{link.system} {link.external_id}", str(link.after)))
    for cell in moved.cells:
        who = (moved.entity, cell.record_id, moved.labels.get(cell.record_id, ""))
        report.steps.append(Step(*who, "value", cell.path, cell.before, cell.after))
    report.counts.update(step.kind for step in report.steps)
    stays = [Stays(moved.entity, one.record_id, one.what, None, "moved_later", one.run) for one in moved.stays]
    report.stays = [one for one, why in zip(stays, moved.stays, strict=True) if why.reason == "link_moved"]
    report.left = len(report.stays)
    return report


def _of_words(hub: Hub, report: UndoReport, said: Unsaid) -> UndoReport:
    """The report on a run in which a person said whose an activity is."""
    report.run_id = said.run_id
    who = ("activity", said.activity_id, said.label)
    if said.later is not None:
        with hub.store.read() as conn:
            report.stays, report.left = [_stay(conn, who, "match", "edited_later", said.later)], 1
    elif said.already:
        report.already = 1
    else:
        report.steps, report.counts = [Step(*who, said.kind, None, said.now, said.then)], Counter({said.kind: 1})
    return report


def _stay(conn: Connection, who: tuple[str, int, str], path: str | None, reason: str, row: Row) -> Stays:
    run = journal.run(conn, row.run_id)
    return Stays(*who, path, reason, row.run_id, run.mode if run else "", run.initiator if run else "", row.at)


def _desk(hub: Hub, run_id: int) -> CardDesk:
    return CardDesk(hub, run_id, runs.now().strftime("%Y-%m-%d %H:%M:%S"))


def _opened(conn: Connection, hub: Hub, run_id: int) -> tuple[UndoReport, list[tuple[str, list[int]]]]:
    """An empty report on the run, and its records in batches."""
    table, parts = core.exchange_run, core.run_route
    run = journal.run(conn, run_id)
    if run is None:
        newest = conn.execute(select(func.max(table.c.id))).scalar() or 0
        raise NeedsPerson("undo_unknown_run", run=run_id, newest=newest)
    if run.state == "running":
        raise NeedsPerson("undo_running", run=run_id)
    records = records_of(conn, run_id)
    moved = func.coalesce(func.sum(parts.c.created + parts.c.updated), 0)
    if not records and conn.execute(select(moved).where(parts.c.run_id == run_id)).scalar():
        raise NeedsPerson("undo_forgotten", run=run_id, day=f"{run.started_at:%d.%m.%Y}")
    undone = conn.execute(
        select(func.max(table.c.id)).where(table.c.undoes == run_id, table.c.state == "completed")
    ).scalar()
    here = {route.entity.name for route in hub.routes.values()}
    known = [(entity, number) for entity, number in records if entity in here]
    return UndoReport(run, undone_by=undone, made=_made(conn, run_id)), list(_batches(conn, run_id, known))


def _made(conn: Connection, run_id: int) -> int:
    """Records that were made in other systems because of the run, and are there."""
    link, log = core.link, core.change_log
    hung = select(log.c.id).where(log.c.link_id == link.c.id, log.c.run_id == run_id, log.c.op == "link").exists()
    made = (link.c.first_run == run_id, link.c.origin.is_(False), link.c.state == "active", ~hung)
    return int(conn.execute(select(func.count()).select_from(link).where(*made)).scalar_one())


def _batches(conn: Connection, run_id: int, records: Sequence[tuple[str, int]]) -> Iterator[tuple[str, list[int]]]:
    """Records by entity; two between which a link was moved are in one batch."""
    log = core.change_log
    rows = conn.execute(
        select(log.c.before, log.c.after).where(log.c.run_id == run_id, log.c.op == "link", log.c.before.is_not(None))
    ).all()
    group: dict[int, int] = {}
    for one, other in ((int(row.before), int(row.after)) for row in rows):
        first, second = sorted((group.get(one, one), group.get(other, other)))
        group |= {number: first for number, of in group.items() if of == second} | {one: first, other: first}
    batch: list[int] = []
    last = ("", 0)
    for entity, number in sorted(records, key=lambda record: (record[0], group.get(record[1], record[1]), record[1])):
        key = (entity, group.get(number, number))
        if batch and (entity != last[0] or (len(batch) >= BATCH and key != last)):
            yield last[0], batch
            batch = []
        batch.append(number)
        last = key
    if batch:
        yield last[0], batch


class _Batch:
    """A few records of one entity, judged and set back inside one transaction."""

    def __init__(self, conn: Connection, hub: Hub, run_id: int, desk: CardDesk, entity: str) -> None:
        self.conn, self.hub, self.run_id, self.desk, self.entity = conn, hub, run_id, desk, entity
        self.layout, self.shower = layout_of(entity), Shower(conn, entity)
        self._streams: dict[int, tuple[str, str]] = {}

    def judge(self, ids: Sequence[int], *, lock: bool) -> list[Back]:
        """What is to be done with each record that is still here."""
        self.cards = load(self.conn, self.entity, ids, self.desk.refs, lock=lock)
        rows, ignored = rows_about(self.conn, ids), cancelled(self.conn, self.run_id)
        pinned, old = self._pins(ids), self._old_pins(rows)
        backwards = Backwards(self.layout, self._columns, self._ext_kind)
        rules = self.desk.rules(self.entity)
        return [
            Judge(
                card,
                self.run_id,
                rows.get(number, []),
                ignored,
                rules,
                backwards,
                pinned.get(number, {}),
                old.get(number, {}),
            ).judge()
            for number, card in self.cards.items()
        ]

    def undo(self, ids: Sequence[int], by: str, report: UndoReport) -> None:
        """Set back, and tell."""
        backs = self.judge(ids, lock=True)
        self.tell(backs, report)
        move_all(self.conn, self.desk, self.cards, backs)
        if any(back.moves for back in backs):  # who names whom is another thing now
            self.desk = CardDesk(self.hub, self.desk.run_id, self.desk.at)
            self.cards = load(self.conn, self.entity, ids, self.desk.refs)
        ledger = Ledger(self.desk, self.entity)
        for back in backs:
            if back.values or back.free or back.again or back.archive:
                self._set_back(ledger, back, by)
        ledger.write(self.conn)

    def _set_back(self, ledger: Ledger, back: Back, by: str) -> None:
        card, note = self.cards[back.card.record_id], f"undo {self.run_id}"
        for path in back.free:
            take_pin(self.conn, self.desk, ledger, card, path, by)
            if path not in back.again and left_in(self.conn, self.desk, card, path):  # it was empty there before, too
                set_pin(self.conn, self.desk, ledger, card, path, Pin(None, ends=True), by, note)
        for path, old in back.again.items():
            set_pin(self.conn, self.desk, ledger, card, path, old.pin, by, old.note)
        if back.archive:
            set_pin(self.conn, self.desk, ledger, card, STATE, Pin(ARCHIVED, ends=True), by, note)
        cells, same = golden(self.desk, card), self.layout.same(self.desk.refs)
        for path, value in back.values.items():
            there = cells[path].value if path in cells else None
            if not same(path, there, value):
                set_pin(self.conn, self.desk, ledger, card, path, Pin(value, ends=True), by, note)
        settle(self.desk, ledger, card)

    def tell(self, backs: Sequence[Back], report: UndoReport) -> None:
        """Add what is done with these cards to the report."""
        for back in backs:
            report.already += back.already
            report.left += len(back.left)
            for step in self._steps(back):
                report.counts[step.kind] += 1
                if len(report.steps) < SHOWN:
                    report.steps.append(step)
            for left in back.left:
                if len(report.stays) < SHOWN:
                    report.stays.append(self._stays(back, left))

    def _steps(self, back: Back) -> Iterator[Step]:
        card = back.card
        who = (self.entity, card.record_id, label_of(self.conn, self.entity, card.record_id))
        if back.archive:
            yield Step(*who, "archive", STATE, str(card.cells[STATE]), ARCHIVED)
        for link_id, to in back.moves.items():
            link = card.links[link_id]
            kind = "split" if to is None else "join"
            yield Step(*who, kind, None, f"{link.system} {link.external_id}", None if to is None else str(to))
        for path in back.free:
            yield Step(*who, "unpin", path, self.shower.text(path, card.cells.get(path)), None)
        for path, old in back.again.items():
            shown = (self.shower.text(path, card.cells.get(path)), self.shower.text(path, old.pin.value))
            yield Step(*who, "pin", path, *shown)
        for path, value in back.values.items():
            yield Step(*who, "value", path, self.shower.text(path, card.cells.get(path)), self.shower.text(path, value))

    def _stays(self, back: Back, left: Left) -> Stays:
        label = label_of(self.conn, self.entity, back.card.record_id)
        who = (self.entity, back.card.record_id, label)
        if left.row is None:
            return Stays(*who, left.path, left.reason)
        return _stay(self.conn, who, left.path, left.reason, left.row)

    def _pins(self, ids: Sequence[int]) -> dict[int, dict[str, int | None]]:
        """Runs that made the pins that hold."""
        table, found = core.pin, dict[int, dict[str, int | None]]()
        rows = self.conn.execute(
            select(table.c.record_id, table.c.field, table.c.run_id).where(
                table.c.record_id.in_(list(ids)), table.c.revoked_at.is_(None)
            )
        )
        for row in rows:
            found.setdefault(row.record_id, {})[row.field] = row.run_id
        return found

    def _old_pins(self, rows: Mapping[int, Sequence[Row]]) -> dict[int, dict[str, OldPin]]:
        """Pins that the run took back, by record and cell: those that ended at the moment that its row tells."""
        table, found = core.pin, dict[int, dict[str, OldPin]]()
        for number, log in rows.items():
            for row in log:
                if row.run_id != self.run_id or row.op != "unpin" or row.field is None:
                    continue
                pin: Any = self.conn.execute(
                    select(table)
                    .where(
                        table.c.record_id == number,
                        table.c.field == row.field,
                        table.c.revoked_at == row.at,
                        func.coalesce(table.c.run_id, 0) != self.run_id,
                    )
                    .order_by(table.c.id.desc())
                ).first()
                if pin is not None:
                    old = OldPin(Pin(as_value(pin.value), bool(pin.ends)), pin.note)
                    found.setdefault(number, {}).setdefault(row.field, old)
        return found

    def _columns(self, child: Child, values: int, link_id: int | None) -> Sequence[str]:
        """Columns of a row that the log holds whole: all of the child's, or those of the mapping that read it."""
        full = self.layout.columns[child.name]
        if values == len(full):
            return full
        system, stream = self._stream(link_id)
        profile = self.hub.rules.profiles.get(system)
        for mapping in profile.mappings.values() if profile else ():
            if stream_name(mapping) == stream:
                for part in mapping.children:
                    if part.child.name == child.name and len(part.columns) == values:
                        return part.columns
        raise Unreadable

    def _stream(self, link_id: int | None) -> tuple[str, str]:
        if link_id is None:
            return "", ""
        if link_id not in self._streams:
            link, stream, system = core.link, core.stream, core.system
            row = self.conn.execute(
                select(system.c.code, stream.c.name)
                .join(stream, stream.c.system_id == system.c.id)
                .join(link, link.c.stream_id == stream.c.id)
                .where(link.c.id == link_id)
            ).first()
            self._streams[link_id] = (row[0], row[1]) if row else ("", "")
        return self._streams[link_id]

    def _ext_kind(self, name: str) -> Kind:
        """Kind of a site's own field, as the first mapping that has it says."""
        for profile in self.hub.rules.profiles.values():
            for mapping in profile.mappings.values():
                for item in mapping.spec.ext if mapping.entity.name == self.entity else ():
                    if item.field.name in {name, f"ext.{name}"}:
                        return item.field.kind
        return Kind.TEXT
