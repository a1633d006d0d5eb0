"""Reading on from the place in a source's own history where the last read ended (mailboxes, calendars, call records).

The place is kept in the transaction of the page that led to it. Under a new mapping it is forgotten: all is read again,
and what means the same changes nothing.

A source that has forgotten the place, or keeps none, lists what there is: what differs from what is known is fetched,
and what is known and was not listed is asked for by its key before it is believed gone. A place is kept only when what
leads to it is here: a listing that breaks off is made again.

A source that forgets what it was told is stored (a bot's queue) learns it by nothing but a place that is handed to it,
and such a place comes out of the store. So nothing is lost wherever this is killed: read and not committed, it comes
again; committed and the source not told, the next read tells it.
"""

from __future__ import annotations

from dataclasses import dataclass

from connectors.base import Connector
from hub.exchange import runs
from hub.exchange.compare import Seen, bring_listed, sweep_end
from hub.exchange.cursors import SWEEP, TOKEN, Cursor
from hub.exchange.desk import Desk
from hub.exchange.mapping_desk import MappingDesk
from hub.exchange.prefetch import prefetch
from hub.exchange.pulling import Pulling
from hub.model.records import Page

_UNKNOWN = "1970-01-01T00:00:00+00:00"


def tokens(pull: Pulling, connector: Connector, desk: Desk, work: MappingDesk) -> None:
    """Bring what is new, changed or gone; the first time all there is."""
    cursor, began = pull.cursor(work, TOKEN), runs.now().isoformat()
    if cursor.position and not cursor.done:  # what its first pages showed was read nobody knows when
        began = _UNKNOWN
    pull.resumed = pull.resumed or cursor.interrupted
    reading = _Reading(pull, connector, desk, work, cursor, Seen())
    while reading.on():
        pass
    pull.all_read(work, began)


@dataclass(slots=True)
class _Reading:
    """A stream that is read on from its cursor. ``done``: records so far, ``seen``: what was there."""

    pull: Pulling
    connector: Connector
    desk: Desk
    work: MappingDesk
    cursor: Cursor
    seen: Seen
    done: int = 0

    def on(self) -> bool:
        """Read from the cursor to the end of what the source shows, each page with its place in one transaction;
        whether the source keeps back more until it hears of that place.
        """
        more, before = False, self.cursor.position
        request = self.pull.request(self.work.mapping, None, self.cursor.position or None)
        pages = prefetch(self.connector.read(request))
        try:
            for page in pages:
                more = page.more
                self._page(page)
        finally:
            pages.close()
        return more and self.cursor.position != before

    def _page(self, page: Page) -> None:
        pull, work, cursor = self.pull, self.work, self.cursor
        self.done += len(page.records) + len(page.listed)
        _look(work, self.seen, page)
        equal = bring_listed(pull, self.connector, self.desk, work, page.listed) if page.listed else 0
        if page.whole:
            sweep_end(pull, self.connector, self.desk, work, self.seen, pull.cursor(work, SWEEP, ""), page.whole)
        cursor.position = page.position
        pull.commit(self.desk, work, page, cursor, done=page.last and not page.more, equal=equal)
        pull.tell(work.mapping.stream, self.done, None)


def _look(work: MappingDesk, seen: Seen, page: Page) -> None:
    """Remember what is there: all of it has been listed once a page says ``whole``."""
    seen.add(work.mapping.heads(page.records))
    seen.add(list(page.listed))
