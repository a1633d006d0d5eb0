"""Letters of some days, letters by their external ids, and one file of a letter: reading that keeps no place."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from connectors.base import ReadRequest
from connectors.imap import schema
from connectors.imap.folders import Folder, chosen
from connectors.imap.headers import Head
from connectors.imap.letter import Mailbox, date_of, local
from connectors.imap.letters import Where, arrived
from connectors.imap.pool import Pool
from connectors.imap.reading import in_folder
from connectors.imap.session import Session
from connectors.imap.structure import Part, content, of_server
from connectors.imap.text import transferred
from hub.model.errors import NeedsPerson
from hub.model.records import Page, Window

_LOCATION = re.compile(r"(\d{1,10}):(\d{1,10})@(.+)", re.DOTALL)
_MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()
#: Servers compare days without zones, each in its own way: so many more are asked for on either side.
_MARGIN = timedelta(days=2)
_DATES = ("UID", "INTERNALDATE", "BODY.PEEK[HEADER.FIELDS (DATE)]")
_AT_ONCE = 500
_PIECE = 1_048_576


@dataclass(frozen=True, slots=True)
class Located:
    """Where a letter lies, by its external id."""

    uidvalidity: int
    uid: int
    folder: str


def located(external_id: str) -> Located | None:
    """``None`` for what is no external id of a letter."""
    found = _LOCATION.fullmatch(external_id)
    return Located(int(found[1]), int(found[2]), found[3]) if found else None


@dataclass(slots=True)
class Attached:
    """A file of a letter, unpacked."""

    name: str
    mime: str
    data: bytes


class Windows:
    """Reading of days and of single letters in one mailbox."""

    def __init__(self, pool: Pool, mailbox: Mailbox) -> None:
        self.pool, self.mailbox = pool, mailbox

    def folders(self, *, status: bool = False) -> list[Folder]:
        """The folders that are read, in their order."""
        return chosen(self.pool.run(lambda session: session.folders(status=status)), self.pool.settings)

    def pages(self, request: ReadRequest, window: Window, size: int) -> Iterator[Page]:
        """Letters dated within ``window``. The position is the last letter told, so nothing comes twice."""
        after = (request.position or {}).get("after")
        text = schema.needs_text(request)
        folders = self.folders()
        if after is not None:
            names = [folder.name for folder in folders]
            folders = folders[names.index(after[0]) :] if after[0] in names else folders
        for folder in folders:
            where, uids = self.pool.run(lambda session, folder=folder: self._inside(session, folder, window))  # type: ignore[misc]
            if after is not None and after[0] == folder.name and after[1] == where.uidvalidity:
                uids = [uid for uid in uids if uid > after[2]]
            for start in range(0, len(uids), size):
                some = uids[start : start + size]
                batch = self.pool.run(
                    lambda session, where=where, some=some: in_folder(session, where, some, self.mailbox, text=text),  # type: ignore[misc]
                    folder.name,
                )
                records = [batch.records[uid] for uid in some if uid in batch.records]
                after = [folder.name, where.uidvalidity, some[-1]]
                yield _page(request, records, {"after": after})
        yield _page(request, [], {"after": after} if after else {}, last=True)

    def count(self, window: Window) -> int:
        """Letters dated within ``window``."""
        return sum(
            len(self.pool.run(lambda session, folder=folder: self._inside(session, folder, window))[1])  # type: ignore[misc]
            for folder in self.folders()
        )

    def total(self) -> int:
        """Letters that there are."""
        folders = self.folders(status=True)
        return sum(
            self.pool.run(lambda session, folder=folder: session.status(folder)).get("MESSAGES", 0)  # type: ignore[misc]
            for folder in folders
        )

    def _inside(self, session: Session, folder: Folder, window: Window) -> tuple[Where, list[int]]:
        """Uids of the letters of a folder whose date, as the record tells it, is within ``window``."""
        selected = session.examine(folder.name)
        where = Where(folder.name, selected.uidvalidity, folder.sent)
        first, end = _day(window.start, -_MARGIN), _day(window.end, _MARGIN)
        uids = session.search(f"OR (SINCE {first} BEFORE {end}) (SENTSINCE {first} SENTBEFORE {end})")
        found = []
        for start in range(0, len(uids), _AT_ONCE):
            told = session.fetch(uids[start : start + _AT_ONCE], *_DATES)
            for uid, answer in sorted(told.items()):
                day = self._date(answer)[:10]
                if str(window.start) <= day < str(window.end):
                    found.append(uid)
        return where, found

    def _date(self, answer: dict[bytes, Any]) -> str:
        head = next((value for key, value in answer.items() if key.startswith(b"BODY[HEADER")), b"")
        moment = date_of(Head(head if isinstance(head, bytes) else b""), arrived(answer))
        return local(moment, self.mailbox.zone)

    def fetch(self, request: ReadRequest, external_ids: Sequence[str]) -> Page:
        """Single letters. One is gone when its folder is, when its number is not in it, or its numbers hold no more."""
        asked = list(dict.fromkeys(external_ids))
        groups: dict[tuple[str, int], list[int]] = defaultdict(list)
        for one in filter(None, map(located, asked)):
            groups[one.folder, one.uidvalidity].append(one.uid)
        listed = {one.name: one for one in self.pool.run(lambda session: session.folders(status=False))} if groups else {}
        text, records = schema.needs_text(request), list[dict[str, Any]]()
        for (name, uidvalidity), uids in groups.items():
            if name not in listed:
                continue
            where = Where(name, uidvalidity, listed[name].sent)
            for start in range(0, len(uids), _AT_ONCE):
                some = sorted(uids[start : start + _AT_ONCE])
                batch = self.pool.run(
                    lambda session, where=where, some=some: in_folder(session, where, some, self.mailbox, text=text),  # type: ignore[misc]
                    name,
                )
                records += batch.records.values()
        there = {record["location"] for record in records}
        page = _page(request, records, {}, last=True)
        page.deleted = [external_id for external_id in asked if external_id not in there]
        return page

    def attachment(self, external_id: str, part: str, most: int) -> Attached:
        """One file of a letter; ``NeedsPerson`` says that it is not there, or larger than ``most`` bytes."""
        place, title = located(external_id), self.pool.settings.title
        if place is None or not re.fullmatch(r"\d{1,3}(\.\d{1,3}){0,29}", part):
            raise NeedsPerson("mail_no_attachment", part=part, system=title)
        return self.pool.run(lambda session: self._attachment(session, place, part, most), place.folder)

    def _attachment(self, session: Session, place: Located, part: str, most: int) -> Attached:
        title = self.pool.settings.title
        there = {folder.name for folder in session.folders(status=False)}
        if place.folder in there and session.examine(place.folder).uidvalidity == place.uidvalidity:
            told = session.fetch([place.uid], "UID", "BODYSTRUCTURE").get(place.uid)
            if told is not None:
                found = [one for one in content(of_server(told[b"BODYSTRUCTURE"])).files if one.number == part]
                if found:
                    if found[0].size > most:
                        raise NeedsPerson("mail_attachment_large", part=part, size=found[0].size, most=most, system=title)
                    return self._downloaded(session, place, found[0])
        raise NeedsPerson("mail_no_attachment", part=part, system=title)

    @staticmethod
    def _downloaded(session: Session, place: Located, part: Part) -> Attached:
        """In pieces: a link that is cut costs one of them, and no answer is larger than one."""
        pieces = list[bytes]()
        while True:
            item = f"BODY.PEEK[{part.number}]<{len(pieces) * _PIECE}.{_PIECE}>"
            told = session.fetch([place.uid], "UID", item).get(place.uid, {})
            piece = next((value for key, value in told.items() if key.startswith(b"BODY[") and isinstance(value, bytes)), b"")
            pieces.append(piece)
            if len(piece) < _PIECE:
                return Attached(part.name(), part.mime, transferred(b"".join(pieces), part.encoding))


def _day(day: date, shift: timedelta) -> str:
    """A day as IMAP writes it, kept within the calendar."""
    try:
        moved = day + shift
    except OverflowError:
        moved = day
    moved = max(moved, date(1970, 1, 1))
    return f"{moved.day}-{_MONTHS[moved.month - 1]}-{moved.year:04d}"


def _page(request: ReadRequest, records: Sequence[dict[str, Any]], position: dict[str, Any], *, last: bool = False) -> Page:
    raws = [schema.encode(schema.only(request, one)) for one in records]
    return Page(schema.STREAM, raws, (), position, last, sum(map(len, raws)))

