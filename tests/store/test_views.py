"""What a reader with a BI tool sees."""

from __future__ import annotations

from decimal import Decimal

from sqlalchemy import insert

from hub.store import core
from hub.store.database import Store
from tests.store.rows import NOW, add_link, add_order, add_system


def fill(store: Store) -> None:
    """Order 100 of client 50 (link 5), whose product (link 7) has not come yet."""
    with store.begin() as conn:
        add_system(conn, (1, "Catalog_Контрагенты"), (2, "Catalog_Номенклатура"))
        add_link(conn, 5, "client", 50)
        add_link(conn, 7, "product", None, stream_id=2)
        add_order(conn)


def test_references_are_records_and_money_is_money(store: Store) -> None:
    """A reference reads as the record's id, an expected one as NULL, hundredths as roubles with a point."""
    fill(store)
    with store.read() as conn:
        order = conn.exec_driver_sql("SELECT number, party_id, own_org_id, total FROM v_sales_order").one()
        assert order[:3] == ("УТ-1", 50, None)
        assert Decimal(str(order[3])) == Decimal("461111.90")
        line = conn.exec_driver_sql(
            "SELECT sales_order_id, line_no, product_id, qty, amount FROM v_sales_order_line"
        ).one()
        assert line[:3] == (100, 1, None)
        assert [Decimal(str(number)) for number in line[3:]] == [Decimal("1.5"), Decimal("461111.90")]


def test_readers_follow_a_merge_and_its_undoing(store: Store) -> None:
    """After a merge the order belongs to the record that stands for both; taking it back restores the reader's view."""
    fill(store)
    with store.begin() as conn:
        conn.execute(insert(core.redirect).values(from_record_id=50, to_record_id=60, entity="party", at=NOW))
        assert conn.exec_driver_sql("SELECT party_id FROM v_sales_order").scalar_one() == 60
        conn.execute(core.redirect.delete())
        assert conn.exec_driver_sql("SELECT party_id FROM v_sales_order").scalar_one() == 50
