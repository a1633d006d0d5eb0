"""The fast path against its portable twin, on both databases."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, func, select

from hub.store import bulk, bulk_pg, core, portable
from hub.store.database import Store
from hub.store.tables import CHILDREN, ROOTS
from tests.store.rows import add_parked, add_system, cells, every_kind, order_line, order_line_columns

LINK = ("id", "stream_id", "external_id", "record_id", "state", "row_hash", "version", "first_run")
LINES = CHILDREN["sales_order_line"]

#: An example leaves nothing behind, so the fixture may serve them all.
drawn = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def link_row(number: int, external_id: str, state: str = "active") -> tuple[Any, ...]:
    """A link of stream 1, columns as LINK."""
    return (number, 1, external_id, number + 1000, state, -number, None, 1)


@contextmanager
def undone(store: Store) -> Iterator[Connection]:
    """A write transaction that is rolled back at the end."""
    with store.begin() as conn, conn.begin_nested() as nested:
        yield conn
        nested.rollback()


@pytest.fixture(params=[bulk, portable], ids=["bulk", "portable"])
def way(request: pytest.FixtureRequest) -> ModuleType:
    """The fast path, then its oracle."""
    module: ModuleType = request.param
    return module


@drawn
@given(data=st.data())
def test_every_kind_comes_back_as_it_went(store: Store, data: st.DataObject) -> None:
    """Whatever can stand in a row of any kind is read back unchanged, and both ways store and read the same."""
    table, columns = every_kind()
    rows = [(at, *row) for at, row in enumerate(data.draw(st.lists(cells(table, columns), min_size=1, max_size=4)))]
    columns = ("id", *columns)
    for write in (bulk, portable):
        with undone(store) as conn:
            write.insert_rows(conn, table, columns, rows)
            for read in (bulk, portable):
                assert read.fetch_rows(conn, table, columns, "id", range(len(rows)), ("id",)) == rows


@drawn
@given(data=st.data())
def test_updates_are_equal_on_both_ways(store: Store, data: st.DataObject) -> None:
    """An update by the fast path leaves the same rows as one by Core, for a composite key too."""
    columns = order_line_columns()
    rows = [order_line(1, number) for number in range(1, 5)]
    values = data.draw(st.lists(cells(LINES, columns[2:]), min_size=1, max_size=4))
    changes = [(1, number, *row) for number, row in enumerate(values, start=1)]
    expected = [*changes, *rows[len(changes) :]]
    for way in (bulk, portable):
        with undone(store) as conn:
            way.insert_rows(conn, LINES, columns, rows)
            assert way.update_rows(conn, LINES, columns, changes) == len(changes)
            assert way.fetch_rows(conn, LINES, columns, columns[0], [1], columns[:2]) == expected


def test_no_nul_is_stored(store: Store, way: ModuleType) -> None:
    """U+0000 is taken out of texts and of JSON on both databases, in every place of the row."""
    table, columns = every_kind()
    table, columns = ROOTS["currency"], ("id", "name", "iso", "ext", "created_by_run", "updated_by_run")
    with store.begin() as conn:
        way.insert_rows(conn, table, columns, [(1, "\0ру\0бль\t", None, '{"a\\u0000":["\\u0000b\\\\"]}', 1, 1)])
        assert way.fetch_rows(conn, table, columns, "id", [1]) == [(1, "рубль\t", None, '{"a":["b\\\\"]}', 1, 1)]


def test_rows_are_found_by_a_text_too(store: Store, way: ModuleType) -> None:
    """A key that is a text finds what a key that is a number does: the rows of each that is there."""
    table, columns = ROOTS["currency"], ("id", "name", "created_by_run", "updated_by_run")
    with store.begin() as conn:
        way.insert_rows(conn, table, columns, [(1, "рубль", 1, 1), (2, "12", 1, 1), (3, "рубль", 1, 1)])
        found = way.fetch_rows(conn, table, ("id",), "name", ["рубль", "12", "нет"], ("id",))
        assert sorted(found) == [(1,), (2,), (3,)]


def test_each_odd_text_alone(store: Store, way: ModuleType) -> None:
    """Each text that COPY takes for something else comes back, with nothing beside it that would give it away."""
    for number, odd in enumerate(
        ["\r", "\n", "\t", "\\", "\\N", "\\.", "a\\tb", "None", "NULL", "", "\x02\x03"], start=1
    ):
        with store.begin() as conn:
            way.insert_rows(conn, core.link, ("id", "stream_id", "external_id", "first_run"), [(number, 1, odd, 1)])
            assert way.fetch_rows(conn, core.link, ("external_id",), "id", [number]) == [(odd,)]


def test_ids_are_given_out_once(store: Store, way: ModuleType) -> None:
    """Blocks of ids follow each other, sequences do not share them, and a block of none takes none."""
    with store.begin() as conn:
        first = way.allocate(conn, "link", 3)
        assert len(way.allocate(conn, "link", 0)) == 0
        second = way.allocate(conn, "link", 2)
        assert len(way.allocate(conn, "record", 1)) == 1
    with store.begin() as conn:
        third = way.allocate(conn, "link", 1)
    assert [*first, *second, *third] == list(range(first.start, first.start + 6))


def test_links_are_found(store: Store, way: ModuleType) -> None:
    """A look-up tells the links of its own stream only, whatever is in the ids, and leaves the unknown out."""
    odd = ["a'b", 'с "кавычками"', "{x,y}", "\\", "NULL", ""]
    rows = [link_row(number, external_id) for number, external_id in enumerate(odd, start=1)]
    other = (99, 2, "a'b", None, "expected", None, None, 1)
    with store.begin() as conn:
        way.insert_rows(conn, core.link, LINK, [*rows, other])
        found = way.find_links(conn, 1, [*odd, "no such"])
        assert found == {row[2]: (row[0], row[3], row[5], row[4]) for row in rows}
        assert way.find_links(conn, 2, odd) == {"a'b": (99, None, None, "expected")}
        assert way.find_links(conn, 1, []) == {}


def test_more_ids_than_parameters(store: Store, way: ModuleType) -> None:
    """Five thousand keys in one call are no limit for reading, finding or deleting."""
    keys = range(1, 5001)
    with store.begin() as conn:
        bulk.insert_rows(conn, core.link, LINK, [link_row(number, f"x{number}") for number in keys])
        assert len(way.find_links(conn, 1, [f"x{number}" for number in keys])) == 5000
        assert len(way.fetch_rows(conn, core.link, ("id",), "id", keys)) == 5000
        way.delete_children(conn, core.link, "id", keys[:-1])
        assert conn.execute(select(core.link.c.id)).scalars().all() == [5000]


def test_upsert_overwrites_and_adds(store: Store, way: ModuleType) -> None:
    """What is there under the key is overwritten, what is not is added, nothing else changes."""
    with store.begin() as conn:
        way.insert_rows(conn, core.link, LINK, [link_row(1, "a"), link_row(2, "b")])
        way.upsert_rows(conn, core.link, ("id",), LINK, [link_row(2, "b", "broken"), link_row(3, "c")])
        found = way.find_links(conn, 1, "abc")
        assert {key: value[3] for key, value in found.items()} == {"a": "active", "b": "broken", "c": "active"}


def test_upsert_of_keys_alone(store: Store, way: ModuleType) -> None:
    """Rows that are all key can be upserted: they are there afterwards, once."""
    with store.begin() as conn:
        add_system(conn, (1, "Catalog_Партнеры"))
        add_parked(conn, 1, "x")
        for _ in range(2):
            way.upsert_rows(
                conn, core.parked_wait, ("parked_id", "link_id"), ("parked_id", "link_id"), [(1, 5), (1, 6)]
            )
        assert way.fetch_rows(conn, core.parked_wait, ("link_id",), "parked_id", [1], ("link_id",)) == [(5,), (6,)]


def test_missing_rows_only(store: Store, way: ModuleType) -> None:
    """A row whose key is there stays as it is; the others are added and counted."""
    with store.begin() as conn:
        way.insert_rows(conn, core.link, LINK, [link_row(1, "a")])
        rows = [link_row(8, "a", "expected"), link_row(9, "b", "expected")]
        assert way.insert_missing(conn, core.link, ("stream_id", "external_id"), LINK, rows) == 1
        assert way.insert_missing(conn, core.link, ("stream_id", "external_id"), LINK, rows) == 0
        found = way.find_links(conn, 1, "ab")
        assert {key: (value[0], value[3]) for key, value in found.items()} == {"a": (1, "active"), "b": (9, "expected")}


def test_updates_tell_how_many_were_there(store: Store, way: ModuleType) -> None:
    """A row that is not there is not counted and not made."""
    with store.begin() as conn:
        way.insert_rows(conn, core.link, LINK, [link_row(1, "a")])
        assert way.update_rows(conn, core.link, ("id", "row_hash"), [(1, 5), (2, 6)]) == 1
        assert way.update_rows(conn, core.link, ("id", "row_hash"), []) == 0
        assert way.fetch_rows(conn, core.link, ("id", "row_hash"), "id", [1, 2]) == [(1, 5)]


def test_children_of_named_parents_go(store: Store, way: ModuleType) -> None:
    """Only the rows of the named parents are deleted."""
    columns = order_line_columns()
    with store.begin() as conn:
        way.insert_rows(conn, LINES, columns, [order_line(order, number) for order in (1, 2, 3) for number in (1, 2)])
        way.delete_children(conn, LINES, columns[0], [1, 3])
        way.delete_children(conn, LINES, columns[0], [])
        assert way.fetch_rows(conn, LINES, columns[:2], columns[0], [1, 2, 3], columns[:2]) == [(2, 1), (2, 2)]


@pytest.mark.parametrize(
    "bad",
    [
        pytest.param((2, 1, "a", None, "active", None, None, 1), id="the same key"),
        pytest.param((2, 1, None, None, "active", None, None, 1), id="nothing where something must be"),
        pytest.param((2, 1, "b", None, "active", 2**63, None, 1), id="more than 64 bits"),
        pytest.param((2, 1, "\ud800", None, "active", None, None, 1), id="half a character"),
    ],
)
def test_a_bad_row_costs_a_savepoint_only(store: Store, bad: tuple[Any, ...]) -> None:
    """A refused row raises one of ROW_ERRORS out of the savepoint; what was before it stays, and the work goes on."""
    with store.begin() as conn:
        bulk.insert_rows(conn, core.link, LINK, [link_row(1, "a")])
        with pytest.raises(bulk.ROW_ERRORS), bulk.savepoint(conn):
            bulk.insert_rows(conn, core.link, LINK, [link_row(5, "e"), bad])
        with pytest.raises(bulk.ROW_ERRORS), bulk.savepoint(conn):
            bulk.upsert_rows(conn, core.link, ("id",), LINK, [bad])
        bulk.upsert_rows(conn, core.link, ("id",), LINK, [link_row(6, "f")])
    with store.read() as conn:
        assert sorted(bulk.find_links(conn, 1, "abef")) == ["a", "f"]


def test_a_number_that_does_not_fit_is_refused(store: Store) -> None:
    """PostgreSQL refuses a sum of 19 digits; neither database stores another number than the one given."""
    columns = order_line_columns()
    row = list(order_line(1, 1))
    row[columns.index("amount")] = 10**18
    with store.begin() as conn:
        try:
            with bulk.savepoint(conn):
                bulk.insert_rows(conn, LINES, columns, [tuple(row)])
        except bulk.ROW_ERRORS:
            return
        assert bulk.fetch_rows(conn, LINES, columns, columns[0], [1]) == [tuple(row)]


def test_a_stage_serves_again_after_a_rollback(store: Store) -> None:
    """The temporary table of an update that was rolled back, table and rows, is in nobody's way later."""
    with store.begin() as conn:
        bulk.insert_rows(conn, core.link, LINK, [link_row(1, "a"), link_row(2, "b")])
    for _ in range(2):
        with undone(store) as conn:
            assert bulk.update_rows(conn, core.link, ("id", "row_hash"), [(1, 7)]) == 1
    with store.begin() as conn:
        assert bulk.update_rows(conn, core.link, ("id", "row_hash"), [(1, 8)]) == 1
        assert bulk.update_rows(conn, core.link, ("id", "row_hash"), [(2, 9)]) == 1
    with store.read() as conn:
        assert bulk.fetch_rows(conn, core.link, ("row_hash",), "id", [1, 2], ("id",)) == [(8,), (9,)]


@pytest.mark.parametrize("store_url", ["postgresql"], indirect=True)
def test_no_page_reads_a_whole_table(store: Store) -> None:
    """Rows are found by index in tables that PostgreSQL knows nothing of yet; other statements are planned as ever."""
    columns = order_line_columns()
    keys = range(1, 3001)
    with store.begin() as conn:
        bulk.insert_rows(conn, core.link, LINK, [link_row(number, f"x{number}") for number in keys])
        bulk.insert_rows(conn, LINES, columns, [order_line(order, number) for order in keys for number in (1, 2)])
    with store.begin() as conn:
        some = range(500, 2500)
        links = [link_row(number, f"x{number}") for number in some]
        bulk.find_links(conn, 1, [row[2] for row in links])
        bulk.fetch_rows(conn, core.link, LINK, "id", some)
        bulk.fetch_rows(conn, LINES, columns, columns[0], some)
        bulk.update_rows(conn, core.link, ("id", "row_hash"), [(number, 1) for number in some])
        assert planned_as_ever(conn)
        bulk.update_rows(conn, LINES, columns, [order_line(number, 1) for number in some])
        bulk.upsert_rows(conn, core.link, ("id",), LINK, links)
        bulk.insert_missing(conn, core.link, ("id",), LINK, links)
        bulk.delete_children(conn, LINES, columns[0], some)
        assert planned_as_ever(conn)
        scans = "SELECT sum(seq_scan) FROM pg_stat_xact_user_tables WHERE relname IN ('link', 'sales_order_line')"
        assert conn.exec_driver_sql(scans).scalar_one() == 0


def planned_as_ever(conn: Connection) -> bool:
    """True when the session's planner may do all it could before."""
    names = ("enable_seqscan", "enable_hashjoin", "enable_mergejoin")
    return all(conn.exec_driver_sql(f"SHOW {name}").scalar_one() == "on" for name in names)


@pytest.mark.parametrize("store_url", ["postgresql"], indirect=True)
def test_ids_are_drawn_one_caller_at_a_time(store: Store) -> None:
    """While one caller is between reading and moving the sequence, another one waits, and then gets other ids."""
    drawn_late: list[range] = []

    def draw() -> None:
        with store.begin() as conn:
            drawn_late.append(bulk.allocate(conn, "link", 5))

    thread = threading.Thread(target=draw)
    with store.read() as conn:
        conn.exec_driver_sql(f"SELECT pg_advisory_lock({bulk_pg._LOCKS['link']})")
        thread.start()
        waiting = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
        until = time.monotonic() + 30
        while not conn.exec_driver_sql(waiting).scalar_one():
            assert time.monotonic() < until, "nobody waits for the lock"
            time.sleep(0.01)
        conn.exec_driver_sql(f"SELECT pg_advisory_unlock({bulk_pg._LOCKS['link']})")
    thread.join(30)
    with store.begin() as conn:
        assert bulk.allocate(conn, "link", 1).start == drawn_late[0].stop


def test_analyze_counts(store: Store, way: ModuleType) -> None:
    """Afterwards the planner's own tables know of our rows."""
    with store.begin() as conn:
        bulk.insert_rows(conn, core.link, LINK, [link_row(number, f"x{number}") for number in range(1, 101)])
        way.analyze(conn)
    sqlite = "SELECT count(*) FROM sqlite_stat1 WHERE tbl = 'link'"
    postgresql = "SELECT count(*) FROM pg_stats WHERE tablename = 'link'"
    with store.read() as conn:
        assert conn.exec_driver_sql(sqlite if store.dialect == "sqlite" else postgresql).scalar_one() > 0
        assert conn.execute(select(func.count()).select_from(core.link)).scalar_one() == 100
