"""Calling a scalar rule once for each different value of a column."""

from __future__ import annotations

from collections.abc import Callable

import polars as pl


def each(column: pl.Series, rule: Callable[[str], str]) -> pl.Series:
    """``rule`` of each value, called once for each different one; the rule of an empty text is not asked, it is
    empty.
    """
    different = column.unique()
    values = different.to_list()
    found = pl.DataFrame({"value": different, "found": [rule(value) if value else "" for value in values]})
    if len(values) == 1:
        return pl.repeat(found["found"][0], len(column), dtype=pl.String, eager=True)
    joined = column.alias("value").to_frame().join(found, on="value", how="left", maintain_order="left")
    return joined["found"].fill_null("")


def put(column: pl.Series, rows: pl.Series, values: list[str]) -> pl.Series:
    """``column`` with ``values`` at ``rows``."""
    return column.scatter(rows, pl.Series(values, dtype=pl.String)) if values else column
