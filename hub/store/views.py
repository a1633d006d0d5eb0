"""Views for readers: ``v_<table>`` for every root and child table.

A reader sees record ids where the tables hold links (``party_link_id`` → ``party_id``), duplicates already followed to
the record that stands for them, and numbers with their decimal point on both databases.
"""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import Connection, Table

from hub.model.fields import SCALE
from hub.store.core import link, redirect
from hub.store.tables import CHILDREN, ROOTS
from hub.store.types import kind_of

_SUFFIX = "_link_id"


def views() -> Iterator[tuple[str, Table]]:
    """Name of each view and the table it reads."""
    for table in (*ROOTS.values(), *CHILDREN.values()):
        yield f"v_{table.name}", table


def drop_views(conn: Connection) -> None:
    """Drop the views that are there; a view of others that reads one of ours stops it with the database's error."""
    for name, _ in views():
        conn.exec_driver_sql(f"DROP VIEW IF EXISTS {name}")


def create_views(conn: Connection) -> None:
    """Create all views."""
    for name, table in views():
        conn.exec_driver_sql(f"CREATE VIEW {name} AS {definition(conn, table)}")


def definition(conn: Connection, table: Table) -> str:
    """The SELECT behind the view of ``table``, in the dialect of ``conn``."""
    quote = conn.dialect.identifier_preparer.quote
    scaled = conn.dialect.name == "sqlite"
    values, joins = [], []
    for at, column in enumerate(table.columns):
        name = quote(column.name)
        if column.name.endswith(_SUFFIX):
            target = quote(column.name.removesuffix(_SUFFIX) + "_id")
            values.append(f"coalesce(r{at}.to_record_id, l{at}.record_id) AS {target}")
            joins.append(f"LEFT JOIN {link.name} l{at} ON l{at}.id = t.{name}")
            joins.append(f"LEFT JOIN {redirect.name} r{at} ON r{at}.from_record_id = l{at}.record_id")
        elif scaled and (kind := kind_of(column)) in SCALE:
            values.append(f"t.{name} / {10.0 ** SCALE[kind]} AS {name}")
        else:
            values.append(f"t.{name}")
    return " ".join([f"SELECT {', '.join(values)} FROM {quote(table.name)} t", *joins])
