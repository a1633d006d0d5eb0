"""Stores for tests: an empty migrated one on SQLite and on PostgreSQL.

The PostgreSQL server is a throw-away cluster on a unix socket (on a loopback port where there are no such sockets),
started once per session, or the one that ``OBMEN_TEST_PG_URL`` names (its user must be allowed to create databases).
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql
from sqlalchemy.engine import URL, make_url

from hub.store.database import Store, open_store

NO_POSTGRES = "PostgreSQL is not installed: tests on it are skipped (apt-get install postgresql)"

#: A cluster that lives for minutes needs no durability.
SERVER_SETTINGS = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "autovacuum": "off",
    "shared_buffers": "64MB",
    "max_connections": "60",
}


def _binaries() -> Path | None:
    """The folder of ``initdb`` and ``pg_ctl``: the newest Debian one, else that of the PATH."""
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: float(path.parts[-3]))
    found = debian[-1] if debian else shutil.which("initdb")
    return Path(found).parent if found else None


def _as_server_user() -> dict[str, Any]:
    """Arguments for ``subprocess``: PostgreSQL refuses to run as root."""
    if sys.platform == "win32" or os.geteuid() != 0:
        return {}
    return {"user": "postgres", "group": "postgres", "extra_groups": []}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@dataclass(frozen=True)
class Cluster:
    """A running throw-away server; ``url`` leads to its maintenance database."""

    folder: Path
    binaries: Path
    url: URL

    @classmethod
    def start(cls, binaries: Path) -> Cluster:
        """Make and start one in a short temporary path (a socket's path has at most 107 characters)."""
        folder = Path(tempfile.mkdtemp(prefix="obmen_pg_"))
        if _as_server_user():
            shutil.chown(folder, "postgres", "postgres")
        sockets = hasattr(socket, "AF_UNIX") and sys.platform != "win32"
        port = 5432 if sockets else _free_port()
        host = str(folder) if sockets else "127.0.0.1"
        settings = dict(SERVER_SETTINGS, port=str(port), listen_addresses="" if sockets else host)
        if sockets:
            settings["unix_socket_directories"] = host
        cluster = cls(
            folder,
            binaries,
            URL.create("postgresql+psycopg", "postgres", database="postgres", query={"host": host, "port": str(port)}),
        )
        cluster._run("initdb", "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
        with (folder / "data" / "postgresql.conf").open("a", encoding="utf-8") as conf:
            conf.writelines(f"{name} = '{value}'\n" for name, value in settings.items())
        cluster._run("pg_ctl", "start", "-w", "-t", "60", "-l", str(folder / "log"))
        return cluster

    def stop(self) -> None:
        """Stop the server and remove every trace of it."""
        self._run("pg_ctl", "stop", "-m", "immediate", "-w", "-t", "60")
        shutil.rmtree(self.folder, ignore_errors=True)

    def _run(self, program: str, *arguments: str) -> None:
        command = [str(self.binaries / program), "-D", str(self.folder / "data"), *arguments]
        subprocess.run(
            command,
            check=True,
            timeout=120,
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            **_as_server_user(),
        )


@pytest.fixture(scope="session")
def pg_server() -> Iterator[URL]:
    """URL of a PostgreSQL server's maintenance database; skips where there is no PostgreSQL."""
    given = os.environ.get("OBMEN_TEST_PG_URL")
    if given:
        yield make_url(given).set(drivername="postgresql+psycopg")
        return
    binaries = _binaries()
    if binaries is None:
        pytest.skip(NO_POSTGRES)
    cluster = Cluster.start(binaries)
    try:
        yield cluster.url
    finally:
        cluster.stop()


def _execute(server: URL, statement: sql.Composed) -> None:
    conninfo = server.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(conninfo, autocommit=True) as connection:
        connection.execute(statement)


def _create(server: URL, name: str, template: str) -> URL:
    """A new database, with the text order that does not depend on the machine."""
    create = sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(template))
    _execute(server, create)
    return server.set(database=name)


def _drop(server: URL, name: str) -> None:
    _execute(server, sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def _migrate(url: URL) -> None:
    store = open_store(url.render_as_string(hide_password=False))
    try:
        store.migrate()
    finally:
        store.close()


@pytest.fixture(scope="session")
def pg_template(pg_server: URL) -> Iterator[str]:
    """Name of a migrated empty database to copy from."""
    name = f"obmen_template_{uuid.uuid4().hex[:12]}"
    _migrate(_create(pg_server, name, "template0"))
    yield name
    _drop(pg_server, name)


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated empty file to copy from; closing the last connection has folded its WAL into it."""
    path = tmp_path_factory.mktemp("template") / "store.db"
    _migrate(URL.create("sqlite", database=str(path)))
    return path


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """URL of an empty migrated store of the test's own, on each database in turn."""
    if request.param == "sqlite":
        path = tmp_path / "store.db"
        shutil.copyfile(request.getfixturevalue("sqlite_template"), path)
        yield URL.create("sqlite", database=str(path)).render_as_string()
        return
    server: URL = request.getfixturevalue("pg_server")
    name = f"obmen_test_{uuid.uuid4().hex[:12]}"
    yield _create(server, name, request.getfixturevalue("pg_template")).render_as_string(hide_password=False)
    _drop(server, name)


@pytest.fixture
def store(store_url: str) -> Iterator[Store]:
    """An empty migrated store of the test's own, on each database in turn."""
    opened = open_store(store_url)
    yield opened
    opened.close()
