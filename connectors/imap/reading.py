"""Reading a mailbox on from where it stands: folder by folder what is new, what is gone.

Of a folder that did not change nothing is asked but how it stands. How it stood when it was opened is what is kept:
what comes later in the same reading is seen by the next one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from connectors.base import ReadRequest
from connectors.imap import letters, schema
from connectors.imap.folders import Folder, chosen
from connectors.imap.letter import Mailbox
from connectors.imap.letters import Batch, Where
from connectors.imap.pool import Pool
from connectors.imap.position import Place, Position
from connectors.imap.ranges import Ranges
from connectors.imap.session import Selected, Session
from hub.model.errors import StopRoute
from hub.model.records import Page

#: Letters of which head and structure are asked for at once.
AT_ONCE = 200


@dataclass(slots=True)
class _Found:
    """What is to be done in a folder. ``marked``: letters that bear each mark, where that was asked for."""

    selected: Selected
    new: Sequence[int]
    gone: Sequence[int]
    marked: Mapping[str, set[int]] | None = None


class Reading:
    """One read of a mailbox."""

    def __init__(self, pool: Pool, mailbox: Mailbox, request: ReadRequest, size: int) -> None:
        self.pool, self.mailbox, self.request = pool, mailbox, request
        self.size = max(1, min(size, request.page_size))
        self.position = Position(request.position)
        #: Folders that were passed over: their numbers cannot be relied on, or the server does not open them.
        self.parked: list[str] = []
        self.closed: list[str] = []

    def pages(self) -> Iterator[Page]:
        """What is new or gone since the position; the last page is an empty one. Then ``StopRoute`` names folders whose
        numbers cannot be relied on, or that cannot be opened, once everything else was delivered.
        """
        settings = self.pool.settings
        listed = self.pool.run(lambda session: session.folders(status=True))
        there = {folder.name for folder in listed}
        if not any(folder.use == "inbox" for folder in listed):  # every mailbox has one: this is no list of folders
            raise StopRoute("mail_no_folders", system=settings.title)
        for folder in chosen(listed, settings):
            yield from self._folder(folder)
        for name in sorted(self.position.places.keys() - there):
            place = self.position.places[name]
            yield from self._gone(Where(name, place.uidvalidity, False), place.drop, list(place.have))
            del self.position.places[name]
        yield self.page([], [], last=True)
        if self.parked:
            raise StopRoute("mail_folder_parked", folder=", ".join(self.parked), system=settings.title)
        if self.closed:
            raise StopRoute("mail_folder_closed", folder=", ".join(self.closed), system=settings.title)

    def page(self, records: Sequence[dict[str, Any]], deleted: Sequence[str], *, last: bool = False) -> Page:
        """A page with the position after it."""
        raws = [schema.encode(schema.only(self.request, one)) for one in records]
        return Page(schema.STREAM, raws, tuple(deleted), self.position.told(), last, sum(map(len, raws)))

    def _folder(self, folder: Folder) -> Iterator[Page]:
        place = self.position.places.setdefault(folder.name, Place())
        status = self.pool.run(lambda session: session.status(folder))
        if place.unchanged(status) and not place.parked:
            place.modseq, place.renewals = max(0, status.get("HIGHESTMODSEQ", 0)), 0
            return
        try:
            found = self.pool.run(lambda session: self._look(session, folder, place), folder.name)
        except StopRoute:
            self.closed.append(folder.name)
            return
        if place.parked:
            self.parked.append(folder.name)
            return
        where = Where(folder.name, place.uidvalidity, folder.sent)
        changed = [*found.new, *_changed(place, found)]
        for start in range(0, len(changed), self.size):
            uids = changed[start : start + self.size]
            batch = self._read(where, uids)
            place.read(batch.records)
            yield self.page([batch.records[uid] for uid in uids if uid in batch.records], [])
        yield from self._gone(where, place.drop, found.gone)
        for uidvalidity in list(place.old):
            old = place.old[uidvalidity]
            yield from self._gone(Where(folder.name, uidvalidity, folder.sent), old.discard, list(old))
            del place.old[uidvalidity]
        if found.marked is not None:
            place.marked = {
                mark: Ranges(uid for uid in uids if uid in place.have) for mark, uids in found.marked.items()
            }
        told = found.selected
        place.uidnext, place.modseq, place.exists = told.uidnext, told.modseq, told.exists

    def _look(self, session: Session, folder: Folder, place: Place) -> _Found:
        """Open the folder and see what is new and what is gone."""
        behind = place.modseq if place.modseq <= folder.status.get("HIGHESTMODSEQ", place.modseq) else 0
        selected = session.examine(folder.name, place.uidvalidity, behind)
        if place.uidvalidity and selected.uidvalidity != place.uidvalidity:
            place.renewed(selected.uidvalidity)
            if place.parked:
                return _Found(selected, [], [])
        elif place.uidnext:  # it was read whole under these numbers, so they can be relied on
            place.renewals = 0
        elif place.parked:
            place.renewals = 1  # they stayed the same from one time to the next: try again
        place.uidvalidity = selected.uidvalidity
        new, gone = self._differences(session, selected, place.have)
        # Marks of what is read for the first time come with it.
        marked = {mark: set(session.search(mark.upper())) for mark in place.marked} if place.uidnext else None
        return _Found(selected, new, gone, marked)

    @staticmethod
    def _differences(session: Session, selected: Selected, have: Ranges) -> tuple[list[int], list[int]]:
        """New and vanished uids. Where the numbers do not come out even, all that is there is compared."""
        news = session.after(have.last) if not selected.uidnext or selected.uidnext > have.last + 1 else []
        new = [uid for uid in news if not selected.uidnext or uid < selected.uidnext]
        gone = have.within(selected.vanished) if selected.vanished is not None else []
        if len(have) - len(gone) + len(new) != selected.exists:
            there = session.search("ALL")
            present = set(there)
            new = [uid for uid in there if uid not in have and (not selected.uidnext or uid < selected.uidnext)]
            gone = [uid for uid in have if uid not in present]
        return new, gone

    def _read(self, where: Where, uids: Sequence[int]) -> Batch:
        text = schema.needs_text(self.request)
        whole = Batch({}, [])
        for start in range(0, len(uids), AT_ONCE):
            some = uids[start : start + AT_ONCE]
            batch = take(self.pool, where, some, self.mailbox, text=text)
            whole.records |= batch.records
            whole.gone += batch.gone
        return whole

    def _gone(self, where: Where, drop: Callable[[Sequence[int]], None], uids: Sequence[int]) -> Iterator[Page]:
        for start in range(0, len(uids), self.size):
            some = uids[start : start + self.size]
            drop(some)
            yield self.page([], [where.location(uid) for uid in some])


def _changed(place: Place, found: _Found) -> list[int]:
    """Letters that were read and bear other marks by now. All that bear one are compared, so that it does not matter
    what the server keeps of changes.
    """
    if found.marked is None:
        return []
    differ = {uid for mark, uids in found.marked.items() for uid in uids.symmetric_difference(place.marked[mark])}
    return sorted(uid for uid in differ.difference(found.new, found.gone) if uid in place.have)


def take(pool: Pool, where: Where, uids: Sequence[int], mailbox: Mailbox, *, text: bool) -> Batch:
    """Letters of a folder as records. ``text``: with what they say."""
    return pool.run(lambda session: _in_folder(session, where, uids, mailbox, text=text), where.folder)


def _in_folder(session: Session, where: Where, uids: Sequence[int], mailbox: Mailbox, *, text: bool) -> Batch:
    """Letters of a folder, opened if it is not open. Numbers that began anew meanwhile are no letters of ours."""
    if (session.folder, session.uidvalidity) != (where.folder, where.uidvalidity):
        session.examine(where.folder)
    if session.uidvalidity != where.uidvalidity:
        return Batch({}, list(uids))
    return letters.read(session, where, uids, mailbox, text=text)
