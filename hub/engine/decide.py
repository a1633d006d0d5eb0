"""What a record that one system says changes in the golden record that only this system contributes to.

With a single contributor the golden record *is* that system's statement, except where the rule "empty never erases
filled" keeps a value. Such a kept value is what the caller must remember in a contribution row. This is what ``arrive``
decides for one contributor, at the price of a comparison; a property test holds the two together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from hub.engine.cells import key_positions, member
from hub.model.entities import Child
from hub.model.fields import Field

Row = tuple[object, ...]


@dataclass(frozen=True, slots=True)
class Change:
    """One cell that changes: ``path`` is a field, or ``table[key].field``; values in travelling form."""

    path: str
    before: object
    after: object


@dataclass(slots=True)
class Decision:
    """What is to be written. ``root``: the golden row to be; ``kept``: fields whose clearing was not followed."""

    root: Row
    changes: list[Change] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    children_changed: list[int] = field(default_factory=list)


def _empty(value: object) -> bool:
    return value is None or value == ""


def decide_root(fields: Sequence[Field], known: Row, incoming: Row) -> Decision:
    """Golden root row from the known one and the incoming statement, both in the order of ``fields``."""
    if known == incoming:
        return Decision(known)
    golden = list(incoming)
    decision = Decision(known)
    for position, item in enumerate(fields):
        before, after = known[position], incoming[position]
        if before == after:
            continue
        if _empty(after) and not _empty(before) and not item.clearable:
            golden[position] = before
            decision.kept.append(item.name)
            continue
        decision.changes.append(Change(item.name, before, after))
    decision.root = tuple(golden)
    return decision


def _keyed(child: Child, columns: Sequence[str], rows: Sequence[Row]) -> dict[Row, Row]:
    """Rows by what identifies them inside their record: line number, key values, or nothing for a one-row child."""
    if child.lines:
        return {(row[0],): row[1:] for row in rows}
    positions = key_positions(child, columns)
    return {tuple(row[i] for i in positions): row for row in rows}


def decide_child(child: Child, columns: Sequence[str], known: Sequence[Row], incoming: Sequence[Row]) -> list[Change]:
    """Cells that change in one child table; an added or removed row is one change with the other side ``None``.

    Rows of a *lines* child start with their line number, then ``columns``; rows of a set child are ``columns``.
    The incoming list is complete: a system that sends a card or a document sends its tables whole.
    """
    if list(known) == list(incoming):
        return []
    old, new = _keyed(child, columns, known), _keyed(child, columns, incoming)
    changes: list[Change] = []
    for key in old.keys() | new.keys():
        before, after = old.get(key), new.get(key)
        if before == after:
            continue
        path = member(child, key)
        if before is None or after is None:
            changes.append(Change(path, before, after))
            continue
        for position, column in enumerate(columns):
            if before[position] != after[position]:
                changes.append(Change(f"{path}.{column}", before[position], after[position]))
    return sorted(changes, key=lambda change: change.path)
