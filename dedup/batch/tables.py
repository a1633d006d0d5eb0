"""Frames into DuckDB and back through Arrow's C stream, which needs no third library."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import duckdb
import polars as pl


class _Stream:
    """A frame as nothing but its stream: DuckDB would ask for pyarrow if it knew the frame's type."""

    def __init__(self, frame: pl.DataFrame) -> None:
        self._frame = frame

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return self._frame.__arrow_c_stream__(requested_schema)


def fill(con: duckdb.DuckDBPyConnection, name: str, frame: pl.DataFrame) -> None:
    """A table of DuckDB with the rows of a frame, in place of one of that name."""
    con.register("incoming", _Stream(frame))
    con.execute(f'CREATE OR REPLACE TABLE "{name}" AS SELECT * FROM incoming')
    con.unregister("incoming")


@contextmanager
def lent(con: duckdb.DuckDBPyConnection, name: str, frame: pl.DataFrame) -> Iterator[None]:
    """A frame as a view of DuckDB that reads it where it lies."""
    con.register(name, _Stream(frame))
    try:
        yield
    finally:
        con.unregister(name)


def read(con: duckdb.DuckDBPyConnection, sql: str) -> pl.DataFrame:
    """The rows of a query as a frame."""
    return pl.DataFrame(con.sql(sql))
