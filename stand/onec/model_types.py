"""What a published object is made of: properties with their Edm types, tabular parts, roles of a register's fields."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

EMPTY_REF = "00000000-0000-0000-0000-000000000000"
EMPTY_DATE = "0001-01-01T00:00:00"
UNDEFINED = "StandardODATA.Undefined"
NAMESPACE = "StandardODATA."


class Kind(StrEnum):
    """What a property holds; decides its Edm type, its empty value and how it compares."""

    GUID = "g"
    REF = "@"
    COMPOSITE = "*"
    TYPE = "type"
    BOOL = "b"
    DOUBLE = "n"
    INT16 = "i16"
    INT64 = "i64"
    DATE = "d"
    ENUM = "e"
    STRING = "s"
    FIXED = "f"
    TEXT = "t"
    ROWS = "rows"


EDM = {
    Kind.GUID: "Edm.Guid",
    Kind.REF: "Edm.Guid",
    Kind.BOOL: "Edm.Boolean",
    Kind.DOUBLE: "Edm.Double",
    Kind.INT16: "Edm.Int16",
    Kind.INT64: "Edm.Int64",
    Kind.DATE: "Edm.DateTime",
}
EMPTY: dict[Kind, Any] = {
    Kind.GUID: EMPTY_REF,
    Kind.REF: EMPTY_REF,
    Kind.TYPE: UNDEFINED,
    Kind.BOOL: False,
    Kind.DOUBLE: 0,
    Kind.INT16: 0,
    Kind.INT64: "0",
    Kind.DATE: EMPTY_DATE,
}


@dataclass(frozen=True, slots=True)
class Prop:
    """One property.

    ``targets``: published sets a reference may lead to. ``length``: 0 is unknown or unlimited. ``guessed``: nobody
    showed us this name, it is general knowledge of the configuration.
    """

    name: str
    kind: Kind
    targets: tuple[str, ...] = ()
    length: int = 0
    rows_type: str = ""
    guessed: bool = False

    @property
    def edm(self) -> str:
        """The type as ``$metadata`` writes it."""
        return f"Collection({NAMESPACE}{self.rows_type})" if self.rows_type else EDM.get(self.kind, "Edm.String")

    @property
    def empty(self) -> Any:
        """The value 1C answers when nothing is stored, as it stands in JSON (a fixed string is all blanks)."""
        return " " * self.length if self.kind is Kind.FIXED else EMPTY.get(self.kind, "")

    @property
    def navigation(self) -> str:
        """The navigation name of a reference (``Партнер`` for ``Партнер_Key``)."""
        return self.name.removesuffix("_Key")


class Shape:
    """An ordered set of properties: an entity's, a row's, a virtual table's."""

    def __init__(self, name: str, props: Iterable[Prop]) -> None:
        self.name = name
        self.props = (*props,)
        self.by_name = {prop.name: prop for prop in self.props}
        self.defaults: dict[str, Any] = {p.name: p.empty for p in self.props if p.kind is not Kind.ROWS}
        self.composites = tuple(p for p in self.props if p.kind is Kind.COMPOSITE)

    @property
    def navigable(self) -> tuple[Prop, ...]:
        """References with exactly one, published, target: these have a navigation property."""
        return tuple(p for p in self.props if p.kind is Kind.REF)

    @property
    def open_type(self) -> bool:
        """1C marks types open when a composite property may lead to a published object."""
        return any(p.targets for p in self.composites)


@dataclass(slots=True)
class Register:
    """Roles of a register's properties.

    ``kind``: ``balance``, ``turnover``, ``slices``, ``independent`` or ``accounting``. ``split`` and its resources are
    kept once for the debit and once for the credit side of an accounting record (``Валюта_Key`` stands as
    ``ВалютаDr_Key`` and ``ВалютаCr_Key``).
    """

    kind: str
    dimensions: tuple[Prop, ...]
    resources: tuple[Prop, ...]
    attributes: tuple[Prop, ...]
    row: Shape
    virtual: dict[str, Shape] = field(default_factory=dict)
    split: tuple[Prop, ...] = ()
    split_resources: tuple[Prop, ...] = ()


@dataclass(slots=True)
class EntitySet:
    """A published set.

    ``kind``: ``catalog``, ``document``, ``task``, ``plan``, ``accounts`` (a chart of accounts), ``characteristics`` (a
    chart of kinds of analytics), ``table`` (a tabular part read as a set), ``recordset`` (records of a recorder),
    ``records`` (the same, row by row) or ``independent``. ``owner``: the set a table or records belong to.
    """

    name: str
    kind: str
    shape: Shape
    key: tuple[str, ...]
    tables: dict[str, Shape] = field(default_factory=dict)
    owner: str = ""
    part: str = ""
    register: Register | None = None

    @property
    def hierarchical(self) -> bool:
        """Has parents, so the default order puts root items first."""
        return "Parent_Key" in self.shape.by_name


@dataclass(slots=True)
class Model:
    """All sets by name, in publishing order.

    ``recorded``: names of sets that a recording or a client of a real base shows; the rest is guessed. ``recorders``:
    published documents that make movements; a recorder of any other type is an unavailable entity.
    """

    sets: dict[str, EntitySet]
    recorded: frozenset[str]
    recorders: tuple[str, ...] = ()

    @property
    def guessed(self) -> tuple[str, ...]:
        """Names of sets that nobody showed us."""
        return tuple(name for name in self.sets if name not in self.recorded)

    def guessed_fields(self, name: str) -> tuple[str, ...]:
        """Fields of a set that nobody showed us; all of them in a set that is guessed as a whole."""
        props = self.sets[name].shape.props
        return tuple(p.name for p in props if p.guessed or name not in self.recorded)
