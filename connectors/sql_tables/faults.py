"""What a database's error means: wait, stop, or the database's no to one record. No text of a statement gets out."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy.engine import URL
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, InterfaceError, OperationalError

from connectors.sql_tables.schema import Table
from hub.model.errors import HubError, NeedsPerson, RetryLater, SkipRecord, StopRoute, StopSystem

#: libpq gives no SQLSTATE for a connection that failed, and the server may speak Russian.
_NO_DATABASE = re.compile(
    r"database .*does not exist|unknown database|база данных .*не существует|cannot open database"
)
_NO_ENTRY = re.compile(
    r"authentication failed|no password supplied|pg_hba\.conf|role .*(does not exist|is not permitted)|access denied"
    r"|login failed|проверк[уи] подлинности|роль .* не|для роли"
)
_BUSY = re.compile(r"is locked|deadlock|lock wait|lock request time|could not serialize|too many connections")
_BUSY_STATES = ("40", "53", "55P03", "57014", "57P01", "57P02", "57P03", "25P03")
_SQLITE_NO = re.compile(r"(NOT NULL|UNIQUE|CHECK) constraint failed: (.*)")


#: Errors of MySQL and MariaDB, of which the driver shows the server's own number, as the SQLSTATE of others.
_MYSQL = {
    1044: "42501",
    1142: "42501",
    1143: "42501",
    1045: "28000",
    1698: "28000",
    1049: "3D000",
    1146: "42P01",
    1054: "42703",
    1205: "55P03",
    1213: "40001",
    1040: "53300",
    1203: "53300",
    1969: "57014",
    2003: "08001",
    2006: "08006",
    2013: "08006",
}


def _state(error: DBAPIError) -> str:
    """SQLSTATE, or SQLite's name of the error."""
    found = getattr(error.orig, "sqlstate", None) or getattr(error.orig, "pgcode", None)
    number = error.orig.args[0] if error.orig is not None and error.orig.args else None
    of_mysql = _MYSQL.get(number, "") if isinstance(number, int) else ""
    return str(found or getattr(error.orig, "sqlite_errorname", None) or of_mysql)


def lost(error: DBAPIError) -> bool:
    """Whether the answer is lost with the connection: what was asked may have been done.

    A server that answers gives a code; where a driver shows none, an error of its own is taken for a lost answer.
    """
    state = _state(error)
    silent = not state and isinstance(error, OperationalError | InterfaceError)
    return silent or error.connection_invalidated or state.startswith(("08", "57P0", "SQLITE_IOERR"))


class Faults:
    """Errors of one database."""

    def __init__(self, title: str, url: URL) -> None:
        self._title = title
        self._host = url.host or url.query.get("host") or ""
        self._database = url.database or ""
        self._user = url.username or ""
        self._file = url.get_backend_name() == "sqlite"

    def asked(self, error: DBAPIError) -> HubError:
        """What a question that failed asks of the caller."""
        state, text = _state(error), str(error.orig).strip().lower()
        told: dict[str, Any] = {"system": self._title}
        if state.startswith(_BUSY_STATES) or state in {"SQLITE_BUSY", "SQLITE_LOCKED"} or _BUSY.search(text):
            return RetryLater("sql_busy", **told)
        if state == "42501" or "permission denied" in text:
            return StopRoute("sql_no_right", table=_named(error), **told)
        if state.startswith("SQLITE_READONLY"):
            return StopRoute("sql_no_right", table=self._database, **told)
        if state in {"42P01", "42703"} or "no such table" in text or "no such column" in text:
            return StopRoute("sql_schema_moved", **told)
        if self._file and state not in {"", "SQLITE_ERROR"}:
            return NeedsPerson("sql_file_unusable", file=self._database, **told)
        if state == "3D000" or _NO_DATABASE.search(text):
            return NeedsPerson("sql_database_missing", database=self._database, **told)
        if state.startswith("28") or _NO_ENTRY.search(text):
            return StopSystem("sql_auth_failed", user=self._user, **told)
        if not state or lost(error):
            return RetryLater("sql_unreachable", host=self._host or self._database, **told)
        return StopRoute("sql_failed", state=state, **told)

    def written(self, error: DBAPIError, table: Table, sent: Iterable[str]) -> HubError:
        """What a write that failed asks of the caller: ``SkipRecord`` is the database's no to this record."""
        told: dict[str, Any] = {"system": self._title, "stream": table.name}
        state = _state(error)
        if state in {"P0001", "SQLITE_CONSTRAINT_TRIGGER"}:
            diag = getattr(error.orig, "diag", None)
            said = str(getattr(diag, "message_primary", None) or error.orig).strip().splitlines()
            return SkipRecord("sql_rule_refused", text=said[0][:200] if said else "", **told)
        if isinstance(error, IntegrityError) or state.startswith(("23", "SQLITE_CONSTRAINT")):
            return self._constraint(error, table, list(sent), told)
        if isinstance(error, DataError) or state.startswith("22"):
            return SkipRecord("sql_value_refused", _columns(sent), **told)
        return self.asked(error)

    def _constraint(self, error: DBAPIError, table: Table, sent: list[str], told: Mapping[str, Any]) -> SkipRecord:
        state, text = _state(error), str(error.orig)
        found = _SQLITE_NO.search(text)
        diag = getattr(error.orig, "diag", None)
        column = getattr(diag, "column_name", None) or ""
        name = getattr(diag, "constraint_name", None) or ""
        owner = table.parts.get(getattr(diag, "table_name", None) or "", table)
        if found is not None:
            listed = ", ".join(part.strip().rpartition(".")[2] for part in found[2].split(","))
            column, name = (listed, "") if found[1] != "CHECK" else ("", found[2])
        if state == "23502" or "NOT NULL" in text:
            return SkipRecord("sql_not_null", column or _columns(sent), **told)
        if state == "23505" or "UNIQUE" in text:
            return SkipRecord("sql_not_unique", column or _columns(owner.unique.get(name, owner.key)), **told)
        if state in {"23503", "SQLITE_CONSTRAINT_FOREIGNKEY"}:
            links = [item for item in sent if item in table.refs]
            links += [item for part in sent if part in table.parts for item in table.parts[part].refs]
            return SkipRecord("sql_no_such_reference", _columns(_within(name, owner.refs) or links), **told)
        if state == "23514" or "CHECK" in text:
            return SkipRecord("sql_check_refused", _columns(_within(name, owner.columns)), rule=name[:200], **told)
        return SkipRecord("sql_constraint_refused", _columns(sent), **told)


def _within(name: str, columns: Iterable[str]) -> list[str]:
    """Columns that a constraint's name (or its rule) names; the longest that fit, for ``name`` is in ``full_name``."""
    found = [item for item in columns if item.lower() in name.lower()]
    return [item for item in found if not any(item != other and item in other for other in found)]


def _columns(names: Iterable[str]) -> str:
    return ", ".join(names) or "—"


def _named(error: DBAPIError) -> str:
    """The table that a refusal names, without the rest of its words."""
    found = re.search(r"(?:table|relation|view|таблиц\w+|отношени\w+) [\"«]?([\w.]+)", str(error.orig))
    return found[1] if found else "—"
