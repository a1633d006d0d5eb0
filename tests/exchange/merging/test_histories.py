"""Whatever was merged, edited and parted in whatever order: in the end all is as if nobody had ever merged anything."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.exchange.merging.histories import both, draw

#: Histories that every run of the suite lives, and those of the long one.
SHARE, MANY, PART = 8, 10_000, 500
LENGTH = 14


def check(template: Path, seed: int) -> None:
    """One history."""
    steps = draw(seed, LENGTH)
    merged, untouched = both(template, steps)
    assert merged == untouched, (seed, steps)


@pytest.mark.timeout(600)
def test_unmerge_restores_what_was(sqlite_template: Path) -> None:
    """Random histories of edits, pins, nights, merges and their undo: golden rows, systems, links, pins and outbox."""
    for seed in range(SHARE):
        check(sqlite_template, seed)


@pytest.mark.slow
@pytest.mark.timeout(7200)
@pytest.mark.parametrize("part", range(MANY // PART))
def test_unmerge_restores_what_was_in_many_histories(sqlite_template: Path, part: int) -> None:
    """The same for ten thousand histories; each takes about a second of one processor."""
    for seed in range(SHARE + part * PART, SHARE + (part + 1) * PART):
        check(sqlite_template, seed)


def test_a_history_has_merges_in_it(sqlite_template: Path) -> None:
    """The histories above are not empty: most of them merge, and the comparison sees a difference that is there."""
    assert sum(any(step[0] == "merge" for step in draw(seed, LENGTH)) for seed in range(SHARE)) > SHARE // 2
    one, _ = both(sqlite_template, draw(1, 4))
    other, _ = both(sqlite_template, [*draw(1, 4), ("edit", 0, 0, 1)])
    assert one != other
