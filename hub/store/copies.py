"""A copy of the store to be thrown away: for rehearsing an exchange where nobody else sees or feels it.

SQLite copies its file by the backup API, which keeps no writer waiting. On PostgreSQL all tables are copied into
temporary ones of one session, which take precedence over the tables of the same names: the same statements work, no
row of the store is locked, no sequence moves, and nothing is left when the session ends. A transaction rolled back at
the end would do without the copy, but whoever exchanges meanwhile would wait for it at every row that it had touched.

All but a part of the change log is copied: of it only what may be a field going back and forth between systems.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from sqlalchemy import Connection, Engine, NullPool, create_engine, event, update
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError

from hub.model.errors import NeedsPerson, RetryLater
from hub.model.process import alive
from hub.store import core
from hub.store.database import Store, open_store, prepare_postgresql
from hub.store.tables import metadata

_PREFIX = ".copy-"
_LINKED_EDITS = "op = 'update' AND link_id IS NOT NULL"
#: Rows of big tables that an exchange does look at.
_PARTS = {core.change_log.name: _LINKED_EDITS}


class _OneSession(Store):
    """A store that is one session of PostgreSQL with tables of its own; a transaction within another is a savepoint."""

    def __init__(self, engine: Engine, conn: Connection) -> None:
        super().__init__(engine)
        self._conn = conn

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        """See ``Store.begin``."""
        with self._conn.begin_nested() if self._conn.in_transaction() else self._conn.begin():
            yield self._conn

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """See ``Store.read``."""
        with self.begin() as conn:
            yield conn


@contextmanager
def copied(store: Store, folder: Path) -> Iterator[Store]:
    """The store as it is now, for one thread. A file copy lies in ``folder``, unreadable for others, and is removed.

    ``NeedsPerson(copy_failed)`` where there is no room or no right for it.
    """
    made = _in_session(store) if store.dialect == "postgresql" else _in_file(store, folder)
    with made as copy:
        with copy.begin() as conn:  # who works on the routes of the store is not at work on those of the copy
            conn.execute(update(core.route).values(lease_run_id=None, lease_until=None))
        yield copy


@contextmanager
def _in_file(store: Store, folder: Path) -> Iterator[Store]:
    _sweep(folder)
    place = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-", dir=folder))
    try:
        path = place / "store.db"
        try:
            with closing(store.engine.raw_connection()) as source, closing(sqlite3.connect(path)) as target:
                driver = source.driver_connection
                assert isinstance(driver, sqlite3.Connection)
                driver.backup(target)
        except (sqlite3.Error, OSError) as error:
            raise NeedsPerson("copy_failed", folder=folder, detail=str(error)) from error
        copy = open_store(URL.create("sqlite", database=str(path)).render_as_string())
        try:
            yield copy
        finally:
            copy.close()
    finally:
        shutil.rmtree(place, ignore_errors=True)


def _sweep(folder: Path) -> None:
    """Remove the copies of processes that were killed."""
    for place in folder.glob(f"{_PREFIX}*"):
        pid = place.name.removeprefix(_PREFIX).partition("-")[0]
        if pid.isdigit() and not alive(int(pid), ""):
            shutil.rmtree(place, ignore_errors=True)


@contextmanager
def _in_session(store: Store) -> Iterator[Store]:
    engine = create_engine(store.engine.url, hide_parameters=True, poolclass=NullPool)
    event.listen(engine, "connect", prepare_postgresql)
    try:
        conn = engine.connect()
    except DBAPIError as error:
        raise RetryLater("store_busy", detail=str(error.orig).partition("\n")[0]) from error
    try:
        try:
            _copy_tables(conn)
        except DBAPIError as error:
            raise NeedsPerson("copy_failed", folder="pg_temp", detail=str(error.orig).partition("\n")[0]) from error
        yield _OneSession(engine, conn)
    finally:
        with suppress(DBAPIError):  # of a session that was cut off nothing is left
            conn.close()
        engine.dispose()


def _copy_tables(conn: Connection) -> None:
    """One snapshot of all tables and sequences, under their own names in the session's own schema."""
    quote = conn.dialect.identifier_preparer.quote
    with conn.begin():
        conn.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        conn.exec_driver_sql("SET LOCAL client_min_messages = warning")
        for table in metadata.sorted_tables:
            place = conn.exec_driver_sql(
                "SELECT relnamespace::regnamespace::text FROM pg_class WHERE oid = %s::regclass", (quote(table.name),)
            ).scalar_one()
            name, source = quote(table.name), f"{place}.{quote(table.name)}"
            part = f" WHERE {_PARTS[table.name]}" if table.name in _PARTS else ""
            conn.exec_driver_sql(f"CREATE TEMP TABLE {name} (LIKE {source} INCLUDING ALL)")
            conn.exec_driver_sql(f"INSERT INTO pg_temp.{name} OVERRIDING SYSTEM VALUE SELECT * FROM {source}{part}")
            for column in table.columns:
                if column.identity is not None:
                    _count_on(conn, name, column.name)
        for sequence in core.SEQUENCES.values():
            last, called = conn.exec_driver_sql(f"SELECT last_value, is_called FROM {quote(sequence.name)}").one()
            conn.exec_driver_sql(f"CREATE TEMP SEQUENCE {quote(sequence.name)} START {last + 1 if called else last}")
        for table in metadata.sorted_tables:
            conn.exec_driver_sql(f"ANALYZE pg_temp.{quote(table.name)}")


def _count_on(conn: Connection, name: str, column: str) -> None:
    """Let the copy's own numbering go on after the last number."""
    conn.exec_driver_sql(
        f"SELECT setval(pg_get_serial_sequence('pg_temp.{name}', '{column}'), coalesce(max({column}), 0) + 1, false)"
        f" FROM pg_temp.{name}"
    )
