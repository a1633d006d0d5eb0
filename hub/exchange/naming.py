"""What things are called: a stream by the store, a record by people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mappings.compiled import CompiledMapping

#: Fields that people call a record by, the first that is filled.
CALLED_BY = ("display_name", "name", "title", "number", "code", "sku")


def called(cells: Mapping[str, object]) -> str:
    """What people call the record with these cells; empty when there is nothing to call it by."""
    return next((str(cells[name]) for name in CALLED_BY if cells.get(name)), "")


def stream_name(mapping: CompiledMapping) -> str:
    """The store's name of what a mapping reads: the set, ``set#table`` for a virtual table of a register, and
    ``set#table#part`` where several mappings take their share of one.
    """
    parts = [mapping.stream, *([mapping.table] if mapping.table != "set" else []), *filter(None, [mapping.part])]
    return "#".join(parts)
