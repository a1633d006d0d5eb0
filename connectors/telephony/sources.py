"""Which tables of a database hold calls, found by reflection: columns differ by exchange and by its version."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy import Connection, Inspector

from connectors.telephony.asterisk import AsteriskRows, MikoRows
from connectors.telephony.columns import FIRST, LAST, Style, bound, local, style_of
from connectors.telephony.config import PbxSettings
from connectors.telephony.freeswitch import FreeswitchRows
from connectors.telephony.kamailio import KamailioRows
from connectors.telephony.leg import Leg, Row
from hub.model.errors import StopSystem

_MakeLeg = Callable[[Row, datetime, datetime | None], Leg]


@dataclass(frozen=True)
class Layout:
    """Tables of a kind of exchange: which columns tell a table (in small letters), its moments, the names of a call."""

    format: str
    table: str
    needs: frozenset[str]
    time: tuple[str, ...]
    end: tuple[str, ...]
    call: tuple[str, ...]
    make: Callable[[re.Pattern[str]], _MakeLeg]


def _kamailio(table: str) -> Callable[[re.Pattern[str]], _MakeLeg]:
    return lambda extension: KamailioRows(extension, table)


_LAYOUTS = (
    Layout(
        "asterisk",
        "cdr",
        frozenset({"src", "dst", "dstchannel", "disposition", "uniqueid"}),
        ("calldate", "start"),
        ("end",),
        ("linkedid", "uniqueid"),
        AsteriskRows,
    ),
    Layout(
        "mikopbx",
        "cdr_general",
        frozenset({"src_num", "dst_num", "linkedid"}),
        ("start",),
        ("endtime",),
        ("linkedid", "uniqueid"),
        MikoRows,
    ),
    Layout(
        "freeswitch",
        "cdr",
        frozenset({"caller_id_number", "destination_number", "hangup_cause", "uuid"}),
        ("start_stamp", "start_timestamp"),
        ("end_stamp", "end_timestamp"),
        ("uuid",),
        FreeswitchRows,
    ),
    *(
        Layout("kamailio", table, needs, time, end, ("callid",), _kamailio(table))
        for table, needs, time, end in (
            ("acc", frozenset({"method", "callid", "sip_code"}), ("time",), ()),
            ("missed_calls", frozenset({"method", "callid", "sip_code"}), ("time",), ()),
            ("acc_cdrs", frozenset({"duration", "callid"}), ("start_time",), ("end_time",)),
        )
    ),
)
FORMATS = tuple(dict.fromkeys(layout.format for layout in _LAYOUTS))


@dataclass(frozen=True)
class Source:
    """One table that is read. ``names``: its columns in small letters, in the order of ``columns``. ``sampled``: a row
    showed how it writes moments; an empty table is asked again.
    """

    format: str
    clause: sa.TableClause
    columns: tuple[sa.ColumnClause[Any], ...]
    names: tuple[str, ...]
    time: sa.ColumnClause[Any]
    end: str
    call: sa.ColumnElement[Any]
    call_columns: tuple[sa.ColumnClause[Any], ...]
    style: Style
    sampled: bool
    zone: ZoneInfo
    make: _MakeLeg

    def between(self, begins: datetime, ends: datetime) -> list[sa.ColumnElement[bool]]:
        """Rows that began then; ``ends`` is no part of it."""
        first, last = (bound(moment, self.style, self.zone) for moment in (max(begins, FIRST), min(ends, LAST)))
        return [self.time >= first, self.time < last]

    def moment(self, value: Any) -> datetime | None:
        """A value of the column of the start."""
        return local(value, self.style, self.zone)

    def leg(self, values: tuple[Any, ...]) -> Leg | None:
        """The leg of a row; ``None`` where the row has no moment or no call."""
        row = dict(zip(self.names, values, strict=True))
        start = self.moment(row[self.time.name.lower()])
        if start is None:
            return None
        ends = row.get(self.end) if self.end else None
        leg = self.make(row, start, local(ends, self.style, self.zone) if ends else None)
        return leg if leg.call else None


@dataclass(frozen=True)
class Found:
    """What a database holds of calls. ``queue_log``, ``events``: tables that tell more of them, where there are any."""

    format: str
    sources: tuple[Source, ...]
    queue_log: sa.TableClause | None = None
    events: sa.TableClause | None = None
    unindexed: tuple[str, ...] = ()


def find(conn: Connection, settings: PbxSettings) -> Found:
    """Look at the tables; ``StopSystem(calls_no_tables)`` where none holds calls of the format that is set."""
    inspector = sa.inspect(conn)
    tables = {*inspector.get_table_names(), *inspector.get_view_names()}
    wanted = settings.calls.format
    for form in FORMATS if wanted == "auto" else (wanted,):
        sources = [
            source
            for layout in _LAYOUTS
            if layout.format == form and layout.table in tables
            if (source := _source(conn, inspector, layout, settings)) is not None
        ]
        if sources:
            told = {name: _columns(inspector, name) for name in tables & {"queue_log", "queuelog", "cel"}}
            return Found(
                form,
                tuple(sources),
                _table(told, ("queue_log", "queuelog"), {"callid", "event", "queuename"}),
                _table(told, ("cel",), {"eventtype", "linkedid"}),
                tuple(source.clause.name for source in sources if not _indexed(inspector, source)),
            )
    raise StopSystem("calls_no_tables", system=settings.sql.title, known=", ".join(FORMATS))


def _columns(inspector: Inspector, table: str) -> dict[str, str]:
    """Names of columns by the same in small letters."""
    return {found["name"].lower(): found["name"] for found in inspector.get_columns(table)}


def _table(told: Mapping[str, Mapping[str, str]], names: tuple[str, ...], needs: set[str]) -> sa.TableClause | None:
    for name in names:
        if needs <= told.get(name, {}).keys():
            return sa.table(name, *(sa.column(real) for real in told[name].values()))
    return None


def _source(conn: Connection, inspector: Inspector, layout: Layout, settings: PbxSettings) -> Source | None:
    known = _columns(inspector, layout.table)
    time = next((known[name] for name in layout.time if name in known), None)
    called = [known[name] for name in layout.call if name in known]
    if time is None or not called or not layout.needs <= known.keys():
        return None
    columns: dict[str, sa.ColumnClause[Any]] = {name: sa.column(real) for name, real in known.items()}
    clause = sa.table(layout.table, *columns.values())
    column = columns[time.lower()]
    sample = conn.execute(sa.select(column).where(column.is_not(None)).limit(1)).scalar()
    names = [clause.c[name] for name in called]
    # An exchange that has no name for the whole call leaves the column empty: the channel's name is the call's then.
    call: sa.ColumnElement[Any] = names[0]
    if len(names) > 1:
        call = sa.func.coalesce(sa.func.nullif(names[0], ""), names[1])
    elif layout.format == "freeswitch":  # a type of its own in some databases
        call = sa.cast(names[0], sa.String(64))
    return Source(
        layout.format,
        clause,
        tuple(clause.c[real] for real in known.values()),
        tuple(known),
        clause.c[time],
        next((name for name in layout.end if name in known), ""),
        call,
        tuple(names),
        style_of(sample) if sample is not None else "text" if conn.dialect.name == "sqlite" else "moment",
        sample is not None,
        ZoneInfo(settings.sql.timezone),
        layout.make(settings.extension),
    )


def _indexed(inspector: Inspector, source: Source) -> bool:
    """Whether rows are found by their moment without looking at all of them."""
    if source.clause.name in inspector.get_view_names():
        return True  # a view tells of no index, and may have one behind it
    return any(index["column_names"][:1] == [source.time.name] for index in inspector.get_indexes(source.clause.name))
