"""Reading by a stream's own "changed at".

The bound moves to the newest value seen, less an overlap: a record may be written with the time at which its
transaction began and appear when others are long read, and clocks that write dates without a time lag behind by a day.
What comes again is unchanged and costs only its transfer. A value from the future never moves the bound beyond now.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from connectors.base import Connector
from hub.exchange.cursors import MODIFIED, Cursor
from hub.exchange.desk import Desk
from hub.exchange.mapping_desk import MappingDesk
from hub.exchange.prefetch import prefetch
from hub.exchange.pulling import Pulling

OVERLAP = timedelta(days=1)
_FORM = "%Y-%m-%dT%H:%M:%S"


def modified(pull: Pulling, connector: Connector, desk: Desk, work: MappingDesk, whole: Cursor) -> None:
    """Bring what changed since the last time; the first time since the whole read (``whole``) began."""
    mapping, zone = work.mapping, ZoneInfo(pull.hub.system(pull.route.system).timezone)
    cursor = pull.cursor(work, MODIFIED)
    going_on = cursor.interrupted and bool(cursor.position.get("inner"))
    since = str(cursor.position.get("since") or _first(whole, zone))
    newest = str(cursor.position.get("newest", "")) if going_on else ""
    inner = cursor.position.get("inner") if going_on else None
    pull.resumed = pull.resumed or going_on
    request = replace(pull.request(mapping, None, inner), changed_field=mapping.changed_field, since=since)
    pages = prefetch(connector.read(request))
    done = 0
    try:
        for page in pages:
            done += len(page.records)
            newest = max(newest, latest(page.records, mapping.changed_field))
            if page.last:
                cursor.position = {"since": _next(since, newest, datetime.now(zone)), "newest": newest}
            else:
                cursor.position = {"since": since, "newest": newest, "inner": page.position}
            pull.commit(desk, work, page, cursor, done=page.last)
            pull.tell(mapping.stream, done, None)
    finally:
        pages.close()
    if going_on:  # what was stamped before that place and seen only after it
        modified(pull, connector, desk, work, whole)


def _first(whole: Cursor, zone: ZoneInfo) -> str:
    began = datetime.fromisoformat(str(whole.position["began"])) if "began" in whole.position else whole.at
    moment = began or datetime.min.replace(tzinfo=UTC) + OVERLAP * 2
    return (moment.astimezone(zone) - OVERLAP).strftime(_FORM)


def _next(since: str, newest: str, now: datetime) -> str:
    """The bound of the next read: an overlap before the newest value, never earlier than this time, never after now."""
    if not newest:
        return since
    seen = datetime.strptime(min(newest[:19], now.strftime(_FORM)), _FORM)  # noqa: DTZ007 - the base's own clock
    return max(since, (seen - OVERLAP).strftime(_FORM))


def latest(records: Iterable[Any], name: str) -> str:
    """The newest "changed at" among raw records; empty when none has one."""
    decode = _decoder(name)
    found = (decode(raw).value for raw in records)
    return max((value for value in found if value and not value.startswith("0001")), default="")


@cache
def _decoder(name: str) -> Any:
    fields: list[Any] = [("value", str | None, None)]
    return msgspec.json.Decoder(msgspec.defstruct("Changed", fields, rename={"value": name})).decode
