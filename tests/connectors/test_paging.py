from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from connectors.onec_odata.answers import Asked
from connectors.onec_odata.paging import OVERLAP, RESTARTS, TAIL, Seam, Stuck, Unsteady
from connectors.onec_odata.rows import sight
from hub.model.errors import StopRoute

SEE = sight(["k"], Asked("УТ", "X"))


def raw(key: int) -> msgspec.Raw:
    """A record as it comes."""
    return msgspec.Raw(json.dumps({"k": f"{key:06d}", "v": "…"}).encode())


def versioned_raw(key: int, version: int) -> msgspec.Raw:
    """A record with a DataVersion."""
    return msgspec.Raw(json.dumps({"k": f"{key:06d}", "DataVersion": f"v{version}"}).encode())


def number_of(item: msgspec.Raw) -> int:
    """The number that ``raw`` was made of."""
    return int(SEE(item)[0][0])


def walk(base: list[int], size: int, meddle: Callable[[int], None], seam: Seam | None = None) -> Iterator[list[int]]:
    """Read ``base`` to its end in pages of ``size``; ``meddle`` changes it after each request."""
    seam = seam or Seam()
    for turn in range(10_000):
        start = seam.start(size)
        rows = [raw(key) for key in base[start : start + size]]
        fresh = seam.accept(start, rows, SEE)
        meddle(turn)
        if fresh is not None:
            yield [number_of(item) for item in fresh]
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


def test_a_set_that_never_joins_on_ends_the_walk() -> None:
    """When the last page is nowhere to be found the walk begins anew, a few times, and then says so and ends."""
    base = list(range(2000))
    begun = [0]

    def meddle(turn: int) -> None:
        if turn % 15 == 14:
            begun[0] += 1
            base[:] = [key + 10_000 for key in base]

    with pytest.raises(Unsteady):
        list(walk(base, 50, meddle))
    assert begun[0] >= RESTARTS


@pytest.mark.parametrize("versioned", [True, False])
def test_a_record_that_was_moved_does_not_prove_that_nothing_is_missing(versioned: bool) -> None:
    """One of the last records read is renamed to stand further on and others behind us are deleted: none is skipped.

    Its key alone would say that the page joins on.
    """
    base = [versioned_raw(n, 1) for n in range(100)]
    seam = Seam(versioned=versioned)
    seam.accept(0, base[:50], SEE)
    del base[20:40]
    base.remove(moved := versioned_raw(45, 1))
    base.insert(40, versioned_raw(45, 2))
    start = seam.start(20)
    assert seam.accept(start, base[start : start + 20], SEE) is None
    assert number_of(moved) == 45
    got: list[int] = []
    while seam.done < len(base):
        start = seam.start(20)
        got += [number_of(item) for item in seam.accept(start, base[start : start + 20], SEE) or ()]
    assert set(got) >= {45, *range(50, 100)}


def test_a_record_edited_where_it_stands_comes_again() -> None:
    """What changed after it was read is no repeat: its new content is delivered."""
    seam = Seam()
    seam.accept(0, [versioned_raw(n, 1) for n in range(10)], SEE)
    rows = [versioned_raw(8, 1), versioned_raw(9, 2), versioned_raw(10, 1)]
    assert seam.accept(8, rows, SEE) == rows[1:]


def test_repeats_are_dropped_even_between_new_records() -> None:
    """Records inserted into the overlap come through, the known ones around them do not."""
    seam = Seam()
    seam.accept(0, [raw(n) for n in (10, 20, 30, 40)], SEE)
    fresh = seam.accept(2, [raw(n) for n in (25, 30, 35, 40, 50)], SEE)
    assert [number_of(item) for item in fresh or []] == [25, 35, 50]


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
    seam = Seam(1000, [SEE(raw(999))]) if resumed else Seam()
    page = [raw(n) for n in range(990, 1040)]

    def read() -> None:
        for _ in range(6):
            seam.accept(seam.start(50), page, SEE)

    with pytest.raises(Stuck):
        read()


def test_a_record_without_its_key_is_named() -> None:
    """Records that lack the key end the route with the names of the fields."""
    with pytest.raises(StopRoute) as error:
        SEE(msgspec.Raw(b'{"other": 1}'))
    assert (error.value.code, error.value.params["field"]) == ("key_missing", "k")
