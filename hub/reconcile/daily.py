"""Counts and sums of documents by day: what the store holds against what the source itself says now.

The source is read a second time, date and total only, by another way than the exchange reads. What is known not to be
in the store (parked, in quarantine, passed over by the mapping) is told apart from what is missing without a reason.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, select

from connectors.base import Connector
from hub.exchange.hub import Hub, Route
from hub.exchange.naming import stream_name
from hub.model.errors import HubError
from hub.reconcile.days import Days, days_to_check, shown, utc_range, zone_of
from hub.reconcile.finding import MOST_ROWS, Finding
from hub.store import core
from hub.store.tables import ROOTS

if TYPE_CHECKING:
    from mappings.compiled import CompiledMapping

#: Life states of documents that are there; a document gone from the source is not expected in its counts.
_THERE = ("active", "marked")


@dataclass(slots=True)
class Day:
    """Documents of one day: how many, and their total in hundredths."""

    count: int = 0
    total: int = 0

    def add(self, total: int, count: int = 1) -> None:
        """Count documents in."""
        self.count += count
        self.total += total


ByDay = defaultdict[date, Day]


@dataclass(slots=True)
class Tally:
    """``waiting``: records that are kept apart; ``undated``: those of them whose day cannot be told; ``decided``: how
    many of both a person leaves out, so that nobody need look at them.

    ``skipped``: records that the mapping passed over in the last exchange; the store does not keep which.
    """

    source: ByDay = field(default_factory=lambda: defaultdict(Day))
    store: ByDay = field(default_factory=lambda: defaultdict(Day))
    waiting: ByDay = field(default_factory=lambda: defaultdict(Day))
    undated: int = 0
    decided: int = 0
    skipped: int = 0

    def differing(self) -> list[date]:
        """Days on which the source does not have what the store and the waiting records make up together."""
        return [day for day in sorted(self.source.keys() | self.store.keys() | self.waiting.keys()) if self._off(day)]

    def _off(self, day: date) -> bool:
        here, apart, there = self.store[day], self.waiting[day], self.source[day]
        return (here.count + apart.count, here.total + apart.total) != (there.count, there.total)


def daily_totals(hub: Hub, route: Route) -> Finding:
    """By day, the store has as many documents with the same sum as the source says it has."""
    try:
        profile, connector = hub.profile(route.system), hub.connector(route.system)
        mappings = [profile.mappings[name] for name in route.mappings if name not in profile.paused]
        dated = [mapping for mapping in mappings if mapping.date_field and mapping.table == "set"]
        if not dated or not connector.capabilities.totals:
            return Finding(passed=True, code="rc_totals_unable", params={"route": route.code})
        with hub.store.read() as conn:
            days = days_to_check(hub, route, conn)
            passes_over = any(mapping.spec.skip for mapping in dated)
            tally = Tally(skipped=_last_skipped(conn, route) if passes_over else 0)
            for mapping in dated:
                _count_source(connector, mapping, days, tally)
                _count_store(conn, hub, route, mapping, days, tally)
    except HubError as error:
        lang = hub.settings.locale
        return Finding(
            passed=False,
            code="rc_totals_unread",
            params={"route": route.code, "reason": f"{error.sentence(lang)} {error.advice(lang)}".strip()},
            severity="warn",
        )
    return _judge(route, days, tally)


def _last_skipped(conn: Connection, route: Route) -> int:
    """Of the last exchange; what persons left out is kept and counted by itself."""
    part, run = core.run_route, core.exchange_run
    query = (
        select(part.c.skipped, part.c.skipped_by)
        .join(run, run.c.id == part.c.run_id)
        .where(part.c.route_id == route.id, run.c.mode != "replay")
        .order_by(part.c.run_id.desc())
        .limit(1)
    )
    row = conn.execute(query).first()
    return int(row.skipped - (row.skipped_by or {}).get("decided", 0)) if row is not None else 0


def _count_source(connector: Connector, mapping: CompiledMapping, days: Days, tally: Tally) -> None:
    for told in connector.totals(mapping.stream, mapping.date_field or "", mapping.total_field or "", days.window):
        tally.source[told.day].add(told.total, told.count)


def _count_store(conn: Connection, hub: Hub, route: Route, mapping: CompiledMapping, days: Days, tally: Tally) -> None:
    stream_id = hub.streams[route.system][stream_name(mapping)]
    apart = {external_id: (payload, state) for external_id, payload, state in _kept_apart(conn, stream_id)}
    zone = zone_of(hub, route)
    for external_id, moment, total in _stored(conn, hub, route, stream_id, days):
        if external_id not in apart:
            tally.store[moment.astimezone(zone).date()].add(_hundredths(total))
    for payload, state in apart.values():
        if _count_waiting(payload, mapping, days, tally) and state == "skipped":
            tally.decided += 1


def _stored(
    conn: Connection, hub: Hub, route: Route, stream_id: int, days: Days
) -> Iterator[tuple[str, Any, Decimal | None]]:
    root, link = ROOTS[route.entity.name], core.link
    start, end = utc_range(hub, route, days)
    query = (
        select(link.c.external_id, root.c.date, root.c.total)
        .join(link, link.c.record_id == root.c.id)
        .where(
            link.c.stream_id == stream_id,
            root.c.date >= start,
            root.c.date < end,
            root.c.record_state.in_(_THERE),
        )
    )
    for row in conn.execute(query):
        yield row.external_id, row.date, row.total


def _kept_apart(conn: Connection, stream_id: int) -> Iterable[tuple[str, str, str]]:
    """External id, payload and state of the stream's records that a person leaves out, that stand in quarantine, or
    that wait: their newest form is there.
    """
    for table, state in ((core.quarantine, "skipped"), (core.quarantine, "open"), (core.parked, "waiting")):
        rows = conn.execute(
            select(table.c.external_id, table.c.payload).where(table.c.stream_id == stream_id, table.c.state == state)
        )
        yield from ((row.external_id, row.payload or "", state) for row in rows)


def _count_waiting(payload: str, mapping: CompiledMapping, days: Days, tally: Tally) -> bool:
    """A waiting record by the source's own words; one that is unreadable may belong to any day. Whether it counts."""
    try:
        raw = json.loads(payload)
        day = date.fromisoformat(str(raw[mapping.date_field])[:10])
        total = _hundredths(Decimal(str(raw[mapping.total_field]))) if mapping.total_field else 0
    except (ValueError, KeyError, TypeError, InvalidOperation):
        tally.undated += 1
        return True
    if not days.start <= day <= days.last:
        return False
    tally.waiting[day].add(total)
    return True


def _hundredths(value: Decimal | None) -> int:
    return int((value or Decimal(0)).scaleb(2).to_integral_value())


def _judge(route: Route, days: Days, tally: Tally) -> Finding:
    source, store, waiting = (_sum(part) for part in (tally.source, tally.store, tally.waiting))
    numbers: dict[str, int | float] = {
        "rc_source_documents": source.count,
        "rc_store_documents": store.count,
        "rc_difference": source.count - store.count,
        "rc_difference_sum": (source.total - store.total) / 100,
    }
    params: dict[str, Any] = {
        "route": route.code,
        "start": shown(days.start),
        "end": shown(days.last),
        "documents": source.count,
        "waiting": waiting.count + tally.undated - tally.decided,
        "total": f"{source.total / 100:.2f}",
    }
    off = tally.differing()
    if not off and not params["waiting"]:
        return Finding(passed=True, code="rc_totals_good", params=params, numbers=numbers)
    missing = _missing(off, tally)
    if missing and missing <= tally.skipped and not params["waiting"]:
        return Finding(passed=True, code="rc_totals_skipped", params=params | {"number": missing}, numbers=numbers)
    explained = not off or 0 < missing <= tally.undated + tally.skipped
    params |= {
        "days": len(off),
        "since": shown(off[0] if off else days.start),
        "number": abs(source.count - store.count),
    }
    params["sum"] = f"{abs(source.total - store.total) / 100:.2f}"
    rows = tuple(_row(day, tally) for day in (off or sorted(day for day, part in tally.waiting.items() if part.count)))
    if explained:
        return Finding(False, "rc_totals_waiting", params, "warn", numbers, rows[:MOST_ROWS])
    return Finding(False, "rc_totals_bad", params, "error", numbers, rows[:MOST_ROWS])


def _missing(off: list[date], tally: Tally) -> int:
    """How many documents the source has more on the days that differ; 0 if not all of them can be explained so.

    On a day with documents that the mapping passes over only this can be said: the source has not less than the store.
    """
    missing = 0
    for day in off:
        here, apart, there = tally.store[day], tally.waiting[day], tally.source[day]
        more = there.count - here.count - apart.count
        if more <= 0 or there.total < here.total + apart.total:
            return 0
        missing += more
    return missing


def _sum(days: ByDay) -> Day:
    return Day(sum(day.count for day in days.values()), sum(day.total for day in days.values()))


def _row(day: date, tally: Tally) -> dict[str, Any]:
    source, store = tally.source[day], tally.store[day]
    return {
        "rc_day": day.isoformat(),
        "rc_source_documents": source.count,
        "rc_store_documents": store.count,
        "rc_waiting": tally.waiting[day].count,
        "rc_source_sum": source.total / 100,
        "rc_store_sum": store.total / 100,
    }
