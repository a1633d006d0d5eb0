"""One mapping at work in a run: the tables it writes, and what is known to be in trouble."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sqlalchemy import Connection, Table, select

from hub.exchange.naming import stream_name
from hub.model.entities import Child, Entity
from hub.model.fields import Field, Kind
from hub.store import core, tables

if TYPE_CHECKING:
    from mappings.compiled import CompiledMapping

_EXT = Field("ext", Kind.JSON, "Дополнительные поля", clearable=True)


@dataclass(slots=True)
class ChildDesk:
    """One child table of a mapping: where its rows go."""

    child: Child
    table: Table
    parent: str
    columns: tuple[str, ...]

    @property
    def all_columns(self) -> tuple[str, ...]:
        """Parent id, row number, then the mapped columns."""
        return (self.parent, self.child.number_column, *self.columns)


@dataclass(slots=True)
class MappingDesk:
    """One mapping with the tables it writes and the ids it needs."""

    mapping: CompiledMapping
    route_id: int
    route_code: str
    stream_id: int
    entity: Entity = field(init=False)
    table: Table = field(init=False)
    fields: tuple[Field, ...] = field(init=False)
    children: tuple[ChildDesk, ...] = field(init=False)
    open_quarantine: set[str] | None = None
    waiting: set[str] | None = None
    held: set[str] | None = None
    decided: set[str] | None = None

    def __post_init__(self) -> None:
        self.entity = self.mapping.entity
        self.table = tables.metadata.tables[self.entity.name]
        by_column = {item.column: item for item in self.entity.fields} | {"ext": _EXT}
        self.fields = tuple(by_column[column] for column in self.mapping.root_columns)
        self.children = tuple(
            ChildDesk(
                part.child,
                tables.metadata.tables[part.child.name],
                f"{self.entity.name}_id",
                part.columns,
            )
            for part in self.mapping.children
        )

    @property
    def kinds(self) -> dict[str, Kind]:
        """Kind of each field by its name, and of each column of a child table as ``table.column``."""
        own = {item.name: item.kind for item in self.fields}
        return own | {
            f"{part.child.name}.{item.column}": item.kind for part in self.children for item in part.child.fields
        }

    @property
    def stream(self) -> str:
        """Name of the stream in the store; a virtual table of a register is a stream of its own."""
        return stream_name(self.mapping)

    def troubled(self, conn: Connection) -> tuple[set[str], set[str]]:
        """External ids of this stream that stand in open quarantine, and that are parked (read once, then kept)."""
        if self.open_quarantine is None or self.waiting is None:
            quarantine, parked = core.quarantine, core.parked
            self.open_quarantine = set(
                conn.execute(
                    select(quarantine.c.external_id).where(
                        quarantine.c.stream_id == self.stream_id, quarantine.c.state == "open"
                    )
                ).scalars()
            )
            self.waiting = set(
                conn.execute(select(parked.c.external_id).where(parked.c.stream_id == self.stream_id)).scalars()
            )
        return self.open_quarantine, self.waiting

    def held_back(self, conn: Connection) -> set[str]:
        """External ids of this stream whose change waits for an admin (read once, then kept)."""
        if self.held is None:
            held = core.held
            query = select(held.c.external_id).where(held.c.stream_id == self.stream_id, held.c.state == "open")
            self.held = set(conn.execute(query).scalars())
        return self.held

    def decisions(self, conn: Connection) -> set[str]:
        """External ids of this stream that a person has decided about (read once, then kept): see ``decided``."""
        if self.decided is None:
            table = core.quarantine
            of_these = (table.c.route_id == self.route_id, table.c.stream_id == self.stream_id)
            self.decided = set(
                conn.execute(
                    select(table.c.external_id).where(*of_these, table.c.state.in_(("skipped", "corrected")))
                ).scalars()
            )
        return self.decided
