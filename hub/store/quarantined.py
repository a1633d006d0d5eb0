"""Quarantine for a person: groups of one cause each, their records one by one, and what was decided about them.

States of a row: ``open``; ``resolved`` (the record has passed, or is gone); ``skipped`` (a person leaves it out);
``corrected`` (the form that the source sends, replaced by a person's correction); ``superseded`` (a decision that ended
when the source changed). ``params["decided"]`` says who decided what and when.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, func, select
from xxhash import xxh3_64_hexdigest

from hub.store.core import parked, quarantine, route, stream

#: Names by which 1C's objects introduce themselves: number and date of a document, code and name of a catalogue item.
_NUMBER = ("Number", "Code")
_NAME = ("Date", "Description")
#: Records shown of each group.
SAMPLES = 3
_PART = 500


@dataclass(frozen=True, slots=True)
class Choice:
    """Which records a person means: codes of routes, reasons, external ids. What is empty chooses all."""

    routes: tuple[str, ...] = ()
    causes: tuple[str, ...] = ()
    external_ids: tuple[str, ...] = ()

    def conditions(self) -> list[ColumnElement[bool]]:
        """What the rows of ``quarantine`` joined with ``route`` must meet."""
        told = (
            (route.c.code, self.routes),
            (quarantine.c.reason_code, self.causes),
            (quarantine.c.external_id, self.external_ids),
        )
        return [column.in_(values) for column, values in told if values]


@dataclass(frozen=True, slots=True)
class Quarantined:
    """One record. ``label``: what its own system calls it (number, date, name), whole, so not for logs.

    ``field`` and ``value`` are the culprit in the source's words; ``params`` fill the sentence of ``reason_code``;
    ``payload`` is the record as JSON text.
    """

    id: int
    route: str
    stream_id: int
    stream: str
    external_id: str
    label: str
    reason_code: str
    field: str
    value: str
    params: dict[str, Any]
    payload: str
    state: str
    attempts: int
    first_at: datetime
    last_at: datetime

    @property
    def key(self) -> str:
        """Tells this row and its content: another form of the same record has another key."""
        return key_of(self.id, self.payload, self.reason_code, self.field)


@dataclass(frozen=True, slots=True)
class Group:
    """Open quarantine of one route, reason and field. ``attempts``: the most of any record."""

    route: str
    reason_code: str
    field: str
    number: int
    oldest: datetime
    attempts: int
    samples: tuple[Quarantined, ...]


def key_of(number: int, payload: str, reason: str, field: str) -> str:
    """``number:hash`` of a row's content."""
    return f"{number}:{xxh3_64_hexdigest(chr(0).join((payload, reason, field)).encode())}"


def groups(conn: Connection, choice: Choice) -> list[Group]:
    """Open quarantine by route, reason and field, the largest first, each with its oldest records."""
    by = (route.c.code, quarantine.c.reason_code, func.coalesce(quarantine.c.field, "").label("field"))
    number = func.count().label("number")
    oldest, attempts = (
        func.min(quarantine.c.first_at).label("oldest"),
        func.max(quarantine.c.attempts).label("attempts"),
    )
    query = (
        select(*by, number, oldest, attempts)
        .join(route, route.c.id == quarantine.c.route_id)
        .where(quarantine.c.state == "open", *choice.conditions())
        .group_by(*by)
        .order_by(number.desc(), *by)
    )
    samples = _samples(conn, choice)
    return [
        Group(
            row.code,
            row.reason_code,
            row.field,
            row.number,
            row.oldest,
            row.attempts,
            tuple(samples.get((row.code, row.reason_code, row.field), ())),
        )
        for row in conn.execute(query)
    ]


def _samples(conn: Connection, choice: Choice) -> dict[tuple[str, str, str], list[Quarantined]]:
    place = func.row_number().over(
        partition_by=(quarantine.c.route_id, quarantine.c.reason_code, quarantine.c.field),
        order_by=(quarantine.c.first_at, quarantine.c.id),
    )
    ranked = (
        select(quarantine.c.id, place.label("place"))
        .join(route, route.c.id == quarantine.c.route_id)
        .where(quarantine.c.state == "open", *choice.conditions())
        .subquery()
    )
    query = _records().join(ranked, ranked.c.id == quarantine.c.id).where(ranked.c.place <= SAMPLES)
    found: dict[tuple[str, str, str], list[Quarantined]] = {}
    for row in conn.execute(_ordered(query)):
        item = _record(row)
        found.setdefault((item.route, item.reason_code, item.field), []).append(item)
    return found


def quarantined(conn: Connection, choice: Choice, limit: int = 100) -> list[Quarantined]:
    """Open quarantine by route, reason and age, oldest first; at most ``limit`` records."""
    query = _ordered(_records().where(quarantine.c.state == "open", *choice.conditions())).limit(limit)
    return [_record(row) for row in conn.execute(query)]


def every(conn: Connection, choice: Choice) -> Iterator[list[Quarantined]]:
    """All of it in the same order, part by part: memory does not grow with the number."""
    query = _ordered(_records().where(quarantine.c.state == "open", *choice.conditions()))
    for part in conn.execute(query.execution_options(yield_per=_PART)).partitions():
        yield [_record(row) for row in part]


def by_ids(conn: Connection, ids: list[int]) -> dict[int, Quarantined]:
    """Rows by their ids, whatever their state."""
    found: dict[int, Quarantined] = {}
    for start in range(0, len(ids), _PART):
        query = _records().where(quarantine.c.id.in_(ids[start : start + _PART]))
        found |= {row.id: _record(row) for row in conn.execute(query)}
    return found


def decisions(conn: Connection, choice: Choice) -> list[Quarantined]:
    """Records that persons left out or corrected and whose decision stands, the newest first."""
    query = _records().where(quarantine.c.state.in_(("skipped", "corrected")), *choice.conditions())
    return [_record(row) for row in conn.execute(query.order_by(quarantine.c.last_at.desc(), quarantine.c.id.desc()))]


def decided_number(conn: Connection, choice: Choice) -> int:
    """How many records are left out by a person's decision."""
    return _number(conn, quarantine, quarantine.c.state == "skipped", choice.conditions())


def parked_number(conn: Connection, routes: tuple[str, ...]) -> int:
    """How many records wait for others; they are not in quarantine."""
    return _number(conn, parked, parked.c.state == "waiting", [route.c.code.in_(routes)] if routes else [])


def _number(conn: Connection, table: Any, state: ColumnElement[bool], more: list[ColumnElement[bool]]) -> int:
    query = select(func.count()).select_from(table.join(route, route.c.id == table.c.route_id)).where(state, *more)
    return int(conn.execute(query).scalar_one())


def _records() -> Select[Any]:
    return (
        select(quarantine, route.c.code, stream.c.name)
        .join(route, route.c.id == quarantine.c.route_id)
        .join(stream, stream.c.id == quarantine.c.stream_id)
    )


def _ordered(query: Select[Any]) -> Select[Any]:
    table, field = quarantine, func.coalesce(quarantine.c.field, "")  # where NULLs stand differs by database
    return query.order_by(route.c.code, table.c.reason_code, field, table.c.first_at, table.c.id)


def _record(row: Row[Any]) -> Quarantined:
    return Quarantined(
        id=int(row.id),
        route=row.code,
        stream_id=int(row.stream_id),
        stream=row.name,
        external_id=row.external_id,
        label=label(row.payload),
        reason_code=row.reason_code,
        field=row.field or "",
        value=row.value or "",
        params=row.params or {},
        payload=row.payload or "",
        state=row.state,
        attempts=row.attempts,
        first_at=row.first_at,
        last_at=row.last_at,
    )


def label(payload: str | None) -> str:
    """Number and date, or code and name, as the record itself has them; empty where it has none."""
    try:
        record = json.loads(payload or "")
    except ValueError:
        return ""
    if not isinstance(record, dict):
        return ""
    found = [next((str(record[name]) for name in names if record.get(name)), "") for names in (_NUMBER, _NAME)]
    return " · ".join(part for part in found if part)
