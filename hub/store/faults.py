"""What a database's refusal means for the caller: wait, or call a person."""

from __future__ import annotations

from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError

from hub.model.errors import HubError, NeedsPerson, RetryLater

#: libpq gives no SQLSTATE for a refused connection, and the server may speak Russian.
_AUTH = (
    "password authentication failed",
    "no password supplied",
    "проверку подлинности",
    "no pg_hba.conf entry",
    "pg_hba.conf",
    "role ",
    "роль ",
)
_MISSING = ("does not exist", "не существует")
_DATABASE = ("database ", "база данных ")
_LOCKED = ("database is locked", "database table is locked")


def connection_fault(error: DBAPIError, url: URL) -> HubError:
    """The error to raise when the store at ``url`` could not be opened. The password is in none of its texts."""
    text = str(error.orig)
    where = url.render_as_string(hide_password=True)
    if url.get_backend_name() == "sqlite":
        if any(mark in text for mark in _LOCKED):
            return RetryLater("store_busy", store=where)
        return NeedsPerson("store_file_unusable", store=where, detail=text)
    if any(mark in text for mark in _MISSING) and any(mark in text for mark in _DATABASE):
        return NeedsPerson("store_database_missing", store=where, database=url.database or "")
    if any(mark in text for mark in _AUTH):
        return NeedsPerson("store_auth_failed", store=where, user=url.username or "")
    return RetryLater("store_unreachable", store=where, detail=text.strip().splitlines()[0] if text else "")
