"""Which record a link names: references are kept as links, and two links may name one record."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection, func, select

from hub.store import bulk, core


class References:
    """What the links that were asked for name. A link that is only expected names nothing but itself."""

    def __init__(self) -> None:
        self._records: dict[int, int | None] = {}
        self._first: dict[int, int] = {}

    def learn(self, conn: Connection, link_ids: Iterable[int]) -> None:
        """Look up links that are not known yet."""
        link = core.link
        missing = sorted({number for number in link_ids if number not in self._records})
        records = set[int]()
        for chunk in bulk.chunks(missing):
            for row in conn.execute(select(link.c.id, link.c.record_id).where(link.c.id.in_(chunk))):
                self._records[row.id] = row.record_id
                if row.record_id is not None:
                    records.add(row.record_id)
        for chunk in bulk.chunks(sorted(records - self._first.keys())):
            rows = conn.execute(
                select(link.c.record_id, func.min(link.c.id))
                .where(link.c.record_id.in_(chunk))
                .group_by(link.c.record_id)
            )
            self._first.update((record, first) for record, first in rows)

    def record(self, link_id: int) -> int | None:
        """The record that the link names, if it is here."""
        return self._records.get(link_id)

    def standing(self, link_id: int) -> int:
        """The link that stands for all links of the same record: two systems' rows for one record are one cell."""
        record = self._records.get(link_id)
        return link_id if record is None else self._first.get(record, link_id)

    def same(self, one: object, other: object) -> bool:
        """Whether two links name one record."""
        if one == other:
            return True
        if not isinstance(one, int) or not isinstance(other, int):
            return False
        return self.standing(one) == self.standing(other)
