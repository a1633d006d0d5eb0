"""Values of columns as they travel and back, and what a database's words mean; without a database."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import mysql, postgresql
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, OperationalError

from connectors.sql_tables.faults import Faults, lost
from connectors.sql_tables.kinds import Bad, Column, column_of
from connectors.sql_tables.schema import Table
from hub.model.errors import HubError, NeedsPerson, RetryLater, SkipRecord, StopRoute, StopSystem

ZONE = ZoneInfo("Europe/Moscow")
KEY = UUID("6f9619ff-8b86-11e9-b42d-00cf4fc964ff")


def found(kind: Any, **more: Any) -> Column | None:
    """The column of that type."""
    return column_of({"name": "c", "type": kind, "nullable": True, **more}, as_text=False)


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        (sa.VARCHAR(10), "text"),
        (postgresql.ENUM("a", "b", name="e"), "text"),
        (sa.BIGINT(), "integer"),
        (sa.NUMERIC(10, 2), "numeric"),
        (sa.DOUBLE(), "numeric"),
        (mysql.TINYINT(display_width=1), "boolean"),
        (mysql.TINYINT(), "integer"),
        (mysql.DATETIME(), "moment"),
        (sa.DATE(), "date"),
        (postgresql.UUID(), "uuid"),
        (postgresql.JSONB(), "other"),
        (postgresql.INTERVAL(), "other"),
        (postgresql.ARRAY(sa.TEXT()), "other"),
        (postgresql.DOMAIN("inn", sa.VARCHAR(12)), "text"),
        (sa.types.NullType(), "any"),
    ],
)
def test_kinds_of_columns(kind: Any, name: str) -> None:
    """Each type of the common databases is of one kind; a domain is what it is made of."""
    column = found(kind)
    assert column is not None
    assert column.kind == name


def test_what_is_not_offered_and_what_nobody_writes() -> None:
    """Pictures and files are no fields; a computed column and an identity of the database's own are only read."""
    assert found(postgresql.BYTEA()) is None
    assert found(sa.VARBINARY(8)) is None
    for always in ({"computed": {"sqltext": "a + b"}}, {"identity": {"always": True}}):
        column = found(sa.INTEGER(), **always)
        assert column is not None
        assert column.kept


@pytest.mark.parametrize(
    ("kind", "value", "travels"),
    [
        ("text", " как есть ", " как есть "),
        ("uuid", KEY, str(KEY)),
        ("integer", 7, 7),
        ("integer", "что-то", "что-то"),
        ("numeric", Decimal("10.10"), Decimal("10.10")),
        ("numeric", Decimal("NaN"), "NaN"),
        ("numeric", float("inf"), "inf"),
        ("boolean", 1, True),
        ("boolean", "да", "да"),
        ("date", date(2026, 1, 31), "2026-01-31T00:00:00"),
        ("moment", datetime(2026, 1, 31, 10, 5, 7, 999), "2026-01-31T10:05:07"),
        ("moment", "2026-01-31 10:05", "2026-01-31T10:05:00"),
        ("moment", "2026-01-31T07:05:07Z", "2026-01-31T10:05:07"),
        ("moment", "0000-00-00 00:00:00", "0000-00-00T00:00:00"),
        ("moment", 1700000000, "1700000000"),
        ("other", {"б": 1, "а": [2]}, '{"а": [2], "б": 1}'),
        ("other", timedelta(hours=1), "1:00:00"),
        ("any", 5, 5),
    ],
)
def test_how_a_value_travels(kind: str, value: Any, travels: Any) -> None:
    """What the kind has a form for has that form; anything else is a text, for the mapping to refuse."""
    assert Column("c", kind).shown(value, ZONE) == travels


def test_a_number_that_is_a_key_travels_as_a_text() -> None:
    """As keys travel everywhere."""
    column = column_of({"name": "id", "type": sa.INTEGER(), "nullable": False}, as_text=True)
    assert column is not None
    assert (column.shown(7, ZONE), column.told("007", ZONE), column.bound("7", texts=False)) == ("7", "7", 7)


@pytest.mark.parametrize(
    ("column", "value", "told", "bound"),
    [
        (Column("c", "text"), True, "true", "true"),
        (Column("c", "text", nullable=False), "", "", ""),
        (Column("c", "integer"), 5.0, 5, 5),
        (Column("c", "integer"), False, 0, 0),
        (Column("c", "numeric"), "10.5", 10.5, Decimal("10.5")),
        (Column("c", "numeric", digits=(5, 2)), 999.99, 999.99, Decimal("999.99")),
        (Column("c", "boolean"), 1, True, True),
        (Column("c", "date"), "2026-01-31T00:00:00", "2026-01-31T00:00:00", date(2026, 1, 31)),
        (Column("c", "moment"), "2026-01-31", "2026-01-31T00:00:00", datetime(2026, 1, 31)),
        (Column("c", "uuid"), str(KEY).upper(), str(KEY), KEY),
        (Column("c", "any"), 5, 5, 5),
        (Column("c", "uuid"), "00000000-0000-0000-0000-000000000000", None, None),
        (Column("c", "date"), "0001-01-01T00:00:00", None, None),
    ],
)
def test_how_a_value_is_written(column: Column, value: Any, told: Any, bound: Any) -> None:
    """As the column will show it, and as the driver takes it; what 1C calls empty is NULL."""
    assert column.told(value, ZONE) == told
    assert column.bound(told, texts=False) == bound


@pytest.mark.parametrize(
    ("column", "value", "code"),
    [
        (Column("c", "text", length=3), "четыре", "sql_too_long"),
        (Column("c", "integer"), "5.5", "sql_value_unfit"),
        (Column("c", "integer"), 2**63, "sql_value_unfit"),
        (Column("c", "numeric"), True, "sql_value_unfit"),
        (Column("c", "numeric"), "Infinity", "sql_value_unfit"),
        (Column("c", "numeric", digits=(5, 2)), 1000, "sql_too_large"),
        (Column("c", "boolean"), 2, "sql_value_unfit"),
        (Column("c", "moment"), "31.01.2026", "sql_value_unfit"),
        (Column("c", "uuid"), "7", "sql_value_unfit"),
        (Column("c", "other"), "{}", "sql_value_unfit"),
    ],
)
def test_what_cannot_stand_there(column: Column, value: Any, code: str) -> None:
    """Told before anything is sent, by what is wrong with it."""
    with pytest.raises(Bad) as error:
        column.told(value, ZONE)
    assert error.value.code == code


class _Said(Exception):
    """A driver's error with what the drivers add to it."""

    def __init__(self, text: str, **more: Any) -> None:
        super().__init__(text)
        self.__dict__.update(more)


def failed(kind: type[DBAPIError], text: str, **more: Any) -> DBAPIError:
    """What SQLAlchemy makes of a driver's error."""
    return kind("SELECT тайна", None, _Said(text, **more))


FAULTS = Faults("CRM", make_url("postgresql://obmen@db.local/crm"))
CLIENTS = Table(
    "clients",
    False,
    {"name": Column("name", "text"), "full_name": Column("full_name", "text")},
    ("id",),
    sa.table("clients"),
)


@pytest.mark.parametrize(
    ("text", "more", "kind", "code"),
    [
        ('FATAL:  password authentication failed for user "obmen"', {}, StopSystem, "sql_auth_failed"),
        ('ВАЖНО:  пользователь "obmen" не прошёл проверку подлинности (по паролю)', {}, StopSystem, "sql_auth_failed"),
        ('FATAL:  no pg_hba.conf entry for host "10.0.0.5", user "obmen"', {}, StopSystem, "sql_auth_failed"),
        ("Access denied for user 'obmen'@'web'", {}, StopSystem, "sql_auth_failed"),
        ("Login failed for user 'obmen'", {}, StopSystem, "sql_auth_failed"),
        ('ВАЖНО:  база данных "crm" не существует', {}, NeedsPerson, "sql_database_missing"),
        ("Unknown database 'crm'", {}, NeedsPerson, "sql_database_missing"),
        ("could not translate host name", {}, RetryLater, "sql_unreachable"),
        ("server closed the connection unexpectedly", {"sqlstate": "08006"}, RetryLater, "sql_unreachable"),
        ("canceling statement due to statement timeout", {"sqlstate": "57014"}, RetryLater, "sql_busy"),
        ("deadlock detected", {"sqlstate": "40P01"}, RetryLater, "sql_busy"),
        ("Deadlock found when trying to get lock", {}, RetryLater, "sql_busy"),
        ("the database system is starting up", {"sqlstate": "57P03"}, RetryLater, "sql_busy"),
        ("permission denied for table orders", {"sqlstate": "42501"}, StopRoute, "sql_no_right"),
        ('relation "orders" does not exist', {"sqlstate": "42P01"}, StopRoute, "sql_schema_moved"),
        ("division by zero", {"sqlstate": "22012"}, StopRoute, "sql_failed"),
    ],
)
def test_what_a_failed_question_means(text: str, more: dict[str, Any], kind: type[HubError], code: str) -> None:
    """By its code, else by its words in either language: who has to do something, and no word of the statement."""
    error = FAULTS.asked(failed(OperationalError, text, **more))
    assert (type(error), error.code) == (kind, code)
    assert "тайна" not in str(error)
    assert text not in str(error)


@pytest.mark.parametrize(
    ("kind", "text", "more", "code"),
    [
        (IntegrityError, "Duplicate entry 'x' for key 'inn'", {}, "sql_constraint_refused"),
        (IntegrityError, "violates exclusion constraint", {"sqlstate": "23P01"}, "sql_constraint_refused"),
        (IntegrityError, "нельзя", {"sqlite_errorname": "SQLITE_CONSTRAINT_TRIGGER"}, "sql_rule_refused"),
        (OperationalError, "не сегодня", {"sqlstate": "P0001"}, "sql_rule_refused"),
        (DataError, "invalid input value for enum", {"sqlstate": "22P02"}, "sql_value_refused"),
    ],
)
def test_a_no_of_a_database_to_one_record(kind: type[DBAPIError], text: str, more: dict[str, Any], code: str) -> None:
    """Constraints, triggers and values of any database cost the record and not the route."""
    error = FAULTS.written(failed(kind, text, **more), CLIENTS, ["name"])
    assert (type(error), error.code) == (SkipRecord, code)
    assert (text in str(error)) == (code == "sql_rule_refused"), "only a trigger speaks to people"


def test_a_rule_names_the_column_it_is_about() -> None:
    """``full_name`` is not taken for ``name``."""
    error = FAULTS.written(
        failed(
            IntegrityError, "CHECK constraint failed: length(full_name) > 3", sqlite_errorname="SQLITE_CONSTRAINT_CHECK"
        ),
        CLIENTS,
        ["name", "full_name"],
    )
    assert error.params["field"] == "full_name"


@pytest.mark.parametrize(
    ("error", "gone"),
    [
        (failed(OperationalError, "server closed the connection unexpectedly"), True),
        (failed(OperationalError, "terminating connection", sqlstate="57P01"), True),
        (failed(OperationalError, "disk I/O error", sqlite_errorname="SQLITE_IOERR_FSYNC"), True),
        (failed(OperationalError, "database is locked", sqlite_errorname="SQLITE_BUSY"), False),
        (failed(IntegrityError, "deferred constraint", sqlstate="23503"), False),
        (failed(OperationalError, "could not serialize access", sqlstate="40001"), False),
    ],
)
def test_which_answers_are_lost(error: DBAPIError, gone: bool) -> None:
    """A server that says no has answered; silence, a shutdown and a broken disk leave it open what was done."""
    assert lost(error) is gone
