"""Reading on from the place in a source's own history where the last read ended (mailboxes, calendars, call records).

The place is kept in the transaction of the page that led to it. Under a new mapping it is forgotten: all is read again,
and what means the same changes nothing.

A source that has forgotten the place, or keeps none, lists what there is: what differs from what is known is fetched,
and what is known and was not listed is asked for by its key before it is believed gone. A place is kept only when what
leads to it is here: a listing that breaks off is made again.
"""

from __future__ import annotations

from connectors.base import Connector
from hub.exchange import runs
from hub.exchange.compare import Seen, bring_listed, sweep_end
from hub.exchange.cursors import SWEEP, TOKEN
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
    pages = prefetch(connector.read(pull.request(work.mapping, None, cursor.position or None)))
    done, seen = 0, Seen()
    try:
        for page in pages:
            done += len(page.records) + len(page.listed)
            _look(work, seen, page)
            equal = bring_listed(pull, connector, desk, work, page.listed) if page.listed else 0
            if page.whole:
                sweep_end(pull, connector, desk, work, seen, pull.cursor(work, SWEEP, ""), page.whole)
            cursor.position = page.position
            pull.commit(desk, work, page, cursor, done=page.last, equal=equal)
            pull.tell(work.mapping.stream, done, None)
    finally:
        pages.close()
    pull.all_read(work, began)


def _look(work: MappingDesk, seen: Seen, page: Page) -> None:
    """Remember what is there: all of it has been listed once a page says ``whole``."""
    seen.add(work.mapping.heads(page.records))
    seen.add(list(page.listed))
