"""One small piece of a mapping run on one record: what the way back is proven by.

Rows and values come by field name; a reference comes as a ``RefTarget``, because whoever writes to a system thinks in
that system's keys, not in links.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import msgspec

from hub.model.entities import Child
from hub.model.records import Reject
from mappings.compiled import CompiledMapping, RefTarget
from mappings.generate import child_fields
from mappings.reverse import holds
from mappings.rows import Row
from mappings.runtime import EMPTY, ZERO
from mappings.spec import ChildSpec, FieldSpec, MappingSpec, RowSpec


class _Keys:
    """Stands for the links of one stream: a reference is told by stream and key."""

    def __init__(self, stream: str) -> None:
        self._stream = stream

    def get(self, key: Any, default: Any = None) -> Any:
        return default if key in EMPTY else RefTarget(self._stream, key)


class _Links:
    def get(self, stream: str, default: Any = None) -> Any:
        return _Keys(stream)


class Forward:
    """Runs parts of one mapping; each is compiled when it is first asked for."""

    def __init__(self, mapping: CompiledMapping) -> None:
        self.mapping = mapping
        self._parts: dict[Any, CompiledMapping] = {}

    def value(self, item: FieldSpec, record: Mapping[str, Any]) -> Any:
        """What a root field becomes; a record it refuses gives ``NotImplemented``, which equals no value."""
        part = self._part(item, fields=(replace(item, required=False),))
        made = self._run(part, record)
        return NotImplemented if made is None else made.root[0]

    def rows(self, child: Child, row: RowSpec, record: Mapping[str, Any]) -> list[Row]:
        """The child rows that one template makes; lines with their ``line_no``. Refused: none."""
        spec = ChildSpec(child, (row,))
        made = self._run(self._part(row, children=(spec,)), record)
        if made is None:
            return []
        names = [field.name for field in child_fields(spec)]
        names = ["line_no", *names] if child.lines else names
        return [dict(zip(names, cells, strict=True)) for cells in made.children[0]]

    def of_row(self, child: Child, row: RowSpec, raw: Row, record: Mapping[str, Any]) -> list[Row]:
        """The child rows that one row of a tabular part makes."""
        if all(test.wire == "text" for test in row.when) and not holds(row.when, raw):
            return []  # told without running anything: most rows are not this template's
        keys = {name: record.get(name) for name in self.mapping.key}
        return self.rows(child, row, {**keys, row.table: [raw]})

    def _part(self, of: FieldSpec | RowSpec, **kept: Any) -> CompiledMapping:
        found = self._parts.get(id(of))
        if found is None:
            nothing: dict[str, Any] = {"fields": (), "ext": (), "children": (), "skip": (), "deleted": None}
            spec: MappingSpec = replace(self.mapping.spec, **{**nothing, **kept})
            found = self._parts[id(of)] = CompiledMapping(spec, self.mapping.timezone)
        return found

    @staticmethod
    def _run(part: CompiledMapping, record: Mapping[str, Any]) -> Any:
        whole = {
            **dict.fromkeys(part.key, ZERO),
            **{name: value for name, value in record.items() if value is not None},
        }
        items = part.decode([msgspec.json.encode(whole)], [""])
        if isinstance(items[0], Reject):
            return None
        made = part.emit(items, _Links())  # type: ignore[arg-type]
        return None if isinstance(made[0], Reject) else made[0]
