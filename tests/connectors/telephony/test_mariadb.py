"""The exchange's database on MariaDB: nothing can be written there, and its errors have words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import URL

from connectors.base import Traffic
from connectors.sql_tables.database import Database
from tests.connectors.installed import free_port
from tests.connectors.telephony.asterisk import InTable
from tests.connectors.telephony.test_polls import call


@pytest.fixture
def exchange(mariadb: URL) -> Iterator[InTable]:
    """An exchange on the server."""
    made = InTable(mariadb.render_as_string(hide_password=False))
    made.write(call("2026-11-02T10:00:00", 1))
    yield made
    made.close()


def test_a_reader_can_write_nothing(exchange: InTable) -> None:
    """The server itself refuses a write within a transaction that reads, whatever rights the user has."""
    database = Database(exchange.settings.sql, Traffic())
    with database.engine.connect() as conn, conn.begin(), pytest.raises(sa.exc.DBAPIError, match="READ ONLY"):
        conn.exec_driver_sql("DELETE FROM cdr")
    database.close()
    assert len(exchange.poll()[0]) == 1


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"password": "wrong"}, "sql_auth_failed"),
        ({"database": "nowhere"}, "sql_database_missing"),
        ({"port": free_port()}, "sql_unreachable"),
        ({"database": "mysql"}, "calls_no_tables"),
    ],
)
def test_what_stands_in_the_way_is_told(exchange: InTable, changed: dict[str, object], code: str) -> None:
    """A wrong password, a database that is not there or is another one, no server: each has its sentence and advice."""
    url = sa.engine.make_url(exchange.settings.sql.url).set(**changed)  # type: ignore[arg-type]
    other = InTable.__new__(InTable)
    sql = replace(exchange.settings.sql, url=url.render_as_string(hide_password=False))
    other.settings, other.opened = replace(exchange.settings, sql=sql), []
    (problem,) = other.connect().check().problems
    assert problem.code == code
    assert problem.advice("ru")
