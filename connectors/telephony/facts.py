"""What ``queue_log`` and ``cel`` of Asterisk tell of calls besides their rows: the truth about queues, and the end."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from connectors.telephony.assemble import Facts
from connectors.telephony.leg import Row, whole
from connectors.telephony.sources import Found

_AT_ONCE = 500
#: Events of ``queue_log`` by which a call leaves a queue unanswered.
_TIMED_OUT = frozenset({"EXITWITHTIMEOUT", "EXITEMPTY", "EXITWITHKEY"})
_MOVES = frozenset({"BLINDTRANSFER", "ATTENDEDTRANSFER", "TRANSFER"})
_EVENTS = ("LINKEDID_END", *sorted(_MOVES))


def facts_of(conn: Connection, found: Found, names: Sequence[str]) -> dict[str, Facts]:
    """By the name of the call or of its channel."""
    told: dict[str, Facts] = {}
    for start in range(0, len(names), _AT_ONCE):
        some = names[start : start + _AT_ONCE]
        if found.queue_log is not None:
            table = found.queue_log
            order = [column for column in table.c if column.name.lower() in {"id", "time"}]
            rows = conn.execute(sa.select(table).where(_column(table, "callid").in_(some)).order_by(*order))
            for row in rows.mappings():
                _queued(told, {str(name).lower(): value for name, value in row.items()})
        if found.events is not None:
            _events(conn, found.events, some, told)
    return told


def _column(table: sa.TableClause, name: str) -> sa.ColumnElement[Any]:
    return next(column for column in table.c if column.name.lower() == name)


def _queued(told: dict[str, Facts], row: Row) -> None:
    event = str(row["event"]).upper()
    facts = told.setdefault(str(row["callid"]), Facts())
    facts.queue = str(row["queuename"])
    if event == "CONNECT":
        facts.hold_s, facts.ring_s, facts.left = whole(row, "data1"), whole(row, "data3"), None
    elif event.startswith("COMPLETE"):
        facts.talk_s = whole(row, "data2")
    elif event == "ABANDON":
        facts.left, facts.hold_s = "cancelled", whole(row, "data3")
    elif event in _TIMED_OUT:
        facts.left = "no_answer"
        facts.hold_s = whole(row, "data3") if event == "EXITWITHTIMEOUT" else facts.hold_s
    facts.moved = facts.moved or event in _MOVES


def _events(conn: Connection, table: sa.TableClause, names: Sequence[str], told: dict[str, Facts]) -> None:
    call, kind = _column(table, "linkedid"), _column(table, "eventtype")
    for name, event in conn.execute(sa.select(call, kind).where(call.in_(names), kind.in_(_EVENTS))):
        facts = told.setdefault(str(name), Facts())
        facts.over = facts.over or event == "LINKEDID_END"
        facts.moved = facts.moved or event in _MOVES
