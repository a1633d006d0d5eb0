"""Both kinds are certified: calls in a file, in SQLite, on PostgreSQL and on MariaDB."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import ClassVar

import pytest
import sqlalchemy as sa

from connectors.base import Connector
from connectors.certify.kit import Kit
from connectors.certify.subject import Changing, Fault, Faulty, Known, Subject
from hub.model.errors import RetryLater
from tests.connectors.telephony.asterisk import Exchange, InCsv, InTable, leg
from tests.connectors.telephony.conftest import MakeExchange

#: Forty calls, two a day, of one to three legs; the last of each day goes over midnight.
_DAYS = 20


def _fill(exchange: Exchange) -> frozenset[str]:
    rows, names = [], []
    for n in range(_DAYS * 2):
        start = datetime.fromisoformat("2026-09-01T10:00:00") + timedelta(days=n // 2, hours=13.995 if n % 2 else 0)
        name = f"{int(start.replace(tzinfo=UTC).timestamp())}.{n}"
        names.append(name)
        rows += [
            leg(name, 4 * n + part, (start + timedelta(seconds=20 * part)).isoformat(), 20, 15, rung=f"10{part}")
            for part in range(1, n % 3 + 2)
        ]
    exchange.write(*rows)
    return frozenset(names)


class Calls(Subject):
    """A stream of calls, read as one without dates and as one with."""

    def __init__(self, exchange: Exchange) -> None:
        self.exchange = exchange
        exchange.set(zone="UTC", chunk=7)
        names = _fill(exchange)
        self.catalog = Known("calls", ("direction", "talk_s", "people"), names, ("id",))
        self.dated = Known("calls", ("start", "talk_s"), names, ("id",), date_field="start")

    def connect(self) -> Connector:
        """Another connector."""
        return self.exchange.connect()


class CallsInTable(Calls, Changing):
    """In a database: rows can be changed and deleted past the connector."""

    def _cdr(self) -> tuple[sa.Engine, sa.Table]:
        assert isinstance(self.exchange, InTable)
        return self.exchange.engine, self.exchange.table

    def edit(self, stream: str, key: str) -> None:
        """A leg is found to have lasted longer."""
        engine, table = self._cdr()
        with engine.begin() as conn:
            told = {"billsec": table.c.billsec + 1, "duration": table.c.duration + 1}
            conn.execute(table.update().where(table.c.linkedid == key).values(told))

    def delete(self, stream: str, key: str) -> None:
        """Old rows are thrown away."""
        engine, table = self._cdr()
        with engine.begin() as conn:
            conn.execute(table.delete().where(table.c.linkedid == key))


class CallsInFile(CallsInTable, Faulty):
    """A file of SQLite, which one program can hold against all others."""

    faults: ClassVar = {"locked": Fault(RetryLater)}
    held: sa.Connection | None = None

    def fail(self, name: str, times: int = 0) -> None:
        """Somebody holds it, until it is let go."""
        self.held = self._cdr()[0].connect()
        self.held.exec_driver_sql("BEGIN EXCLUSIVE")

    def mend(self) -> None:
        """Let it go."""
        if self.held is not None:
            self.held.close()
            self.held = None

    def close(self) -> None:
        """Let it go, and close."""
        self.mend()
        super().close()


class TestCallsInCsv(Kit):
    """``Master.csv``."""

    subject_type = Calls

    @pytest.fixture
    def subject(self, tmp_path: Path) -> Iterator[Subject]:
        """Forty calls."""
        made = Calls(InCsv(tmp_path / "cdr-csv"))
        yield made
        made.close()


class TestCallsOnSQLite(Kit):
    """A file of SQLite."""

    subject_type = CallsInFile

    @pytest.fixture
    def subject(self, tmp_path: Path) -> Iterator[Subject]:
        """Forty calls."""
        exchange = InTable(f"sqlite:///{tmp_path}/cdr.db")
        exchange.settings = replace(exchange.settings, sql=replace(exchange.settings.sql, lock_seconds=0.05))
        made = CallsInFile(exchange)
        yield made
        made.close()
        exchange.close()


@pytest.mark.slow
class TestCallsOnServers(Kit):
    """PostgreSQL and MariaDB."""

    subject_type = CallsInTable

    @pytest.fixture
    def subject(self, on_server: MakeExchange) -> Iterator[Subject]:
        """Forty calls."""
        made = CallsInTable(on_server())
        yield made
        made.close()
