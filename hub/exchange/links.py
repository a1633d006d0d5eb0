"""Links by external id, looked up in bulk and remembered within bounds.

A reference is stored as the id of the link its source named. A target that is not here yet gets an *expected* link,
so a late reference needs no second write: when the target comes, its link is already what the others point at.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence

from sqlalchemy import Connection, select

from hub.store import bulk, core

LinkIds = Mapping[str, Mapping[str, int]]


class Links:
    """Link ids of one system by stream name and external id.

    ``ids`` is what mappings emit references from. ``expected`` holds those without a record. Memory is bounded: at
    ``limit`` remembered links all are forgotten between pages (they are one look-up away).
    """

    def __init__(self, streams: Mapping[str, int], run_id: int, limit: int = 60_000) -> None:
        self.ids: dict[str, dict[str, int]] = {name: {} for name in streams}
        self.expected: dict[str, set[str]] = defaultdict(set)
        self._streams = streams
        self._run_id = run_id
        self._limit = limit
        self._added: list[tuple[str, str]] = []

    def start_page(self) -> None:
        """Begin a page: what is added from here can be taken back; forget everything once there is too much."""
        self._added.clear()
        if sum(map(len, self.ids.values())) > self._limit:
            for known in self.ids.values():
                known.clear()
            self.expected.clear()

    def mark(self) -> int:
        """A point in the page to come back to with ``take_back``."""
        return len(self._added)

    def take_back(self, mark: int) -> None:
        """Forget what was added since ``mark``: its rows were rolled back."""
        for stream, external_id in self._added[mark:]:
            self.ids[stream].pop(external_id, None)
            self.expected[stream].discard(external_id)
        del self._added[mark:]

    def remember(self, stream: str, external_id: str, link_id: int, *, expected: bool = False) -> None:
        """Know this link from now on."""
        self.ids[stream][external_id] = link_id
        self._added.append((stream, external_id))
        if expected:
            self.expected[stream].add(external_id)
        else:
            self.expected[stream].discard(external_id)

    def remember_new(self, stream: str, external_ids: Sequence[str], numbers: Iterable[int]) -> None:
        """Know these links, which nobody knew before, from now on; they are about to get their records."""
        self.ids[stream].update(zip(external_ids, numbers, strict=True))
        self._added.extend([(stream, external_id) for external_id in external_ids])

    def forget(self, stream: str, external_id: str) -> None:
        """A link that was foreseen in this page but is not written."""
        self.ids[stream].pop(external_id, None)
        self.expected[stream].discard(external_id)

    def resolve(self, conn: Connection, wanted: Mapping[str, Collection[str]]) -> None:
        """Make ``ids`` hold every wanted link, creating expected ones where there is none."""
        for stream, external_ids in wanted.items():
            known = self.ids[stream]
            missing = [external_id for external_id in external_ids if external_id not in known]
            if missing:
                self._look_up(conn, stream, missing)
                unknown = [external_id for external_id in missing if external_id not in known]
                if unknown:
                    self._expect(conn, stream, unknown)

    def stream_id(self, stream: str) -> int:
        """Number of a stream of this system."""
        return self._streams[stream]

    def without_record(self, stream: str, external_ids: Collection[str]) -> set[str]:
        """Of these links, the ones that are only expected as far as this run remembers."""
        expected = self.expected.get(stream)
        return expected.intersection(external_ids) if expected else set()

    def _look_up(self, conn: Connection, stream: str, external_ids: list[str]) -> None:
        for external_id, found in bulk.find_links(conn, self._streams[stream], external_ids).items():
            self.remember(stream, external_id, found[0], expected=found[1] is None)

    def _expect(self, conn: Connection, stream: str, external_ids: list[str]) -> None:
        """Insert expected links. Another run may insert the same at this moment: the first one stands for both."""
        numbers = bulk.allocate(conn, "link", len(external_ids))
        columns = ("id", "stream_id", "external_id", "state", "first_run")
        rows = [
            (number, self._streams[stream], external_id, "expected", self._run_id)
            for number, external_id in zip(numbers, external_ids, strict=True)
        ]
        added = bulk.insert_missing(conn, core.link, ("stream_id", "external_id"), columns, rows)
        if added < len(rows):
            self._look_up(conn, stream, external_ids)
            return
        self.remember_new(stream, external_ids, numbers)
        self.expected[stream].update(external_ids)

    def recheck(self, conn: Connection, waiting: Mapping[str, Collection[str]]) -> dict[str, set[str]]:
        """Of links remembered as expected, by stream, those that still are.

        Locks them (PostgreSQL): whoever brings the record now has to wait until our parked row is committed, and will
        then find and release it; if he was first, we see his record here and do not park.
        """
        still: dict[str, set[str]] = {}
        for stream, external_ids in waiting.items():
            by_id = {self.ids[stream][external_id]: external_id for external_id in external_ids}
            for chunk in bulk.chunks(list(by_id)):
                rows = conn.execute(
                    select(core.link.c.id, core.link.c.record_id).where(core.link.c.id.in_(chunk)).with_for_update()
                )
                for row in rows:
                    if row.record_id is None:
                        still.setdefault(stream, set()).add(by_id[row.id])
                    else:
                        self.expected[stream].discard(by_id[row.id])
        return still
