"""How a stream is read is chosen by what is offered and what is asked for; the choice is a pure function."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import product

import pytest

from hub.exchange.ways import Offer, Read, sweep_due, way_of

ALL = Offer(plain=True, feed=True, modified=True, dated=True, versions=True)
READS: tuple[Read, ...] = ("auto", "feed", "modified", "window", "full")


@pytest.mark.parametrize(
    ("offer", "way"),
    [
        (ALL, "feed"),
        (Offer(modified=True, dated=True, versions=True), "modified"),
        (Offer(dated=True, versions=True), "versions"),
        (Offer(dated=True), "days"),
        (Offer(versions=True), "later"),
        (Offer(plain=False, feed=True), "later"),
    ],
)
def test_changes_come_in_the_cheapest_way_offered(offer: Offer, way: str) -> None:
    """Feed before "changed at" before a window of versions; what offers nothing is left to sweep and night."""
    assert way_of("auto", offer, changes=True, known=True) == way


@pytest.mark.parametrize(
    ("read", "exchange", "changes"),
    [
        ("auto", "whole", "feed"),
        ("feed", "feed", "feed"),
        ("modified", "modified", "modified"),
        ("window", "days", "versions"),
        ("full", "whole", "whole"),
    ],
)
def test_a_route_is_read_as_it_is_set(read: Read, exchange: str, changes: str) -> None:
    """The table of docs/settings.md: where all ways are offered, the setting decides."""
    assert way_of(read, ALL, changes=False, known=True) == exchange
    assert way_of(read, ALL, changes=True, known=True) == changes


def test_what_is_not_known_yet_is_read_whole_first() -> None:
    """A new stream, or one whose mapping changed, is read whole whatever way is set, but for windows."""
    for read, changes in product(READS, (False, True)):
        way = way_of(read, ALL, changes=changes, known=False)
        assert way == ("whole" if read != "window" else "versions" if changes else "days")


def test_a_way_that_is_not_offered_gives_way_to_the_next() -> None:
    """A route set to "modified" whose stream has no such field still gets its changes."""
    assert way_of("modified", Offer(dated=True, versions=True), changes=True, known=True) == "versions"
    assert way_of("modified", Offer(versions=True), changes=False, known=True) == "whole"
    assert way_of("feed", Offer(modified=True), changes=True, known=True) == "modified"


@pytest.mark.parametrize(
    ("setting", "dated", "hours", "due"),
    [
        (None, False, 19, True),
        (None, False, 17, False),
        (None, True, 19, False),
        (None, True, 24 * 7, True),
        ("never", False, 24 * 365, False),
        ("nightly", True, 19, True),
        ("weekly", False, 24 * 7, True),
    ],
)
def test_sweeps_are_due_by_the_setting(setting: str | None, dated: bool, hours: int, due: bool) -> None:
    """Catalogs are swept each night and documents each week unless the route says otherwise."""
    now = datetime(2026, 11, 26, 2, 15, tzinfo=UTC)
    assert sweep_due(setting, dated=dated, last=now - timedelta(hours=hours), now=now) is due  # type: ignore[arg-type]


def test_no_sweep_before_the_first_whole_read() -> None:
    """There is nothing to be missing yet."""
    assert not sweep_due(None, dated=False, last=None, now=datetime(2026, 11, 26, tzinfo=UTC))
