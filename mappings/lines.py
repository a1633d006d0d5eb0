"""Lines of a document (orders, invoices), written back as tabular parts, each whole.

A line is known by its key where it has one of its own, else by its number. A line that stands there keeps whatever the
mapping does not tell; rows that are no line for the mapping are kept; lines that are not wanted go; new ones come last,
in the first tabular part that takes them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from mappings.compiled import RefTarget
from mappings.proposals import Proposals, Work
from mappings.reverse import hold, holds
from mappings.rows import Row, numbered, same
from mappings.spec import ChildSpec, Follows, RowSpec

#: What a line is known by is no value of it: a key is given by the system that has the line.
KNOWN_BY = ("line_no", "line_key")


@dataclass(slots=True)
class _Line:
    """A row of the source that is a line, with what it shows."""

    row: RowSpec
    raw: Row
    shown: Row


def write_lines(back: Proposals, work: Work, spec: ChildSpec) -> None:
    """Say all lines of one child; what cannot be said stays on ``work.left``."""
    name = spec.child.name
    tables = {row.table: [dict(raw) for raw in work.now.get(row.table) or ()] for row in spec.rows}
    standing = _standing(back, work, spec, tables)
    unsaid: list[Row] = []
    slots: dict[str, list[Row]] = {table: [] for table in tables}
    for wanted, line in _matched(work.left[name], standing):
        target = line or _new(back, spec, tables)
        raw, missed = (None, {}) if target is None else _told(back, work, spec, target, wanted)
        if raw is None or target is None:
            unsaid.append(wanted)
            continue
        slots[target.row.table].append(raw)
        if missed:
            unsaid.append({"line_no": wanted.get("line_no"), **missed})
    lines = {id(line.raw) for line in standing}
    for table, before in tables.items():
        rows = numbered(_filled(before, lines, slots[table]))
        if rows != numbered(before):
            work.now[table] = work.said[table] = rows
    work.left[name] = unsaid


def _standing(back: Proposals, work: Work, spec: ChildSpec, tables: Mapping[str, list[Row]]) -> list[_Line]:
    """Every row that is a line now, in the order and with the numbers that the mapping gives them."""
    found = []
    for row in spec.rows:
        for raw in tables[row.table]:
            made = back.forward.of_row(spec.child, row, raw, work.now)
            if made:
                found.append(_Line(row, raw, made[0]))
    numbers = {line.shown["line_no"] for line in found}
    if len(numbers) < len(found) or None in numbers:
        for number, line in enumerate(found, 1):
            line.shown["line_no"] = number
    return found


def _matched(wanted: list[Row], standing: list[_Line]) -> list[tuple[Row, _Line | None]]:
    keys = Counter(line.shown.get("line_key") for line in standing)
    asked = Counter(row.get("line_key") for row in wanted)
    by_key = {key: line for line in standing if (key := line.shown.get("line_key")) and keys[key] == 1}
    found = [by_key.get(row.get("line_key")) if asked[row.get("line_key")] == 1 else None for row in wanted]
    taken = {id(line) for line in found if line is not None}
    by_number = {line.shown["line_no"]: line for line in standing if id(line) not in taken}
    return [
        (row, line if line is not None else by_number.pop(row.get("line_no"), None))
        for row, line in zip(wanted, found, strict=True)
    ]


def _new(back: Proposals, spec: ChildSpec, tables: Mapping[str, list[Row]]) -> _Line | None:
    row = spec.rows[0]
    begun = back.begun(row, tables[row.table])
    return None if begun is None else _Line(row, {**begun, **hold(row.when)}, {})


def _told(back: Proposals, work: Work, spec: ChildSpec, line: _Line, wanted: Row) -> tuple[Row | None, Row]:
    """The row as it becomes, and the values it cannot tell; no row if it would be no line."""
    raw, missed = dict(line.raw), {}
    items = {item.field.name: item for item in line.row.fields}
    for name, value in wanted.items():
        item = items.get(name)
        if name in KNOWN_BY or (item is None and value is None):
            continue
        if item is None or not same(item.field.kind, line.shown.get(name), value):
            try:
                made = back.assign(item, value, raw) if item is not None else {}
            except ValueError:
                made = {}
            raw |= made
            if not made:
                missed[name] = value
    try:
        raw |= _following(line, raw, work.now, {name: value for name, value in wanted.items() if name not in missed})
    except ValueError:
        return None, {}
    shown = back.forward.of_row(spec.child, line.row, raw, work.now)
    if not shown:
        return None, {}
    for name, value in wanted.items():
        item = items.get(name)
        if (
            item is not None
            and name not in {*missed, *KNOWN_BY}
            and not same(item.field.kind, shown[0].get(name), value)
        ):
            missed[name] = value
    return raw, missed


def _following(line: _Line, raw: Row, record: Mapping[str, Any], told: Row) -> Row:
    """Numbers that follow from others of the line, to hundredths: in a new one, and where one of these has changed.

    ``told``: what the line is told to be. ``ValueError``: how many a unit holds is not known.
    """
    made: Row = {}
    for one in line.row.follows:
        if one.times:
            made |= _in_pieces(one, line, raw, told)
            continue
        names = [name for _, name in one.parts]
        if line.shown and (any(name not in raw for name in names) or all(raw[n] == line.raw.get(n) for n in names)):
            continue
        numbers = [(sign, raw.get(name) or 0) for sign, name in one.parts]
        if holds(one.when, record) and all(isinstance(number, int | float) for _, number in numbers):
            hundredths = sum(sign * round(number * 100) for sign, number in numbers)
            made[one.name] = hundredths / 100 if hundredths % 100 else hundredths // 100
    return made


def _in_pieces(one: Follows, line: _Line, raw: Row, told: Row) -> Row:
    """The sum of what is told in the line's unit, in what that unit is made of, to thousandths.

    Of a line that keeps its unit the number has gone along in proportion, as far as there was any.
    """
    unit: RefTarget | None = told.get(one.times, line.shown.get(one.times))
    names = [name for _, name in one.parts]
    if line.shown and unit == line.shown.get(one.times):
        same_sum = all(raw.get(name) == line.raw.get(name) for name in names)
        if same_sum or all(line.raw.get(name) for name in (one.name, *names)):
            return {}
    factor = Fraction(1) if unit is None else unit.factor
    if factor is None:
        raise ValueError(f"{one.name}: nobody knows how many {unit} holds")
    total = sum(sign * Fraction(str(raw.get(name) or 0)) for sign, name in one.parts) * factor
    thousandths = round(total * 1000)
    return {one.name: thousandths / 1000 if thousandths % 1000 else thousandths // 1000}


def _filled(before: list[Row], lines: set[int], slots: list[Row]) -> list[Row]:
    """The old rows with the lines among them replaced by the new ones, in their order."""
    fresh: list[Any] = list(slots)
    rows = []
    for raw in before:
        if id(raw) not in lines:
            rows.append(raw)
        elif fresh:
            rows.append(fresh.pop(0))
    return rows + fresh
