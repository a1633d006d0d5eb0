"""Values and records in words that mean the same in two stores: link ids are numbers of one store alone.

A reference is spelled ``system:stream/external id``. So a plan can be read, and what is done later can be held
against it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeAlias

from sqlalchemy import Connection, select

from hub.engine.cells import STATE, Value, head, is_member
from hub.exchange.cards.layout import Layout, layout_of
from hub.exchange.naming import called
from hub.model.fields import Kind, show
from hub.store import bulk, core

#: Columns of child tables by their names.
Columns: TypeAlias = Mapping[str, Sequence[str]]


class Speller:
    """Spells links it was taught; one that it does not know keeps its number."""

    def __init__(self) -> None:
        self._links: dict[int, str] = {}

    def learn(self, conn: Connection, link_ids: Iterable[int]) -> None:
        """Look up links that are not known yet."""
        link, stream, system = core.link, core.stream, core.system
        missing = sorted({number for number in link_ids if number not in self._links})
        for chunk in bulk.chunks(missing):
            rows = conn.execute(
                select(link.c.id, system.c.code, stream.c.name, link.c.external_id)
                .join(stream, stream.c.id == link.c.stream_id)
                .join(system, system.c.id == stream.c.system_id)
                .where(link.c.id.in_(chunk))
            )
            self._links.update({row[0]: key_of(row[1], row[2], row[3]) for row in rows})

    def link(self, number: int) -> str:
        """A link in words."""
        return self._links.get(number, str(number))

    def value(self, entity: str, path: str, value: Value) -> str | None:
        """A value of a cell as a person reads it."""
        layout = layout_of(entity)
        if isinstance(value, tuple):
            rows = [value] if is_member(path) else list(value)
            told = [self._row(layout, head(path), row) for row in rows]
            return _json(told[0] if is_member(path) else told)
        found = layout.field_of(path)
        if found is not None and found.kind is Kind.REF and isinstance(value, int):
            return self.link(value)
        return show(found.kind, value) if found else None if value is None else str(value)

    def logged(self, entity: str, path: str | None, text: str | None, columns: Columns | None = None) -> str | None:
        """A value as the change log keeps it, its references spelled.

        ``columns``: by child table those of the mapping that told it, where rows may be narrower than the table.
        """
        if text is None or path is None:
            return text
        layout = layout_of(entity)
        if head(path) in layout.children:
            return self._logged_row(layout, path, text, (columns or {}).get(head(path), ()))
        found = layout.field_of(path)
        return self.link(int(text)) if found and found.kind is Kind.REF and text.isdigit() else text

    def _logged_row(self, layout: Layout, path: str, text: str, columns: Sequence[str]) -> str:
        child = layout.children[head(path)]
        column = path.rpartition(".")[2]
        if any(item.column == column and item.kind is Kind.REF for item in child.fields):
            return self.link(int(text)) if text.isdigit() else text
        if not text.startswith("["):
            return text
        value = json.loads(text)
        if isinstance(value, list) and value and isinstance(value[0], list):
            return _json([self._row(layout, child.name, row, columns) for row in value])
        return _json(self._row(layout, child.name, value, columns)) if isinstance(value, list) else text

    def _row(self, layout: Layout, name: str, row: Any, columns: Sequence[str] = ()) -> Any:
        if not isinstance(row, list | tuple):
            return row
        full = layout.columns[name]
        told = full if len(row) >= len(full) else columns
        skip = len(row) - len(told)  # lines have their number in front
        refs = {item.column for item in layout.children[name].fields if item.kind is Kind.REF}
        places = {skip + at for at, column in enumerate(told) if column in refs}
        return [self.link(cell) if at in places and isinstance(cell, int) else cell for at, cell in enumerate(row)]


def key_of(system: str, stream: str, external_id: str) -> str:
    """A record of a system in words."""
    return f"{system}:{stream}/{external_id}"


def named_links(entity: str, rows: Iterable[tuple[str | None, str | None]]) -> set[int]:
    """Links that the change log's values (path, text) may name: more than these are never spelled."""
    layout, found = layout_of(entity), set[int]()
    for path, text in rows:
        if text is None or path is None:
            continue
        name = head(path)
        field = layout.field_of(path)
        if text.isdigit() and (name in layout.children or (field and field.kind is Kind.REF)):
            found.add(int(text))
        elif name in layout.children and text.startswith("["):
            found.update(_numbers(json.loads(text)))
    return {number for number in found if number < 1 << 62}


def _numbers(value: Any) -> Iterable[int]:
    for cell in value if isinstance(value, list) else ():
        if isinstance(cell, list):
            yield from _numbers(cell)
        elif isinstance(cell, int) and not isinstance(cell, bool):
            yield cell


def label_of(cells: Mapping[str, Value]) -> str:
    """What a person calls the record: its name, or number and date."""
    name, day = called(cells), str(cells.get("date") or "")[:10]
    return f"{name} · {day}" if name and day else name or day


def personal(entity: str, path: str | None) -> bool:
    """Whether values of the cell are somebody's personal data."""
    layout = layout_of(entity)
    child = layout.children.get(head(path or ""))
    if child is not None:
        return any(item.personal for item in child.fields)
    found = layout.field_of(path or "")
    return path not in (None, STATE) and (found is None or found.personal)


def mark_of(rows: Sequence[Sequence[Any]]) -> str:
    """A short text that two lists of changes share only when they are the same."""
    return hashlib.sha256(_json([list(row) for row in rows]).encode()).hexdigest()[:24]


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
