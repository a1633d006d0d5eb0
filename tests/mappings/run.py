"""Running one mapping over raw records the way the exchange does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import count
from typing import Any

from hub.model.records import Reject
from mappings.compiled import CompiledMapping, Mapped


def link_all(wanted: Mapping[str, set[str]]) -> dict[str, dict[str, int]]:
    """A made-up link id for everything that is referred to."""
    numbers = count(1)
    return {stream: {external: next(numbers) for external in sorted(ids)} for stream, ids in wanted.items()}


def run(mapping: CompiledMapping, raws: Sequence[bytes]) -> list[Mapped | Reject | str]:
    """What becomes of each record: rows, a reject, or the reason it is skipped for."""
    heads = mapping.heads(raws)
    known = [(raw, head[0]) for raw, head in zip(raws, heads, strict=True) if not isinstance(head, Reject)]
    decoded = iter(mapping.decode([raw for raw, _ in known], [external for _, external in known]))
    outcome: list[Any] = [head if isinstance(head, Reject) else next(decoded) for head in heads]
    for position, item in enumerate(outcome):
        if not isinstance(item, Reject) and (reason := mapping.skip_reason(item)):
            outcome[position] = reason
    passing = [n for n, item in enumerate(outcome) if not isinstance(item, Reject | str)]
    items = [outcome[n] for n in passing]
    for n, mapped in zip(passing, mapping.emit(items, link_all(mapping.collect(items))), strict=True):
        outcome[n] = mapped
    return outcome


def one(mapping: CompiledMapping, raw: bytes) -> Mapped:
    """The rows of a record that must pass."""
    result = run(mapping, [raw])[0]
    assert isinstance(result, Mapped), result
    return result


def root(mapping: CompiledMapping, mapped: Mapped) -> dict[str, Any]:
    """Root values by column."""
    return dict(zip(mapping.root_columns, mapped.root, strict=True))


def rows(mapping: CompiledMapping, mapped: Mapped, child: str) -> list[dict[str, Any]]:
    """Rows of a child table by column; the number of a line is ``line_no``."""
    for part, found in zip(mapping.children, mapped.children, strict=True):
        if part.child.name == child:
            names = ("line_no", *part.columns) if part.child.lines else part.columns
            return [dict(zip(names, row, strict=True)) for row in found]
    raise KeyError(child)
