"""The change log read backwards: what a run did to records, what came after it, and the values that were before.

The log keeps what people read; rows of sets and documents stand there column by column, whole ones as JSON. A value
from before is made by taking the run's steps back, the last one first, from what the record holds now.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from hub.engine.cells import Value, head, is_member
from hub.exchange.cards.layout import EXT, Layout, fill
from hub.exchange.showing import cell_of
from hub.model.entities import Child
from hub.model.fields import SCALE, Kind, show
from hub.store import bulk, core

#: Rows that tell of a cell, or of the record, and change no cell by themselves.
QUIET = frozenset(
    {"insert", "lost", "lost_task", "conflict", "pin_ended", "unsaid", "pin", "unpin", "link", "unlink", "match"}
)


class Unreadable(Exception):
    """The log does not tell what was before: the row was written by a mapping that is not there any more."""


class MovedOn(Exception):
    """The record does not hold what the run left there, though the log knows of nobody who changed it."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the change log."""

    id: int
    run_id: int
    record_id: int
    link_id: int | None
    op: str
    field: str | None
    before: str | None
    after: str | None
    at: datetime

    @property
    def changes(self) -> bool:
        """Whether readers saw a cell change."""
        return self.field is not None and self.op not in QUIET


def records_of(conn: Connection, run_id: int) -> list[tuple[str, int]]:
    """(entity, number) of every record that the run left a row of, in order."""
    log = core.change_log
    rows = conn.execute(select(log.c.entity, log.c.record_id).where(log.c.run_id == run_id).distinct())
    return sorted((row.entity, row.record_id) for row in rows)


def rows_about(conn: Connection, record_ids: Sequence[int]) -> dict[int, list[Row]]:
    """The log of these records, each in order."""
    log, found = core.change_log, dict[int, list[Row]]()
    for chunk in bulk.chunks(record_ids):
        for row in conn.execute(select(log).where(log.c.record_id.in_(chunk)).order_by(log.c.id)):
            found.setdefault(row.record_id, []).append(
                Row(
                    row.id,
                    row.run_id,
                    row.record_id,
                    row.link_id,
                    row.op,
                    row.field,
                    row.before,
                    row.after,
                    row.at,
                )
            )
    return found


def cancelled(conn: Connection, run_id: int) -> frozenset[int]:
    """Runs that count for nothing, seen from ``run_id``: those that were undone, and the undos of them that hold."""
    run = core.exchange_run
    pairs = conn.execute(
        select(run.c.id, run.c.undoes)
        .where(run.c.undoes.is_not(None), run.c.state == "completed")
        .order_by(run.c.id.desc())
    ).all()
    undone, found = set[int](), set[int]()
    for undo, target in pairs:
        if undo in undone:
            continue
        undone.add(target)
        if target != run_id:
            found |= {undo, target}
    return frozenset(found - {run_id})


#: Columns of the rows of a child that the log holds with so many values, from that link's system.
Columns = Callable[[Child, int, "int | None"], Sequence[str]]


class Backwards:
    """Takes steps of the change log back."""

    def __init__(self, layout: Layout, columns: Columns, ext_kinds: Callable[[str], Kind]) -> None:
        self.layout, self.columns, self.ext_kinds = layout, columns, ext_kinds

    def cells(self, rows: Iterable[Row]) -> dict[str, list[Row]]:
        """The rows that change cells, by the cell; one that holds several cells whole is taken apart."""
        found: dict[str, list[Row]] = {}
        for row in rows:
            for one in self._parts(row):
                found.setdefault(cell_of(self.layout, str(one.field)), []).append(one)
        return found

    def before(self, cell: str, rows: Sequence[Row], now: Value) -> Value:
        """What the cell held before these steps, ``now`` being what they led to. ``MovedOn``, ``Unreadable``."""
        child = self.layout.children.get(head(cell))
        if child is not None and child.lines:
            return self._lines(child, rows, now)
        if child is not None and is_member(cell):
            for row in reversed(rows):
                now = self._row(child, row, now)
            return now
        if show_cell(self.layout, cell, now) != self._same_writing(cell, rows[-1].after):
            raise MovedOn
        return self.parse(cell, rows[0].before)

    def parse(self, cell: str, text: str | None) -> Value:
        """A value of the log in travelling form."""
        if text is None:
            return None
        if cell.startswith(f"{EXT}."):
            return travelling(self.ext_kinds(cell.partition(".")[2]), text, shown=False)
        found = self.layout.field_of(cell)
        return travelling(found.kind, text) if found else text

    def _same_writing(self, cell: str, text: str | None) -> str | None:
        return show_cell(self.layout, cell, self.parse(cell, text))

    def _parts(self, row: Row) -> list[Row]:
        """The row for each cell that it tells of."""
        name = row.field or ""
        child = self.layout.children.get(name)
        if name == EXT:
            sides = [json.loads(text) if text else {} for text in (row.before, row.after)]
            return [
                _at(row, f"{EXT}.{key}", *(_text(side.get(key)) for side in sides))
                for key in sorted({*sides[0], *sides[1]})
                if sides[0].get(key) != sides[1].get(key)
            ]
        if child is not None and not child.lines and not child.key:
            wholes = [self._whole(child, text, row.link_id) if text else {} for text in (row.before, row.after)]
            kinds = {item.column: item.kind for item in child.fields}
            return [
                _at(row, f"{name}.{column}", *(show(kinds[column], side.get(column)) for side in wholes))
                for column in sorted({*wholes[0], *wholes[1]})
                if wholes[0].get(column) != wholes[1].get(column)
            ]
        return [row]

    def _whole(self, child: Child, text: str, link_id: int | None) -> dict[str, Any]:
        values = json.loads(text)
        return dict(zip(self.columns(child, len(values), link_id), values, strict=True))

    def _row(self, child: Child, row: Row, now: Value) -> Value:
        """One step of a row of a set, or of a document, taken back."""
        full, name = self.layout.columns[child.name], str(row.field)
        column = name[name.rindex("]") + 1 :].removeprefix(".")
        if not column:
            if (now is None) != (row.after is None):
                raise MovedOn
            return None if row.before is None else fill(self._whole(child, row.before, row.link_id), full, None)
        if not isinstance(now, tuple):
            raise MovedOn
        kind = next(item.kind for item in child.fields if item.column == column)
        at = full.index(column)
        if now[at] != (None if row.after is None else travelling(kind, row.after)):
            raise MovedOn
        return (*now[:at], None if row.before is None else travelling(kind, row.before), *now[at + 1 :])

    def _lines(self, child: Child, rows: Sequence[Row], now: Value) -> Value:
        there: dict[int, Value] = {row[0]: tuple(row[1:]) for row in now or () if isinstance(row, tuple)}  # type: ignore[misc, union-attr]
        for row in reversed(rows):
            number = int(str(row.field).partition("[")[2].partition("]")[0])
            there[number] = self._row(child, row, there.get(number))
        lines = tuple((number, *there[number]) for number in sorted(there) if there[number] is not None)  # type: ignore[misc]
        return lines or None


def show_cell(layout: Layout, cell: str, value: Value) -> str | None:
    """A value as the log writes it."""
    found = layout.field_of(cell)
    return show(found.kind, value) if found else None if value is None else str(value)


def travelling(kind: Kind, text: str, *, shown: bool = True) -> Value:
    """The value that the log tells as ``text``; a scaled number is told as a decimal, or, not ``shown``, as it is."""
    if kind in SCALE and shown and "." in text:
        return int(text.replace(".", ""))
    if kind is Kind.BOOL:
        return int(text in {"true", "1", "True"})
    if kind in SCALE or kind in {Kind.INT, Kind.REF}:
        return int(text)
    return text


def _text(value: Any) -> str | None:
    return None if value is None else str(value)


def _at(row: Row, field: str, before: str | None, after: str | None) -> Row:
    return Row(row.id, row.run_id, row.record_id, row.link_id, row.op, field, before, after, row.at)
