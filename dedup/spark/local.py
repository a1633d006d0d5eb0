"""Spark on this machine alone: for trying out, for tests and for measuring; a cluster brings a session of its own."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pyspark import SparkContext
from pyspark.sql import SparkSession


@contextmanager
def local_session(folder: Path, cores: int = 2, memory: str = "2g") -> Iterator[SparkSession]:
    """A session on the loopback that ends with its Java process. ``folder``: for what Spark spills; ``memory``: of the
    Java process; each of the ``cores`` has a Python process beside it.
    """
    settings = {
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.memory": memory,
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.local.dir": str(folder),
        "spark.sql.warehouse.dir": str(folder / "warehouse"),
        "spark.sql.shuffle.partitions": str(4 * cores),
        "spark.pyspark.python": sys.executable,
        "spark.executorEnv.POLARS_MAX_THREADS": "1",
    }
    builder = SparkSession.builder.master(f"local[{cores}]").appName("obmen")
    for name, value in settings.items():
        builder = builder.config(name, value)
    spark = builder.getOrCreate()
    spark.sparkContext.setLogLevel("ERROR")
    try:
        yield spark
    finally:
        spark.stop()
        _end_java()


def _end_java() -> None:
    """End the Java process too, which would else live as long as this one: it ends when its input does."""
    gateway = SparkContext._gateway
    if gateway is None:
        return
    gateway.shutdown()
    process = gateway.proc
    process.stdin.close()
    process.wait(timeout=30)
    SparkContext._gateway = SparkContext._jvm = None
