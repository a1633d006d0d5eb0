"""What the store calls what a mapping reads."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mappings.compiled import CompiledMapping


def stream_name(mapping: CompiledMapping) -> str:
    """The store's name of what a mapping reads: the set, ``set#table`` for a virtual table of a register, and
    ``set#table#part`` where several mappings take their share of one.
    """
    parts = [mapping.stream, *([mapping.table] if mapping.table != "set" else []), *filter(None, [mapping.part])]
    return "#".join(parts)
