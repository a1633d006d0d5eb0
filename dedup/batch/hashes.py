"""Values as numbers: what is counted and what pairs are made by, without the texts.

What collides is counted, or compared, once too often: among 10 million values of 64 bits that is to be expected once
in 300,000 runs.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import polars as pl

from dedup.keys import split

Numbers = npt.NDArray[np.uint64]
_MIX = np.uint64(0x9E3779B97F4A7C15)


class Hashes:
    """Columns of a frame, each part hashed once; 0 where it is missing. A part is as in ``dedup.keys.Key``."""

    def __init__(self, main: pl.DataFrame) -> None:
        self._main = main
        self._known: dict[str, Numbers] = {}

    def key(self, parts: tuple[str, ...], salt: int = 0) -> pl.DataFrame:
        """``k`` and ``row`` of the records that have all parts."""
        columns = [self.part(part) for part in parts]
        rows = np.flatnonzero(np.logical_and.reduce([column != 0 for column in columns]))
        return pl.DataFrame({"k": mixed([column[rows] for column in columns], salt), "row": rows.astype(np.uint32)})

    def part(self, part: str) -> Numbers:
        """One part, by row."""
        if part not in self._known:
            column, letters = split(part)
            text = pl.col(column).str.slice(0, letters) if letters else pl.col(column)
            hashed = pl.when(pl.col(column) != "").then(text.hash(7)).otherwise(pl.lit(0, pl.UInt64))
            self._known[part] = self._main.select(hashed).to_series().to_numpy()
        return self._known[part]


def mixed(columns: list[Numbers], salt: int = 0) -> Numbers:
    """Several parts as one number, by row."""
    found = np.full(len(columns[0]), 2 * salt + 1, dtype=np.uint64)
    for column in columns:
        found = found * _MIX ^ column
    return found
