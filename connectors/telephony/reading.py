"""Whole calls out of rows of legs, in the order of their starts.

A call belongs to the moment of its first leg. Rows are looked at in stretches of time, each in one transaction: the
rows that begin in the stretch, later rows of the same calls, and whether a call had begun before it (then it belongs
there). So a call comes out the same wherever stretches and pages are cut, and nothing need be held between two of them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy import Connection

from connectors.sql_tables.database import Database
from connectors.telephony.assemble import Assembler, Facts
from connectors.telephony.call import Call
from connectors.telephony.clock import local_now
from connectors.telephony.columns import FIRST, LAST
from connectors.telephony.config import PbxSettings
from connectors.telephony.facts import facts_of
from connectors.telephony.kamailio import dialogue
from connectors.telephony.leg import Leg
from connectors.telephony.sources import Found, Source
from hub.model.phones import own_numbers

#: Keys that one statement looks up.
_AT_ONCE = 500
_SECOND = timedelta(seconds=1)
#: A dialogue whose end was never seen is told as it stands after so long.
_NO_END = timedelta(hours=4)


class CallReader:
    """Reads the calls of one database."""

    def __init__(self, database: Database, settings: PbxSettings, found: Found) -> None:
        self._database, self._settings, self._found = database, settings, found
        self._zone = ZoneInfo(settings.sql.timezone)
        told = settings.calls
        ours = own_numbers(told.own_numbers, told.area_code)
        self._assembler = Assembler(self._zone, told.area_code, told.recordings, ours)

    def calls(self, begins: datetime, ends: datetime) -> Iterator[tuple[datetime, Call]]:
        """Calls whose first leg began in that time, with that moment; those that go on still are left out."""
        begins, ends = max(begins, FIRST), min(ends, LAST)
        while begins < ends:
            with self._database.reading() as conn:
                upto = self._stretch(conn, begins, ends)
                made = self._between(conn, begins, upto)
            yield from made
            begins = upto

    def single(self, names: Sequence[str]) -> list[Call]:
        """Calls by name; those that there are, in no order."""
        found: list[Call] = []
        for start in range(0, len(names), _AT_ONCE):
            asked = names[start : start + _AT_ONCE]
            with self._database.reading() as conn:
                legs = [leg for source in self._found.sources for leg in self._named(conn, source, asked)]
                grouped = _grouped(leg for leg in legs if leg.call in asked)
                facts = facts_of(conn, self._found, sorted({leg.unique for leg in legs} | set(grouped)))
            found += [self._call(own, _of(own, facts)) for own in grouped.values()]
        return found

    def count(self, begins: datetime, ends: datetime) -> int:
        """How many calls began in that time, by the database's own count."""
        begins, ends = max(begins, FIRST), min(ends, LAST)
        inside = [(source, source.between(begins, ends)) for source in self._found.sources]
        before = [(source, source.between(begins - self._settings.reach, begins)) for source in self._found.sources]
        names = self._names(inside).subquery()
        earlier = self._names(before)
        statement = sa.select(sa.func.count(names.c.call.distinct())).where(names.c.call.not_in(earlier))
        with self._database.reading() as conn:
            return int(conn.execute(statement).scalar_one())

    def newest(self) -> Call | None:
        """The last call that there is, going on or not."""
        with self._database.reading() as conn:
            told = [self._latest(conn, source) for source in self._found.sources]
            latest = max((moment for moment in told if moment is not None), default=None)
            if latest is None:
                return None
            stretch = (latest.replace(microsecond=0), latest.replace(microsecond=0) + _SECOND)
            legs = [leg for source in self._found.sources for leg in self._rows(conn, source, *stretch)]
            grouped = _grouped(legs)
        return self._call(next(iter(grouped.values())), None) if grouped else None

    # --- inside -------------------------------------------------------------------------------------------------

    @staticmethod
    def _latest(conn: Connection, source: Source) -> datetime | None:
        statement = sa.select(sa.func.max(source.time)).where(*source.between(FIRST, LAST))
        return source.moment(conn.execute(statement).scalar())

    def _stretch(self, conn: Connection, begins: datetime, ends: datetime) -> datetime:
        """The end of a stretch that has about a chunk of rows: a whole second, so that none is cut in two."""
        found = ends
        for source in self._found.sources:
            statement = (
                sa.select(source.time)
                .where(*source.between(begins, ends))
                .order_by(source.time)
                .limit(1)
                .offset(self._settings.chunk)
            )
            moment = source.moment(conn.execute(statement).scalar())
            if moment is not None:
                found = min(found, moment.replace(microsecond=0) + _SECOND)
        return found

    def _between(self, conn: Connection, begins: datetime, ends: datetime) -> list[tuple[datetime, Call]]:
        reach, sources = self._settings.reach, self._found.sources
        legs = [leg for source in sources for leg in self._rows(conn, source, begins, ends)]
        if not legs:
            return []
        names = self._names([(source, source.between(begins, ends)) for source in sources])
        started = set(conn.execute(self._before(begins, names)).scalars()) if begins > FIRST else set()
        started = {str(name) for name in started}
        legs = [leg for leg in legs if leg.call not in started]
        if ends < LAST:
            later = (leg for s in sources for leg in self._rows(conn, s, ends, ends + reach, s.call.in_(names)))
            own = {leg.call for leg in legs}
            legs += [leg for leg in later if leg.call in own]
        facts = facts_of(conn, self._found, sorted({leg.unique for leg in legs} | {leg.call for leg in legs}))
        now = local_now(self._zone)
        made = []
        for group in _grouped(legs).values():
            told = _of(group, facts)
            if self._over(group, told, now):
                made.append((group[0].start, self._call(group, told)))
        return sorted(made, key=lambda pair: (pair[0].replace(microsecond=0), pair[1].id))

    def _before(self, begins: datetime, names: sa.CompoundSelect[Any]) -> sa.CompoundSelect[Any]:
        """Which of these calls had a leg before."""
        reach = self._settings.reach
        return sa.union(
            *(
                sa.select(source.call).where(*source.between(begins - reach, begins), source.call.in_(names))
                for source in self._found.sources
            )
        )

    @staticmethod
    def _names(parts: Iterable[tuple[Source, list[sa.ColumnElement[bool]]]]) -> sa.CompoundSelect[Any]:
        told = ((source.call, [source.call.is_not(None), *where]) for source, where in parts)
        return sa.union(*(sa.select(call.label("call")).where(*where) for call, where in told))

    def _rows(
        self, conn: Connection, source: Source, begins: datetime, ends: datetime, *more: sa.ColumnElement[bool]
    ) -> Iterator[Leg]:
        statement = sa.select(*source.columns).where(*source.between(begins, ends), *more)
        return self._legs(conn, source, statement)

    def _named(self, conn: Connection, source: Source, names: Sequence[str]) -> Iterator[Leg]:
        """Every column that may name a call is looked at by itself, so that the database may use its indexes."""
        if len(source.call_columns) == 1:
            return self._legs(conn, source, sa.select(*source.columns).where(source.call.in_(names)))
        where = sa.or_(*(column.in_(names) for column in source.call_columns))
        return self._legs(conn, source, sa.select(*source.columns).where(where))

    @staticmethod
    def _legs(conn: Connection, source: Source, statement: sa.Select[Any]) -> Iterator[Leg]:
        for values in conn.execute(statement):
            leg = source.leg(tuple(values))
            if leg is not None:
                yield leg

    def _call(self, legs: list[Leg], facts: Facts | None) -> Call:
        return self._assembler.call(legs, facts)

    def _over(self, legs: list[Leg], facts: Facts | None, now: datetime) -> bool:
        """Whether no row is to be expected: the channels are gone, or it was quiet for a while.

        A clock that is ahead of ours would keep its calls from us: what ends in the future is over as well.
        """
        if any(leg.going_on for leg in legs):
            return abs(now - legs[0].start) > _NO_END
        quiet = abs((now - max(leg.end for leg in legs)).total_seconds())
        return (facts is not None and facts.over) or quiet >= self._settings.settle


def _of(legs: Sequence[Leg], facts: dict[str, Facts]) -> Facts | None:
    """What is told of the call: of its own name, or of the channel that came in."""
    return next((facts[name] for leg in legs for name in (leg.call, leg.unique) if name in facts), None)


def _grouped(legs: Iterable[Leg]) -> dict[str, list[Leg]]:
    """Legs by call in order; a row that an exchange wrote twice (by two of its drivers) is one leg."""
    calls: defaultdict[str, dict[tuple[Any, ...], Leg]] = defaultdict(dict)
    for leg in legs:
        key = (leg.unique, leg.number) if leg.number else (leg.unique, leg.start, leg.end, leg.person, leg.outcome)
        calls[leg.call].setdefault(key, leg)
    return {name: _ordered(list(own.values())) for name, own in calls.items()}


def _ordered(legs: list[Leg]) -> list[Leg]:
    if legs[0].unique.partition(":")[0] in {"acc", "missed_calls", "acc_cdrs"}:
        legs = dialogue(legs)
    return sorted(legs, key=lambda leg: (leg.start, leg.number))
