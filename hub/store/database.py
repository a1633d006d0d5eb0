"""Opening the store, and its transactions.

Writers of SQLite begin with ``BEGIN IMMEDIATE``. Told as a story: two processes read the same counter in deferred
transactions, then both want to write; the second one's snapshot is old, so SQLite fails it at once, whatever the busy
timeout. With IMMEDIATE the second one waits at BEGIN, up to ``BUSY_SECONDS``, and then reads what the first one left.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError

from hub.model.errors import NeedsPerson
from hub.store.faults import connection_fault, shown
from hub.store.schema import HEAD, upgrade, version

#: How long a writer waits for another one's transaction before it gives up with ``store_locked``.
BUSY_SECONDS = 30

#: How long a server may take to answer a connection.
CONNECT_SECONDS = 10

#: Execution option that tells a write transaction from a reading one.
_WRITES = "obmen_writes"

#: ``page_size`` works only on a new file, before WAL is set. 8 KB pages and a checkpoint each 32 MB instead of 4 MB
#: rewrite the random pages of the links' index less often: a seventh off the first load.
_PRAGMAS = (
    "PRAGMA page_size = 8192",
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = NORMAL",
    "PRAGMA foreign_keys = ON",
    "PRAGMA cache_size = -20480",
    "PRAGMA temp_store = MEMORY",
    "PRAGMA wal_autocheckpoint = 4000",
    "PRAGMA journal_size_limit = 67108864",
)

#: The bulk path reads timestamps as text and relies on the first two; notices of temporary tables are nobody's news;
#: JIT takes misjudged small statements for big ones and compiles 40 ms for 2 ms of work.
_SESSION = "SET TIME ZONE 'UTC'; SET datestyle = 'ISO, YMD'; SET client_min_messages = warning; SET jit = off"


class Store:
    """One store, opened once per process; threads may share it. ``dialect``: ``sqlite`` or ``postgresql``."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.dialect = engine.dialect.name

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        """A write transaction: committed at the end, rolled back when the body raises.

        ``RetryLater`` when the database cannot be reached or stays locked; what the body raises passes as it is.
        """
        with self._connect() as base:
            conn = base.execution_options(**{_WRITES: True})
            try:
                transaction = conn.begin()
            except DBAPIError as error:
                raise connection_fault(error, self.engine.url) from error
            with transaction:
                yield conn

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A transaction that only reads; on SQLite it waits for no writer and sees one snapshot."""
        with self._connect() as conn, conn.begin():
            yield conn

    def _connect(self) -> Connection:
        try:
            return self.engine.connect()
        except DBAPIError as error:
            raise connection_fault(error, self.engine.url) from error

    def migrate(self) -> None:
        """Bring the schema up to this version of the code; nothing to do is cheap, two at once are safe.

        ``NeedsPerson`` ``store_newer`` when a newer program has upgraded the store.
        """
        with self.read() as conn:
            if version(conn) == HEAD:
                return
        with self.begin() as conn:
            upgrade(conn)

    def close(self) -> None:
        """Give all connections back."""
        self.engine.dispose()


def open_store(url: str, password: str | None = None) -> Store:
    """Open the store at a SQLAlchemy ``url`` and prove that it answers; the schema is not looked at.

    ``NeedsPerson``: ``store_url_invalid``, ``store_auth_failed``, ``store_database_missing``, ``store_file_unusable``.
    ``RetryLater``: ``store_unreachable``, ``store_locked``.
    """
    parsed = _parse(url, password)
    engine = _sqlite(parsed) if parsed.get_backend_name() == "sqlite" else _postgresql(parsed)
    store = Store(engine)
    try:
        with store.read() as conn:
            conn.exec_driver_sql("SELECT 1")
    except BaseException:
        store.close()
        raise
    return store


def _parse(url: str, password: str | None) -> URL:
    """The URL with the driver we use; a file of its own for SQLite (threads of one process share a file only)."""
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError) as error:
        raise NeedsPerson("store_url_invalid", store="?") from error
    drivers = {"sqlite": "sqlite+pysqlite", "postgresql": "postgresql+psycopg"}
    backend = parsed.get_backend_name()
    memory = backend == "sqlite" and parsed.database in (None, "", ":memory:")
    if backend not in drivers or memory:
        raise NeedsPerson("store_url_invalid", store=shown(parsed))
    parsed = parsed.set(drivername=drivers[backend])
    return parsed if password is None else parsed.set(password=password)


def _sqlite(url: URL) -> Engine:
    engine = create_engine(url, hide_parameters=True, connect_args={"timeout": BUSY_SECONDS})
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: Any, _record: object) -> None:
    """Take transactions out of the driver's hands (it would begin late, and never for DDL), then set the pragmas."""
    connection.isolation_level = None
    for pragma in _PRAGMAS:
        connection.execute(pragma)


def _begin_sqlite(conn: Connection) -> None:
    writes = conn.get_execution_options().get(_WRITES, False)
    conn.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _postgresql(url: URL) -> Engine:
    given = {"application_name": "obmen", "connect_timeout": CONNECT_SECONDS}
    defaults = {name: value for name, value in given.items() if name not in url.query}
    engine = create_engine(url, hide_parameters=True, connect_args=defaults, pool_pre_ping=True)
    event.listen(engine, "connect", prepare_postgresql)
    return engine


def prepare_postgresql(connection: Any, _record: object) -> None:
    """Settings of each session that the bulk path relies on."""
    connection.execute(_SESSION)
    connection.commit()
