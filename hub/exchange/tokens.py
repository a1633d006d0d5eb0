"""Reading on from the place in a source's own history where the last read ended (mailboxes, calendars, call records).

The place is kept in the transaction of the page that led to it. Under a new mapping it is forgotten: all is read again,
and what means the same changes nothing.
"""

from __future__ import annotations

from connectors.base import Connector
from hub.exchange import runs
from hub.exchange.cursors import TOKEN
from hub.exchange.desk import Desk
from hub.exchange.mapping_desk import MappingDesk
from hub.exchange.prefetch import prefetch
from hub.exchange.pulling import Pulling

_UNKNOWN = "1970-01-01T00:00:00+00:00"


def tokens(pull: Pulling, connector: Connector, desk: Desk, work: MappingDesk) -> None:
    """Bring what is new, changed or gone; the first time all there is."""
    cursor, began = pull.cursor(work, TOKEN), runs.now().isoformat()
    if cursor.position and not cursor.done:  # what its first pages showed was read nobody knows when
        began = _UNKNOWN
    pull.resumed = pull.resumed or cursor.interrupted
    pages = prefetch(connector.read(pull.request(work.mapping, None, cursor.position or None)))
    done = 0
    try:
        for page in pages:
            done += len(page.records)
            cursor.position = page.position
            pull.commit(desk, work, page, cursor, done=page.last)
            pull.tell(work.mapping.stream, done, None)
    finally:
        pages.close()
    pull.all_read(work, began)
