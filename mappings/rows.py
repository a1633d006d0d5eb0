"""What the parts of the way back have in common: when two values, and two rows, are the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hub.model.fields import Kind
from mappings.generate import child_fields
from mappings.spec import ChildSpec

Row = dict[str, Any]
#: What has no empty value in 1C: NULL is written, and read back, as zero or false.
_NEVER_NULL = (Kind.MONEY, Kind.QTY, Kind.PERCENT, Kind.BOOL, Kind.INT)


def same(kind: Kind, shown: Any, wanted: Any) -> bool:
    """Whether a value that is shown is the one that is wanted, as far as 1C can tell them apart."""
    if shown is NotImplemented:
        return False
    if wanted is None:
        return not shown if kind in _NEVER_NULL else shown is None
    return bool(shown == wanted)


def row_key(spec: ChildSpec, row: Mapping[str, Any]) -> tuple[Any, ...]:
    """What makes two rows of a set the same: its key, as far as the mapping fills it; without one there is one row."""
    return tuple(row.get(item.name) for item in child_fields(spec) if item.name in spec.child.key)


def covered(spec: ChildSpec, made: Sequence[Row], left: Sequence[Row]) -> bool:
    """Whether every row that is made is wanted."""
    keys = {row_key(spec, row) for row in left}
    return all(row_key(spec, row) in keys for row in made)


def take(spec: ChildSpec, made: Sequence[Row], left: list[Row]) -> bool:
    """Strike rows that are made off the list of those wanted, if all of them are on it."""
    if not covered(spec, made, left):
        return False
    keys = {row_key(spec, row) for row in made}
    left[:] = [row for row in left if row_key(spec, row) not in keys]
    return True


def numbered(rows: Sequence[Row]) -> list[Row]:
    """Rows of a tabular part as 1C takes them: numbered from 1 (as texts), without what only an answer holds."""
    return [
        {**{name: value for name, value in row.items() if "@" not in name}, "LineNumber": str(number)}
        for number, row in enumerate(rows, 1)
    ]
