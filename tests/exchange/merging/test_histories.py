"""Whatever was merged, edited and parted in whatever order: in the end all is as if nobody had ever merged anything."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.exchange.merging.histories import both, draw

#: Histories of one run side by side, of families that have only their nights in common; days of each.
FAMILIES, LENGTH = 20, 14
#: Runs that every pass of the suite has, beside one of a single family; those of the long one; in how many parts.
SHARE, MANY, PARTS = 2, 500, 20


def check(template: Path, seed: int, families: int = FAMILIES) -> None:
    """One run."""
    days = draw(seed, LENGTH, families)
    merged, untouched = both(template, days, families)
    assert merged == untouched, (seed, families, days)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("families", [1, FAMILIES])
def test_unmerge_restores_what_was(sqlite_template: Path, families: int) -> None:
    """Random histories of edits, pins, nights, merges and their undo: golden rows, systems, links, pins and outbox."""
    for seed in range(SHARE):
        check(sqlite_template, seed, families)


@pytest.mark.slow
@pytest.mark.timeout(7200)
@pytest.mark.parametrize("part", range(PARTS))
def test_unmerge_restores_what_was_in_many_histories(sqlite_template: Path, part: int) -> None:
    """The same for ten thousand histories."""
    for seed in range(MANY // PARTS):
        check(sqlite_template, SHARE + part * MANY // PARTS + seed)


def test_a_history_has_merges_in_it(sqlite_template: Path) -> None:
    """The histories above are not empty: most of them merge, and the comparison sees a difference that is there."""
    histories = [
        [day[family][0] for day in draw(seed, LENGTH, FAMILIES) if day]
        for seed in range(SHARE)
        for family in range(FAMILIES)
    ]
    assert sum("merge" in kinds for kinds in histories) > len(histories) * 3 // 4
    assert (
        sum("unmerge" in kinds[kinds.index("merge") :] for kinds in histories if "merge" in kinds) > len(histories) // 3
    )
    one, _ = both(sqlite_template, draw(1, 4))
    other, _ = both(sqlite_template, [*draw(1, 4), [("edit", 0, 0, 1)]])
    assert one != other
