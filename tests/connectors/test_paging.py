from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from connectors.onec_odata.answers import Asked
from connectors.onec_odata.paging import OVERLAP, PROBE, STEPS_BACK, TAIL, Seam, Sizer, Stuck
from connectors.onec_odata.rows import key_reader
from hub.model.errors import StopRoute

KEY = key_reader(["k"], Asked("УТ", "X"))


def raw(key: int) -> msgspec.Raw:
    """A record as it comes."""
    return msgspec.Raw(json.dumps({"k": f"{key:06d}", "v": "…"}).encode())


def walk(base: list[int], size: int, meddle: Callable[[int], None], seam: Seam | None = None) -> Iterator[list[int]]:
    """Read ``base`` to its end in pages of ``size``; ``meddle`` changes it after each request."""
    seam = seam or Seam()
    for turn in range(10_000):
        start = seam.start(size)
        rows = [raw(key) for key in base[start : start + size]]
        fresh = seam.accept(start, rows, KEY)
        meddle(turn)
        if fresh is not None:
            yield [int(KEY(item)[0]) for item in fresh]
            if len(rows) < size:
                return
    raise AssertionError("the walk does not end")


def quiet(turn: int) -> None:
    """Nobody works."""


@given(st.integers(0, 300), st.integers(1, 60))
def test_a_quiet_base_is_read_once_and_in_order(total: int, size: int) -> None:
    """Without changes every record comes exactly once, in the base's order, whatever the size of pages."""
    pages = list(walk(list(range(total)), size, quiet))
    assert [key for page in pages for key in page] == list(range(total))


Edit = tuple[int, bool, int]


@settings(max_examples=150)
@given(
    st.integers(2, 40),
    st.lists(st.tuples(st.integers(0, 12), st.booleans(), st.integers(0, 400)), max_size=60),
)
@example(5, [(1, True, 0)] * 40)
@example(30, [(2, False, 0)] * 60)
def test_nothing_is_lost_while_people_write(size: int, edits: list[Edit]) -> None:
    """Whatever is deleted or inserted between two pages, every record that stood there all the time is delivered."""
    base = list(range(0, 400, 2))
    steady = set(base)
    spare = iter(range(100_000, 200_000))

    def meddle(turn: int) -> None:
        for _, delete, place in (edit for edit in edits if edit[0] == turn):
            if delete and base:
                steady.discard(base.pop(place % len(base)))
            elif not delete:
                base.insert(place % (len(base) + 1), next(spare))

    got = {key for page in walk(base, size, meddle) for key in page}
    assert steady <= got


@pytest.mark.parametrize("gone", [1, OVERLAP, OVERLAP + 1, 55, 90, 300])
def test_a_shift_of_any_length_is_noticed(gone: int) -> None:
    """So many records deleted behind us at once: the walk steps back and goes on without a hole."""
    base = list(range(1000))

    def meddle(turn: int) -> None:
        if turn == 6:
            del base[:gone]

    got = [key for page in walk(base, 50, meddle) for key in page]
    assert set(got) >= set(range(gone, 1000))
    assert got[-1] == 999


def test_after_a_long_search_the_set_is_read_again_once() -> None:
    """When the last page is nowhere to be found the walk begins anew, and only once, so it always ends."""
    base = list(range(2000))

    def meddle(turn: int) -> None:
        if turn % 15 == 14:
            base[:] = [key + 10_000 for key in base]

    got = [key for page in walk(base, 50, meddle) for key in page]
    assert len(got) < 3 * 2000
    assert STEPS_BACK > 0


def test_repeats_are_dropped_even_between_new_records() -> None:
    """Records inserted into the overlap come through, the known ones around them do not."""
    seam = Seam()
    seam.accept(0, [raw(n) for n in (10, 20, 30, 40)], KEY)
    fresh = seam.accept(2, [raw(n) for n in (25, 30, 35, 40, 50)], KEY)
    assert [int(KEY(item)[0]) for item in fresh or []] == [25, 35, 50]


def test_a_reader_goes_on_where_another_stopped() -> None:
    """A position is small, survives JSON, and brings a new process to exactly the next record."""
    base = list(range(500))
    seam = Seam()
    pages = walk(base, 50, quiet, seam)
    first = [key for _ in range(4) for key in next(pages)]
    position = json.loads(json.dumps(seam.position))
    assert len(position["tail"]) <= OVERLAP < TAIL
    rest = [key for page in walk(base, 50, quiet, Seam.resume(position)) for key in page]
    assert first + rest == base


def test_a_position_beyond_the_end_finds_its_way_back() -> None:
    """Half of the base was deleted before the resume: nothing of the rest is lost."""
    base = list(range(500))
    seam = Seam()
    pages = walk(base, 50, quiet, seam)
    for _ in range(9):
        next(pages)
    del base[:250]
    rest = [key for page in walk(base, 50, quiet, Seam.resume(seam.position)) for key in page]
    assert {498, 499} <= set(rest)
    assert set(range(seam.done, 500)) <= set(rest)


@pytest.mark.parametrize("resumed", [False, True])
def test_a_server_that_ignores_skip_is_found_out(resumed: bool) -> None:
    """The same records for another ``$skip`` end the walk, from the start and after a resume."""
    seam = Seam(1000, [("000999",)]) if resumed else Seam()
    page = [raw(n) for n in range(990, 1040)]

    def read() -> None:
        for _ in range(6):
            seam.accept(seam.start(50), page, KEY)

    with pytest.raises(Stuck):
        read()


def test_a_record_without_its_key_is_named() -> None:
    """Records that lack the key end the route with the names of the fields."""
    with pytest.raises(StopRoute) as error:
        KEY(msgspec.Raw(b'{"other": 1}'))
    assert (error.value.code, error.value.params["field"]) == ("key_missing", "k")


def test_pages_grow_and_shrink_with_the_weight_of_records() -> None:
    """A probe first, then as many as weigh the target, growing eightfold at most; halves stay halves."""
    sizer = Sizer(1000, 8_000_000)
    assert sizer.size == PROBE
    sizer.learn(PROBE, PROBE * 1000)
    assert sizer.size == 400
    sizer.learn(400, 400 * 1000)
    assert sizer.size == 1000
    sizer.learn(1000, 80_000_000)
    assert sizer.size == 100
    assert sizer.halve()
    sizer.learn(50, 50)
    assert sizer.size == 50
    sizer.learn(0, 0)
    assert sizer.size == 50


def test_one_record_cannot_be_halved() -> None:
    """Halving ends at one, and says so."""
    sizer = Sizer(3, 100)
    assert [sizer.halve(), sizer.size, sizer.halve()] == [True, 1, False]
