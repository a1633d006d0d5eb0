"""A CRM's own database takes part in the exchange like any other system: nights, changes, deletions, the check."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from hub.exchange.check import check_system
from hub.exchange.hub import Hub
from hub.exchange.service import exchange_changes, run_exchange
from hub.model.settings import RouteSettings, SystemSettings
from hub.store import core, tables
from hub.store.database import Store
from stand.crm import build_crm
from tests.exchange.installation import make_hub

Sql = Callable[..., list[tuple[Any, ...]]]


@pytest.fixture
def crm(tmp_path: Path) -> Sql:
    """The CRM's own program: executes a statement in its database."""
    path = tmp_path / "crm.db"
    build_crm(path)

    def execute(statement: str, *values: Any) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(path)) as conn, conn:
            return conn.execute(statement, values).fetchall()

    return execute


def open_hub(store: Store, home: Path, **more: Any) -> Hub:
    """A hub whose one system is that CRM."""
    told = {"kind": "sql", "timezone": "Europe/Moscow", "profile": "crm_sql", "url": f"sqlite:///{home}/crm.db"}
    routes = {"crm.task": RouteSettings("crm.task", **more)} if more else {}
    return make_hub(store, home, systems={"crm": SystemSettings(code="crm", **told)}, routes=routes)  # type: ignore[arg-type]


@pytest.fixture
def hub(store: Store, tmp_path: Path, crm: Sql) -> Iterator[Hub]:
    """That hub, on each store."""
    made = open_hub(store, tmp_path)
    yield made
    made.close()


def counted(store: Store, entity: str) -> int:
    """How many records of an entity the store holds."""
    with store.read() as conn:
        return int(conn.execute(select(func.count()).select_from(tables.ROOTS[entity])).scalar_one())


def test_a_night_brings_everything_and_the_next_changes_nothing(hub: Hub, store: Store, crm: Sql) -> None:
    """Everything arrives, nothing waits or is refused; a second night finds it all unchanged and writes nothing."""
    first = run_exchange(hub)
    assert (first.state, first.exit_code) == ("completed", 0), [r.error for r in first.routes]
    (expected,) = crm(
        "SELECT (SELECT count(*) FROM clients) + (SELECT count(*) FROM users) + (SELECT count(*) FROM contact_persons),"
        " (SELECT count(*) FROM orders), (SELECT count(*) FROM products), (SELECT count(*) FROM tasks)"
    )
    assert tuple(counted(store, name) for name in ("party", "sales_order", "product", "task")) == expected
    with store.read() as conn:
        waits = [conn.execute(select(func.count()).select_from(t)).scalar_one() for t in (core.parked, core.quarantine)]
    assert waits == [0, 0]
    again = run_exchange(hub)
    assert all(r.counters.received == r.counters.unchanged for r in again.routes)
    assert sum(r.writes for r in again.routes) == 0


def test_changes_are_taken_by_updated_at(hub: Hub, store: Store, crm: Sql) -> None:
    """A saved card and a new line of an order come with the next run of changes, and hardly anything besides."""
    run_exchange(hub)
    (client,), (order,) = crm("SELECT id FROM clients LIMIT 1"), crm("SELECT id FROM orders LIMIT 1")
    now = "datetime('now', '+3 hours')"
    crm(f"UPDATE clients SET comment = 'Новый комментарий', updated_at = {now} WHERE id = ?", *client)
    crm("INSERT INTO order_lines (order_id, line_no, product_id, qty, amount) VALUES (?, 99, 1, 1, 5)", *order)
    crm(f"UPDATE orders SET updated_at = {now} WHERE id = ?", *order)
    report = exchange_changes(hub)
    told = {r.route: r.counters for r in report.routes}
    assert (told["crm.party"].updated, told["crm.sales_order"].updated) == (1, 1)
    assert told["crm.party"].received < 5
    with store.read() as conn:
        comment = conn.execute(
            select(tables.ROOTS["party"].c.comment).where(tables.ROOTS["party"].c.comment.like("Новый%"))
        )
        assert comment.scalar_one() == "Новый комментарий"


def test_a_mark_and_a_deletion(hub: Hub, store: Store, crm: Sql) -> None:
    """A flag marks the record; a row that is gone is deleted here once all keys were compared, and not before."""
    run_exchange(hub)
    crm("UPDATE tasks SET is_deleted = 1 WHERE id = (SELECT min(id) FROM tasks)")
    crm("DELETE FROM tasks WHERE id = (SELECT max(id) FROM tasks)")
    exchange_changes(hub)
    states = select(tables.ROOTS["task"].c.record_state, func.count()).group_by(tables.ROOTS["task"].c.record_state)
    with store.read() as conn:
        assert {row[0]: row[1] for row in conn.execute(states)} == {"active": 20}
    run_exchange(hub)
    with store.read() as conn:
        assert {row[0]: row[1] for row in conn.execute(states)} == {"active": 18, "marked": 1, "deleted": 1}


def test_an_edit_that_is_taken_back_is_no_base_that_went_back(store: Store, tmp_path: Path, crm: Sql) -> None:
    """A hash of the content returns with the content: the system goes on, where 1C's versions would be evidence."""
    for title in ("Другое дело", "Как было", "Другое дело", "Как было"):
        crm("UPDATE tasks SET title = ? WHERE id = (SELECT min(id) FROM tasks)", title)
        with open_hub(store, tmp_path) as hub:
            report = run_exchange(hub, ["crm.task"])
            assert report.routes[0].error is None


def test_the_check_holds_the_mappings_against_the_tables(hub: Hub, crm: Sql) -> None:
    """Reachable, six mappings that fit; a column that was renamed pauses its mapping and names itself."""
    result = check_system(hub, "crm")
    assert (result.report.reachable, result.problems, result.paused, result.mappings) == (True, [], {}, 6)
    assert result.report.product.startswith("SQLite 3")
    assert result.report.streams == 9


def test_a_renamed_column_pauses_its_mapping(store: Store, tmp_path: Path, crm: Sql) -> None:
    """The CRM was upgraded: the mapping that needs the column waits and says so, the others run."""
    crm("ALTER TABLE tasks RENAME COLUMN title TO subject")
    with open_hub(store, tmp_path) as hub:
        result = check_system(hub, "crm")
        ((name, problems),) = result.paused.items()
        assert (name, problems[0].code, problems[0].params["source"]) == ("task", "mapping_field_missing", "title")
        report = run_exchange(hub)
        paused = {r.route: r.paused for r in report.routes if r.paused}
        assert set(paused) == {"crm.task"}
        assert next(r for r in report.routes if r.route == "crm.party").counters.created == 81
