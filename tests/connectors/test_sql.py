"""Tables of a database as streams: what is offered, how values travel, in which order, what a version is."""

from __future__ import annotations

import json
import threading
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import URL

from connectors.base import Change, ReadRequest
from connectors.sql_tables.connector import SqlTables
from hub.model.errors import StopRoute
from hub.model.records import Window
from hub.model.settings_tables import TableSettings
from tests.connectors.sql_bases import NAMES, TABLES, OnDatabase, client_id, settings
from tests.connectors.sql_server import OnPostgreSQL

ORDERS = ReadRequest("orders", key=("id",), page_size=7)
CLIENTS = ReadRequest("clients", key=("id",))


def records(crm: OnDatabase, request: ReadRequest, **more: Any) -> list[dict[str, Any]]:
    """All records of a request."""
    connector = SqlTables(settings(crm.url, **more))
    try:
        return [json.loads(raw) for page in connector.read(request) for raw in page.records]
    finally:
        connector.close()


def run(crm: OnDatabase, *statements: str) -> None:
    """What a program of the CRM's own does."""
    with crm.engine.begin() as conn:
        for statement in statements:
            conn.exec_driver_sql(statement)


def test_tables_and_keyed_views_are_streams(crm: OnDatabase) -> None:
    """Every table with its references and nested tables; of the views the one whose key the settings name."""
    streams = crm.open().streams()
    assert set(streams) == {*NAMES, "debts"}
    assert streams["orders"].refs == {"client_id": "clients"}
    assert set(streams["orders"].tables) == {"order_lines"}
    assert set(streams["clients"].tables) == {"client_contacts"}, "an order is no part of its client"
    assert "order_id" not in streams["orders"].tables["order_lines"]
    assert streams["order_lines"].key == ("order_id", "line_no")


def test_the_settings_name_nested_tables(crm: OnDatabase) -> None:
    """What a database does not say (rows that go with nothing) is said in the settings, and replaces what it says."""
    tables = {**TABLES, "clients": TableSettings(parts=("orders",))}
    connector = SqlTables(settings(crm.url, tables=tables))
    assert set(connector.streams()["clients"].tables) == {"orders"}
    connector.close()


def test_values_travel_in_one_form_whatever_the_database(crm: OnDatabase) -> None:
    """Keys and references are texts, money is its exact decimal, moments are local to the system, flags are flags."""
    run(crm, "UPDATE orders SET total = 1234567890.12, number = NULL WHERE id = 3")
    (order,) = [r for r in records(crm, ORDERS) if r["id"] == "3"]
    assert order.pop("_version") == "1"
    assert order == {
        "id": "3",
        "number": None,
        "ordered_at": "2026-01-01T12:00:00",
        "client_id": client_id(2),
        "total": 1234567890.12,
        "note": None,
        "row_version": 1,
        "updated_at": "2026-01-01T12:00:00",
        "order_lines": [{"line_no": "1", "product": "гайка", "price": 1.5}],
    }
    assert records(crm, CLIENTS)[0]["is_deleted"] is False


def test_a_value_that_no_calendar_holds_costs_no_page(crm: OnDatabase) -> None:
    """It travels as the text that it is, for the mapping to refuse its record; the others come."""
    wrong = "infinity" if crm.engine.dialect.name == "postgresql" else "вчера"
    run(crm, f"UPDATE orders SET ordered_at = '{wrong}' WHERE id = 5")
    found = {r["id"]: r["ordered_at"] for r in records(crm, ORDERS)}
    assert len(found) == 60
    assert found["5"] == wrong


def test_forms_of_a_moment(crm: OnDatabase) -> None:
    """Fractions are left out, a zone is turned into the system's, and bounds compare moments, not their spelling."""
    run(crm, "UPDATE orders SET updated_at = '2026-03-01 10:00:00.75+05:00' WHERE id = 1")
    asked = replace(ORDERS, changed_field="updated_at", since="2026-03-01T08:00:00", fields=("updated_at",))
    assert records(crm, asked) == [{"id": "1", "updated_at": "2026-03-01T08:00:00"}]
    assert records(crm, replace(asked, since="2026-03-01T08:00:01")) == []


def test_rows_inserted_during_a_read_push_none_out(crm: OnDatabase) -> None:
    """Pages go by the last key seen: what is inserted before it moves nothing, what is after it still comes."""
    connector = crm.open()
    pages = connector.read(replace(ORDERS, fields=("number",)))
    found = [json.loads(raw)["id"] for raw in next(pages).records]
    columns = "(id, ordered_at, total, updated_at)"
    run(crm, *(f"INSERT INTO orders {columns} VALUES ({n}, '2026-01-01', 0, '2026-01-01')" for n in (-5, 0, 2000)))
    found += [json.loads(raw)["id"] for page in pages for raw in page.records]
    assert found == [*(str(n) for n in range(1, 61)), "2000"]


def test_a_view_is_read_by_the_key_it_is_given(crm: OnDatabase) -> None:
    """Paged like a table, with the numbers that the database makes."""
    found = records(crm, ReadRequest("debts", key=("client_id",), page_size=3))
    assert len(found) == 40
    assert sum(r["debt"] for r in found) == pytest.approx(sum(n * 10001 for n in range(60)) / 100)


def test_a_key_that_tells_no_records_apart_stops_the_route(crm: OnDatabase) -> None:
    """Rows of one key would get lost between two pages: they are an error, never silence."""
    tables = {"debts": TableSettings(key=("debt",)), "nobodys": TableSettings(key=("name",))}
    run(crm, "UPDATE clients SET name = 'Тёзка' WHERE inn IN ('7700000001', '7700000002')")
    with pytest.raises(StopRoute) as error:
        records(crm, ReadRequest("nobodys", key=("name",), page_size=1), tables=tables)
    assert error.value.code == "sql_key_is_none"


def test_another_key_than_the_tables_own_is_refused(crm: OnDatabase) -> None:
    """A mapping that tells records apart by something else would read them in no order."""
    with pytest.raises(StopRoute) as error:
        records(crm, replace(CLIENTS, key=("inn",)))
    assert error.value.code == "sql_other_key"


def test_the_version_is_of_the_whole_record(crm: OnDatabase) -> None:
    """A hash sees an edit of a nested row and of a field not asked for; a version column is believed."""
    asked = replace(CLIENTS, fields=("_version",))
    before = {r["id"]: r["_version"] for r in records(crm, asked)}
    run(
        crm,
        f"UPDATE client_contacts SET value = '+74950000' WHERE client_id = '{client_id(3)}'",
        f"UPDATE clients SET note = 'x' WHERE id = '{client_id(4)}'",
        "UPDATE orders SET note = 'без новой версии' WHERE id = 1",
        "UPDATE orders SET row_version = 2 WHERE id = 2",
    )
    after = {r["id"]: r["_version"] for r in records(crm, asked)}
    assert {key for key in before if before[key] != after[key]} == {client_id(3), client_id(4)}
    orders = {r["id"]: r["_version"] for r in records(crm, replace(ORDERS, fields=("_version",)))}
    assert (orders["1"], orders["2"]) == ("1", "2")


def test_a_window_is_of_the_systems_own_days(crm: OnDatabase) -> None:
    """Half an hour past midnight in Moscow is that day there, though it is the day before in UTC."""
    run(crm, "UPDATE orders SET ordered_at = '2026-05-02 00:30:00+03:00' WHERE id = 1")
    window = Window(date(2026, 5, 2), date(2026, 5, 3))
    asked = replace(ORDERS, window=window, date_field="ordered_at", fields=("ordered_at",))
    assert [r["id"] for r in records(crm, asked)] == ["1"]
    (day,) = crm.open().totals("orders", "ordered_at", "total", window)
    assert (day.day, day.count, day.total) == (date(2026, 5, 2), 1, 0)


def test_a_new_schema_is_seen(crm: OnDatabase) -> None:
    """A column that came and a table that went change the fingerprint, and what is offered."""
    connector = crm.open()
    before = connector.fingerprint()
    run(crm, "ALTER TABLE orders ADD COLUMN extra varchar(10)")
    try:
        assert "extra" in connector.streams()["orders"].fields
        assert connector.fingerprint() != before
    finally:
        run(crm, "ALTER TABLE orders DROP COLUMN extra")
    assert connector.fingerprint() == before


def test_nested_rows_are_written_one_by_one(crm: OnDatabase) -> None:
    """Rows known by their key keep it and only change where they differ; others go, new ones are numbered on."""
    connector = crm.open()
    lines = [{"product": name, "price": 1} for name in ("болт", "гайка", "шайба")]
    (made,) = connector.write("orders", [Change("1", {"order_lines": lines})])
    shown = json.loads(made.record or b"")["order_lines"]
    assert [(row["line_no"], row["product"]) for row in shown] == [("1", "болт"), ("2", "гайка"), ("3", "шайба")]
    kept = [shown[0], shown[2] | {"price": 9.5}, {"product": "винт", "price": 2, "LineNumber": "3"}]
    (result,) = connector.write("orders", [Change("1", {"order_lines": kept}, version=made.version)])
    assert (result.became, result.differences) == ("written", ())
    rows = json.loads(result.record or b"")["order_lines"]
    assert [(r["line_no"], r["product"], r["price"]) for r in rows] == [
        ("1", "болт", 1),
        ("3", "шайба", 9.5),
        ("4", "винт", 2),
    ]
    contacts = [{"kind": "phone", "value": "1"}, {"kind": "email", "value": "a@b.ru"}]
    (made,) = connector.write("clients", [Change(client_id(1), {"client_contacts": contacts})])
    first, second = json.loads(made.record or b"")["client_contacts"]
    (result,) = connector.write("clients", [Change(client_id(1), {"client_contacts": [second | {"value": "c@d.ru"}]})])
    assert json.loads(result.record or b"")["client_contacts"] == [second | {"value": "c@d.ru"}]
    assert first["id"] != second["id"]


def test_a_failed_row_leaves_nothing_of_its_record(crm: OnDatabase) -> None:
    """Fields and rows are one transaction: a row that the database refuses takes the fields along."""
    (result,) = crm.open().write("orders", [Change("1", {"total": 5, "order_lines": [{"product": None, "price": 1}]})])
    assert result.became == "refused"
    assert (result.error and result.error.code, result.error and result.error.params["field"]) == (
        "sql_not_null",
        "product",
    )
    stored = crm.stored("orders", "1") or {}
    assert (stored["total"], len(stored["order_lines"])) == (0, 1)


def test_a_write_moves_version_and_time_on(crm: OnDatabase) -> None:
    """Whoever reads what changed since sees what the hub wrote: the CRM's own other readers do so."""
    before = crm.stored("orders", "1") or {}
    (result,) = crm.open().write("orders", [Change("1", {"number": "0007"}, version="1")])
    after = crm.stored("orders", "1") or {}
    assert (result.became, result.version, after["row_version"]) == ("written", "2", 2)
    assert after["updated_at"] > before["updated_at"]


@pytest.mark.parametrize("stream", ["clients", "orders"])
def test_of_two_who_write_at_once_one_has_moved(crm: OnDatabase, stream: str) -> None:
    """Both read one version and write other values: the later one writes nothing, on a hash and on a column."""
    name, key = ("name", client_id(0)) if stream == "clients" else ("number", "1")
    request = ReadRequest(stream, ("_version",), ("id",))
    version = json.loads(crm.open().fetch(request, [key]).records[0])["_version"]
    outcomes: list[str] = []
    together = threading.Barrier(2)

    def write(number: int) -> None:
        # The one waits for the other's COMMIT, however long the disk takes over it.
        connector = SqlTables(settings(crm.url, lock_seconds=30.0))
        connector.streams()
        together.wait(30)
        (result,) = connector.write(stream, [Change(key, {name: f"писатель {number}"}, version=version)])
        outcomes.append(result.became)
        connector.close()

    work = [threading.Thread(target=write, args=(n,)) for n in range(2)]
    for thread in work:
        thread.start()
    for thread in work:
        thread.join(60)
    assert sorted(outcomes) == ["moved", "written"]


def test_a_mark_is_a_field_and_nothing_is_deleted(crm: OnDatabase) -> None:
    """The flag that a mapping names is set, the row stays, and unmarking is the same."""
    connector = crm.open()
    for flag in (True, False):
        (result,) = connector.write("clients", [Change(client_id(2), {"is_deleted": flag})])
        assert result.became == "written"
        assert (crm.stored("clients", client_id(2)) or {})["is_deleted"] == flag
    assert crm.population("clients") == 40


def test_what_1c_calls_empty_is_null_here(crm: OnDatabase) -> None:
    """The way back of a mapping knows no NULL: its empty texts, dates and references become one."""
    (result,) = crm.open().write("orders", [Change("1", {"number": "", "client_id": "", "note": None})])
    assert (result.became, result.differences) == ("written", ())
    stored = crm.stored("orders", "1") or {}
    assert (stored["number"], stored["client_id"]) == (None, None)


def test_a_write_needs_the_key_column_alone(crm: OnDatabase) -> None:
    """A record of a table with a key of several columns is found, changed and not created under a key of the hub's."""
    connector = crm.open()
    (result,) = connector.write("order_lines", [Change("1|1", {"product": "болт"})])
    assert (result.became, result.external_id) == ("written", "1|1")
    (result,) = connector.write("order_lines", [Change("reserved", {"product": "болт", "price": 1}, create=True)])
    assert (result.became, result.error and result.error.code) == ("refused", "sql_key_not_ours")


def test_a_read_sees_record_and_rows_of_one_moment(crm: OnDatabase) -> None:
    """Rows saved after their record was read are not put beside it: a page is one transaction that sees one moment."""
    if crm.engine.dialect.name == "sqlite":
        run(crm, "PRAGMA journal_mode = WAL")  # else nobody could write while it is read
    connector = SqlTables(settings(crm.url))
    connector.streams()
    engine = connector._database.engine
    done: list[bool] = []

    @sa.event.listens_for(engine, "after_cursor_execute")
    def change(_conn: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if "FROM orders" in statement and not done:
            done.append(True)
            run(crm, "UPDATE order_lines SET product = 'подменили' WHERE order_id = 1")

    (record,) = (json.loads(raw) for raw in connector.fetch(ORDERS, ["1"]).records)
    connector.close()
    assert done
    assert record["order_lines"][0]["product"] == "гайка"


def test_a_moment_can_be_the_version(crm: OnDatabase) -> None:
    """Told whole, with its fractions: two edits in one second are two versions, and a late change is left alone."""
    tables = {**TABLES, "orders": TableSettings(version="updated_at")}
    connector = SqlTables(settings(crm.url, tables=tables))
    seen = json.loads(connector.fetch(ORDERS, ["1"]).records[0])["_version"]
    (first,) = connector.write("orders", [Change("1", {"number": "a"}, version=seen)])
    (late,) = connector.write("orders", [Change("1", {"number": "b"}, version=seen)])
    (second,) = connector.write("orders", [Change("1", {"number": "c"}, version=first.version)])
    connector.close()
    assert [result.became for result in (first, late, second)] == ["written", "moved", "written"]
    assert len({seen, first.version, second.version}) == 3


def test_a_version_that_was_never_set(crm: OnDatabase) -> None:
    """A column that is NULL is a version like another: the first write begins to count."""
    run(crm, "CREATE TABLE notes (id integer PRIMARY KEY, body varchar(20), row_version integer)")
    try:
        run(crm, "INSERT INTO notes VALUES (1, 'было', NULL)")
        connector = SqlTables(settings(crm.url))
        (result,) = connector.write("notes", [Change("1", {"body": "стало"}, version="")])
        assert (result.became, result.version) == ("written", "1")
        connector.close()
    finally:
        run(crm, "DROP TABLE notes")


def test_where_there_is_no_lock_the_update_itself_compares(crm: OnDatabase, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between the look within the transaction and the UPDATE somebody else saves: nothing is written."""
    connector = SqlTables(settings(crm.url))
    target: Any = connector._writing._target
    record = target._record
    run(crm, "UPDATE orders SET row_version = 2 WHERE id = 1")
    monkeypatch.setattr(target, "_record", lambda *asked: record(*asked) | {"_version": "1"})
    (result,) = connector.write("orders", [Change("1", {"number": "поздно"}, version="1")])
    connector.close()
    assert result.became == "moved"
    assert (crm.stored("orders", "1") or {})["number"] == "1"


def test_totals_of_more_than_a_page(crm: OnDatabase) -> None:
    """They are read page by page as well, whatever a page holds."""
    window = Window(date(2026, 1, 1), date(2026, 2, 1))
    sums = []
    for size in (7, 60, 1000):
        connector = SqlTables(settings(crm.url, page_size=size))
        sums.append(connector.totals("orders", "ordered_at", "total", window))
        connector.close()
    assert sums[0] == sums[1] == sums[2]
    assert (len(sums[0]), sum(day.count for day in sums[0])) == (20, 60)


def test_types_of_the_database_itself(filled: URL) -> None:
    """Enumerations, domains, arrays, JSON and types that nobody knows are read; words of an enumeration are written."""
    crm = OnPostgreSQL(filled)
    made = ("CREATE TYPE stage AS ENUM ('новый', 'закрыт')", "CREATE TYPE pair AS (a integer, b integer)")
    run(
        crm,
        *made,
        "CREATE DOMAIN inn AS varchar(12)",
        "CREATE TABLE deals (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), stage stage NOT NULL, inn inn, tags text[],"
        " extra jsonb, place pair, logo bytea, seconds interval, tax numeric GENERATED ALWAYS AS (1.5) STORED)",
        "INSERT INTO deals VALUES (DEFAULT, 'новый', '77', '{a,b}', '{\"b\": 1, \"a\": 2}', '(1,2)', 'x', '1 hour')",
    )
    try:
        connector = crm.open()
        assert "logo" not in connector.streams()["deals"].fields
        request = ReadRequest("deals", key=("id",))
        (deal,) = [json.loads(raw) for page in connector.read(request) for raw in page.records]
        shown = {name: deal[name] for name in ("stage", "inn", "tags", "extra", "place", "seconds", "tax")}
        assert shown == {
            "stage": "новый",
            "inn": "77",
            "tags": '["a", "b"]',
            "extra": '{"a": 2, "b": 1}',
            "place": "(1,2)",
            "seconds": "1:00:00",
            "tax": 1.5,
        }
        version = deal["_version"]
        change = Change(deal["id"], {"stage": "закрыт", "inn": "7701"}, version=version)
        wrong = replace(change, fields={"stage": "нет такого"}, version=None)
        kept = replace(change, fields={"tax": 2}, version=None)
        results = list(connector.write("deals", [change, wrong, kept]))
        assert [result.became for result in results] == ["written", "refused", "refused"]
        assert [result.error and result.error.code for result in results] == [
            None,
            "sql_value_refused",
            "field_not_writable",
        ]
        connector.close()
    finally:
        run(crm, "DROP TABLE deals", "DROP TYPE stage, pair", "DROP DOMAIN inn")
        crm.close()


def test_a_bar_in_a_key_of_several_columns_stops_the_route(crm: OnDatabase) -> None:
    """Two records could have one name: none of them is taken for the other, or for deleted."""
    run(crm, "CREATE TABLE places (a varchar(9), b varchar(9), PRIMARY KEY (a, b))")
    run(crm, "INSERT INTO places VALUES ('x|y', 'z')")
    try:
        with pytest.raises(StopRoute) as error:
            records(crm, ReadRequest("places", key=("a", "b")))
        assert error.value.code == "sql_key_is_none"
    finally:
        run(crm, "DROP TABLE places")


@pytest.mark.parametrize("stream", ["clients", "orders"])
def test_whoever_saves_after_the_look_is_not_written_over(
    crm: OnDatabase, monkeypatch: pytest.MonkeyPatch, stream: str
) -> None:
    """The hub has looked and found its version, a user saves, the hub writes: it has moved, by hash and by column."""
    key, name = (client_id(0), "name") if stream == "clients" else ("1", "number")
    connector = SqlTables(settings(crm.url))
    version = json.loads(connector.fetch(ReadRequest(stream, ("_version",), ("id",)), [key]).records[0])["_version"]
    target: Any = connector._writing._target
    look = target.look

    def and_save(*asked: str) -> Any:
        shown = look(*asked)
        monkeypatch.setattr(target, "look", look)
        more = ", row_version = row_version + 1" if stream == "orders" else ""
        run(crm, f"UPDATE {stream} SET {name} = 'сохранил человек'{more} WHERE id = '{key}'")
        return shown

    monkeypatch.setattr(target, "look", and_save)
    (result,) = connector.write(stream, [Change(key, {name: "пишет хаб"}, version=version)])
    connector.close()
    assert result.became == "moved"
    assert (crm.stored(stream, key) or {})[name] == "сохранил человек"
