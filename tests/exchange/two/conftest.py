"""Nights of tests follow each other within a second; what came later is told by a clock that moves with each look."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.exchange.two.clock import Clock, ticking

#: These have a clock of their own, or processes that look at the real one.
_OWN_TIME = ("test_killed", "test_machine", "test_rest", "test_kinds", "test_crm_beside")


@pytest.fixture(autouse=True)
def clock(request: pytest.FixtureRequest) -> Iterator[Clock | None]:
    """The clock of the test, where it has none of its own."""
    if request.module.__name__.rpartition(".")[2] in _OWN_TIME:
        yield None
        return
    with ticking(Clock()) as moving:
        yield moving
