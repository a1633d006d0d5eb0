"""What the other messages of a chat are surely about, without looking at each of them.

A chat grows for years, and all of it is one thread. As long as a new message tells nothing new of whose the chat is,
the others stay as they are and are not even read; once it does (a telephone is shared, a client's card gets the name),
those that lean on it are decided anew.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

from sqlalchemy import Connection, select

from hub.exchange.comms.matching import WEAK, Draft
from hub.exchange.comms.reading import Event, Known
from hub.exchange.comms.threads import Place
from hub.store import bulk, comms_tables

Anchors = dict[int, set[tuple[str, int]]]
#: Rules of a person's word, and of one that was taken back just now.
_SAID = frozenset({"manual", ""})


class Chats:
    """Chats of the activities that are being judged."""

    def __init__(
        self, conn: Connection, events: Mapping[int, Event], old: Mapping[int, Known], places: Mapping[int, Place]
    ) -> None:
        self._conn, self._old = conn, old
        self._thread_of = {
            number: thread for number in events if events[number].chat and (thread := places[number].thread) is not None
        }

    @property
    def threads(self) -> set[int]:
        """Threads that are chats."""
        return set(self._thread_of.values())

    def look(self, drafts: Mapping[int, Draft]) -> tuple[Anchors, set[int]]:
        """Anchors of the chats but for these drafts, and the chats that are about something else with them."""
        if not self._thread_of:
            return {}, set()
        others = self._others([number for number in self._thread_of if number in drafts])
        before, after = self._stored(drafts), defaultdict[int, set[tuple[str, int]]](set)
        for number, thread in self._thread_of.items():
            after[thread] |= drafts[number].anchors if number in drafts else set()
        stirred = {
            thread
            for thread in self.threads
            if others[thread] | before[thread] != others[thread] | after[thread] or self._said(thread)
        }
        return others, stirred

    def _said(self, thread: int) -> bool:
        return any(
            of == thread and number in self._old and self._old[number].rule in _SAID
            for number, of in self._thread_of.items()
        )

    def _stored(self, numbers: Iterable[int]) -> Anchors:
        """What these were surely about until now."""
        found: Anchors = defaultdict(set)
        party, wanted = comms_tables.activity_party, sorted(set(numbers) & self._thread_of.keys() & self._old.keys())
        columns = ("activity_id", "entity", "record_id", "kind", "rule")
        for number, entity, record_id, kind, rule in bulk.fetch_rows(self._conn, party, columns, "activity_id", wanted):
            if kind == "matched" and rule not in WEAK:
                found[self._thread_of[number]].add((entity, record_id))
        return found

    def _others(self, without: Iterable[int]) -> Anchors:
        """What all other messages of the chats are surely about."""
        found: Anchors = defaultdict(set)
        match, party = comms_tables.activity_match, comms_tables.activity_party
        query = (
            select(match.c.thread_id, party.c.entity, party.c.record_id)
            .join(party, party.c.activity_id == match.c.activity_id)
            .where(match.c.thread_id.in_(sorted(self.threads)), match.c.activity_id.not_in(sorted(without)))
            .where(party.c.kind == "matched", party.c.rule.not_in(sorted(WEAK)))
        )
        for thread, entity, record_id in self._conn.execute(query.distinct()):
            found[thread].add((entity, record_id))
        return found
