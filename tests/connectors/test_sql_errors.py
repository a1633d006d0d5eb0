"""What a database refuses, and what keeps the hub from it: each in a sentence that names the column or the setting."""

from __future__ import annotations

import socket
import sqlite3
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import URL, make_url

from connectors.base import Change, CheckReport, ReadRequest
from connectors.certify.reading import told
from connectors.sql_tables.connector import SqlTables
from connectors.writing import Shown
from hub.model.errors import HubError, NeedsPerson, RetryLater, StopRoute, StopSystem
from hub.model.settings_tables import TableSettings
from hub.texts import LANGS
from tests.connectors.sql_bases import TABLES, OnDatabase, client_id, settings

SECRET = "Пароль-7%"
CLIENTS = ReadRequest("clients", key=("id",))


def said(error: HubError) -> str:
    """Every word that an error says, in both languages, with what it carries."""
    return " ".join([*(error.sentence(lang) + error.advice(lang) for lang in LANGS), str(error.params), repr(error)])


def check(url: str, **more: Any) -> CheckReport:
    """The check of a connector to that address."""
    connector = SqlTables(settings(url, **more))
    try:
        return connector.check()
    finally:
        connector.close()


def problem(url: str, **more: Any) -> HubError:
    """The one problem that a check finds."""
    (found,) = check(url, **more).problems
    assert told(found)
    assert SECRET not in said(found)
    assert "SELECT" not in said(found).replace("SELECT,", "")
    return found


NEW = {"name": "Новый"}


@pytest.mark.parametrize(
    ("stream", "fields", "code", "field"),
    [
        ("clients", {"name": None}, "sql_not_null", "name"),
        ("clients", {"note": "без имени"}, "sql_not_null", "name"),
        ("clients", NEW | {"inn": "7700000001"}, "sql_not_unique", "inn"),
        ("clients", {"name": "нельзя"}, "sql_check_refused", "name"),
        ("clients", NEW | {"inn": "7700000001 и ещё"}, "sql_too_long", "inn"),
        ("clients", NEW | {"is_deleted": "может быть"}, "sql_value_unfit", "is_deleted"),
        ("clients", NEW | {"note": "a\0b"}, "sql_value_unfit", "note"),
        ("clients", NEW | {"нет_такого": 1}, "field_not_writable", "нет_такого"),
        ("clients", NEW | {"client_contacts": [{"value": "1"}]}, "sql_not_null", "kind"),
        ("clients", NEW | {"client_contacts": [{"чужое": "1"}]}, "field_not_writable", "чужое"),
        ("clients", NEW | {"client_contacts": "1"}, "value_malformed", "client_contacts"),
        ("orders", {"client_id": "00000000-0000-0000-0000-0000000000ff"}, "sql_no_such_reference", "client_id"),
        ("orders", {"total": 10**10}, "sql_too_large", "total"),
        ("orders", {"total": "дорого"}, "sql_value_unfit", "total"),
        ("orders", {"ordered_at": "завтра"}, "sql_value_unfit", "ordered_at"),
        ("orders", {"id": "77"}, "field_not_writable", "id"),
        ("orders", {"row_version": 7}, "field_not_writable", "row_version"),
    ],
)
def test_a_refusal_names_the_column(
    crm: OnDatabase, stream: str, fields: dict[str, Any], code: str, field: str
) -> None:
    """Whichever database says no: a sentence, an advice and the column; nothing is written, the rest goes on."""
    connector, before = crm.open(), crm.population(stream)
    dated = {"ordered_at": "2026-01-01T00:00:00"} if stream == "orders" else {}
    changes = [
        Change(crm.new_key(), dated | fields, create=True, marker=None),
        Change(crm.new_key(), dated | (NEW if stream == "clients" else {}), create=True),
    ]
    wrong, right = connector.write(stream, changes)
    assert (wrong.became, right.became) == ("refused", "written")
    assert wrong.error is not None
    assert (wrong.error.code, wrong.error.params["field"]) == (code, field)
    assert told(wrong.error)
    assert "INSERT" not in said(wrong.error)
    assert crm.population(stream) == before + 1


def test_a_refusal_does_not_repeat_the_value(crm: OnDatabase) -> None:
    """The database's own words hold whole rows of somebody's data: they get into no error."""
    secret = "Иванов Иван 4509 123456"
    changes = [
        Change(crm.new_key(), {"name": secret, "inn": "7700000001"}, create=True),
        Change(crm.new_key(), {"note": secret, "inn": "7700000001"}, create=True),
    ]
    for result in crm.open().write("clients", changes):
        assert result.error is not None
        assert secret not in said(result.error)


def test_a_view_is_read_only(crm: OnDatabase) -> None:
    """Writing to a view stops the route before anything is sent, and says what it is."""
    connector = crm.open()
    with pytest.raises(StopRoute) as error:
        list(connector.write("debts", [Change(client_id(1), {"debt": 1})]))
    assert error.value.code == "sql_view"
    assert told(error.value)
    assert connector.traffic.writes == 0


def test_rows_without_an_order_are_not_written(crm: OnDatabase) -> None:
    """Rows whose order nothing tells could not be proven: they are read and never written."""
    with crm.engine.begin() as conn:
        conn.exec_driver_sql("DROP TABLE IF EXISTS tags")
        kind = "uuid" if crm.engine.dialect.name == "postgresql" else "varchar(36)"
        conn.exec_driver_sql(
            f"CREATE TABLE tags (client_id {kind} REFERENCES clients (id) ON DELETE CASCADE, tag varchar(20),"
            " PRIMARY KEY (client_id, tag))"
        )
        conn.exec_driver_sql(f"INSERT INTO tags VALUES ('{client_id(0)}', 'vip')")
    try:
        connector = crm.open()
        (result,) = connector.write("clients", [Change(client_id(0), {"tags": [{"tag": "опт"}]})])
        assert (result.became, result.error and result.error.code) == ("refused", "sql_rows_unordered")
        assert b'"tags":[{"tag":"vip"}]' in connector.fetch(CLIENTS, [client_id(0)]).records[0]
        connector.close()
    finally:
        with crm.engine.begin() as conn:
            conn.exec_driver_sql("DROP TABLE tags")


def test_a_record_deleted_in_between_is_gone(crm: OnDatabase, monkeypatch: pytest.MonkeyPatch) -> None:
    """Seen a moment ago and deleted since: the change is refused as gone, and makes no record."""
    connector = SqlTables(settings(crm.url))
    look = connector._writing._target.look

    def and_delete(stream: str, key: str) -> Shown | None:
        shown = look(stream, key)
        crm.delete(stream, key)
        return shown

    monkeypatch.setattr(connector._writing._target, "look", and_delete)
    (result,) = connector.write("clients", [Change(client_id(5), {"name": "Поздно"})])
    connector.close()
    assert (result.became, result.error and result.error.code) == ("refused", "record_gone")
    assert crm.population("clients") == 39


def test_whoever_holds_the_row_is_waited_for_and_not_for_ever(crm: OnDatabase) -> None:
    """A row that a user of the CRM keeps locked: the write is put off, nothing is written."""
    held = crm.engine.connect()
    try:
        if crm.engine.dialect.name == "sqlite":
            held.exec_driver_sql("BEGIN IMMEDIATE")
        held.execute(sa.text("UPDATE orders SET note = 'занято' WHERE id = 1"))
        with pytest.raises(RetryLater) as error:
            list(crm.open().write("orders", [Change("1", {"number": "0009"})]))
        assert error.value.code == "sql_busy"
    finally:
        held.rollback()
        held.close()
    assert (crm.stored("orders", "1") or {})["number"] == "1"


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    """SQLite would make it: a wrong path must not become an empty CRM."""
    found = problem(f"sqlite:///{tmp_path}/нет/crm.db")
    assert (type(found), found.code) == (NeedsPerson, "sql_file_unusable")
    found = problem(f"sqlite:///{tmp_path}/другой.db")
    assert (type(found), found.code) == (NeedsPerson, "sql_file_unusable")
    assert not (tmp_path / "другой.db").exists()


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    """A text file behind the address."""
    path = tmp_path / "crm.db"
    path.write_text("это не база данных, а письмо" * 100, encoding="utf-8")
    assert problem(f"sqlite:///{path}").code == "sql_file_unusable"


def test_an_empty_database(tmp_path: Path) -> None:
    """Nothing to exchange is a problem, not silence."""
    path = tmp_path / "crm.db"
    with sqlite3.connect(path) as conn:
        conn.execute("CREATE TABLE keyless (a)")
    conn.close()
    report = check(f"sqlite:///{path}", tables={"clients": TableSettings(key=("id",))})
    assert [item.code for item in report.problems] == ["sql_nothing"]
    assert [item.code for item in report.notes] == ["sql_tables_misfit", "sql_without_key"]
    assert report.notes[0].params["tables"] == "clients"


def test_a_file_that_may_only_be_read_is_noted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The rights on the file are told by the check, before a route runs into them."""
    path = tmp_path / "crm.db"
    with sqlite3.connect(path) as conn:
        conn.execute("CREATE TABLE clients (id INTEGER PRIMARY KEY)")
    conn.close()
    monkeypatch.setattr("os.access", lambda *_: False)
    assert [item.code for item in check(f"sqlite:///{path}", tables={}).notes] == ["sql_not_writable"]


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("oracle+oracledb://obmen@localhost/crm", "sql_driver_missing"),
        ("mssql+pyodbc://obmen@localhost/crm", "sql_driver_missing"),
        ("foxpro://localhost/crm", "sql_driver_missing"),
        ("это не адрес", "sql_url_invalid"),
        ("sqlite://", "sql_url_invalid"),
        ("postgresql://localhost:порт/crm", "sql_url_invalid"),
    ],
)
def test_an_address_that_cannot_be_opened(url: str, code: str) -> None:
    """A driver that is not installed is named with what to install; what is no address is said to be none."""
    with pytest.raises(NeedsPerson) as error:
        SqlTables(settings(url, password=SECRET))
    assert error.value.code == code
    assert told(error.value)
    assert SECRET not in said(error.value)


def test_nobody_listens() -> None:
    """A server that is down is asked again later; the sentence names it."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    found = problem(f"postgresql://obmen@127.0.0.1:{port}/crm", password=SECRET)
    assert (type(found), found.code, found.params["host"]) == (RetryLater, "sql_unreachable", "127.0.0.1")


def test_an_unknown_database_and_an_unknown_user(pg_server: URL) -> None:
    """What is wrong in the settings is named: the database that is not there, the user that is not let in."""
    found = problem(pg_server.set(database="нет_такой").render_as_string(hide_password=False))
    assert (type(found), found.code, found.params["database"]) == (NeedsPerson, "sql_database_missing", "нет_такой")
    found = problem(pg_server.set(username="чужой", password=SECRET).render_as_string(hide_password=False))
    assert (type(found), found.code, found.params["user"]) == (StopSystem, "sql_auth_failed", "чужой")


def test_the_check_tells_what_the_user_may_not_do(filled: URL) -> None:
    """Least rights: what cannot be read, written, or taken away is told by the check, and the rest works."""
    admin = sa.create_engine(filled, isolation_level="AUTOCOMMIT")
    role = "obmen_least"
    with admin.connect() as conn:
        conn.exec_driver_sql(f"DROP ROLE IF EXISTS {role}")
        conn.exec_driver_sql(f"CREATE ROLE {role} LOGIN")
        conn.exec_driver_sql(f"GRANT SELECT ON clients, client_contacts, order_lines, debts TO {role}")
        conn.exec_driver_sql(f"GRANT INSERT, UPDATE ON clients, order_lines TO {role}")
    url = make_url(filled).set(username=role).render_as_string(hide_password=False)
    connector = SqlTables(settings(url, tables=TABLES))
    try:
        report = connector.check()
        assert report.problems == []
        assert {item.code: item.params["tables"] for item in report.notes} == {
            "sql_without_key": "nobodys",
            "sql_not_readable": "orders",
            "sql_not_writable": "client_contacts, orders",
            "sql_rows_kept": "order_lines",
        }
        assert all(told(item) for item in report.notes)
        assert report.product.startswith("PostgreSQL ")
        with pytest.raises(StopRoute) as error:
            list(connector.read(ReadRequest("orders", key=("id",))))
        assert (error.value.code, error.value.params["table"]) == ("sql_no_right", "orders")
        (result,) = connector.write("clients", [Change(client_id(3), {"name": "Можно"})])
        assert result.became == "written"
    finally:
        connector.close()
        with admin.connect() as conn:
            conn.exec_driver_sql(f"DROP OWNED BY {role}")
            conn.exec_driver_sql(f"DROP ROLE {role}")
        admin.dispose()


def test_posting_has_no_meaning_here(crm: OnDatabase) -> None:
    """The fields are written, what 1C would post is told not to be posted."""
    (result,) = crm.open().write("orders", [Change("1", {"number": "0009"}, posting="post")])
    assert (result.became, result.error and result.error.code) == ("not_posted", "sql_no_posting")


def test_there_is_no_feed(crm: OnDatabase) -> None:
    """Asked for a feed it says how changes are found instead."""
    connector = crm.open()
    with pytest.raises(StopRoute) as error:
        connector.feed("")
    assert error.value.code == "no_feed"
    with pytest.raises(StopRoute) as error:
        connector.acknowledge("", 1)
    assert error.value.code == "no_feed"


def test_what_is_refused_at_the_commit_is_refused(crm: OnDatabase) -> None:
    """A constraint that is held at the end of the transaction: the COMMIT is answered, so nothing is unknown."""
    kind = "uuid" if crm.engine.dialect.name == "postgresql" else "varchar(36)"
    with crm.engine.begin() as conn:
        conn.exec_driver_sql(
            f"CREATE TABLE visits (id varchar(36) PRIMARY KEY, client_id {kind}"
            " REFERENCES clients (id) DEFERRABLE INITIALLY DEFERRED)"
        )
    try:
        connector = crm.open()
        wanted = [Change(crm.new_key(), {"client_id": key}, create=True) for key in (crm.new_key(), client_id(1))]
        results = list(connector.write("visits", wanted))
        assert [result.became for result in results] == ["refused", "written"]
        error = results[0].error
        assert error is not None
        assert (error.code, error.params["field"]) == ("sql_no_such_reference", "client_id")
        assert crm.population("visits") == 1
        connector.close()
    finally:
        with crm.engine.begin() as conn:
            conn.exec_driver_sql("DROP TABLE visits")


def test_no_connection_is_free(crm: OnDatabase) -> None:
    """All connections of the settings are in use: whoever asks is told to come back, reading and writing."""
    connector = SqlTables(replace(settings(crm.url), max_sessions=1, timeout=0.1))
    connector.streams()
    with connector._database.reading():
        with pytest.raises(RetryLater) as error:
            connector.count(CLIENTS)
        assert error.value.code == "sql_busy"
        with pytest.raises(RetryLater) as error, connector._database.writing():
            connector.close()
        assert error.value.code == "sql_busy"
    assert connector.count(CLIENTS) == 40
    connector.close()


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        (ReadRequest("clients", key=("id",), table="balance"), "unknown_table"),
        (ReadRequest("orders", key=("id",), changed_field="updated_at", since="вчера"), "unknown_field"),
        (ReadRequest("orders", key=("id",), changed_field="_version", since="1"), "unknown_field"),
        (ReadRequest("orders", key=("id",), changed_field="order_lines", since="1"), "unknown_field"),
    ],
)
def test_a_question_that_makes_no_sense(crm: OnDatabase, request_: ReadRequest, code: str) -> None:
    """Virtual tables are 1C's, and a bound has to be one for its column: the route stops and says which."""
    with pytest.raises(StopRoute) as error:
        list(crm.open().read(request_))
    assert error.value.code == code


def test_a_marker_that_is_no_column(crm: OnDatabase) -> None:
    """Whoever names a field for the mark that is not there is told before anything is created."""
    change = Change(crm.new_key(), {"ordered_at": "2026-01-01"}, create=True, marker=("пометка", "x"))
    (result,) = crm.open().write("orders", [change])
    assert (result.became, result.error and result.error.code) == ("refused", "field_not_writable")
    assert crm.population("orders") == 60
