"""The waiting of these tests itself: who works is waited for, who does not is told."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from tests.e2e import site


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """A clock that only sleeping moves."""
    now = [0.0]
    slept = SimpleNamespace(monotonic=lambda: now[0], sleep=lambda seconds: now.__setitem__(0, now[0] + seconds))
    monkeypatch.setattr(site, "time", slept)
    return now


def test_patience_ends_where_nothing_works(clock: list[float]) -> None:
    """Nothing comes and nobody works on it: told after the usual time, with what it was."""
    with pytest.raises(AssertionError, match="not in 150 s: a word"):
        site.until(lambda: "", "a word")


def test_who_works_is_waited_for_but_not_for_ever(clock: list[float]) -> None:
    """Slow and working gets there; what works without an end is told as well, and what stops working at once."""
    assert site.until(lambda: clock[0] >= 300, "slow", going=lambda: True)
    clock[0] = 0.0
    with pytest.raises(AssertionError, match="endless"):
        site.until(lambda: False, "endless", going=lambda: True)
    assert clock[0] >= site.LONGEST
    clock[0] = 0.0
    with pytest.raises(AssertionError, match="given up"):
        site.until(lambda: False, "given up", going=lambda: clock[0] < 200)
    assert clock[0] < 220
