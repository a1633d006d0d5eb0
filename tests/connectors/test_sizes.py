from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.onec_odata.sizes import PROBE, Sizer


def read(sizer: Sizer, can: int, pages: int, each: int = 10, seconds: float = 0.0) -> list[tuple[int, bool]]:
    """So many pages of a base that can make ``can`` records at once: sizes asked for, and whether they came."""
    asked = []
    while pages:
        size = sizer.size
        asked.append((size, size <= can))
        if size <= can:
            sizer.learn(size, size * each, seconds * size)
            pages -= 1
        else:
            assert sizer.halve()
    return asked


def test_pages_follow_the_weight_of_records() -> None:
    """A probe first, then as many as weigh the target, growing eightfold at most."""
    sizer = Sizer(1000, 8_000_000)
    assert 20 <= sizer.size == PROBE <= 50
    sizer.learn(PROBE, PROBE * 1000)
    assert sizer.size == 400
    sizer.learn(400, 400 * 1000)
    assert sizer.size == 1000
    sizer.learn(1000, 80_000_000)
    assert sizer.size == 100
    sizer.learn(0, 0)
    assert sizer.size == 100


def test_a_page_that_took_too_long_is_halved() -> None:
    """Slow is as bad as heavy: half of the time is left for fatter records, and past the time there is half a page."""
    sizer = Sizer(1000, 8_000_000, seconds=10.0)
    sizer.learn(50, 50, seconds=2.0)
    assert sizer.size == 125
    sizer.learn(125, 125, seconds=6.0)
    assert sizer.size == 125
    sizer.learn(125, 125, seconds=11.0)
    assert sizer.size == 62


def test_a_slow_base_settles_at_what_it_can_do_in_time() -> None:
    """A tenth of a second per record: pages stay near half of the time allowed, and never pass it again."""
    sizes = [size for size, _ in read(Sizer(1000, 8_000_000, seconds=10.0), 1000, 50, seconds=0.1)]
    assert sizes[:3] == [50, 50, 50]


@pytest.mark.parametrize("can", [1, 2, 7, 30, 49, 100, 999])
def test_a_ceiling_is_found_and_remembered(can: int) -> None:
    """Whatever a base can do, the walk ends up near it and asks for too much ever more rarely."""
    asked = read(Sizer(1000, 8_000_000), can, 400)
    late = asked[len(asked) // 2 :]
    assert sum(not came for _, came in late) <= 4
    assert max(size for size, came in late if came) >= max(1, can * 3 // 4)
    assert sum(size for size, came in late if came) >= len(late) * can * 0.7 * 0.9


def test_a_base_that_recovers_is_read_in_full_pages_again() -> None:
    """Short of memory for an hour, not for ever: after some good pages the size is what it was."""
    sizer = Sizer(1000, 8_000_000)
    read(sizer, 1000, 5)
    assert sizer.size == 1000
    read(sizer, 40, 20)
    assert sizer.size < 50
    read(sizer, 1000, 100)
    assert sizer.size == 1000


def test_one_fat_record_costs_a_few_small_pages() -> None:
    """A document that only comes alone is passed, and a dozen pages later the size is as before."""
    sizer = Sizer(1000, 8_000_000)
    read(sizer, 1000, 3)
    read(sizer, 1, 1)
    read(sizer, 1000, 25)
    assert sizer.size == 1000


def test_one_record_cannot_be_halved() -> None:
    """Halving ends at one, and says so."""
    sizer = Sizer(3, 100)
    assert [sizer.halve(), sizer.size, sizer.halve()] == [True, 1, False]


@settings(max_examples=200)
@given(st.integers(1, 2000), st.lists(st.tuples(st.integers(0, 9), st.integers(1, 10**7), st.floats(0, 100))))
def test_the_size_stays_within_its_bounds(most: int, pages: list[tuple[int, int, float]]) -> None:
    """From one to the most allowed, whatever comes back."""
    sizer = Sizer(most, 1_000_000)
    for luck, nbytes, seconds in pages:
        if luck == 0:
            sizer.halve()
        else:
            sizer.learn(sizer.size * luck // 9, nbytes, seconds)
        assert 1 <= sizer.size <= most
