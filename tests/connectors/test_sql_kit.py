"""The connector of kind ``sql`` is certified, on SQLite and on PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy.engine import URL

from connectors.certify.kit import Kit
from connectors.certify.subject import Subject
from tests.connectors.sql_bases import OnSQLite
from tests.connectors.sql_server import OnPostgreSQL


class TestSqlOnSQLite(Kit):
    """A file of SQLite."""

    subject_type = OnSQLite

    @pytest.fixture
    def subject(self, tmp_path: Path) -> Iterator[Subject]:
        """A file of the test's own."""
        made = OnSQLite(tmp_path / "crm.db")
        yield made
        made.close()


class TestSqlOnPostgreSQL(Kit):
    """A PostgreSQL server."""

    subject_type = OnPostgreSQL

    @pytest.fixture
    def subject(self, filled: URL) -> Iterator[Subject]:
        """The database as it was made."""
        made = OnPostgreSQL(filled)
        yield made
        made.close()
