"""The connector of kind ``sql``: reads and writes the tables of one database."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal
from itertools import pairwise
from threading import Lock
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from connectors.base import Capabilities, Change, CheckReport, DayTotal, ReadRequest, StreamInfo, Traffic, WriteResult
from connectors.lacking import NoFeed
from connectors.sql_tables import rights
from connectors.sql_tables.config import SqlSettings
from connectors.sql_tables.database import Database
from connectors.sql_tables.reading import Reader, encoded
from connectors.sql_tables.schema import Schema, Table, reflect
from connectors.sql_tables.write import SqlTarget
from connectors.writing import Writing
from hub.model.errors import HubError, StopRoute, StopSystem
from hub.model.records import Page, Window

#: Keys that one statement looks up.
_AT_ONCE = 500


class SqlTables(NoFeed):
    """Speaks to one database; no connection is made before the first question."""

    capabilities = Capabilities(
        versions=True, versions_return=True, windows=True, totals=True, write=True, read_back=True
    )

    def __init__(self, settings: SqlSettings) -> None:
        self.traffic = Traffic()
        self.title = settings.title
        self._settings = settings
        self._database = Database(settings, self.traffic)
        self._zone = ZoneInfo(settings.timezone)
        self._lock = Lock()
        self._schema: Schema | None = None
        self._read_at = 0.0
        self._writing = Writing(SqlTarget(self._database, self._reader))

    def check(self) -> CheckReport:
        """Connect, look at what there is, and at what this user may do with it."""
        report = CheckReport()
        try:
            with self._database.reading() as conn:
                conn.exec_driver_sql("SELECT 1")
                report.product = rights.product(conn)
                report.reachable = True
            schema = self._fresh()
            report.streams, report.server_time = len(schema.tables), datetime.now(UTC)
            if not schema.tables:
                report.problems.append(StopSystem("sql_nothing", system=self.title))
            with self._database.reading() as conn:
                report.notes += rights.notes(conn, schema, self._settings)
        except HubError as error:
            report.problems.append(error)
        return report

    def streams(self) -> dict[str, StreamInfo]:
        """Tables with a primary key, and views that the settings name a key of."""
        return dict(self._fresh().streams)

    def fingerprint(self) -> str:
        """SHA-256 of ``streams()``."""
        return self._fresh().fingerprint

    def count(self, request: ReadRequest) -> int:
        """The database's own count, with the bounds of the request."""
        reader = self._asked(request)
        statement = sa.select(sa.func.count()).select_from(reader.table.clause).where(*reader.bounds(request))
        with self._database.reading() as conn:
            return int(conn.execute(statement).scalar_one())

    def read(self, request: ReadRequest) -> Iterator[Page]:
        """Pages in the order of the key; each is one short transaction, and the next begins after the last key seen.

        A record that is inserted meanwhile comes if its key is after that; nothing that was there is passed over.
        """
        reader = self._asked(request)
        size = max(1, min(request.page_size, self._settings.page_size))
        told = (request.position or {}).get("after")
        after = reader.key_of("|".join(told)) if told else None
        bounds, wanted, last = reader.bounds(request), reader.wanted(request), False
        while not last:
            where = [*bounds, *([reader.after(after)] if after else [])]
            with self._database.reading() as conn:
                found = reader.rows(conn, where, wanted, size + 1)
            keys = [reader.id_of(record) for record in found]
            self._keys_are_keys(request.stream, keys)
            last = len(found) <= size
            after = keys[:size][-1] if found else after
            yield self._page(request, found[:size], list(map(str, after or ())), last=last)

    def fetch(self, request: ReadRequest, external_ids: Sequence[str]) -> Page:
        """Single records by key; what can be no key of this table is no record of it either."""
        reader = self._asked(request)
        keys = {external_id: reader.key_of(external_id) for external_id in dict.fromkeys(external_ids)}
        asked = list(dict.fromkeys(key for key in keys.values() if key is not None))
        wanted, found = reader.wanted(request), []
        for start in range(0, len(asked), _AT_ONCE):
            with self._database.reading() as conn:
                found += reader.rows(conn, [reader.keyed(asked[start : start + _AT_ONCE])], wanted, None)
        there = {reader.id_of(record) for record in found}
        page = self._page(request, found, [], last=True)
        page.deleted = [external_id for external_id, key in keys.items() if key not in there]
        return page

    def write(self, stream: str, changes: Sequence[Change]) -> Iterator[WriteResult]:
        """One record after another, each in a transaction of its own and read back."""
        for change in changes:
            yield self._writing.write(stream, change)

    def totals(self, stream: str, date_field: str, total_field: str, window: Window) -> list[DayTotal]:
        """Date and total of each record within ``window``, added up here: a sum made by SQLite is a sum of floats."""
        table = self._table(stream)
        reader = self._asked(ReadRequest(stream, (total_field,), table.key, date_field=date_field))
        sums: dict[str, tuple[int, int]] = {}
        wanted = frozenset({date_field, total_field, *table.key})
        after = None
        while True:
            where = [*reader.inside(date_field, window), *([reader.after(after)] if after else [])]
            with self._database.reading() as conn:
                found = reader.rows(conn, where, wanted, self._settings.page_size)
            for record in found:
                day = str(record[date_field] or "")[:10]
                count, total = sums.get(day, (0, 0))
                sums[day] = (count + 1, total + _hundredths(record[total_field]))
            if len(found) < self._settings.page_size:
                return [DayTotal(date.fromisoformat(day), *sums[day]) for day in sorted(filter(None, sums))]
            after = reader.id_of(found[-1])

    def close(self) -> None:
        """Give connections back."""
        self._database.close()

    # --- inside -------------------------------------------------------------------------------------------------

    def _fresh(self) -> Schema:
        """The schema, looked at anew unless that was done lately (``schema_seconds``)."""
        with self._lock:
            if self._schema is None or time.monotonic() - self._read_at >= self._settings.schema_seconds:
                with self._database.reading() as conn:
                    self._schema = reflect(sa.inspect(conn), self._settings.tables)
                self._read_at = time.monotonic()
            return self._schema

    def _table(self, stream: str) -> Table:
        schema = self._schema or self._fresh()
        if stream not in schema.tables:
            raise StopRoute("unknown_set", system=self.title, stream=stream)
        return schema.tables[stream]

    def _reader(self, stream: str) -> Reader:
        return Reader(self._table(stream), self._zone, self.title, self._database.dialect)

    def _asked(self, request: ReadRequest) -> Reader:
        reader = self._reader(request.stream)
        reader.check(request)
        return reader

    def _keys_are_keys(self, stream: str, keys: Sequence[tuple[Any, ...]]) -> None:
        """A view's key is what the settings say; rows that it does not tell apart would get lost between two pages.

        A key of several columns is one text with bars between: none may hold a bar itself.
        """
        apart = all(None not in key and not (len(key) > 1 and "|" in "".join(map(str, key))) for key in keys)
        if not apart or any(one == other for one, other in pairwise(keys)):
            key = ", ".join(self._table(stream).key)
            raise StopRoute("sql_key_is_none", system=self.title, stream=stream, key=key)

    def _page(self, request: ReadRequest, found: Sequence[Any], after: list[str], *, last: bool) -> Page:
        records = [encoded(record) for record in found]
        nbytes = sum(map(len, records))
        self.traffic.bytes_read += nbytes
        return Page(request.stream, records, (), {"after": after}, last, nbytes)


def _hundredths(value: object) -> int:
    return int(Decimal(str(value or 0)).scaleb(2).to_integral_value(ROUND_HALF_UP))
