"""Exchanges that keep calls in ``Master.csv``, in SQLite, on PostgreSQL and on MariaDB.

MariaDB is a throw-away server on a loopback port, started once per session.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import URL

from tests.connectors.installed import free_port
from tests.connectors.telephony.asterisk import Exchange, InCsv, InTable

NO_MARIADB = "MariaDB is not installed: tests on it are skipped (apt-get install mariadb-server)"
NO_SHARED = "../shared/data/cdr is not here: its recorded calls cannot be read"
SHARED = Path(__file__).parents[3].parent / "shared" / "data" / "cdr"

MakeExchange = Callable[..., Exchange]


def _program(*names: str) -> str:
    found = next((path for name in names if (path := shutil.which(name, path="/usr/sbin:/usr/bin:/usr/local/bin"))), "")
    if not found:
        pytest.skip(NO_MARIADB)
    return found


@pytest.fixture(scope="session")
def mariadb() -> Iterator[URL]:
    """A server with a database ``asteriskcdrdb``; skips where there is none."""
    server, setup = _program("mariadbd", "mysqld"), _program("mariadb-install-db", "mysql_install_db")
    folder, port = Path(tempfile.mkdtemp(prefix="obmen_maria_")), free_port()
    own = ["--no-defaults", f"--datadir={folder}/data"]
    if os.geteuid() == 0:
        own.append("--user=root")
    quiet: dict[str, Any] = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    subprocess.run([setup, *own, "--skip-test-db"], check=True, timeout=120, **quiet)
    (folder / "init.sql").write_text(
        "CREATE DATABASE asteriskcdrdb CHARACTER SET utf8mb4;\nCREATE USER 'pbx'@'%' IDENTIFIED BY 'pbx';\n"
        "GRANT ALL ON *.* TO 'pbx'@'%';\n"
    )
    listening = [f"--port={port}", "--bind-address=127.0.0.1", f"--socket={folder}/s", f"--init-file={folder}/init.sql"]
    process = subprocess.Popen([server, *own, *listening, "--innodb-flush-log-at-trx-commit=0"], **quiet)
    try:
        url = URL.create("mariadb+pymysql", "pbx", "pbx", "127.0.0.1", port, "asteriskcdrdb")
        _wait(url, process)
        yield url
    finally:
        process.terminate()
        process.wait(60)
        shutil.rmtree(folder, ignore_errors=True)


def _wait(url: URL, process: subprocess.Popen[bytes]) -> None:
    engine = sa.create_engine(url)
    for _ in range(300):
        try:
            engine.connect().close()
        except sa.exc.OperationalError:
            assert process.poll() is None, "MariaDB ended before it answered"
            time.sleep(0.1)
        else:
            engine.dispose()
            return
    raise AssertionError("MariaDB does not answer")


@pytest.fixture(scope="session")
def pg_cdr(pg_server: URL) -> Iterator[URL]:
    """A database of its own on the PostgreSQL server; each test makes its tables in it, and drops them."""
    name = f"obmen_cdr_{uuid.uuid4().hex[:12]}"
    admin = sa.create_engine(pg_server, isolation_level="AUTOCOMMIT")
    with admin.connect() as conn:
        conn.exec_driver_sql(f"CREATE DATABASE {name} TEMPLATE template0")
    yield pg_server.set(database=name)
    with admin.connect() as conn:
        conn.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")
    admin.dispose()


def _maker(kind: str, request: pytest.FixtureRequest, folder: Path) -> Iterator[MakeExchange]:
    made: list[Exchange] = []

    def make(**more: Any) -> Exchange:
        if kind == "csv":
            made.append(InCsv(folder / "cdr-csv", **more))
        elif kind == "sqlite":
            made.append(InTable(f"sqlite:///{folder}/cdr.db", **more))
        elif kind == "postgresql":
            made.append(InTable(request.getfixturevalue("pg_cdr").render_as_string(hide_password=False), **more))
        else:
            made.append(InTable(request.getfixturevalue("mariadb").render_as_string(hide_password=False), **more))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture(params=["csv", "sqlite", "postgresql", "mariadb"])
def make_exchange(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[MakeExchange]:
    """Makes an exchange in each of the four places."""
    yield from _maker(request.param, request, tmp_path)


@pytest.fixture(params=["postgresql", "mariadb"])
def on_server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[MakeExchange]:
    """Makes an exchange on each of the two servers."""
    yield from _maker(request.param, request, tmp_path)


@pytest.fixture
def exchange(make_exchange: MakeExchange) -> Exchange:
    """An exchange with the usual settings, in each of the four places."""
    return make_exchange()
