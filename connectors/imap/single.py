"""Single letters by their external ids, and single files of them."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from connectors.base import ReadRequest
from connectors.imap import schema
from connectors.imap.letter import Mailbox
from connectors.imap.letters import Where
from connectors.imap.pool import Pool
from connectors.imap.reading import take
from connectors.imap.session import Session
from connectors.imap.structure import Part, content, of_server
from connectors.imap.text import transferred
from connectors.imap.windows import page
from hub.model.errors import NeedsPerson
from hub.model.records import Page

_LOCATION = re.compile(r"(\d{1,10}):(\d{1,10})@(.+)", re.DOTALL)
_AT_ONCE = 200
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


class Single:
    """Letters and files of one mailbox, each looked up on its own."""

    def __init__(self, pool: Pool, mailbox: Mailbox) -> None:
        self.pool, self.mailbox = pool, mailbox

    def fetch(self, request: ReadRequest, external_ids: Sequence[str]) -> Page:
        """Single letters. One is gone when its folder is, when its number is not in it, or its numbers hold no more."""
        asked = list(dict.fromkeys(external_ids))
        groups: dict[tuple[str, int], list[int]] = defaultdict(list)
        for one in filter(None, map(located, asked)):
            groups[one.folder, one.uidvalidity].append(one.uid)
        folders = self.pool.run(lambda session: session.folders(status=False)) if groups else []
        listed = {one.name: one for one in folders}
        text, records = schema.needs_text(request), list[dict[str, Any]]()
        for (name, uidvalidity), uids in groups.items():
            if name not in listed:
                continue
            where = Where(name, uidvalidity, listed[name].sent)
            for start in range(0, len(uids), _AT_ONCE):
                some = sorted(uids[start : start + _AT_ONCE])
                records += take(self.pool, where, some, self.mailbox, text=text).records.values()
        there = {record["location"] for record in records}
        found = page(request, records, {}, last=True)
        found.deleted = [external_id for external_id in asked if external_id not in there]
        return found

    def attachment(self, external_id: str, part: str, most: int) -> Attached:
        """One file of a letter; ``NeedsPerson`` says that it is not there, or larger than ``most`` bytes."""
        place, title = located(external_id), self.pool.settings.title
        if place is None or not re.fullmatch(r"\d{1,3}(\.\d{1,3}){0,29}", part):
            raise NeedsPerson("mail_no_attachment", part=part, system=title)
        return self.pool.run(lambda session: self._attachment(session, place, part, most), place.folder)

    def _attachment(self, session: Session, place: Located, part: str, most: int) -> Attached:
        title = self.pool.settings.title
        found = next((one for one in self._files(session, place) if one.number == part), None)
        if found is None:
            raise NeedsPerson("mail_no_attachment", part=part, system=title)
        if found.size > most:
            raise NeedsPerson("mail_attachment_large", part=part, size=found.size, most=most, system=title)
        return self._downloaded(session, place, found)

    @staticmethod
    def _files(session: Session, place: Located) -> list[Part]:
        """The files of a letter; none where the letter is not there."""
        there = {folder.name for folder in session.folders(status=False)}
        if place.folder not in there or session.examine(place.folder).uidvalidity != place.uidvalidity:
            return []
        told = session.fetch([place.uid], "UID", "BODYSTRUCTURE").get(place.uid)
        return content(of_server(told[b"BODYSTRUCTURE"])).files if told is not None else []

    @staticmethod
    def _downloaded(session: Session, place: Located, part: Part) -> Attached:
        """In pieces: a link that is cut costs one of them, and no answer is larger than one."""
        pieces = list[bytes]()
        while True:
            item = f"BODY.PEEK[{part.number}]<{len(pieces) * _PIECE}.{_PIECE}>"
            told = session.fetch([place.uid], "UID", item).get(place.uid, {})
            pieces.append(next((value for value in told.values() if isinstance(value, bytes)), b""))
            if len(pieces[-1]) < _PIECE:
                return Attached(part.name(), part.mime, transferred(b"".join(pieces), part.encoding))
