"""What a database's refusal means for the caller: wait, or call a person."""

from __future__ import annotations

import re

from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError

from hub.model.errors import HubError, NeedsPerson, RetryLater

#: libpq gives no SQLSTATE for a refused connection, and the server may speak Russian.
_NO_DATABASE = re.compile(r'database "[^"]*" does not exist|база данных "[^"]*" не существует')
_NO_ENTRY = re.compile(
    r'authentication failed|no password supplied|pg_hba\.conf|role "[^"]*" (does not exist|is not permitted)'
    r'|проверк[уи] подлинности|роль "[^"]*" не|для роли "[^"]*"'
)
_LOCKED = re.compile(r"database (table )?is locked")


def shown(url: URL) -> str:
    """The URL for people: no password, wherever it was written."""
    return url.difference_update_query(["password", "sslpassword"]).render_as_string(hide_password=True)


def connection_fault(error: DBAPIError, url: URL) -> HubError:
    """The error to raise when the store at ``url`` could not be opened. The password is in none of its texts."""
    text = str(error.orig).strip()
    where = shown(url)
    if url.get_backend_name() == "sqlite":
        if _LOCKED.search(text):
            return RetryLater("store_locked", store=where)
        return NeedsPerson("store_file_unusable", store=where, detail=text)
    if _NO_DATABASE.search(text):
        return NeedsPerson("store_database_missing", store=where, database=url.database or "")
    if _NO_ENTRY.search(text):
        return NeedsPerson("store_auth_failed", store=where, user=url.username or "")
    return RetryLater("store_unreachable", store=where, detail=text.splitlines()[0] if text else "")
