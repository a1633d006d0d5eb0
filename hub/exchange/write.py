"""From decided records to rows: the fast path's lists of tuples, built once a page and handed over in bulk."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection

from hub.engine.cells import head
from hub.engine.decide import Change, Decision, decide_child, decide_root
from hub.exchange.brakes import Held
from hub.exchange.desk import Desk
from hub.exchange.duplicates.marks import ENTITY, mark
from hub.exchange.mapping_desk import ChildDesk, MappingDesk
from hub.model.fields import Field, Kind, show
from hub.store import bulk, core
from hub.store.types import dump_json

if TYPE_CHECKING:
    from mappings.compiled import Mapped

LOG_COLUMNS = ("id", "run_id", "entity", "record_id", "link_id", "op", "field", "before", "after", "at")
_STATE = Field("record_state", Kind.TEXT, "Состояние")


@dataclass(slots=True)
class Incoming:
    """One record that passed the mapping, with the link it belongs to.

    ``record_id``: None for a record to be created. ``expected``: its link is already a row, without a record.
    """

    external_id: str
    link_id: int
    record_id: int | None
    expected: bool
    version: str | None
    row_hash: int
    mapped: Mapped
    raw: Any


def create(conn: Connection, desk: Desk, work: MappingDesk, items: Sequence[Incoming]) -> list[int]:
    """Insert new records, their children, links and one change-log row each; their ids."""
    if not items:
        return []
    numbers = bulk.allocate(conn, "record", len(items))
    run, at, name = desk.run_id, desk.at, work.entity.name
    roots, new_links, old_links, log = [], [], [], []
    children: list[list[tuple[Any, ...]]] = [[] for _ in work.children]
    log_ids = bulk.allocate(conn, "log", len(items))
    for number, log_id, item in zip(numbers, log_ids, items, strict=True):
        mapped = item.mapped
        roots.append((number, *mapped.root, mapped.record_state, run, run, 1))
        if item.expected:
            old_links.append((item.link_id, number, item.row_hash, item.version, "active", run))
        else:
            told = (item.row_hash, item.version)
            new_links.append((item.link_id, work.stream_id, item.external_id, number, "active", *told, run, run))
        log.append((log_id, run, name, number, item.link_id, "insert", None, None, None, at))
        for part, rows, target in zip(work.children, mapped.children, children, strict=True):
            if rows:
                target.extend(_numbered(part, number, rows))
    bulk.insert_rows(
        conn,
        core.link,
        ("id", "stream_id", "external_id", "record_id", "state", "row_hash", "version", "first_run", "last_run"),
        new_links,
    )
    bulk.update_rows(conn, core.link, ("id", "record_id", "row_hash", "version", "state", "last_run"), old_links)
    bulk.insert_rows(conn, work.table, _root_columns(work), roots)
    for part, rows in zip(work.children, children, strict=True):
        bulk.insert_rows(conn, part.table, part.all_columns, rows)
    bulk.insert_rows(conn, core.change_log, LOG_COLUMNS, log)
    if name == ENTITY:
        mark(conn, numbers, run)
    return list(numbers)


def write_log(conn: Connection, rows: Sequence[tuple[Any, ...]]) -> None:
    """Append to the change log: (run, entity, record, link, op, field, before, after, at) without ids."""
    if rows:
        mark(conn, (row[2] for row in rows if row[1] == ENTITY), rows[0][0])
        numbers = bulk.allocate(conn, "log", len(rows))
        bulk.insert_rows(conn, core.change_log, LOG_COLUMNS, [(n, *row) for n, row in zip(numbers, rows, strict=True)])


def _root_columns(work: MappingDesk) -> tuple[str, ...]:
    return ("id", *work.mapping.root_columns, "record_state", "created_by_run", "updated_by_run", "row_version")


def _numbered(part: ChildDesk, parent: int, rows: Sequence[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """Child rows with their parent and number; the rows of a lines child bring their own number."""
    if part.child.lines:
        return [(parent, *row) for row in rows]
    return [(parent, number, *row) for number, row in enumerate(rows, 1)]


@dataclass(slots=True)
class _Known:
    """What the store holds of one record, in travelling form."""

    state: str
    version: int
    root: tuple[Any, ...]
    children: list[list[tuple[Any, ...]]]


def _fetch(conn: Connection, work: MappingDesk, record_ids: Sequence[int]) -> dict[int, _Known]:
    known: dict[int, _Known] = {}
    columns = ("id", "record_state", "row_version", *work.mapping.root_columns)
    for row in bulk.fetch_rows(conn, work.table, columns, "id", record_ids):
        known[row[0]] = _Known(row[1], row[2] or 0, tuple(row[3:]), [[] for _ in work.children])
    for position, part in enumerate(work.children):
        skip = 1 if part.child.lines else 2
        order = (part.parent, part.child.number_column)
        for row in bulk.fetch_rows(conn, part.table, part.all_columns, part.parent, record_ids, order):
            known[row[0]].children[position].append(tuple(row[skip:]))
    return known


def _canonical_json(fields: Sequence[Field], row: tuple[Any, ...]) -> tuple[Any, ...]:
    """The row with JSON values in the spelling in which the store gives them back."""
    if not any(item.kind is Kind.JSON for item in fields):
        return row
    return tuple(
        dump_json(json.loads(value)) if item.kind is Kind.JSON and value is not None else value
        for item, value in zip(fields, row, strict=True)
    )


def _next_state(known: str, told: str) -> str:
    """State a record takes when its system shows it as ``told``; what persons and merges decided stays."""
    return known if known in {"archived", "merged"} else told


@dataclass(slots=True)
class Changed:
    """What became of records that are here: ids of those that changed, those that cards must decide, those held back.

    ``special``: a clearing is not followed in them, so that golden and statement part ways. ``parts``: fields and
    tables that changed, by id.
    """

    ids: list[int] = field(default_factory=list)
    special: list[Incoming] = field(default_factory=list)
    parts: dict[int, set[str]] = field(default_factory=dict)
    held: list[Held] = field(default_factory=list)


@dataclass(slots=True)
class _Decided:
    """One record with what was decided on it, ``state`` being the one it is to have."""

    item: Incoming
    known: _Known
    decision: Decision
    state: str

    @property
    def changes(self) -> bool:
        return bool(self.decision.changes) or self.state != self.known.state

    @property
    def parts(self) -> set[str]:
        """Fields and tables that change."""
        moved = {_STATE.name} if self.state != self.known.state else set()
        return {head(change.path) for change in self.decision.changes} | moved

    @property
    def ends(self) -> bool:
        return self.known.state == "active" and self.state != "active"


class _Updates:
    """Collects the rows of one page's updates, then writes them table by table."""

    def __init__(self, desk: Desk, work: MappingDesk) -> None:
        self.desk, self.work = desk, work
        self.roots: list[tuple[Any, ...]] = []
        self.links: list[tuple[Any, ...]] = []
        self.log: list[tuple[Any, ...]] = []
        self.replaced: list[list[int]] = [[] for _ in work.children]
        self.children: list[list[tuple[Any, ...]]] = [[] for _ in work.children]

    def decide(self, item: Incoming, known: _Known) -> _Decided:
        work = self.work
        decision = decide_root(work.fields, known.root, _canonical_json(work.fields, item.mapped.root))
        told = item.mapped.children
        for position, part in enumerate(work.children):
            changes = decide_child(part.child, part.columns, known.children[position], told[position])
            if changes:
                decision.changes.extend(changes)
                decision.children_changed.append(position)
        return _Decided(item, known, decision, _next_state(known.state, item.mapped.record_state))

    def add(self, one: _Decided) -> None:
        item = one.item
        self.links.append((item.link_id, item.row_hash, item.version, self.desk.run_id))
        if one.changes:
            self._rows(item, one.known, one.decision, one.state)

    def _rows(self, item: Incoming, known: _Known, decision: Decision, state: str) -> None:
        number = item.record_id
        assert number is not None
        self.roots.append((number, *decision.root, state, self.desk.run_id, known.version + 1))
        for position in decision.children_changed:
            part = self.work.children[position]
            self.replaced[position].append(number)
            self.children[position].extend(_numbered(part, number, item.mapped.children[position]))
        kinds = self.work.kinds
        if state != known.state:
            op = "mark" if state == "marked" else "unmark" if known.state == "marked" else "update"
            self._note(item, op, Change(_STATE.name, known.state, state), Kind.TEXT)
        for change in decision.changes:
            self._note(item, "update", change, kinds.get(change.path) or kinds.get(_column_of(change.path)))

    def _note(self, item: Incoming, op: str, change: Change, kind: Kind | None) -> None:
        before, after = (_render(kind, value) for value in (change.before, change.after))
        self.log.append(
            (
                self.desk.run_id,
                self.work.entity.name,
                item.record_id,
                item.link_id,
                op,
                change.path,
                before,
                after,
                self.desk.at,
            )
        )

    def write(self, conn: Connection) -> None:
        work = self.work
        bulk.update_rows(conn, core.link, ("id", "row_hash", "version", "last_run"), self.links)
        columns = ("id", *work.mapping.root_columns, "record_state", "updated_by_run", "row_version")
        bulk.update_rows(conn, work.table, columns, self.roots)
        for part, parents, rows in zip(work.children, self.replaced, self.children, strict=True):
            if parents:
                bulk.delete_children(conn, part.table, part.parent, parents)
                bulk.insert_rows(conn, part.table, part.all_columns, rows)
        write_log(conn, self.log)


def _column_of(path: str) -> str:
    """``table.column`` of a cell in a row of a table; a key in the path may hold anything."""
    return f"{head(path)}.{path.rpartition('.')[2]}"


def _render(kind: Kind | None, value: object) -> str | None:
    """A cell for the change log; a whole child row (added or removed) as JSON."""
    if isinstance(value, tuple):
        return json.dumps(value, ensure_ascii=False)
    return show(kind, value) if kind else None if value is None else str(value)


def change(conn: Connection, desk: Desk, work: MappingDesk, items: Sequence[Incoming]) -> Changed:
    """Write what changed of records that only one system speaks of."""
    result = Changed()
    if not items:
        return result
    known = _fetch(conn, work, [item.record_id for item in items if item.record_id is not None])
    updates, decided = _Updates(desk, work), []
    for item in items:
        assert item.record_id is not None
        one = updates.decide(item, known[item.record_id])
        if one.decision.kept:
            result.special.append(item)
        else:
            decided.append(one)
    changing = [one for one in decided if one.changes]
    ends = sum(one.ends for one in changing)
    verdict = (
        desk.brakes.judge(conn, work.route_id, work.route_code, ends, len(changing) - ends) if desk.brakes else None
    )
    for one in decided:
        if verdict is not None and one.changes and verdict.stops(ends=one.ends):
            result.held.append(verdict.held(one.item.external_id, one.item.raw, ends=one.ends))
            continue
        updates.add(one)
        if one.changes and one.item.record_id is not None:
            result.ids.append(one.item.record_id)
            result.parts[one.item.record_id] = one.parts
    updates.write(conn)
    return result


def set_state(
    conn: Connection, desk: Desk, work: MappingDesk, targets: Sequence[tuple[int, int]], state: str, op: str
) -> tuple[int, list[Held]]:
    """Put records (link id, record id) into ``state``; how many were not in it yet, and which are held back."""
    rows = bulk.fetch_rows(conn, work.table, ("id", "record_state", "row_version"), "id", [t[1] for t in targets])
    known = {row[0]: (row[1], row[2] or 0) for row in rows}
    moving = [
        (link_id, number) for link_id, number in targets if _next_state(known[number][0], state) != known[number][0]
    ]
    verdict = (
        desk.brakes.judge(conn, work.route_id, work.route_code, len(moving), 0) if desk.brakes and moving else None
    )
    if verdict is not None and verdict.stops(ends=True):
        keys = _external_ids(conn, [link_id for link_id, _ in moving])
        return 0, [verdict.held(keys[link_id], None, ends=True) for link_id, _ in moving]
    roots, log = [], []
    for link_id, record_id in moving:
        before, version = known[record_id]
        roots.append((record_id, state, desk.run_id, version + 1))
        log.append((desk.run_id, work.entity.name, record_id, link_id, op, _STATE.name, before, state, desk.at))
    bulk.update_rows(conn, work.table, ("id", "record_state", "updated_by_run", "row_version"), roots)
    write_log(conn, log)
    return len(roots), []


def _external_ids(conn: Connection, link_ids: Sequence[int]) -> dict[int, str]:
    return {row[0]: row[1] for row in bulk.fetch_rows(conn, core.link, ("id", "external_id"), "id", link_ids)}
