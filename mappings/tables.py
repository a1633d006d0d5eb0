"""A tabular part that feeds sets of values (contact points, addresses), written whole.

What the mapping does not know, and what feeds a child that is not told this time, is kept as it stands. A row whose
value is wanted stays untouched; one whose value has changed keeps what is not its value (its kind, its dates); rows
without a wanted value go, new ones come last.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from mappings.proposals import Proposals, Work
from mappings.rows import Row, numbered, row_key
from mappings.runtime import is_guid
from mappings.spec import ChildSpec, RowSpec

#: What every row of a tabular part of 1C has, and no row of a table of a database.
NUMBER = "LineNumber"
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}T.*")


def write_table(back: Proposals, work: Work, table: str, feeds: Sequence[tuple[ChildSpec, RowSpec]]) -> None:
    """Say the rows of ``table``; takes what it has said off ``work.left``."""
    before = [dict(row) for row in work.now.get(table) or ()]
    task = _Table(back, work, feeds)
    after: list[Row | None] = [task.kept(row) for row in before]
    after = [task.rewritten(row) if kept is None else kept for row, kept in zip(before, after, strict=True)]
    rows = numbered([row for row in after if row is not None] + task.added(before))
    if rows != numbered(before):
        work.now[table] = work.said[table] = rows


class _Table:
    def __init__(self, back: Proposals, work: Work, feeds: Sequence[tuple[ChildSpec, RowSpec]]) -> None:
        self.back = back
        self.work = work
        self.feeds = feeds
        self.wanted = {
            child.child.name: {row_key(child, row) for row in work.left[child.child.name]}
            for child, _ in feeds
            if child.child.name in work.left
        }

    def _made(self, raw: Row) -> list[tuple[ChildSpec, RowSpec, list[Row]]]:
        forward, now = self.back.forward, self.work.now
        found = [(child, row, forward.of_row(child.child, row, raw, now)) for child, row in self.feeds]
        return [(child, row, made) for child, row, made in found if made]

    def kept(self, raw: Row) -> Row | None:
        """The row if it stays as it is: nobody's, of a child that is not told, or with nothing but wanted values."""
        owners = self._made(raw)
        told = [(child, made) for child, _, made in owners if child.child.name in self.wanted]
        keys = [(child.child.name, row_key(child, row)) for child, made in told for row in made]
        if len(told) == len(owners) and any(key not in self.wanted[name] for name, key in keys):
            return None
        for child, made in told:
            self._strike(child, made)
        return raw

    def rewritten(self, raw: Row) -> Row | None:
        """The row with another value that is wanted, or ``None`` if there is none for it."""
        for child, row, made in self._made(raw):
            here = {row_key(child, each) for each in made}
            left = self.work.left[child.child.name]
            ours = [each for each in left if row_key(child, each) in here]
            for wanted in ours + [each for each in left if row_key(child, each) not in here]:
                base = raw if row.maker is None or NUMBER not in raw else _without_texts(raw)
                found = self._try(child, row, wanted, base)
                if found is not None:
                    return found
        return None

    def added(self, before: Sequence[Row]) -> list[Row]:
        """New rows for what is still wanted."""
        rows: list[Row] = []
        for child, row in self.feeds:
            begun = self.back.begun(row, before)
            if begun is None:
                continue
            for wanted in list(self.work.left.get(child.child.name, ())):
                if wanted in self.work.left[child.child.name]:
                    found = self._try(child, row, wanted, begun)
                    rows += [] if found is None else [found]
        return rows

    def _try(self, child: ChildSpec, row: RowSpec, wanted: Row, base: Mapping[str, Any]) -> Row | None:
        left = self.work.left[child.child.name]
        keys = {row_key(child, each) for each in left}
        for values in self.back.proposals(row, wanted, base):
            raw = {**base, **values}
            made = self.back.forward.of_row(child.child, row, raw, self.work.now)
            if made and all(row_key(child, each) in keys for each in made):
                self._strike(child, made)
                return raw
        return None

    def _strike(self, child: ChildSpec, made: Sequence[Row]) -> None:
        keys = {row_key(child, each) for each in made}
        left = self.work.left[child.child.name]
        left[:] = [each for each in left if row_key(child, each) not in keys]


def _without_texts(raw: Row) -> Row:
    """What is no text: references, dates, numbers, flags. 1C's texts tell the old value, each in its own way."""
    return {name: value for name, value in raw.items() if not isinstance(value, str) or _no_text(name, value)}


def _no_text(name: str, value: str) -> bool:
    return name.endswith("_Type") or name == NUMBER or is_guid(value) or _DATE.fullmatch(value) is not None
