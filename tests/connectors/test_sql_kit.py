"""The connector of kind ``sql`` is certified, on SQLite and on PostgreSQL."""

from __future__ import annotations

import socket
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import URL

from connectors.certify.kit import Kit
from connectors.certify.subject import Bent, Fault, Lost, Subject
from hub.model.errors import RetryLater
from tests.connectors.relay import Relay
from tests.connectors.sql_bases import OnDatabase, OnSQLite, fill


class TestSqlOnSQLite(Kit):
    """A file of SQLite."""

    subject_type = OnSQLite

    @pytest.fixture
    def subject(self, tmp_path: Path) -> Iterator[Subject]:
        """A file of the test's own."""
        made = OnSQLite(tmp_path / "crm.db")
        yield made
        made.close()


class OnPostgreSQL(OnDatabase):
    """A database of the test's own, behind a way that can be cut."""

    bent = (Bent("total", 10.126, "rounded"), Bent("ordered_at", "2026-02-01T10:00:00.5", "rounded"))
    faults: ClassVar = {"broken_off": Fault(RetryLater), "unreachable": Fault(RetryLater)}

    def __init__(self, server: URL, template: str) -> None:
        self._server, self._name = server, f"obmen_crm_{uuid.uuid4().hex[:12]}"
        self._admin = sa.create_engine(server, isolation_level="AUTOCOMMIT")
        with self._admin.connect() as conn:
            conn.exec_driver_sql(f"CREATE DATABASE {self._name} TEMPLATE {template}")
        self.engine = sa.create_engine(
            server.set(database=self._name), connect_args={"options": "-c timezone=Europe/Moscow"}
        )
        self.relay = Relay(self._reach)
        url = URL.create(
            "postgresql", server.username, server.password, "127.0.0.1", self.relay.port, self._name, {"sslmode": "disable"}
        )
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
        """Connections are broken off; those of ``unreachable`` cannot be made anew."""
        self.relay.refusing = 1
        self.relay.cut()

    def mend(self) -> None:
        """The way is open."""
        self.relay.refusing = 0

    def close(self) -> None:
        """Drop the database."""
        super().close()
        self.relay.close()
        with self._admin.connect() as conn:
            conn.exec_driver_sql(f"DROP DATABASE {self._name} WITH (FORCE)")
        self._admin.dispose()


@pytest.fixture(scope="module")
def filled(pg_server: URL) -> Iterator[str]:
    """Name of a database to copy from."""
    name = f"obmen_filled_{uuid.uuid4().hex[:12]}"
    admin = sa.create_engine(pg_server, isolation_level="AUTOCOMMIT")
    with admin.connect() as conn:
        conn.exec_driver_sql(f"CREATE DATABASE {name} TEMPLATE template0")
    engine = sa.create_engine(pg_server.set(database=name), connect_args={"options": "-c timezone=Europe/Moscow"})
    fill(engine)
    engine.dispose()
    yield name
    with admin.connect() as conn:
        conn.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")
    admin.dispose()


class TestSqlOnPostgreSQL(Kit):
    """A PostgreSQL server."""

    subject_type = OnPostgreSQL

    @pytest.fixture
    def subject(self, pg_server: URL, filled: str) -> Iterator[Subject]:
        """A database of the test's own."""
        made = OnPostgreSQL(pg_server, filled)
        yield made
        made.close()
