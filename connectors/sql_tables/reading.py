"""Records of one stream: which are asked for, in which order, and how they become JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from itertools import groupby
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import sqlalchemy as sa
from sqlalchemy import Connection
from xxhash import xxh3_64_hexdigest

from connectors.base import ReadRequest
from connectors.sql_tables.kinds import Bad, Column
from connectors.sql_tables.schema import VERSION, Table
from hub.model.errors import StopRoute
from hub.model.records import Window

Record = dict[str, Any]
Key = tuple[Any, ...]

#: Keys named in one statement; some databases bind 2,100 values at most.
_AT_ONCE = 500
#: Databases that make an ISO text of a day or a moment; of others the driver's own value is taken.
_ISO = frozenset({"postgresql", "mysql", "mariadb"})
_encode = msgspec.json.Encoder(decimal_format="number").encode


class Reader:
    """Reads one table over a connection that is given; ``dialect`` as SQLAlchemy calls the database."""

    def __init__(self, table: Table, zone: ZoneInfo, system: str, dialect: str) -> None:
        self.table = table
        #: The database has no types for days and decimals of its own.
        self.texts = dialect == "sqlite"
        self._casts = dialect in _ISO
        self._zone, self._system = zone, system

    # --- what is asked for --------------------------------------------------------------------------------------

    def check(self, request: ReadRequest) -> None:
        """``StopRoute`` for what this table does not have."""
        told: dict[str, Any] = {"system": self._system, "stream": request.stream}
        if request.table != "set":
            raise StopRoute("unknown_table", table=request.table, **told)
        also = {*self.table.parts, VERSION}
        compared = (*request.key, *filter(None, (request.date_field, request.changed_field)))
        for name in (*compared, *filter(None, request.fields)):
            if name not in self.table.columns and (name in compared or name not in also):
                raise StopRoute("unknown_field", field=name, **told)
        if tuple(request.key) != self.table.key:
            raise StopRoute("sql_other_key", key=", ".join(request.key), own=", ".join(self.table.key), **told)

    def wanted(self, request: ReadRequest) -> frozenset[str]:
        """Names that a record is to hold."""
        everything = (*self.table.columns, *self.table.parts, VERSION)
        return frozenset({*request.key, *(filter(None, request.fields) if any(request.fields) else everything)})

    def bounds(self, request: ReadRequest) -> list[sa.ColumnElement[bool]]:
        """What a record must meet to be read. The first and the last day of the calendar are no bounds."""
        found = self.inside(request.date_field, request.window) if request.window and request.date_field else []
        if request.changed_field and request.since:
            found.append(self._dated(request.changed_field) >= self._moment(request.changed_field, request.since))
        return found

    def inside(self, name: str, window: Window) -> list[sa.ColumnElement[bool]]:
        """Dated within a window, half open."""
        found = []
        if window.start > date.min:
            found.append(self._dated(name) >= self._moment(name, f"{window.start}T00:00:00"))
        if window.end.year < date.max.year:
            found.append(self._dated(name) < self._moment(name, f"{window.end}T00:00:00"))
        return found

    def _dated(self, name: str) -> sa.ColumnElement[Any]:
        """The column as it is compared: SQLite keeps moments as texts of several forms, here they have one."""
        column = self.table.clause.c[name]
        dated = self.table.columns[name].kind in {"date", "moment"}
        return sa.func.obmen_moment(column) if self.texts and dated else column

    def _moment(self, name: str, text: str) -> Any:
        column = self.table.columns[name]
        try:
            value = column.told(text, self._zone)
        except Bad:
            raise StopRoute("unknown_field", system=self._system, stream=self.table.name, field=name) from None
        if self.texts and column.kind in {"date", "moment"}:
            return value
        return self.bind(column, value)

    def bind(self, column: Column, value: Any) -> Any:
        """A travelling value as the driver takes it."""
        return column.bound(value, texts=self.texts)

    # --- keys ---------------------------------------------------------------------------------------------------

    def key_of(self, external_id: str) -> Key | None:
        """The key in travelling form; ``None`` for a text that can be no key of this table."""
        names = self.table.key
        parts = external_id.split("|") if len(names) > 1 else [external_id]
        if len(parts) != len(names):
            return None
        try:
            told = zip((self.table.columns[name] for name in names), parts, strict=True)
            key = tuple(column.told(part, self._zone) for column, part in told)
        except Bad:
            return None
        return None if None in key else key

    def keyed(self, keys: Sequence[Key]) -> sa.ColumnElement[bool]:
        """Records with one of these keys."""
        columns = [(self.table.clause.c[name], self.table.columns[name]) for name in self.table.key]
        if len(columns) == 1:
            clause, column = columns[0]
            return clause.in_([self.bind(column, key[0]) for key in keys])
        values = [[self.bind(column, part) for (_, column), part in zip(columns, key, strict=True)] for key in keys]
        whole = [[clause == value for (clause, _), value in zip(columns, row, strict=True)] for row in values]
        return sa.or_(*(sa.and_(*tests) for tests in whole))

    def after(self, key: Key) -> sa.ColumnElement[bool]:
        """Records that come after this key."""
        columns = [(self.table.clause.c[name], self.table.columns[name]) for name in self.table.key]
        values = [self.bind(column, part) for (_, column), part in zip(columns, key, strict=True)]
        branches = []
        for place, (clause, _) in enumerate(columns):
            equal = [before == value for (before, _), value in zip(columns[:place], values[:place], strict=True)]
            branches.append(sa.and_(*equal, clause > values[place]))
        return sa.or_(*branches)

    def is_version(self, version: str) -> sa.ColumnElement[bool]:
        """Records whose version column still shows this text."""
        column, clause = self.table.columns[self.table.version], self.table.clause.c[self.table.version]
        if not version:
            return clause.is_(None)
        if column.kind == "integer":
            return clause == int(version)
        if self._casts:
            return sa.cast(clause, sa.Text) == version
        return clause == (version if self.texts else datetime.fromisoformat(version))

    # --- records ------------------------------------------------------------------------------------------------

    def rows(self, conn: Connection, where: Sequence[Any], wanted: frozenset[str], limit: int | None) -> list[Record]:
        """Whole records in the order of their keys, with no names but those wanted."""
        table = self.table
        hashed = VERSION in wanted and not table.version
        names = [n for n in table.columns if hashed or n in wanted or n == table.version]
        order = [table.clause.c[name] for name in table.key]
        statement = sa.select(*(self._read(table, name) for name in names)).where(*where).order_by(*order).limit(limit)
        records = [self._record(table, names, row) for row in conn.execute(statement)]
        for part in table.parts.values():
            if hashed or part.name in wanted:
                self._attach(conn, part, records)
        return [self._chosen(record, wanted) for record in records]

    def _read(self, table: Table, name: str) -> Any:
        column, clause = table.columns[name], table.clause.c[name]
        dated = column.kind in {"date", "moment"}
        return sa.cast(clause, sa.Text).label(name) if dated and self._casts else clause

    def _record(self, table: Table, names: Sequence[str], row: Any) -> Record:
        record = {n: table.columns[n].shown(value, self._zone) for n, value in zip(names, row, strict=True)}
        if table.version in record:
            exact = row[names.index(table.version)]
            record[VERSION] = "" if exact is None else str(exact)
        return record

    def _chosen(self, record: Record, wanted: frozenset[str]) -> Record:
        if VERSION in wanted and not self.table.version:
            record[VERSION] = xxh3_64_hexdigest(_encode(record))
        return {name: value for name, value in record.items() if name in wanted}

    def _attach(self, conn: Connection, part: Table, records: Sequence[Record]) -> None:
        """The rows of a nested table into the records that they belong to."""
        (key,) = self.table.key
        own = self.table.columns[key]
        for start in range(0, len(records), _AT_ONCE):
            some = records[start : start + _AT_ONCE]
            parent = part.clause.c[part.parent]
            statement = (
                sa.select(parent, *(self._read(part, name) for name in part.columns))
                .where(parent.in_([self.bind(own, record[key]) for record in some]))
                .order_by(parent, *(part.clause.c[name] for name in dict.fromkeys([part.order, *part.key]) if name))
            )
            names = list(part.columns)
            rows: dict[Any, list[Record]] = {}
            for owner, found in groupby(conn.execute(statement), key=lambda row: row[0]):
                rows[own.shown(owner, self._zone)] = [self._record_of(part, names, row[1:]) for row in found]
            for record in some:
                record[part.name] = rows.get(record[key], [])

    def _record_of(self, part: Table, names: Sequence[str], row: Any) -> Record:
        return {n: part.columns[n].shown(value, self._zone) for n, value in zip(names, row, strict=True)}

    def id_of(self, record: Mapping[str, Any]) -> Key:
        """The key of a record in travelling form."""
        return tuple(record[name] for name in self.table.key)


def encoded(record: Record) -> bytes:
    """The JSON object of a record; decimals are numbers with all of their digits."""
    return _encode(record)
