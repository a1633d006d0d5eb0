"""What ``hub.yaml`` tells of a database of kind ``sql``: its address, and what the database does not say of tables."""

from __future__ import annotations

import re
from dataclasses import dataclass

from hub.model.settings_keys import Bad, Key


@dataclass(frozen=True, slots=True)
class TableSettings:
    """One table or view. ``None`` and empty: what the database tells, or the usual name.

    ``key``: columns that tell its records apart, required for a view. ``parts``: its nested tables, instead of those
    that go with it. ``version``: a column that is another with every change (usually ``row_version``). ``changed``:
    the column of the last change, set with every write (usually ``updated_at``). ``order``: of a nested table, the
    column that its rows are numbered in (usually ``line_no``).
    """

    key: tuple[str, ...] = ()
    parts: tuple[str, ...] | None = None
    version: str | None = None
    changed: str | None = None
    order: str | None = None


def _names(text: str) -> tuple[str, ...]:
    """Names with commas between them."""
    return tuple(filter(None, (part.strip() for part in text.split(","))))


def _name(text: str) -> str:
    return text.strip()


TABLE_KEYS = (
    Key("key", _names),
    Key("parts", _names),
    Key("version", _name),
    Key("changed", _name),
    Key("order", _name),
)


def sql_url(text: str) -> str:
    """An SQLAlchemy URL of any database, without a password in it; of SQLite it names a file."""
    scheme, separator, rest = text.partition("://")
    if not separator or not re.fullmatch(r"[a-z][a-z0-9]*(\+[a-z0-9_]+)?", scheme) or not rest:
        raise Bad("settings_sql_url")
    login = rest.partition("/")[0].rpartition("@")[0]
    if ":" in login or re.search(r"[?&](password|passfile|sslpassword|pwd)=", rest, re.IGNORECASE):
        raise Bad("settings_sql_password")
    if scheme.startswith("sqlite") and (not rest.startswith("/") or rest in {"/", "/:memory:"}):
        raise Bad("settings_sql_url")
    return text
