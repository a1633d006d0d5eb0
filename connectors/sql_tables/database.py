"""Transactions of one database: reading ones that see one moment, writing ones that end proven or unanswered."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy import Connection, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from connectors.base import Traffic
from connectors.sql_tables.config import SqlSettings, engine_of, parsed
from connectors.sql_tables.faults import Faults, lost
from connectors.sql_tables.kinds import moment
from connectors.writing import Unanswered
from hub.model.errors import RetryLater

_WRITES = "obmen_writes"
#: The one server under its two names.
MYSQL = ("mysql", "mariadb")


class Database:
    """Opened with the first question; threads share it, each transaction has a connection of its own.

    ``texts``: the database has no types of its own for days and decimals (SQLite).
    """

    def __init__(self, settings: SqlSettings, traffic: Traffic) -> None:
        url = parsed(settings)
        self.settings, self.traffic = settings, traffic
        self.engine = engine_of(url, settings)
        self.faults = Faults(settings.title, url)
        self.dialect = self.engine.dialect.name
        self.texts = self.dialect == "sqlite"
        if self.texts:
            event.listen(self.engine, "connect", self._prepare_sqlite)
            event.listen(self.engine, "begin", _begin_sqlite)
        if self.dialect == "postgresql":
            event.listen(self.engine, "begin", self._begin_postgresql)
        if self.dialect in MYSQL:
            event.listen(self.engine, "begin", _begin_mysql)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A transaction that sees one moment and writes nothing. Raises what ``Faults.asked`` makes of errors."""
        self.traffic.requests += 1
        try:
            with self.engine.connect() as plain:
                conn = plain
                if self.dialect == "postgresql":
                    conn = plain.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
                transaction = conn.begin()
                try:
                    yield conn
                finally:
                    _roll_back(transaction)
        except PoolTimeout:
            raise RetryLater("sql_busy", system=self.settings.title) from None
        except DBAPIError as error:
            raise self.faults.asked(error) from None

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction that is committed at the end. ``Unanswered`` when the answer to the COMMIT is lost.

        Before that nothing is done for good, so whatever goes wrong there is the database's no (errors of the driver
        pass to the caller, who knows what was being written) or ``RetryLater``.
        """
        self.traffic.requests += 1
        self.traffic.writes += 1
        try:
            with self.engine.connect() as plain:
                conn = plain.execution_options(**{_WRITES: True})
                transaction = conn.begin()
                try:
                    yield conn
                except BaseException:
                    _roll_back(transaction)
                    raise
                _commit(transaction)
        except PoolTimeout:
            raise RetryLater("sql_busy", system=self.settings.title) from None

    def _prepare_sqlite(self, connection: Any, _record: object) -> None:
        """Take transactions out of the driver's hands: it would begin none for reading, and a page see two moments."""
        zone = ZoneInfo(self.settings.timezone)
        connection.isolation_level = None
        connection.execute("PRAGMA foreign_keys = ON").close()
        connection.create_function(
            "obmen_moment", 1, lambda value: None if value is None else moment(str(value), zone), deterministic=True
        )

    def _begin_postgresql(self, conn: Connection) -> None:
        """Days as ISO texts in the system's own zone, and an end to waiting. Told to each transaction: a pooler that
        shares connections between programs keeps nothing that is told to a session.
        """
        told = {
            "TimeZone": self.settings.timezone,
            "datestyle": "ISO, YMD",
            "statement_timeout": f"{round(self.settings.timeout * 1000)}",
            "lock_timeout": f"{max(1, round(self.settings.lock_seconds * 1000))}",
            "idle_in_transaction_session_timeout": f"{round(self.settings.timeout * 1000)}",
        }
        conn.execute(sa.select(*(sa.func.set_config(name, value, True) for name, value in told.items())))

    def close(self) -> None:
        """Give connections back."""
        self.engine.dispose()


def _commit(transaction: sa.RootTransaction) -> None:
    try:
        transaction.commit()
    except DBAPIError as error:
        if lost(error):
            raise Unanswered from None
        _roll_back(transaction)
        raise


def _roll_back(transaction: sa.RootTransaction) -> None:
    """Undo what there is to undo: a connection that is lost undoes it by itself."""
    try:
        transaction.rollback()
    except DBAPIError as error:
        if not lost(error):
            raise


def _begin_mysql(conn: Connection) -> None:
    """The driver begins a transaction with the first question after this; one that only reads can write nothing."""
    if not conn.get_execution_options().get(_WRITES):
        conn.exec_driver_sql("SET TRANSACTION READ ONLY")


def _begin_sqlite(conn: Connection) -> None:
    conn.exec_driver_sql("BEGIN IMMEDIATE" if conn.get_execution_options().get(_WRITES) else "BEGIN")
