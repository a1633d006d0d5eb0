"""The CRM database of ``sql_bases`` on a PostgreSQL server."""

from __future__ import annotations

import socket
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import ClassVar

import sqlalchemy as sa
from sqlalchemy.engine import URL

from connectors.certify.subject import Bent, Fault, Lost
from hub.model.errors import RetryLater
from tests.connectors.relay import Relay
from tests.connectors.sql_bases import NAMES, OnDatabase, fill

_ZONE = {"options": "-c timezone=Europe/Moscow"}


class OnPostgreSQL(OnDatabase):
    """A database with the content it was made with, behind a way that can be cut."""

    bent = (Bent("total", 10.126, "rounded"),)
    faults: ClassVar = {"broken_off": Fault(RetryLater)}

    def __init__(self, database: URL) -> None:
        self._server = database
        self.engine = sa.create_engine(database, connect_args=_ZONE)
        with self.engine.begin() as conn:
            conn.exec_driver_sql(f"TRUNCATE {', '.join(NAMES)} RESTART IDENTITY")
            for name in NAMES:
                conn.exec_driver_sql(f"INSERT INTO {name} SELECT * FROM kept.{name}")
            for name in ("client_contacts", "orders"):
                conn.exec_driver_sql(f"SELECT setval(pg_get_serial_sequence('{name}', 'id'), 1000)")
        self.relay = Relay(self._reach)
        login, way = (database.username, database.password), ("127.0.0.1", self.relay.port)
        url = URL.create("postgresql", *login, *way, database.database, {"sslmode": "disable"})
        super().__init__(url.render_as_string(hide_password=False))

    def _reach(self) -> socket.socket:
        host = str(self._server.query.get("host") or self._server.host)
        port = int(str(self._server.query.get("port") or self._server.port or 5432))
        if not host.startswith("/"):
            return socket.create_connection((host, port))
        reached = socket.socket(socket.AF_UNIX)
        reached.connect(f"{host}/.s.PGSQL.{port}")
        return reached

    def lose(self, lost: Lost) -> None:
        """The next COMMIT gets no answer, or gets lost itself."""
        self.relay.losing.append(lost)

    def fail(self, name: str, times: int = 0) -> None:
        """Connections are broken off and cannot be made anew."""
        self.relay.refusing = 1
        self.relay.cut()

    def mend(self) -> None:
        """The way is open."""
        self.relay.refusing = 0

    def close(self) -> None:
        """Close the way as well."""
        super().close()
        self.relay.close()


@contextmanager
def database(pg_server: URL) -> Iterator[URL]:
    """A database with the content, and a copy of it in another schema to put it back from."""
    name = f"obmen_crm_{uuid.uuid4().hex[:12]}"
    admin = sa.create_engine(pg_server, isolation_level="AUTOCOMMIT")
    with admin.connect() as conn:
        conn.exec_driver_sql(f"CREATE DATABASE {name} TEMPLATE template0")
    engine = sa.create_engine(pg_server.set(database=name), connect_args=_ZONE)
    fill(engine)
    with engine.begin() as conn:
        conn.exec_driver_sql("CREATE SCHEMA kept")
        for table in NAMES:
            conn.exec_driver_sql(f"CREATE TABLE kept.{table} AS SELECT * FROM {table}")
    engine.dispose()
    try:
        yield pg_server.set(database=name)
    finally:
        _drop(admin, name)


def _drop(admin: sa.Engine, name: str) -> None:
    with admin.connect() as conn:
        conn.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")
    admin.dispose()
