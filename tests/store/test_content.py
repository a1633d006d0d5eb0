"""The fingerprint of the business tables."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from hub.model.entities import ENTITIES
from hub.store import bulk, core
from hub.store.database import Store, open_store
from hub.store.journal import content_hash
from hub.store.tables import CHILDREN, ROOTS, child_columns
from tests.store.rows import add_link, add_system, order_line, order_line_columns

ORDER = ENTITIES["sales_order"]
ORDERS = ROOTS["sales_order"]
COLUMNS = ("id", "number", "date", "posting_state", "party_link_id", "total", "ext", "created_by_run", "updated_by_run")


def fill(store: Store, base: int = 0, order: tuple[int, ...] = (1, 2)) -> None:
    """Two orders with a line each, of one client; surrogate ids begin after ``base``, rows come in this order."""
    with store.begin() as conn:
        add_system(
            conn,
            (base + 1, "Document_ЗаказКлиента"),
            (base + 2, "Catalog_Контрагенты"),
            (base + 3, "Catalog_Номенклатура"),
        )
        add_link(conn, base + 5, "client", base + 50, stream_id=base + 2)
        add_link(conn, base + 7, "product", None, stream_id=base + 3)
        for number in order:
            add_link(conn, base + 10 + number, f"order {number}", base + 100 + number, stream_id=base + 1)
            row: tuple[Any, ...] = (
                f"УТ-{number}",
                "2026-02-03 04:05:06",
                "posted",
                base + 5,
                1000 * number,
                '{"я":1}',
                base,
                base,
            )
            bulk.insert_rows(conn, ORDERS, COLUMNS, [(base + 100 + number, *row)])
            line = order_line(base + 100 + number, 1, product_link=base + 7)
            bulk.insert_rows(conn, CHILDREN["sales_order_line"], order_line_columns(), [line])


def fingerprint(store: Store) -> str:
    """Of all orders."""
    with store.read() as conn:
        return content_hash(conn, ORDER)


def test_both_databases_agree_whatever_the_ids(store: Store, sqlite_template: Path, tmp_path: Path) -> None:
    """The same two orders have one fingerprint on either database, with other ids, and in another order of writing."""
    plain = open_store(f"sqlite:///{shutil.copyfile(sqlite_template, tmp_path / 'plain.db')}")
    fill(plain)
    fill(store, 1000, (2, 1))
    expected = fingerprint(plain)
    plain.close()
    assert fingerprint(store) == expected
    assert expected.endswith("-4")


@pytest.mark.parametrize(
    "change",
    [
        update(ORDERS).where(ORDERS.c.id == 101).values(comment="x"),
        update(ORDERS).where(ORDERS.c.id == 101).values(ext={"я": 2}),
        update(ORDERS).where(ORDERS.c.id == 101).values(record_state="marked"),
        update(ORDERS).where(ORDERS.c.id == 101).values(party_link_id=7),
        update(CHILDREN["sales_order_line"])
        .where(CHILDREN["sales_order_line"].c.sales_order_id == 102)
        .values(line_no=2),
        CHILDREN["sales_order_line"].delete().where(CHILDREN["sales_order_line"].c.sales_order_id == 102),
        update(core.link).where(core.link.c.id == 11).values(external_id="another"),
        update(core.link).where(core.link.c.id == 11).values(record_id=None),
    ],
)
def test_every_change_shows(store: Store, change: Any) -> None:
    """A value, a state, a reference, a line or a link that changed gives another fingerprint."""
    fill(store)
    before = fingerprint(store)
    with store.begin() as conn:
        assert conn.execute(change).rowcount == 1
    assert fingerprint(store) != before


def test_service_columns_do_not_show(store: Store) -> None:
    """Who wrote a row, and how often, says nothing of the business."""
    fill(store)
    before = fingerprint(store)
    with store.begin() as conn:
        conn.execute(update(ORDERS).values(updated_by_run=77, row_version=5))
    assert fingerprint(store) == before


def test_numbers_of_a_set_do_not_show(store: Store) -> None:
    """The values of a set count, not the order in which they happen to be numbered."""
    columns = ("party_id", "seq", *child_columns(ENTITIES["party"].child("party_role")))
    found = []
    for rows in ([(1, 1, "customer"), (1, 2, "supplier")], [(1, 1, "supplier"), (1, 2, "customer")]):
        with store.begin() as conn:
            bulk.delete_children(conn, CHILDREN["party_role"], "party_id", [1])
            bulk.insert_rows(conn, CHILDREN["party_role"], columns, rows)
            found.append(content_hash(conn, ENTITIES["party"]))
    assert found[0] == found[1]
    assert found[0].endswith("-2")
