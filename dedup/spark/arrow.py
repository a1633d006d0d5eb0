"""Functions of polars frames over Spark's rows: batches of Arrow in, batches of Arrow out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import polars as pl
import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.pandas.types import from_arrow_schema

Function = Callable[[pl.DataFrame], pl.DataFrame]

_PLAIN = {
    pl.String: pa.string(),
    pl.Boolean: pa.bool_(),
    pl.Int8: pa.int8(),
    pl.Int16: pa.int16(),
    pl.Int32: pa.int32(),
    pl.Int64: pa.int64(),
}
#: Names of Spark's plain types.
_NAMED = {
    "string": pl.String(),
    "boolean": pl.Boolean(),
    "tinyint": pl.Int8(),
    "smallint": pl.Int16(),
    "int": pl.Int32(),
    "bigint": pl.Int64(),
}


def plain(frame: DataFrame) -> pl.Schema:
    """The columns of ``frame`` as polars has them; ``KeyError`` for one that is not plain."""
    return pl.Schema({name: _NAMED[kind] for name, kind in frame.dtypes})


def sent(spark: SparkSession, frame: pl.DataFrame) -> DataFrame:
    """A frame of plain columns, from here to Spark."""
    return spark.createDataFrame(_to_arrow(frame, arrow_schema(frame.schema)))


def mapped(frame: DataFrame, function: Function, like: pl.Schema, rows: int = 0) -> DataFrame:
    """What ``function`` makes of slices of ``frame`` of about so many rows; 0: of each partition whole.

    ``function`` has to be picklable, and to make columns of ``like``, which has Spark's types: no unsigned numbers.
    """
    schema = arrow_schema(like)
    return frame.mapInArrow(partial(_mapped, function, schema, rows), from_arrow_schema(schema))


def arrow_schema(like: pl.Schema) -> pa.Schema:
    """The schema of Arrow as Spark writes it: with short offsets; ``KeyError`` for a type that Spark does not have."""
    return pa.schema([(name, _type(kind)) for name, kind in like.items()])


def _type(kind: pl.DataType) -> pa.DataType:
    if isinstance(kind, pl.List):
        return pa.list_(_type(kind.inner))  # type: ignore[arg-type]
    if isinstance(kind, pl.Struct):
        return pa.struct([(field.name, _type(field.dtype)) for field in kind.fields])  # type: ignore[arg-type]
    return _PLAIN[kind.base_type()]


def _mapped(
    function: Function, schema: pa.Schema, rows: int, batches: Iterator[pa.RecordBatch]
) -> Iterator[pa.RecordBatch]:
    for piece in _slices(batches, rows):
        made = function(piece).select(schema.names)
        yield from _to_arrow(made, schema).to_batches()


def _to_arrow(frame: pl.DataFrame, schema: pa.Schema) -> pa.Table:
    return frame.to_arrow(compat_level=pl.CompatLevel.oldest()).cast(schema)


def _slices(batches: Iterator[pa.RecordBatch], rows: int) -> Iterator[pl.DataFrame]:
    """Batches put together until they have so many rows; 0: all."""
    kept: list[pa.RecordBatch] = []
    height = 0
    for batch in batches:
        kept.append(batch)
        height += batch.num_rows
        if rows and height >= rows:
            yield _frame(kept)
            kept, height = [], 0
    if height:
        yield _frame(kept)


def _frame(batches: list[pa.RecordBatch]) -> pl.DataFrame:
    found = pl.from_arrow(pa.Table.from_batches(batches))
    assert isinstance(found, pl.DataFrame)
    return found
