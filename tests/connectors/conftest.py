"""What tests of connectors share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.engine import URL

from connectors.onec_odata.config import OneCSettings
from connectors.onec_odata.connector import OneC
from connectors.web import Patience
from tests.connectors import sql_server
from tests.connectors.front import Front
from tests.connectors.server import Script, Scripted, serving
from tests.connectors.sql_bases import OnDatabase, OnSQLite

SECRET = "Пароль-7%"
#: Passing faults are met at once: tests do not wait.
EAGER = Patience(retries=3, first=0.0)

Open = Callable[..., tuple[OneC, Scripted]]


@pytest.fixture
def scripted() -> Any:
    """Open a connector on a server that answers by a script: ``scripted(script, **settings)``."""
    with ExitStack() as stack:

        def start(script: Script, **settings: Any) -> tuple[OneC, Scripted]:
            server = stack.enter_context(serving(script))
            given: dict[str, Any] = {
                "url": server.url,
                "user": "Обмен",
                "password": SECRET,
                "title": "УТ",
                "patience": EAGER,
                "timeout": 5.0,
            }
            connector = OneC(OneCSettings(code="ut", **(given | settings)))
            stack.callback(connector.close)
            return connector, server

        yield start


@pytest.fixture
def front() -> Iterator[Front]:
    """A small 1C base behind a way that can be cut at any request."""
    with Front().serving() as own:
        yield own


@pytest.fixture
def opened(front: Front) -> Iterator[Callable[..., OneC]]:
    """Open connectors to ``front``: ``opened(**settings)``."""
    with ExitStack() as stack:

        def start(**settings: Any) -> OneC:
            connector = front.open(**settings)
            stack.callback(connector.close)
            return connector

        yield start


@pytest.fixture(scope="session")
def filled(pg_server: URL) -> Iterator[URL]:
    """The database of a small CRM on a PostgreSQL server."""
    with sql_server.database(pg_server) as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def crm(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[OnDatabase]:
    """The database of a small CRM as it was made, on each kind of database in turn."""
    if request.param == "sqlite":
        made: OnDatabase = OnSQLite(tmp_path / "crm.db")
    else:
        made = sql_server.OnPostgreSQL(request.getfixturevalue("filled"))
    yield made
    made.close()
