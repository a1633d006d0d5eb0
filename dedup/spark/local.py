"""Spark on this machine alone: for trying out, for tests and for measuring; a cluster brings a session of its own."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from pyspark import SparkContext
from pyspark.sql import SparkSession

#: What Spark 4 starts on.
_JAVA = 17
#: Seconds that the Java process has to end by itself.
_PATIENCE = 30


class NoJava(RuntimeError):
    """There is no Java that Spark starts on; the text says what to do."""

    def __init__(self, found: str) -> None:
        super().__init__(
            f"Spark needs Java {_JAVA} or later, and {found}. Debian and Ubuntu: apt install default-jre-headless."
            " One that lies elsewhere: set JAVA_HOME to its folder."
        )


def check_java() -> None:
    """``NoJava`` where Spark would not start: it tells less, and later."""
    home = os.environ.get("JAVA_HOME")
    program = str(Path(home, "bin", "java")) if home else shutil.which("java")
    if program is None:
        raise NoJava("there is none on PATH")
    try:
        answer = subprocess.run([program, "-version"], capture_output=True, text=True, timeout=60, check=False)
    except OSError:
        raise NoJava(f"{program} cannot be started") from None
    version = re.search(r'version "(\d+)', answer.stderr)
    if not version or int(version[1]) < _JAVA:
        raise NoJava(f"{program} is {version[0] if version else 'none'}")


@contextmanager
def local_session(folder: Path, cores: int = 2, memory: str = "2g") -> Iterator[SparkSession]:
    """A session on the loopback that ends with its Java process; ``NoJava`` where there is none to start.

    ``folder``: for what Spark spills; ``memory``: of the Java process; each of the ``cores`` has a Python process
    beside it.
    """
    check_java()
    settings = {
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.memory": memory,
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.log.level": "ERROR",
        "spark.local.dir": str(folder),
        "spark.sql.warehouse.dir": str(folder / "warehouse"),
        "spark.sql.shuffle.partitions": str(2 * cores),
        "spark.executorEnv.POLARS_MAX_THREADS": "1",
    }
    builder = SparkSession.builder.master(f"local[{cores}]").appName("obmen")
    for name, value in settings.items():
        builder = builder.config(name, value)
    with _environment({"PYSPARK_PYTHON": sys.executable, "SPARK_LOCAL_IP": "127.0.0.1"}):
        spark = builder.getOrCreate()
    try:
        yield spark
    finally:
        spark.stop()
        _end_java()


@contextmanager
def _environment(wanted: Mapping[str, str]) -> Iterator[None]:
    """Variables that Spark reads nowhere else, for as long as it reads them."""
    before = dict(os.environ)
    os.environ.update(wanted)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def _end_java() -> None:
    """End the Java process too, which would else live as long as this one: it ends when its input does."""
    gateway = SparkContext._gateway
    if gateway is None:
        return
    gateway.shutdown()
    process = gateway.proc
    process.stdin.close()
    try:
        process.wait(timeout=_PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    SparkContext._gateway = SparkContext._jvm = None
