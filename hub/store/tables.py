"""Tables of the canonical model, built from the registry in ``hub.model.entities``.

A root table has ``id``, the entity's columns, then ``record_state``, ``ext`` (a site's own fields), who wrote it and
``row_version``. A child table is keyed by its parent and a number; it has no foreign key, since parent and children
are always written together by the bulk path.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from sqlalchemy import BigInteger, Column, Index, Integer, MetaData, Table, text

from hub.model.entities import ENTITIES, Child, Entity
from hub.model.fields import Field
from hub.store.types import CleanText, Json, column_type, surrogate

#: Names of constraints and indexes are part of the schema: migrations refer to them.
NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}

metadata = MetaData(naming_convention=NAMING)

#: Columns that readers search and join by. Every index is paid for on each insert, so there are no others.
INDEXED: dict[str, tuple[tuple[str, ...], ...]] = {
    "product": (("sku",),),
    "price": (("product_link_id",),),
    "stock_balance": (("product_link_id",),),
    "contract": (("party_link_id",),),
    "party_identifier": (("value_norm",),),
    "contact_point": (("value_norm",),),
    "party_relationship": (("to_party_link_id",),),
    "sales_order": (("party_link_id",), ("date",)),
    "invoice": (("party_link_id",), ("date",)),
    "shipment": (("party_link_id",), ("date",)),
    "payment": (("party_link_id",), ("date",)),
    "settlement_balance": (("party_link_id",),),
    "activity": (("party_link_id",), ("started_at",), ("external_key",)),
    "activity_participant": (("handle_norm",),),
    "email_detail": (("message_id",),),
    "lead": (("dedupe_key",),),
    "lead_contact_point": (("value_norm",),),
    "subscription": (("email",),),
    "task": (("party_link_id",), ("assignee_link_id",), ("dedupe_key",)),
}


@cache
def root_columns(entity: Entity) -> tuple[str, ...]:
    """Physical names of the entity's own fields, in registry order; without ``id`` and the service columns."""
    return tuple(field.column for field in entity.fields)


@cache
def child_columns(child: Child) -> tuple[str, ...]:
    """Physical names of the child's own fields, in registry order; without the parent's id and the number."""
    return tuple(field.column for field in child.fields)


def parent_column(entity: Entity) -> str:
    """Name of the column by which the entity's children name it."""
    return f"{entity.name}_id"


def _columns(fields: tuple[Field, ...]) -> list[Column[Any]]:
    return [Column(field.column, column_type(field.kind), nullable=not field.required) for field in fields]


def _indexes(name: str) -> list[Index]:
    return [Index(None, *columns) for columns in INDEXED.get(name, ())]


def _root(entity: Entity) -> Table:
    return Table(
        entity.name,
        metadata,
        Column("id", surrogate(), primary_key=True, autoincrement=False),
        *_columns(entity.fields),
        Column("record_state", CleanText(), nullable=False, server_default=text("'active'")),
        Column("ext", Json()),
        Column("created_by_run", BigInteger(), nullable=False),
        Column("updated_by_run", BigInteger(), nullable=False),
        Column("row_version", Integer(), nullable=False, server_default=text("1")),
        *_indexes(entity.name),
        info={"entity": entity},
    )


def _child(entity: Entity, child: Child) -> Table:
    """WITHOUT ROWID keeps the rows of one parent side by side in SQLite and saves the second tree."""
    return Table(
        child.name,
        metadata,
        Column(parent_column(entity), BigInteger(), primary_key=True, autoincrement=False),
        Column(child.number_column, Integer(), primary_key=True, autoincrement=False),
        *_columns(child.fields),
        *_indexes(child.name),
        sqlite_with_rowid=False,
        info={"entity": entity, "child": child},
    )


#: Root tables by entity name, and child tables by child name.
ROOTS: dict[str, Table] = {name: _root(entity) for name, entity in ENTITIES.items()}
CHILDREN: dict[str, Table] = {
    child.name: _child(entity, child) for entity in ENTITIES.values() for child in entity.children
}
