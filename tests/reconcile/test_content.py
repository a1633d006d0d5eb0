"""Records against themselves, and what has not come through."""

from __future__ import annotations

from decimal import Decimal

import pytest
from sqlalchemy import select

from hub.reconcile.rows import route_rows, table_rows
from hub.store import core
from hub.store.tables import CHILDREN
from tests.dagster import base as small
from tests.reconcile.conftest import Night

LINES = CHILDREN["sales_order_line"]


def test_lines_add_up(night: Night) -> None:
    """All six orders are looked at and none is off."""
    found = night.look("line_sums")
    assert (found.passed, found.numbers["rc_documents"], found.numbers["rc_wrong"]) == (True, 6, 0)


def test_a_line_changed_past_the_exchange(night: Night) -> None:
    """The document is counted, with the difference and its date."""
    night.tamper(LINES, amount="60.00")
    found = night.look("line_sums")
    assert (found.passed, found.severity, found.numbers["rc_wrong"]) == (False, "warn", 1)
    assert found.numbers["rc_worst"] == 40.0
    assert found.params["since"] == "01.03.2026 10:00"


@pytest.mark.parametrize(("amount", "passed"), [(99.99, True), (99.98, False), (100.01, True), (100.02, False)])
def test_a_kopeck_per_line_is_rounding(night: Night, amount: float, passed: bool) -> None:
    """One line: one kopeck either way."""
    night.base.put(small.ORDERS, small.order(1, "2026-03-01", 100.0, amount=amount))
    night.exchange("ut.sales_order")
    assert night.look("line_sums").passed is passed


def lines(*parts: tuple[float, float, bool]) -> list[dict[str, object]]:
    """Lines of (amount, VAT, cancelled)."""
    return [
        {
            "LineNumber": str(number),
            "Номенклатура_Key": small.guid(2, 1),
            "Количество": 1,
            "Цена": amount,
            "Сумма": amount,
            "СуммаНДС": vat,
            "Отменено": cancelled,
        }
        for number, (amount, vat, cancelled) in enumerate(parts, 1)
    ]


@pytest.mark.parametrize(
    ("total", "included", "parts", "passed"),
    [
        (120.0, False, [(100.0, 20.0, False)], True),
        (120.0, True, [(100.0, 20.0, False)], False),
        (100.0, True, [(100.0, 20.0, False), (50.0, 0.0, True)], True),
        (150.0, True, [(100.0, 20.0, False), (50.0, 0.0, True)], False),
    ],
    ids=["VAT on top", "VAT twice", "cancelled line is out", "cancelled line in"],
)
def test_totals_are_made_as_1c_makes_them(
    night: Night, total: float, included: bool, parts: list[tuple[float, float, bool]], passed: bool
) -> None:
    """VAT comes on top unless it is in the price; cancelled lines stay in the document and out of its total."""
    order = small.order(1, "2026-03-01", total) | {"ЦенаВключаетНДС": included, "Товары": lines(*parts)}
    night.base.put(small.ORDERS, order)
    night.exchange("ut.sales_order")
    with night.hub.store.read() as conn:
        assert len(conn.execute(select(LINES).where(LINES.c.amount != 0)).all()) >= len(parts)
    assert night.look("line_sums").passed is passed


def test_wrong_identifiers_are_a_share(night: Night) -> None:
    """One of four is wrong: told by kind, no value shown."""
    night.base.put(small.PARTIES, small.party(4, inn="7707083890"))
    night.exchange("ut.party")
    found = night.look("identifier_digits", "ut.party")
    assert (found.passed, found.severity) == (False, "warn")
    assert found.numbers == {"rc_identifiers": 4, "rc_wrong": 1, "rc_share": 25.0}
    assert found.table == ({"rc_scheme": "inn", "rc_number": 4, "rc_wrong": 1},)
    assert "7707083890" not in str(found)


def test_few_wrong_identifiers_are_no_news(night: Night) -> None:
    """One in two hundred is below the limit, and is still counted."""
    for number in range(10, 210):
        night.base.put(small.PARTIES, small.party(number))
    night.base.put(small.PARTIES, small.party(4, inn="7707083890"))
    night.exchange("ut.party")
    found = night.look("identifier_digits", "ut.party")
    assert (found.passed, found.numbers["rc_wrong"]) == (True, 1)


def test_a_late_reference_is_told_on_both_sides(night: Night) -> None:
    """The client is referred to and not here; the order waits for it; afterwards both are quiet."""
    night.base.put(small.ORDERS, small.order(70, "2026-03-02", client=77))
    night.exchange("ut.sales_order")
    waiting, missing = night.look("references_late"), night.look("references_late", "ut.party")
    assert (waiting.passed, waiting.numbers) == (False, {"rc_expected": 0, "rc_parked": 1})
    assert (missing.passed, missing.numbers) == (False, {"rc_expected": 1, "rc_parked": 0})
    assert missing.table == ({"rc_stream": small.PARTIES, "rc_number": 1},)
    night.base.put(small.PARTIES, small.party(77))
    night.exchange()
    assert night.look("references_late").passed
    assert night.look("references_late", "ut.party").passed


def test_quarantine_is_counted_by_reason(night: Night) -> None:
    """Two reasons, three records, since when and how often tried; resolved ones do not count."""
    night.base.put(small.ORDERS, small.order(71, "2026-03-02") | {"Date": "вчера"})
    night.base.put(small.ORDERS, small.order(72, "2026-03-02") | {"Date": "завтра"})
    night.base.put(small.ORDERS, small.order(73, "2026-03-02") | {"Товары": [{"LineNumber": "x"}]})
    night.exchange("ut.sales_order")
    found = night.look("quarantine_empty")
    assert (found.passed, found.severity, found.params["number"]) == (False, "warn", 3)
    assert [row["rc_number"] for row in found.table] == [2, 1]
    assert found.table[0]["rc_reason"] == "bad_date"
    for number in (71, 72, 73):
        night.base.put(small.ORDERS, small.order(number, "2026-03-02"))
    night.exchange("ut.sales_order")
    assert night.look("quarantine_empty").passed


def test_payments_may_be_partly_allocated(night: Night) -> None:
    """Allocations below the payment are advance; above it they are wrong."""
    stream = "Document_ПоступлениеБезналичныхДенежныхСредств"
    payment = {
        "Ref_Key": small.guid(7, 1), "Number": "1", "Date": "2026-03-01T10:00:00", "СуммаДокумента": 100.0,
        "Posted": True, "DeletionMark": False, "Контрагент_Key": small.guid(1, 1),
        "РасшифровкаПлатежа": [{"LineNumber": "1", "Сумма": 60.0}],
    }  # fmt: skip
    night.base.put(stream, payment)
    night.exchange("ut.payment")
    assert night.look("line_sums", "ut.payment").numbers["rc_documents"] == 1
    assert night.look("line_sums", "ut.payment").passed
    night.tamper(CHILDREN["payment_allocation"], amount=Decimal("160.00"))
    assert not night.look("line_sums", "ut.payment").passed


def test_records_of_the_store_are_counted(night: Night) -> None:
    """Rows of a route are those of its system's links that have a record."""
    assert route_rows(night.hub, night.route()) == table_rows(night.hub, night.route().entity) == 6
    night.base.put(small.ORDERS, small.order(70, "2026-03-02", client=77))
    night.exchange("ut.sales_order")
    assert route_rows(night.hub, night.route("ut.party")) == 3
    with night.hub.store.read() as conn:
        expected = conn.execute(select(core.link).where(core.link.c.record_id.is_(None))).all()
    assert len(expected) >= 1
