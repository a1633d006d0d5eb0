"""Letters of some days: reading that keeps no place in the mailbox."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from connectors.base import ReadRequest
from connectors.imap import schema
from connectors.imap.folders import Folder, chosen
from connectors.imap.headers import Head
from connectors.imap.letter import Mailbox, date_of, local, parsed_date
from connectors.imap.letters import Where, arrived
from connectors.imap.pool import Pool
from connectors.imap.reading import take
from connectors.imap.session import Session
from hub.model.records import Page, Window

_MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
#: Servers compare days without zones, each in its own way: so many more are asked for on either side.
_MARGIN = timedelta(days=2)
_DATES = ("UID", "INTERNALDATE", "BODY.PEEK[HEADER.FIELDS (DATE)]")
_AT_ONCE = 500


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
            where, uids = self._of_folder(folder, window)
            if after is not None and after[0] == folder.name and after[1] == where.uidvalidity:
                uids = [uid for uid in uids if uid > after[2]]
            for start in range(0, len(uids), size):
                some = uids[start : start + size]
                batch = take(self.pool, where, some, self.mailbox, text=text)
                records = [batch.records[uid] for uid in some if uid in batch.records]
                after = [folder.name, where.uidvalidity, some[-1]]
                yield page(request, records, {"after": after})
        yield page(request, [], {"after": after} if after else {}, last=True)

    def count(self, window: Window) -> int:
        """Letters dated within ``window``."""
        return sum(len(self._of_folder(folder, window)[1]) for folder in self.folders())

    def total(self) -> int:
        """Letters that there are."""
        return sum(self._standing(folder).get("MESSAGES", 0) for folder in self.folders(status=True))

    def _standing(self, folder: Folder) -> Mapping[str, int]:
        return self.pool.run(lambda session: session.status(folder))

    def _of_folder(self, folder: Folder, window: Window) -> tuple[Where, list[int]]:
        return self.pool.run(lambda session: self._inside(session, folder, window))

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
        moment = date_of(parsed_date(Head(head if isinstance(head, bytes) else b"")), arrived(answer))
        return local(moment, self.mailbox.zone)


def _day(day: date, shift: timedelta) -> str:
    """A day as IMAP writes it, kept within the calendar."""
    try:
        moved = day + shift
    except OverflowError:
        moved = day
    moved = max(moved, date(1970, 1, 1))
    return f"{moved.day}-{_MONTHS[moved.month - 1]}-{moved.year:04d}"


def page(
    request: ReadRequest, records: Sequence[dict[str, Any]], position: dict[str, Any], *, last: bool = False
) -> Page:
    """Records with the fields that were asked for."""
    raws = [schema.encode(schema.only(request, one)) for one in records]
    return Page(schema.STREAM, raws, (), position, last, sum(map(len, raws)))
