"""What a database offers, found by reflection: tables and views as streams, child tables as their nested tables.

A table is a stream when it has a primary key, a view when the settings name one for it. A nested table (*part*) is a
table with exactly one foreign key to the other's key that either goes with its record (``ON DELETE CASCADE``) or is
named by the settings; its rows stand in the order of ``line_no``, else of the column that the settings name, else of
its own whole-number key.
"""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Inspector
from sqlalchemy.engine.interfaces import ReflectedForeignKeyConstraint
from sqlalchemy.engine.reflection import ObjectKind
from sqlalchemy.exc import SAWarning

from connectors.base import StreamInfo
from connectors.sql_tables.kinds import Column, column_of
from hub.model.settings_tables import TableSettings

#: A field that every stream has besides its columns: another text whenever anything of the record is another.
VERSION = "_version"
_KINDS = {"integer": "integer", "numeric": "numeric", "moment": "timestamp", "other": "text", "any": "sql.any"}
_NONE = TableSettings()


@dataclass(frozen=True)
class Table:
    """A table or view. ``unique``: columns by the name of the constraint. ``own_key``: the database gives new keys.

    ``version``, ``changed``: columns that a write moves on, ``""`` where there are none. Of a part: ``parent``, its
    column that names the record, and ``order``, the one that its rows are ordered by, ``""`` where there is none.
    """

    name: str
    view: bool
    columns: Mapping[str, Column]
    key: tuple[str, ...]
    clause: sa.TableClause
    refs: Mapping[str, str] = field(default_factory=dict)
    parts: Mapping[str, Table] = field(default_factory=dict)
    unique: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    version: str = ""
    changed: str = ""
    own_key: bool = False
    parent: str = ""
    order: str = ""

    @cached_property
    def info(self) -> StreamInfo:
        """As the exchange sees it."""
        fields = {name: _KINDS.get(column.kind, column.kind) for name, column in self._told(self.columns)}
        tables = {
            name: {inner: _KINDS.get(column.kind, column.kind) for inner, column in self._told(part.columns)}
            for name, part in self.parts.items()
        }
        refs = {column: target for column, target in self.refs.items() if column in fields}
        return StreamInfo(self.name, {**fields, VERSION: "text"}, tables, self.key, refs)

    @staticmethod
    def _told(columns: Mapping[str, Column]) -> Iterable[tuple[str, Column]]:
        return ((n, Column(n, "text") if column.as_text else column) for n, column in columns.items())


class Schema:
    """All streams by name; ``keyless``: tables and views that are none, for want of a key."""

    def __init__(self, tables: dict[str, Table], keyless: tuple[str, ...] = ()) -> None:
        self.tables, self.keyless = tables, keyless
        self.streams = {name: table.info for name, table in tables.items()}
        told = msgspec.json.encode(self.streams, order="deterministic")
        self.fingerprint = hashlib.sha256(told).hexdigest()


def reflect(inspector: Inspector, settings: Mapping[str, TableSettings]) -> Schema:
    """The default schema of a connection. Names in ``settings`` that are not there are none of its business."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SAWarning)  # a type that SQLAlchemy does not know is a column of kind ``any``
        return _Reflection(inspector, settings).schema()


class _Reflection:
    def __init__(self, inspector: Inspector, settings: Mapping[str, TableSettings]) -> None:
        self._settings = settings
        self._raw = inspector.engine.dialect.name == "sqlite"
        kind = ObjectKind.ANY
        self._views = {name for _, name in inspector.get_multi_columns(kind=ObjectKind.ANY_VIEW)}
        self._columns = _by_name(inspector.get_multi_columns(kind=kind))
        self._keys = _by_name(inspector.get_multi_pk_constraint(kind=ObjectKind.TABLE))
        self._falls = _falling(inspector) if self._raw else frozenset()
        self._foreign = _by_name(inspector.get_multi_foreign_keys(kind=ObjectKind.TABLE))
        self._unique = _by_name(inspector.get_multi_unique_constraints(kind=ObjectKind.TABLE))

    def schema(self) -> Schema:
        plain = {name: table for name in sorted(self._columns) if (table := self._table(name)) is not None}
        keyless = tuple(sorted(self._columns.keys() - plain.keys()))
        return Schema({name: self._with_parts(table, plain) for name, table in plain.items()}, keyless)

    def _told(self, name: str) -> TableSettings:
        return self._settings.get(name, _NONE)

    def _table(self, name: str) -> Table | None:
        key = self._told(name).key or tuple(self._keys.get(name, {}).get("constrained_columns") or ())
        links = self._links(name)
        refs = {column: link["referred_table"] for column, link in links.items()}
        columns = {
            found["name"]: column
            for found in self._columns[name]
            if found["name"] != VERSION
            and (column := column_of(found, as_text=found["name"] in {*key, *refs})) is not None
        }
        if not key or not set(key) <= columns.keys():
            return None
        types = {found["name"]: found["type"] for found in self._columns[name]}
        clause = sa.table(name, *(sa.column(n, None if self._raw else types[n]) for n in columns))
        unique = {str(item["name"]): tuple(item["column_names"]) for item in self._unique.get(name, ())}
        return Table(
            name,
            name in self._views,
            columns,
            key,
            clause,
            refs,
            unique=unique,
            version=self._known(columns, self._told(name).version, "row_version"),
            changed=self._known(columns, self._told(name).changed, "updated_at"),
            own_key=len(key) == 1 and columns[key[0]].kind == "integer",
        )

    @staticmethod
    def _known(columns: Mapping[str, Column], told: str | None, usual: str) -> str:
        """The column named, or of the usual name; only what can be counted up or dated serves."""
        name = usual if told is None else told
        return name if name in columns and columns[name].kind in {"integer", "moment"} else ""

    def _links(self, name: str) -> dict[str, ReflectedForeignKeyConstraint]:
        """Foreign keys of one column to another table's key of one column, by that column."""
        found = {}
        for link in self._foreign.get(name, ()):
            target = self._keys.get(link["referred_table"], {}).get("constrained_columns")
            if len(link["constrained_columns"]) == 1 and link["referred_columns"] == target:
                found[link["constrained_columns"][0]] = link
        return found

    def _with_parts(self, table: Table, plain: Mapping[str, Table]) -> Table:
        parts = {name: part for name, child in plain.items() if (part := self._part(table, child)) is not None}
        return replace(table, parts=parts)

    def _part(self, table: Table, child: Table) -> Table | None:
        links = {
            column: link
            for column, link in self._links(child.name).items()
            if link["referred_table"] == table.name and child.name != table.name
        }
        if len(links) != 1 or child.view or table.view:
            return None
        ((column, link),), named = links.items(), self._told(table.name).parts
        told = str((link.get("options") or {}).get("ondelete", "")).upper()
        cascade = told == "CASCADE" or (child.name, column) in self._falls
        wanted = cascade if named is None else child.name in named
        if not wanted:
            return None
        # The column that names the record is told by where the row stands.
        columns = {name: inner for name, inner in child.columns.items() if name != column}
        key = tuple(name for name in child.key if name != column)
        return replace(child, columns=columns, key=key, parent=column, order=self._order(child))

    def _order(self, child: Table) -> str:
        told = self._told(child.name).order or "line_no"
        if told in child.columns:
            return told
        return child.key[0] if child.own_key else ""


def _falling(inspector: Inspector) -> frozenset[tuple[str, str]]:
    """Columns of SQLite whose rows go with the record that they name: SQLAlchemy tells it only of some spellings."""
    bind = inspector.bind
    assert isinstance(bind, sa.Connection)
    quote = bind.dialect.identifier_preparer.quote_identifier
    return frozenset(
        (name, row[3])
        for name in inspector.get_table_names()
        for row in bind.exec_driver_sql(f"PRAGMA foreign_key_list({quote(name)})")
        if row[6] == "CASCADE"
    )


def _by_name(found: Mapping[Any, Any]) -> dict[str, Any]:
    return {name: told for (_, name), told in found.items()}
