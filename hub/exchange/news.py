"""Is there anything new in a base? One cheap question, whose answer starts a run and moves nothing.

What was read is known by the store alone; the question is put against it. A base that can be asked nothing cheap (no
node, no "changed at", no documents) is left to the night.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from sqlalchemy import select
from xxhash import xxh3_64_hexdigest

from connectors.base import Connector, TellsNews
from connectors.notices import Notified
from hub.exchange import notices, went_back
from hub.exchange.compare import known_versions
from hub.exchange.cursors import MODIFIED, TOKEN
from hub.exchange.desk import Desk
from hub.exchange.feed import ASKING, NodeLease
from hub.exchange.hub import Hub
from hub.exchange.mapping_desk import MappingDesk
from hub.exchange.pull import Pull, make_desk
from hub.exchange.quiet import QuietConnector
from hub.model.records import Window
from hub.store import core

#: Days before today whose documents are looked at.
_DAYS = 1


@dataclass(frozen=True, slots=True)
class News:
    """``code``: of the sentence that says it. ``mark``: the same text as long as the same is new."""

    there: bool
    code: Literal["news_there", "news_none", "news_busy", "news_cannot"]
    mark: str = ""


def anything_new(hub: Hub, system: str, turn: int) -> News:
    """Ask the base once. ``turn``: counts the questions, so that streams are asked about one after another.

    ``HubError`` when it cannot be asked now: quiet hours, a stopped system, a base that is down.
    """
    with hub.store.read() as conn:
        error = went_back.state_of(conn, system).error()
        busy = conn.execute(
            select(core.exchange_run.c.id)
            .join(core.route, core.route.c.lease_run_id == core.exchange_run.c.id)
            .join(core.system, core.system.c.id == core.route.c.system_id)
            .where(core.system.c.code == system, core.exchange_run.c.state == "running")
        ).first()
    if error is not None:
        raise error
    if busy is not None:
        return News(False, "news_busy")
    connector = hub.connector(system)
    if connector.capabilities.changes_feed and hub.system(system).node:
        return _in_feed(hub, connector, system)
    return _in_streams(hub, connector, system, turn)


def _in_feed(hub: Hub, connector: Connector, system: str) -> News:
    """Whether the node has a packet. It is leased meanwhile: who asks stamps what is registered, as a reader does."""
    lease = NodeLease(hub, system, "", f"ask:{os.getpid()}", ASKING)
    lease.take()
    try:
        packet = connector.feed("")
    finally:
        lease.give_back()
    if packet is None:
        return News(False, "news_none")
    content = b"".join(bytes(raw) for page in packet.pages for raw in page.records)
    gone = ",".join(key for page in packet.pages for key in page.deleted)
    return News(True, "news_there", f"{packet.number}.{xxh3_64_hexdigest(content + gone.encode())}")


def _in_streams(hub: Hub, connector: Connector, system: str, turn: int) -> News:
    pulls = [Pull(hub, 0, route) for route in hub.routes.values() if route.system == system and route.settings.enabled]
    desk = make_desk(hub, 0, system)
    if connector.capabilities.tokens:
        return _since(pulls, desk, connector, turn)
    askable = [
        (pull, desk.by_mapping[name])
        for pull in pulls
        for name in pull.route.mappings
        if name in desk.by_mapping and _askable(desk.by_mapping[name])
    ]
    if not askable:
        return News(False, "news_cannot")
    pull, work = askable[turn % len(askable)]
    mark = _modified(pull, connector, work) if work.mapping.changed_field else _recent(pull, connector, work)
    return News(True, "news_there", mark) if mark else News(False, "news_none")


def _since(pulls: list[Pull], desk: Desk, connector: Connector, turn: int) -> News:
    """Whether anything happened since the place that was kept, in any stream. Who cannot tell is simply read again:
    reading on from there costs as little as a question.
    """
    works = [(pull, desk.by_mapping[name]) for pull in pulls for name in pull.route.mappings if name in desk.by_mapping]
    if not works:
        return News(False, "news_cannot")
    asked = connector.inner if isinstance(connector, QuietConnector) else connector
    told = notices.teller(connector)
    if told is not None and works[0][0].hub.system(works[0][0].route.system).takes_notices:
        return _noticed(works, told, turn)
    if not isinstance(asked, TellsNews):
        return News(True, "news_there", f"{works[0][1].stream}.{turn}")
    for pull, work in works:
        position = pull.cursor(work, TOKEN).position
        if not position or asked.anything_new(work.mapping.stream, position):
            place = xxh3_64_hexdigest(json.dumps(position, sort_keys=True).encode())
            return News(True, "news_there", f"{work.stream}.{place}")
    return News(False, "news_none")


def _noticed(works: list[tuple[Pull, MappingDesk]], told: Notified, turn: int) -> News:
    """Whether it is time to read, by the rhythm or because of a notice: the service itself is asked nothing.

    A read that is due by time is tried at each of its times; one that a notice asks for, once.
    """
    for pull, work in works:
        due = notices.due(pull.hub, pull.route.system, told, pull.cursor(work, TOKEN).position, datetime.now(UTC))
        if due is not None:
            return News(True, "news_there", f"{work.stream}.{due.notice.isoformat() if due.notice else turn}")
    return News(False, "news_none")


def _askable(work: MappingDesk) -> bool:
    mapping = work.mapping
    return mapping.table == "set" and bool(mapping.changed_field or (mapping.date_field and mapping.version_field))


def _modified(pull: Pull, connector: Connector, work: MappingDesk) -> str:
    """How many records changed after the newest change that was read; empty for none."""
    newest = str(pull.cursor(work, MODIFIED).position.get("newest", ""))
    if not newest:
        return f"{work.stream}.first"
    since = (datetime.fromisoformat(newest[:19]) + timedelta(seconds=1)).isoformat()
    request = pull.request(work.mapping, None)
    number = connector.count(replace(request, changed_field=work.mapping.changed_field, since=since))
    return f"{work.stream}.{newest}.{number}" if number else ""


def _recent(pull: Pull, connector: Connector, work: MappingDesk) -> str:
    """Which of today's and yesterday's documents are new or another version; empty for none. One page at most.

    Those that wait or are refused have no version here and would be news for ever.
    """
    mapping = work.mapping
    today = datetime.now(ZoneInfo(pull.hub.system(pull.route.system).timezone)).date()
    window = Window(today - timedelta(days=_DAYS), today + timedelta(days=2))
    pages = connector.read(pull.keys_request(mapping, window))
    page = next(pages)
    close = getattr(pages, "close", None)
    if close is not None:
        close()
    told = dict(head for head in mapping.heads(page.records) if isinstance(head, tuple))
    with pull.hub.store.read() as conn:
        known = known_versions(conn, work.stream_id, list(told))
        troubled = set[str]().union(*work.troubled(conn))
    other = sorted(f"{key}={told[key]}" for key in told if known.get(key) != told[key] and key not in troubled)
    return f"{work.stream}.{xxh3_64_hexdigest(','.join(other).encode())}" if other else ""
