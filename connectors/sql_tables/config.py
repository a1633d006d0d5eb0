"""What a database is opened with, and its address as people may see it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import quote

from sqlalchemy import Engine, create_engine
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError

from hub.model.errors import NeedsPerson
from hub.model.settings_tables import TableSettings

#: The drivers of the house (``pip install 'obmen[mysql]'``); those of other databases are named in the address.
_DRIVERS = {
    "sqlite": "sqlite+pysqlite",
    "postgresql": "postgresql+psycopg",
    "mysql": "mysql+pymysql",
    "mariadb": "mariadb+pymysql",
}


@dataclass(frozen=True, slots=True)
class SqlSettings:
    """``url``: SQLAlchemy's, without a password. ``timezone``: of dates that carry none. ``timeout``: seconds that one
    statement may take; ``lock_seconds``: that it waits for a row or a file that somebody else holds; ``looks``: before
    each look for what a lost COMMIT did. ``tables``: what the database itself does not tell of its tables.
    """

    url: str
    user: str = ""
    password: str = field(default="", repr=False)
    title: str = ""
    timezone: str = "UTC"
    max_sessions: int = 2
    page_size: int = 1000
    timeout: float = 180.0
    lock_seconds: float = 10.0
    looks: tuple[float, ...] = (0.2, 0.4, 0.8, 1.6)
    schema_seconds: float = 0.0
    tables: Mapping[str, TableSettings] = field(default_factory=dict)


def parsed(settings: SqlSettings) -> URL:
    """The URL with login and the driver of the house; ``NeedsPerson(sql_url_invalid)``."""
    try:
        url = make_url(settings.url)
    except (ArgumentError, ValueError):
        raise NeedsPerson("sql_url_invalid", system=settings.title) from None
    backend = url.get_backend_name()
    if backend == "sqlite" and url.database in {None, "", ":memory:"}:
        raise NeedsPerson("sql_url_invalid", system=settings.title)
    url = url.set(drivername=_DRIVERS.get(backend, url.drivername))
    if settings.user:
        url = url.set(username=settings.user)
    return url.set(password=settings.password) if settings.password else url


def engine_of(url: URL, settings: SqlSettings) -> Engine:
    """An engine that has not connected yet; ``NeedsPerson(sql_driver_missing)`` names what is to be installed."""
    if url.get_backend_name() == "sqlite" and not url.query.get("uri"):
        # As a file that must be there: a wrong path would make an empty CRM.
        url = url.set(database=f"file:{quote(str(url.database))}", query={**url.query, "mode": "rw", "uri": "true"})
    patience = max(2, round(min(settings.timeout, 15)))
    mysql = {"connect_timeout": patience, "read_timeout": max(1, round(settings.timeout))}
    arguments = {
        "sqlite": {"timeout": settings.lock_seconds},
        # Statements prepared on a connection that a pooler shares would be another program's.
        "postgresql": {"connect_timeout": patience, "prepare_threshold": None},
        "mysql": mysql,
        "mariadb": mysql,
    }.get(url.get_backend_name(), {})
    try:
        return create_engine(
            url,
            hide_parameters=True,
            pool_pre_ping=True,
            pool_size=settings.max_sessions,
            max_overflow=0,
            pool_timeout=settings.timeout,
            connect_args=arguments,
        )
    except (ImportError, NoSuchModuleError, ArgumentError) as error:
        missing = getattr(error, "name", None) or url.drivername
        raise NeedsPerson("sql_driver_missing", system=settings.title, driver=url.drivername, package=missing) from None
