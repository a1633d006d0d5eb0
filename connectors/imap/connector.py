"""The connector of kind ``imap``: reads one mailbox, and changes nothing in it."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from datetime import date
from zoneinfo import ZoneInfo

from connectors.base import Capabilities, CheckReport, ReadRequest, StreamInfo, Traffic
from connectors.imap import schema
from connectors.imap.config import ImapSettings
from connectors.imap.folders import chosen
from connectors.imap.letter import Mailbox
from connectors.imap.pool import Pool
from connectors.imap.reading import Reading
from connectors.imap.session import Session
from connectors.imap.single import Attached, Single
from connectors.imap.windows import Windows
from connectors.lacking import NoFeed, NoTotals, ReadOnly
from hub.model.errors import HubError, StopRoute
from hub.model.records import Page, Window

#: Servers hang up on whoever waits for half an hour in silence.
_LONGEST_WAIT = 28 * 60.0
#: The largest file that is brought unless more is asked for, as it travels.
_LARGEST = 64 * 1_048_576


class Imap(NoFeed, NoTotals, ReadOnly):
    """Speaks to one account; no connection is made before the first question."""

    capabilities = Capabilities(windows=True, tokens=True)

    def __init__(self, settings: ImapSettings) -> None:
        self.traffic = Traffic()
        self.title = settings.title
        self._settings = settings
        self._mailbox = Mailbox(settings.user, settings.own_handles, ZoneInfo(settings.timezone))
        self._pool = Pool(settings, self.traffic)
        self._windows = Windows(self._pool, self._mailbox)
        self._single = Single(self._pool, self._mailbox)

    def check(self) -> CheckReport:
        """Log in and look at the folders; what the server lacks is a note."""
        report = CheckReport()
        try:
            self._pool.run(lambda session: self._look(session, report))
        except HubError as error:
            report.problems.append(error)
        return report

    def _look(self, session: Session, report: CheckReport) -> None:
        report.problems.clear()
        report.notes.clear()
        report.reachable, report.product, report.streams = True, session.product(), 1
        title = self.title
        listed = session.folders(status=False)
        there = {folder.name for folder in listed}
        told = [*self._settings.folders, *self._settings.except_folders]
        if missing := [name for name in told if name not in there]:
            report.notes.append(StopRoute("mail_folder_unknown", folder=", ".join(missing), system=title))
        wanted = chosen(listed, self._settings)
        if not wanted:
            report.problems.append(StopRoute("mail_no_folders", system=title))
        if not any(folder.sent or folder.use == "all" for folder in wanted):
            report.notes.append(StopRoute("mail_no_sent", system=title))
        if not session.can("LIST-STATUS"):
            report.notes.append(StopRoute("mail_plain_server", folders=len(wanted), system=title))

    def streams(self) -> dict[str, StreamInfo]:
        """The one stream, ``messages``."""
        return {schema.STREAM: schema.INFO}

    def fingerprint(self) -> str:
        """SHA-256 of the stream's fields: the same for every mailbox."""
        return schema.FINGERPRINT

    def count(self, request: ReadRequest) -> int:
        """Letters by the server's own word; of a window by their dates."""
        schema.check(request, self.title)
        window = _bounded(request)
        return self._windows.total() if window is None else self._windows.count(window)

    def read(self, request: ReadRequest) -> Iterator[Page]:
        """Letters by folder and number: of a window those dated in it, else what is new or gone since the position.

        Of an open window the position is a place to go on from tomorrow too.
        """
        schema.check(request, self.title)
        size = max(1, min(request.page_size, self._settings.page_size))
        window = _bounded(request)
        if window is not None:
            yield from self._windows.pages(request, window, size)
        else:
            yield from Reading(self._pool, self._mailbox, request, size).pages()

    def fetch(self, request: ReadRequest, external_ids: Sequence[str]) -> Page:
        """Single letters where they lie; one that was moved is gone from there."""
        schema.check(request, self.title)
        return self._single.fetch(request, external_ids)

    def fetch_attachment(self, external_id: str, part: str, most: int = _LARGEST) -> Attached:
        """A file of a letter (``email_attachment.part``), unpacked, up to ``most`` bytes as it travels.

        ``NeedsPerson``: ``mail_no_attachment``, ``mail_attachment_large``.
        """
        return self._single.attachment(external_id, part, most)

    def wait_for_news(self, timeout: float) -> bool:
        """Wait until a letter came or went in INBOX, at most ``timeout`` seconds (28 minutes); whether one did.

        A hint and no more: what happens in other folders, or between two waits, only reading tells. A server that
        cannot tell by itself (no IDLE) is not asked: the time passes. One of ``max_sessions`` is taken meanwhile.
        ``RetryLater(mail_cut)``: the link was cut, and once more after it had been made anew.
        """
        seconds = min(timeout, _LONGEST_WAIT)

        def wait(session: Session) -> bool:
            if not session.can("IDLE"):
                time.sleep(seconds)
                return False
            session.examine("INBOX")
            return session.idle(seconds)

        return self._pool.run(wait, "INBOX")

    def close(self) -> None:
        """Log out."""
        self._pool.close()


def _bounded(request: ReadRequest) -> Window | None:
    """The window asked for, unless it is the whole calendar."""
    window = request.window
    if window is None or (window.start == date.min and window.end >= date(9999, 1, 1)):
        return None
    return window
