"""Cells of a record from its rows, and rows from its cells, for one entity with all of its columns.

A mapping tells a part of the columns. What it does not tell of a row is taken from the row that its cell stood for, so
that a system which knows only numbers and prices of order lines does not empty their warehouses.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

from hub.engine.cells import STATE, Cells, Rows, Value, head, is_member, lay, lift
from hub.exchange.cards.refs import References
from hub.model.entities import ENTITIES, Child, Entity
from hub.model.fields import SCALE, Field, Kind
from hub.store.types import dump_json

if TYPE_CHECKING:
    from hub.exchange.mapping_desk import MappingDesk
    from mappings.compiled import Mapped

#: A site's own fields are cells of their own, ``ext.<name>``.
EXT = "ext"
#: A line is known by its key; a key is given by the system that has the line and is no value of it.
_LINE_KEY = "line_key"
Row = tuple[Any, ...]


class Layout:
    """How records of one entity lie in cells."""

    def __init__(self, entity: Entity) -> None:
        self.entity = entity
        self.fields = {item.name: item for item in entity.fields}
        self.children = {child.name: child for child in entity.children}
        self.columns = {child.name: tuple(item.column for item in child.fields) for child in entity.children}
        self._columns_of_refs = {
            child.name: [at for at, item in enumerate(child.fields) if item.kind is Kind.REF]
            for child in entity.children
        }
        self._telling = {child.name: _telling(child) for child in entity.children}
        self._numbers = {
            child.name: {at for at, item in enumerate(child.fields) if item.kind in SCALE} for child in entity.children
        }

    def cells(
        self, root: Sequence[Value], ext: str | None, children: Mapping[str, Sequence[Row]], refs: References
    ) -> dict[str, Value]:
        """Cells of a stored record. ``root``: in the order of the entity's fields; ``children``: rows by child."""
        rows = [self._rows(child, children.get(name, ()), refs) for name, child in self.children.items()]
        return {**lay(self.entity.fields, root, rows), **_ext_cells(ext)}

    def told(
        self, work: MappingDesk, mapped: Mapped, base: Callable[[str], Value], refs: References
    ) -> tuple[dict[str, Value], frozenset[str]]:
        """Cells that a mapping tells of a record, and the sets among them. ``base``: what a cell stood for before."""
        columns = work.mapping.root_columns
        ext = mapped.root[-1] if columns and columns[-1] == EXT else None
        values = mapped.root[: len(work.fields) - (EXT in columns)]
        fields = work.fields[: len(values)]
        rows: list[Rows] = []
        for part, told in zip(work.children, mapped.children, strict=True):
            child = part.child
            if child.lines or child.key:
                told = self._widened(child, part.columns, told, base, refs)
                rows.append(self._rows(child, told, refs))
            else:
                rows.append((child, part.columns, told))
        cells = lay(fields, values, rows)
        if EXT in columns:
            names = [item.field.name for item in work.mapping.spec.ext]
            cells |= {f"{EXT}.{name}": None for name in names} | _ext_cells(ext)
        cells[STATE] = mapped.record_state
        return cells, frozenset(part.child.name for part in work.children if part.child.key)

    def stored(self, cells: Cells) -> tuple[Row, str | None, dict[str, list[Row]]]:
        """Root row, ``ext`` and child rows (numbered where they are lines) of a record with these cells."""
        root = tuple(cells.get(name) for name in self.fields)
        own = {
            path.partition(".")[2]: value for path, value in cells.items() if head(path) == EXT and value is not None
        }
        children: dict[str, list[Row]] = {
            name: list(lift(child, self.columns[name], cells)) for name, child in self.children.items()
        }
        return root, dump_json(own) if own else None, children

    def link_ids(self, cells: Cells) -> Iterator[int]:
        """Every link that the cells name."""
        for path, value in cells.items():
            if isinstance(value, tuple):
                yield from self._links_of_rows(head(path), value if not is_member(path) else (value,))
            elif isinstance(value, int) and path in self.fields and self.fields[path].kind is Kind.REF:
                yield value

    def links_told(self, work: MappingDesk, mapped: Mapped) -> Iterator[int]:
        """Every link that a mapped record names."""
        for item, value in zip(work.fields, mapped.root, strict=True):
            if item.kind is Kind.REF and value is not None:
                yield value
        for part, rows in zip(work.children, mapped.children, strict=True):
            skip = 1 if part.child.lines else 0
            at = [skip + i for i, column in enumerate(part.columns) if column.endswith("_link_id")]
            yield from (row[i] for row in rows for i in at if row[i] is not None)

    def same(self, refs: References) -> Callable[[str, Value, Value], bool]:
        """Whether two values of a cell are the same thing: by the record that a reference names, not by spelling."""

        def same(path: str, one: Value, other: Value) -> bool:
            if one == other:
                return True
            if one is None or other is None:
                return False
            if isinstance(one, tuple) and isinstance(other, tuple):
                rows = ((one,), (other,)) if is_member(path) else (one, other)
                return self._same_rows(head(path), *rows, refs)
            found = self.fields.get(path)
            return found is not None and found.kind is Kind.REF and refs.same(one, other)

        return same

    def accepts(self, refs: References) -> Callable[[str, Value, Value], bool]:
        """Whether what a system shows is what it makes of the value meant: cut, rounded, other blanks."""
        same = self.same(refs)
        return lambda path, meant, shown: same(path, meant, shown) or bent(self.field_of(path), meant, shown)

    def restand(self, cells: Cells, refs: References) -> dict[str, Value]:
        """The same cells with rows of sets under the links that stand for their records now."""
        moved: dict[str, Value] = {}
        for path, value in cells.items():
            name = head(path)
            if is_member(path) and self._columns_of_refs.get(name) and isinstance(value, tuple):
                moved.update(lay((), (), [self._rows(self.children[name], (value,), refs)]))
            else:
                moved[path] = value
        return moved

    def field_of(self, path: str) -> Field | None:
        """The field of a root cell or of a cell of a one-row child."""
        name, _, column = path.partition(".")
        if name in self.children:
            return next((item for item in self.children[name].fields if item.column == column), None)
        return self.fields.get(path)

    def _rows(self, child: Child, rows: Iterable[Row], refs: References) -> Rows:
        """Rows of a child with references in sets replaced by the links that stand for their records."""
        at = self._columns_of_refs[child.name]
        if child.lines or not at:
            return child, self.columns[child.name], list(rows)
        moved = [
            tuple(refs.standing(cell) if i in at and cell is not None else cell for i, cell in enumerate(row))
            for row in rows
        ]
        return child, self.columns[child.name], moved

    def _widened(
        self, child: Child, columns: Sequence[str], rows: Sequence[Row], base: Callable[[str], Value], refs: References
    ) -> list[Row]:
        full = self.columns[child.name]
        if tuple(columns) == full:
            return list(rows)
        if child.lines:
            return widened_lines(columns, full, rows, base(child.name), refs)
        return [self._widened_row(child, columns, full, row, base, refs) for row in rows]

    def _widened_row(
        self,
        child: Child,
        columns: Sequence[str],
        full: Sequence[str],
        row: Row,
        base: Callable[[str], Value],
        refs: References,
    ) -> Row:
        told = dict(zip(columns, row, strict=True))
        bare = tuple(told.get(column) for column in full)
        path = next(iter(lay((), (), [self._rows(child, (bare,), refs)])))
        return fill(told, full, base(path))

    def _links_of_rows(self, name: str, rows: Iterable[Any]) -> Iterator[int]:
        skip = 1 if self.children[name].lines else 0
        at = [skip + i for i in self._columns_of_refs[name]]
        yield from (row[i] for row in rows for i in at if row[i] is not None)

    def _same_rows(self, name: str, one: Sequence[Any], other: Sequence[Any], refs: References) -> bool:
        if len(one) != len(other):
            return False
        lines, links, telling = self.children[name].lines, self._columns_of_refs[name], self._telling[name]
        numbers = self._numbers[name]
        skip = 1 if lines else 0
        for mine, theirs in zip(one, other, strict=True):
            if lines and mine[0] != theirs[0]:
                return False
            for at in telling:
                a, b = mine[skip + at], theirs[skip + at]
                # Nobody gives a discount of nothing in one system, and of zero in another: no number is zero in a row.
                if a != b and not (at in links and refs.same(a, b)) and not (at in numbers and not a and not b):
                    return False
        return True


@cache
def layout_of(entity: str) -> Layout:
    """The layout of an entity, made once."""
    return Layout(ENTITIES[entity])


def fill(told: Mapping[str, Any], full: Sequence[str], base: Value) -> Row:
    """A row with all columns: what is told, the rest from ``base``, a row of the same cell."""
    old = base if isinstance(base, tuple) and len(base) == len(full) else (None,) * len(full)
    return tuple(told.get(column, before) for column, before in zip(full, old, strict=True))


def widened_lines(
    columns: Sequence[str], full: Sequence[str], rows: Sequence[Row], base: Value, refs: References
) -> list[Row]:
    """Lines with all columns. A line is the one it was if its key is, or its number and what it sells."""
    before: list[Any] = list(base) if isinstance(base, tuple) else []
    by_number = {row[0]: row for row in before}
    by_key = {row[1 + full.index(_LINE_KEY)]: row for row in before} if _LINE_KEY in columns else {}
    product = 1 + full.index("product_link_id") if "product_link_id" in columns else None
    made = []
    for number, *values in rows:
        told = dict(zip(columns, values, strict=True))
        old = by_key.get(told[_LINE_KEY]) if told.get(_LINE_KEY) else None
        old = old or by_number.get(number)
        if old is not None and product is not None and not refs.same(old[product], told["product_link_id"]):
            old = None
        made.append((number, *fill(told, full, old[1:] if old else None)))
    return made


def bent(item: Field | None, meant: Value, shown: Value) -> bool:
    """Whether ``shown`` is ``meant`` as systems bend values: a text cut or with other blanks, a number rounded."""
    if isinstance(meant, str) and isinstance(shown, str) and shown:
        return " ".join(meant.split()).startswith(" ".join(shown.split()))
    if isinstance(meant, int) and isinstance(shown, int) and item is not None and item.kind in SCALE:
        steps = (10**places for places in range(1, SCALE[item.kind] + 1))
        return any(shown % step == 0 and abs(shown - meant) * 2 <= step for step in steps)
    return False


def _ext_cells(text: str | None) -> dict[str, Value]:
    return {f"{EXT}.{name}": value for name, value in json.loads(text).items()} if text else {}


def _telling(child: Child) -> list[int]:
    """Columns whose difference is one: neither part of a set's key, nor a way to write it, nor a line's own key."""
    return [
        at
        for at, item in enumerate(child.fields)
        if not item.spelling and item.name != _LINE_KEY and item.name not in child.key
    ]
