"""What the journal tells: counters, freshness, volume."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import delete, insert, select, update

from hub.reconcile.history import FRESH_FOR, counters_balance, freshness, volume_as_usual
from hub.reports.facts import read_last
from hub.store import core
from tests.dagster import base as small
from tests.reconcile.conftest import Night


def test_no_exchange_yet_is_no_fault(night: Night) -> None:
    """A route that never ran has nothing to balance."""
    with night.hub.store.begin() as conn:
        conn.execute(delete(core.run_route))
    assert night.look("counters_balance").code == "rc_no_runs"


def test_counters_balance_after_every_kind_of_exchange(night: Night) -> None:
    """Created, parked, released, skipped, quarantined: the sums still agree with the change log."""
    night.base.put(small.ORDERS, small.order(70, "2026-03-02", client=77))
    night.base.put(small.ORDERS, small.order(71, "2026-03-02") | {"Date": "вчера"})
    night.base.put(small.PRODUCTS, small.product(9) | {"IsFolder": True})
    night.exchange()
    night.base.put(small.PARTIES, small.party(77))
    night.exchange()
    for code in night.hub.routes:
        found = night.look("counters_balance", code)
        assert found.passed, found.text("en")


def test_an_insertion_missing_from_the_change_log(night: Night) -> None:
    """Six said to be created, five in the log."""
    log = core.change_log
    with night.hub.store.begin() as conn:
        first = conn.execute(select(log.c.id).where(log.c.entity == "sales_order").order_by(log.c.id)).first()
        assert first is not None
        conn.execute(delete(log).where(log.c.id == first.id))
    found = night.look("counters_balance")
    assert (found.passed, found.severity, found.params["number"]) == (False, "error", 1)
    assert (found.numbers["rc_created"], found.numbers["rc_inserted"]) == (6, 5)


def test_skips_without_a_reason(night: Night) -> None:
    """An earlier run whose reasons do not make up its skips is found, with its number and time."""
    night.base.put(small.PRODUCTS, small.product(9) | {"IsFolder": True})
    night.exchange("ut.product")
    part = core.run_route
    with night.hub.store.begin() as conn:
        conn.execute(update(part).where(part.c.skipped > 0).values(skipped_by={}))
    night.exchange("ut.party")
    found = night.look("counters_balance", "ut.product")
    assert (found.passed, found.params["number"], found.params["run"]) == (False, 1, 2)
    assert found.params["since"]


@pytest.mark.parametrize(("age", "passed"), [(timedelta(minutes=-1), True), (timedelta(minutes=1), False)])
def test_freshness_counts_from_the_last_good_end(night: Night, age: timedelta, passed: bool) -> None:
    """Just within and just beyond the limit; an exchange that failed since does not refresh anything."""
    now = datetime.now(UTC)
    part = core.run_route
    with night.hub.store.begin() as conn:
        conn.execute(update(part).values(ended_at=now - FRESH_FOR - age))
        conn.execute(insert(core.exchange_run).values(**run_values(now, "failed")))
        conn.execute(
            insert(part).values(run_id=2, route_id=night.route().id, state="failed", started_at=now, ended_at=now)
        )
    found = freshness(night.hub, night.route(), now)
    assert (found.passed, found.numbers["rc_hours"]) == (passed, 26.0)


def test_a_replay_refreshes_nothing(night: Night) -> None:
    """Kept records were replayed this minute, but the base was last read long ago: stale, in check and summary."""
    now = datetime.now(UTC)
    part = core.run_route
    with night.hub.store.begin() as conn:
        conn.execute(update(part).values(ended_at=now - FRESH_FOR - timedelta(minutes=1)))
        conn.execute(insert(core.exchange_run).values(**run_values(now, mode="replay")))
        conn.execute(
            insert(part).values(run_id=2, route_id=night.route().id, state="completed", started_at=now, ended_at=now)
        )
    assert not freshness(night.hub, night.route(), now).passed
    with night.hub.store.read() as conn:
        assert now - read_last(conn)["ut"] > FRESH_FOR


def test_never_exchanged_well(night: Night) -> None:
    """Only failures: said so."""
    with night.hub.store.begin() as conn:
        conn.execute(update(core.run_route).values(state="failed"))
    assert night.look("freshness").code == "rc_freshness_never"


def run_values(at: datetime, state: str = "completed", mode: str = "nightly") -> dict[str, object]:
    """A row of exchange_run."""
    return {
        "mode": mode, "initiator": "test", "state": state, "started_at": at, "ended_at": at, "silent": False,
        "host": "h", "pid": 1, "code_version": "0", "planned": [],
    }  # fmt: skip


def add_runs(night: Night, *received: int, mode: str = "nightly", state: str = "completed") -> None:
    """Ended runs of the orders' route that received so many unchanged records."""
    at = datetime(2026, 3, 10, tzinfo=UTC)
    with night.hub.store.begin() as conn:
        for number in received:
            new = insert(core.exchange_run).values(**run_values(at, mode=mode)).returning(core.exchange_run.c.id)
            run = conn.execute(new).scalar_one()
            conn.execute(
                insert(core.run_route).values(
                    run_id=run,
                    route_id=night.route().id,
                    state=state,
                    started_at=at,
                    ended_at=at,
                    received=number,
                    unchanged=number,
                    skipped_by={},
                )
            )


def test_too_few_runs_say_nothing(night: Night) -> None:
    """A drop to nothing after two runs may be anything."""
    add_runs(night, 100, 0)
    assert night.look("volume_as_usual").code == "rc_volume_few"


@pytest.mark.parametrize(
    ("last", "passed"), [(1000, True), (501, True), (499, False), (2000, True), (2001, False), (0, False)]
)
def test_volume_is_compared_with_the_median(night: Night, last: int, passed: bool) -> None:
    """Half to double of the median, which one odd night does not move."""
    add_runs(night, 1000, 1000, 9000, 1000, 1000, 1000, 1000, last)
    found = night.look("volume_as_usual")
    assert (found.passed, found.severity, found.numbers["rc_usual"]) == (passed, "warn", 1000.0)


def test_small_lists_may_vary(night: Night) -> None:
    """Five records instead of one are no news."""
    add_runs(night, 1, 1, 1, 1, 5)
    assert night.look("volume_as_usual").passed


def test_backfills_and_failures_are_not_compared(night: Night) -> None:
    """A backfill of one day and a run that broke off bring little, and neither is the usual volume nor against it."""
    add_runs(night, 1000, 1000, 1000, 1000)
    add_runs(night, 3, mode="backfill")
    add_runs(night, 5, state="failed")
    found = night.look("volume_as_usual")
    assert (found.passed, found.params["received"]) == (True, 1000)


def test_only_the_last_fourteen_are_usual(night: Night) -> None:
    """What was usual a month ago is not any more."""
    add_runs(night, *[10_000] * 20, *[1000] * 14, 1100)
    assert night.look("volume_as_usual").numbers["rc_usual"] == 1000.0


def test_the_checks_are_the_ones_that_are_looked_at(night: Night) -> None:
    """The registry leads to these functions."""
    assert counters_balance(night.hub, night.route()) == night.look("counters_balance")
    assert volume_as_usual(night.hub, night.route()) == night.look("volume_as_usual")
