"""What the bulk path must know of travelling values: which positions hold text or JSON, and how they are cleaned."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

from sqlalchemy import Table

from hub.model.fields import SCALE, Kind
from hub.store.types import canonical_json, clean_json, kind_of

Columns = tuple[str, ...]
Row = tuple[Any, ...]
Rows = Sequence[Row]


@cache
def kinds_of(table: Table, columns: Columns) -> tuple[Kind, ...]:
    """The kinds of ``columns``, in order."""
    return tuple(kind_of(table.c[name]) for name in columns)


@cache
def positions(table: Table, columns: Columns, kind: Kind) -> tuple[int, ...]:
    """Positions of the columns of ``kind``."""
    return tuple(at for at, item in enumerate(kinds_of(table, columns)) if item is kind)


def mend(rows: Rows, at: int, change: Callable[[str], str], mark: str) -> Rows:
    """``rows`` with ``change`` made to the texts at position ``at`` that hold ``mark``; the same object when none does.

    A page's texts are searched as one: that is several times quicker than asking each.
    """
    if mark not in "".join([row[at] for row in rows if row[at] is not None]):
        return rows
    return [
        row if row[at] is None or mark not in row[at] else (*row[:at], change(row[at]), *row[at + 1 :]) for row in rows
    ]


def without_nul_escapes(table: Table, columns: Columns, rows: Rows) -> Rows:
    """``rows`` whose JSON texts hold no escaped U+0000 (``jsonb`` refuses it)."""
    for at in positions(table, columns, Kind.JSON):
        rows = mend(rows, at, clean_json, "\\u0000")
    return rows


def without_nuls(table: Table, columns: Columns, rows: Rows) -> Rows:
    """``rows`` whose texts hold no U+0000: SQLite would keep what PostgreSQL cannot."""
    for at in positions(table, columns, Kind.TEXT):
        rows = mend(rows, at, lambda text: text.replace("\0", ""), "\0")
    return without_nul_escapes(table, columns, rows)


def canonical(table: Table, columns: Columns, rows: list[Row]) -> list[Row]:
    """``rows`` with each JSON text in its canonical form, so that texts are equal when values are."""
    for at in positions(table, columns, Kind.JSON):
        rows = list(mend(rows, at, canonical_json, ""))
    return rows


def travelling(dialect: str, name: str, kind: Kind) -> str:
    """SQL that gives the column ``name`` in travelling form: as it is stored on SQLite, cast on PostgreSQL."""
    if dialect == "sqlite":
        return name
    if kind in SCALE:
        return f"({name} * {10 ** SCALE[kind]})::bigint"
    casts = {
        Kind.BOOL: "{}::int",
        Kind.TIMESTAMP: "({} AT TIME ZONE 'UTC')::text",
        Kind.DATE: "{}::text",
        Kind.JSON: "{}::text",
    }
    return casts.get(kind, "{}").format(name)
