"""Cells as people read them: labels, values, references by what they name; and masked, where machines keep them."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import Connection, select

from hub.engine.cells import STATE, Value, head, is_member
from hub.exchange.cards.layout import EXT, Layout, layout_of
from hub.exchange.which import label_of
from hub.model.entities import Child
from hub.model.fields import Field, Kind, show
from hub.store import core

#: What stands for personal data.
MASK = "•••"
#: Of a row of a set, the column that says it all.
_TELLING = ("value_raw", "value", "text")


def cell_of(layout: Layout, path: str) -> str:
    """The cell that a path of the change log lies in: rows of documents and of sets are logged column by column."""
    child = layout.children.get(head(path))
    if child is None or not (child.lines or child.key):
        return path
    if child.lines:
        return child.name
    return path[: path.rindex("]") + 1] if is_member(path) else path


def personal(layout: Layout, path: str) -> bool:
    """Whether the cell may hold personal data; of a site's own fields nobody knows."""
    if path.startswith(EXT):
        return True
    child = layout.children.get(head(path))
    if child is None or not (child.lines or child.key):
        found = layout.field_of(path)
        return bool(found and found.personal)
    return any(item.personal for item in child.fields)


def masked(layout: Layout, path: str, text: str | None) -> str | None:
    """The text where it is no personal data."""
    return MASK if text is not None and personal(layout, path) else text


def masked_path(layout: Layout, path: str) -> str:
    """The path without what its key tells of a person."""
    if not is_member(path) or not personal(layout, path):
        return path
    kind, _, rest = path.partition(",")
    return f"{kind},{MASK}]" if rest else path


class Shower:
    """Shows cells of one entity; looks up what references name, each once."""

    def __init__(self, conn: Connection, entity: str) -> None:
        self.conn, self.layout = conn, layout_of(entity)
        self._names: dict[int, str] = {}

    def label(self, path: str) -> str:
        """The Russian name of a cell; its path where it has none."""
        child = self.layout.children.get(head(path))
        if path == STATE:
            return "Состояние записи"
        if child is None:
            found = self.layout.field_of(path)
            return found.ru if found else path
        if is_member(path):
            return f"{child.ru}: {path.partition('[')[2].partition(',')[0].removesuffix(']')}"
        column = self.layout.field_of(path)
        return f"{child.ru}: {column.ru}" if column else child.ru

    def text(self, path: str, value: Value) -> str | None:
        """A value as people read it; ``None`` where there is none."""
        child = self.layout.children.get(head(path))
        if value is None:
            return None
        if child is not None and isinstance(value, tuple):
            if child.lines:
                return "; ".join(self._line(child, row) for row in value if isinstance(row, tuple))
            return self._row(child, value)
        found = self.layout.field_of(path)
        return self._one(found, value)

    def logged(self, path: str, text: str | None) -> str | None:
        """A value of the change log as people read it: whole rows are kept there as JSON."""
        child = self.layout.children.get(head(path))
        if text is None:
            return None
        if child is None or not text.startswith("["):
            found = self.layout.field_of(path)
            return self._one(found, int(text)) if found and found.kind is Kind.REF and _whole(text) else text
        try:
            row = tuple(json.loads(text))
        except ValueError:
            return text
        return self._row(child, row) if len(row) == len(child.fields) else " · ".join(map(str, filter(None, row)))

    def _line(self, child: Child, row: Any) -> str:
        number, *values = row
        told = (self._one(item, value) for item, value in zip(child.fields, values, strict=False) if value is not None)
        return f"{number}) {' · '.join(filter(None, told))}"

    def _row(self, child: Child, row: Any) -> str:
        told = {item.name: self._one(item, value) for item, value in zip(child.fields, row, strict=False)}
        whole = next((told[name] for name in _TELLING if told.get(name)), None)
        return whole or " · ".join(filter(None, told.values()))

    def _one(self, item: Field | None, value: Any) -> str | None:
        if value is None:
            return None
        if item is not None and item.kind is Kind.REF and isinstance(value, int):
            return self._named(value)
        return show(item.kind, value) if item else str(value)

    def _named(self, link_id: int) -> str:
        """What a reference names, with the system and the key that it does so by."""
        if link_id not in self._names:
            link, stream, system = core.link, core.stream, core.system
            row = self.conn.execute(
                select(link.c.record_id, link.c.external_id, stream.c.entity, system.c.code)
                .join(stream, stream.c.id == link.c.stream_id)
                .join(system, system.c.id == stream.c.system_id)
                .where(link.c.id == link_id)
            ).first()
            if row is None:
                self._names[link_id] = f"link {link_id}"
            else:
                name = label_of(self.conn, row.entity, row.record_id) if row.entity and row.record_id else ""
                self._names[link_id] = " ".join(filter(None, [name, f"({row.code} {row.external_id})"]))
        return self._names[link_id]


def _whole(text: str) -> bool:
    return text.lstrip("-").isdigit()
