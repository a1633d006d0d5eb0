"""Writing records of one database: what ``connectors.writing`` decides, in transactions.

A manager and the hub, told as a story: the hub has read an order, the manager opens it and saves another sum, and only
then the hub's change arrives. The hub's transaction first locks the row and its lines and reads them again; the version
is another, so nothing is written (``Overtaken``). Where the database knows no such lock, the version stands in the
``UPDATE`` itself, which then finds no row.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError, IntegrityError

from connectors.base import Change
from connectors.sql_tables.database import Database
from connectors.sql_tables.kinds import Bad, Column
from connectors.sql_tables.parts import write_part
from connectors.sql_tables.reading import Key, Reader, Record, encoded
from connectors.sql_tables.schema import VERSION, Table
from connectors.writing import Overtaken, Refused, Shown, Taken
from hub.model.errors import HubError, SkipRecord, StopRoute


class SqlTarget:
    """One database as something to write to; ``reader`` gives the reader of a stream."""

    def __init__(self, database: Database, reader: Callable[[str], Reader]) -> None:
        self.system = database.settings.title
        self._database, self._reader = database, reader
        self._zone = ZoneInfo(database.settings.timezone)

    def body(self, stream: str, change: Change) -> Record:
        """The fields as the columns will show them; ``StopRoute(sql_view)`` for a view."""
        table = self._reader(stream).table
        if table.view:
            raise StopRoute("sql_view", system=self.system, stream=stream)
        marker = {change.marker[0]: change.marker[1]} if change.create and change.marker else {}
        body: Record = {}
        for name, value in {**marker, **change.fields}.items():
            if name in table.parts:
                body[name] = self._rows(table, table.parts[name], value)
            elif name not in table.columns or name in {*table.key, table.version} or table.columns[name].kept:
                raise self._no("field_not_writable", stream, name)
            else:
                body[name] = self._told(stream, table.columns[name], value)
        return body

    def _told(self, stream: str, column: Column, value: Any) -> Any:
        try:
            return column.told(value, self._zone)
        except Bad as bad:
            raise self._no(bad.code, stream, column.name, wanted=bad.wanted) from None

    def _no(self, code: str, stream: str, name: str, **params: Any) -> Refused:
        return Refused(SkipRecord(code, name, system=self.system, stream=stream, **params))

    def _rows(self, table: Table, part: Table, value: Any) -> list[Record]:
        """Rows of a nested table, numbered on where they are not; a number that 1C would give is no column here."""
        if not isinstance(value, list) or not all(isinstance(row, Mapping) for row in value):
            raise self._no("value_malformed", table.name, part.name)
        if not part.order:
            raise self._no("sql_rows_unordered", table.name, part.name)
        rows, last = [], 0
        for sent in value:
            row: Record = {}
            for name, told in sent.items():
                if name in part.columns:
                    row[name] = self._told(f"{table.name}.{part.name}", part.columns[name], told)
                elif name not in {"LineNumber", part.parent}:
                    raise self._no("field_not_writable", f"{table.name}.{part.name}", name)
            if not (part.own_key and part.order in part.key):
                last = max(int(row.get(part.order) or 0), last + 1)
                row[part.order] = self._told(table.name, part.columns[part.order], last)
            rows.append(row)
        return rows

    def look(self, stream: str, key: str) -> Shown | None:
        """The whole record with its nested tables; a text that can be no key of the table is no record of it."""
        reader = self._reader(stream)
        found = reader.key_of(key)
        if found is None:
            return None
        with self._database.reading() as conn:
            record = self._record(conn, reader, found)
        if record is None:
            return None
        raw = encoded(record)
        return Shown("|".join(map(str, found)), record[VERSION], raw, msgspec.json.decode(raw))

    @staticmethod
    def _record(conn: Connection, reader: Reader, key: Key) -> Record | None:
        wanted = frozenset({*reader.table.columns, *reader.table.parts, VERSION})
        records = reader.rows(conn, [reader.keyed([key])], wanted, None)
        return records[0] if records else None

    def search(self, stream: str, marker: tuple[str, str]) -> list[str]:
        """Keys of the records whose column holds the text, two at most: more are as wrong as two."""
        reader, (name, text) = self._reader(stream), marker
        if name not in reader.table.columns:
            raise StopRoute("unknown_field", system=self.system, stream=stream, field=name)
        where = [reader.table.clause.c[name].contains(text, autoescape=True)]
        with self._database.reading() as conn:
            found = reader.rows(conn, where, frozenset(reader.table.key), 2)
        return ["|".join(map(str, reader.id_of(record))) for record in found]

    def create(self, stream: str, key: str, body: Record, load_mode: bool) -> str:
        """Insert with the reserved key where the key is a text or a UUID, else with the one that the database gives."""
        reader = self._reader(stream)
        table = reader.table
        own = None if table.own_key else reader.key_of(key)
        if own is None and not table.own_key:
            raise self._no("sql_key_not_ours", stream, ", ".join(table.key))
        values = self._values(reader, body) | dict(zip(table.key, self._bound(reader, own), strict=False))
        try:
            with self._database.writing() as conn:
                if own is not None and self._record(conn, reader, own) is not None:
                    raise Taken
                made = self._insert(conn, reader, values, own)
                for part in (table.parts[name] for name in body if name in table.parts):
                    write_part(conn, reader, part, made, [], body[part.name])
        except DBAPIError as error:
            if isinstance(error, IntegrityError) and own is not None and self.look(stream, key) is not None:
                raise Taken from None
            raise self._refused(error, table, body) from None
        return "|".join(map(str, made))

    @staticmethod
    def _bound(reader: Reader, key: Key | None) -> list[Any]:
        names = reader.table.key
        return [reader.bind(reader.table.columns[name], part) for name, part in zip(names, key or (), strict=False)]

    def _insert(self, conn: Connection, reader: Reader, values: Record, own: Key | None) -> Key:
        """The key of the new record in travelling form."""
        statement = sa.insert(reader.table.clause).values({**self._touched(reader, new=True), **values})
        if own is not None:
            conn.execute(statement)
            return own
        (name,) = reader.table.key
        if conn.dialect.insert_returning:
            given = conn.execute(statement.returning(reader.table.clause.c[name])).scalar_one()
        else:
            given = conn.execute(statement).lastrowid
        return (str(given),)

    def change(self, stream: str, before: Shown, body: Record, change: Change) -> None:
        """Update one record and its rows in one transaction, unless it is another version by now."""
        reader = self._reader(stream)
        key = reader.key_of(before.key)
        assert key is not None, "it was looked up by this key"
        values = self._values(reader, body)
        try:
            with self._database.writing() as conn:
                now = self._locked(conn, reader, key, body)
                if now is None:
                    raise Refused(SkipRecord("record_gone", system=self.system, stream=stream, id=before.key))
                if change.version not in (None, now[VERSION]):
                    raise Overtaken
                self._update(conn, reader, key, values, now)
                for part in (reader.table.parts[name] for name in body if name in reader.table.parts):
                    write_part(conn, reader, part, key, now[part.name], body[part.name])
        except DBAPIError as error:
            raise self._refused(error, reader.table, body) from None

    def _locked(self, conn: Connection, reader: Reader, key: Key, body: Record) -> Record | None:
        """The record as it stands, held until the end of the transaction with the rows that are to be written."""
        table = reader.table
        rows = [sa.select(table.clause.c[table.key[0]]).where(reader.keyed([key]))]
        for part in (table.parts[name] for name in body if name in table.parts):
            parent = part.clause.c[part.parent]
            rows.append(sa.select(parent).where(parent == reader.bind(table.columns[table.key[0]], key[0])))
        for statement in rows:
            conn.execute(statement.with_for_update()).all()
        return self._record(conn, reader, key)

    def _update(self, conn: Connection, reader: Reader, key: Key, values: Record, now: Record) -> None:
        table, where = reader.table, [reader.keyed([key])]
        told = {**self._touched(reader, new=False), **values}
        if table.version:
            where.append(reader.is_version(now[VERSION]))
        if told and conn.execute(sa.update(table.clause).where(*where).values(told)).rowcount == 0:
            raise Overtaken

    def _values(self, reader: Reader, body: Record) -> Record:
        columns = reader.table.columns
        return {name: reader.bind(columns[name], value) for name, value in body.items() if name in columns}

    def _touched(self, reader: Reader, *, new: bool) -> Record:
        """What a write moves on: the column of the last change, and the version."""
        table = reader.table
        told: Record = {}
        for name in filter(None, dict.fromkeys((table.changed, table.version))):
            if table.columns[name].kind == "integer":
                told[name] = 1 if new else sa.func.coalesce(table.clause.c[name], 0) + 1
            elif self._database.texts:
                exact = "microseconds" if name == table.version else "seconds"
                told[name] = datetime.now(self._zone).replace(tzinfo=None).isoformat(" ", exact)
            else:
                told[name] = sa.func.current_timestamp()
        return told

    def _refused(self, error: DBAPIError, table: Table, sent: Mapping[str, Any]) -> Refused | HubError:
        told = self._database.faults.written(error, table, sent)
        return Refused(told) if isinstance(told, SkipRecord) else told

    def post(self, stream: str, shown: Shown, posting: str) -> None:
        """Nothing is posted in a database."""
        raise self._no("sql_no_posting", stream, posting)

    def pause(self, attempt: int) -> bool:
        """A COMMIT whose answer was lost may be under way for a moment yet."""
        looks = self._database.settings.looks
        if attempt > len(looks):
            return False
        time.sleep(looks[attempt - 1])
        return True
