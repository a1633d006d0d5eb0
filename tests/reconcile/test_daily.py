"""Counts and sums by day, against a second read of the source: each kind of difference is told for what it is."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from sqlalchemy import delete

from hub.exchange.replay import Order, chosen, replay
from hub.model.errors import RetryLater
from hub.model.records import Window
from hub.store.quarantined import Choice
from hub.store.tables import ROOTS
from tests.dagster import base as small
from tests.reconcile.conftest import Night

ORDERS = ROOTS["sales_order"]


def test_what_was_just_read_agrees(night: Night) -> None:
    """Six documents, 451.50 in all, in both."""
    found = night.look("daily_totals")
    assert (found.passed, found.code) == (True, "rc_totals_good")
    assert found.numbers["rc_source_documents"] == found.numbers["rc_store_documents"] == 6
    assert found.params["total"] == "451.50"


def test_an_amount_changed_past_the_exchange(night: Night) -> None:
    """The day is named with both sums; no document is missing."""
    night.tamper(ORDERS, total="120.00")
    found = night.look("daily_totals")
    assert (found.passed, found.severity, found.code) == (False, "error", "rc_totals_bad")
    assert (found.params["days"], found.params["since"], found.params["sum"]) == (1, "01.03.2026", "20.00")
    (row,) = found.table
    assert (row["rc_day"], row["rc_source_sum"], row["rc_store_sum"]) == ("2026-03-01", 150.5, 170.5)


def test_a_record_deleted_past_the_exchange(night: Night) -> None:
    """One document fewer on its day."""
    with night.hub.store.begin() as conn:
        first = conn.execute(ORDERS.select().order_by(ORDERS.c.id)).first()
        assert first is not None
        conn.execute(delete(ORDERS).where(ORDERS.c.id == first.id))
    found = night.look("daily_totals")
    assert (found.passed, found.params["number"]) == (False, 1)
    assert found.numbers["rc_difference"] == 1


def test_a_document_the_exchange_never_saw(night: Night) -> None:
    """Compared with the source as it is now, not with what was received."""
    night.base.put(small.ORDERS, small.order(50, "2026-03-02", 10.0))
    found = night.look("daily_totals")
    assert (found.passed, found.params["since"]) == (False, "02.03.2026")
    night.exchange("ut.sales_order")
    assert night.look("daily_totals").passed


def test_a_document_moved_to_another_day(night: Night) -> None:
    """Counts and sums agree in all, but on two days they do not."""
    night.base.put(small.ORDERS, small.order(1, "2026-03-03", 100.0))
    found = night.look("daily_totals")
    assert (found.passed, found.params["days"], found.params["number"]) == (False, 2, 0)


def test_the_day_is_that_of_the_system(night: Night) -> None:
    """A document of half past midnight in Yekaterinburg is still of the day before in UTC: its own day counts."""
    night.base.put(small.ORDERS, small.order(60, "2026-03-02", 7.0) | {"Date": "2026-03-02T00:30:00"})
    night.exchange("ut.sales_order")
    assert night.look("daily_totals").passed


def test_waiting_records_are_told_apart(night: Night) -> None:
    """An order whose client is not here and one in quarantine explain what is missing: amber, not red."""
    night.base.put(small.ORDERS, small.order(70, "2026-03-02", 30.0, client=77))
    night.base.put(small.ORDERS, small.order(71, "2026-03-02", 40.0) | {"Товары": [{"LineNumber": "x"}]})
    night.exchange("ut.sales_order")
    found = night.look("daily_totals")
    assert (found.passed, found.severity, found.code) == (False, "warn", "rc_totals_waiting")
    assert found.params["waiting"] == 2
    night.base.put(small.PARTIES, small.party(77))
    night.base.put(small.ORDERS, small.order(71, "2026-03-02", 40.0))
    night.exchange()
    assert night.look("daily_totals").passed


def test_a_newer_state_in_quarantine_replaces_the_stored_one(night: Night) -> None:
    """The store holds what the order was, the source what it became: the difference is explained."""
    broken = small.order(1, "2026-03-01", 999.0) | {"Товары": [{"LineNumber": "x"}]}
    night.base.put(small.ORDERS, broken)
    night.exchange("ut.sales_order")
    assert night.look("daily_totals").code == "rc_totals_waiting"


def test_a_record_that_a_person_leaves_out_is_no_difference_and_nothing_to_look_at(night: Night) -> None:
    """The order is in the source and not here, and that was decided: green. A real difference beside it is red."""
    night.base.put(small.ORDERS, small.order(71, "2026-03-02", 40.0) | {"Товары": [{"LineNumber": "x"}]})
    night.exchange("ut.sales_order")
    with night.hub.store.read() as conn:
        (order,) = chosen(conn, Choice())
    replay(night.hub, [Order(order.id, "skip")], apply=True, by="анна")
    for _ in range(2):
        found = night.look("daily_totals")
        assert (found.passed, found.code, found.params["waiting"]) == (True, "rc_totals_good", 0)
        night.exchange("ut.sales_order")
    night.tamper(ORDERS, total="120.00")
    assert night.look("daily_totals").code == "rc_totals_bad"


def test_waiting_records_do_not_hide_a_real_difference(night: Night) -> None:
    """With a waiting record around, a wrong sum on another day is still red."""
    night.base.put(small.ORDERS, small.order(70, "2026-03-02", 30.0, client=77))
    night.exchange("ut.sales_order")
    night.tamper(ORDERS, total="120.00")
    assert night.look("daily_totals").code == "rc_totals_bad"


def test_a_backfill_is_checked_for_its_own_days(night: Night) -> None:
    """After a backfill of one day the other days are not asked for."""
    night.backfill(Window(date(2026, 3, 2), date(2026, 3, 3)))
    night.tamper(ORDERS, total="120.00")
    found = night.look("daily_totals")
    assert (found.passed, found.params["documents"]) == (True, 2)
    assert (found.params["start"], found.params["end"]) == ("02.03.2026", "02.03.2026")


def test_old_documents_are_not_read_for_ever(night: Night) -> None:
    """Ten years before the newest document, or earlier than the route's days: not compared, so the cost is bounded."""
    night.base.put(small.ORDERS, small.order(80, "2016-03-01", 1.0))
    assert night.look("daily_totals").passed


def test_documents_of_the_future_are_compared_too(night: Night) -> None:
    """1C lets people date documents ahead: such a document is compared, and it does not hide the days up to now."""
    ahead = datetime.now(UTC).date() + timedelta(days=400)
    night.base.put(small.ORDERS, small.order(81, ahead.isoformat(), 1.0))
    night.base.put(small.ORDERS, small.order(82, datetime.now(UTC).date().isoformat(), 1.0))
    assert night.look("daily_totals").numbers["rc_difference"] == 1
    night.exchange("ut.sales_order")
    found = night.look("daily_totals")
    assert (found.passed, found.numbers["rc_source_documents"]) == (True, 2)


def test_a_source_that_does_not_answer_is_amber(night: Night) -> None:
    """Nothing can be said about the data, and that is what is said, with the source's reason."""
    night.base.fail(RetryLater("onec_down", system="Торговля"))
    found = night.look("daily_totals")
    assert (found.passed, found.severity, found.code) == (False, "warn", "rc_totals_unread")
    assert RetryLater("onec_down", system="Торговля").sentence("ru") in found.text("ru")


def test_documents_the_mapping_passes_over_are_not_missing(night: Night) -> None:
    """A payment between own accounts is skipped by its mapping: compared, counted, and no fault."""
    stream = "Document_ПоступлениеБезналичныхДенежныхСредств"
    own = {"Ref_Key": small.guid(7, 1), "Date": "2026-03-01T10:00:00", "СуммаДокумента": 500.0, "Number": "1"}
    night.base.put(stream, own | {"Posted": True, "DeletionMark": False})
    paid = own | {
        "Ref_Key": small.guid(7, 2),
        "Posted": True,
        "DeletionMark": False,
        "Контрагент_Key": small.guid(1, 1),
    }
    night.base.put(stream, paid)
    night.exchange("ut.payment")
    found = night.look("daily_totals", "ut.payment")
    assert (found.passed, found.code, found.params["number"]) == (True, "rc_totals_skipped", 1)
    night.tamper(ROOTS["payment"], total="1001.00")
    assert night.look("daily_totals", "ut.payment").code == "rc_totals_bad"
