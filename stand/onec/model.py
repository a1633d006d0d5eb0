"""The published objects of the base: sets, properties with their Edm types, tabular parts, targets of references.

``$metadata``, the service document, JSON and Atom are all produced from ``MODEL``; nothing else knows a set's shape.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from stand.onec.schema.guessed import GUESSED
from stand.onec.schema.recorded import RECORDED

EMPTY_REF = "00000000-0000-0000-0000-000000000000"
EMPTY_DATE = "0001-01-01T00:00:00"
UNDEFINED = "StandardODATA.Undefined"
NAMESPACE = "StandardODATA."
#: Published documents that make movements; a recorder of any other type is an unavailable entity.
RECORDERS = (
    "Document_ЗаказКлиента",
    "Document_РеализацияТоваровУслуг",
    "Document_ПоступлениеБезналичныхДенежныхСредств",
    "Document_ПриходныйКассовыйОрдер",
)


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
    """One property. ``targets``: published sets a reference may lead to. ``length``: 0 is unknown or unlimited."""

    name: str
    kind: Kind
    targets: tuple[str, ...] = ()
    length: int = 0
    rows_type: str = ""

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
    """Roles of a register's properties. ``kind``: ``balance``, ``turnover``, ``slices`` or ``independent``."""

    kind: str
    dimensions: tuple[Prop, ...]
    resources: tuple[Prop, ...]
    attributes: tuple[Prop, ...]
    row: Shape
    virtual: dict[str, Shape] = field(default_factory=dict)


@dataclass(slots=True)
class EntitySet:
    """A published set.

    ``kind``: ``catalog``, ``document``, ``plan``, ``table`` (a tabular part read as a set), ``recordset`` (records of a
    recorder), ``records`` (the same, row by row) or ``independent``. ``owner``: the set a table or records belong to.
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
    """All sets by name, in publishing order; ``recorded``: names taken from a recording, the rest is guessed."""

    sets: dict[str, EntitySet]
    recorded: frozenset[str]

    @property
    def guessed(self) -> tuple[str, ...]:
        """Names of sets whose fields are not from the recording."""
        return tuple(name for name in self.sets if name not in self.recorded)


def _prop(word: str) -> Prop:
    name, _, code = word.partition(":")
    if code.startswith("@"):
        return Prop(name, Kind.REF, (code[1:],))
    if code.startswith("*"):
        return Prop(name, Kind.COMPOSITE, tuple(filter(None, code[1:].split("|"))))
    if code[0] in "sf" and code[1:].isdigit():
        return Prop(name, Kind(code[0]), length=int(code[1:]))
    return Prop(name, Kind(code))


def _with_types(props: Iterable[Prop]) -> list[Prop]:
    """Composite properties are followed, at the very end, by their ``_Type`` twins."""
    found = [*props]
    return found + [Prop(f"{p.name}_Type", Kind.TYPE) for p in found if p.kind is Kind.COMPOSITE]


@dataclass(slots=True)
class _Block:
    name: str
    kind: str
    parts: dict[str, list[Prop]]


def _blocks(text: str) -> Iterable[_Block]:
    for chunk in text.split("\n\n"):
        head, *lines = chunk.strip("\n").splitlines()
        name, _, kind = head.partition(" ")
        block, part = _Block(name, kind, {}), ""
        for line in lines:
            words = line.split()
            if words[0].startswith("+") or words[0] in ("dim", "res", "att"):
                part = words.pop(0).lstrip("+")
            block.parts.setdefault(part, []).extend(map(_prop, words))
        yield block


def _object_sets(block: _Block) -> Iterable[EntitySet]:
    own = block.parts[""]
    tables = {part: props for part, props in block.parts.items() if part}
    head = own + [Prop(part, Kind.ROWS, rows_type=f"{block.name}_{part}_RowType") for part in tables]
    head += [Prop(f"{p.name}_Type", Kind.TYPE) for p in own if p.kind is Kind.COMPOSITE]
    kind = {"Catalog": "catalog", "Document": "document"}.get(block.name.split("_")[0], "plan")
    number = [Prop("Ref_Key", Kind.GUID), Prop("LineNumber", Kind.INT64)]
    shapes = {part: Shape(f"{block.name}_{part}", _with_types(number + props)) for part, props in tables.items()}
    yield EntitySet(block.name, kind, Shape(block.name, head), ("Ref_Key",), shapes)
    for part, shape in shapes.items():
        yield EntitySet(shape.name, "table", shape, ("Ref_Key", "LineNumber"), owner=block.name, part=part)


def _virtual(name: str, register: Register) -> dict[str, Shape]:
    """Result rows of a register's virtual tables, with the field names that ``$metadata`` lists."""
    twins = [Prop(f"{p.name}_Type", Kind.TYPE) for p in register.dimensions if p.kind is Kind.COMPOSITE]
    periods = ("", "Second", "Minute", "Hour", "Day", "Week", "TenDays", "Month", "Quarter", "HalfYear", "Year")
    when = [Prop(f"{p}Period", Kind.DATE) for p in periods]
    when += [Prop("Recorder", Kind.STRING), Prop("LineNumber", Kind.INT64)]

    def resources(*suffixes: str) -> list[Prop]:
        return [Prop(f"{p.name}{s}", Kind.DOUBLE) for p in register.resources for s in suffixes]

    dims, last = [*register.dimensions], [*twins, Prop("Recorder_Type", Kind.TYPE)]
    if register.kind == "turnover":
        return {"Turnover": Shape(f"{name}_Turnover", [*dims, *when, *resources("Turnover"), *last])}
    both = ("OpeningBalance", "Turnover", "Receipt", "Expense", "ClosingBalance")
    return {
        "Balance": Shape(f"{name}_Balance", [*dims, *resources("Balance"), *twins]),
        "Turnover": Shape(f"{name}_Turnover", [*dims, *when, *resources("Turnover", "Receipt", "Expense"), *last]),
        "BalanceAndTurnover": Shape(f"{name}_BalanceAndTurnover", [*dims, *when, *resources(*both), *last]),
    }


def _register_sets(block: _Block) -> Iterable[EntitySet]:
    dims, res, att = (tuple(block.parts.get(part, ())) for part in ("dim", "res", "att"))
    name, values = block.name, [*dims, *res, *att]
    if block.kind == "independent":
        row = Shape(name, _with_types([Prop("Period", Kind.DATE), *values]))
        register = Register(block.kind, dims, res, att, row)
        yield EntitySet(name, "independent", row, ("Period", *(p.name for p in dims)), register=register)
        return
    head = [Prop("Recorder", Kind.COMPOSITE, RECORDERS), Prop("Period", Kind.DATE), Prop("LineNumber", Kind.INT64)]
    head += [Prop("Active", Kind.BOOL)] + [Prop("RecordType", Kind.ENUM)] * (block.kind == "balance")
    register = Register(block.kind, dims, res, att, Shape(f"{name}_RecordType", _with_types(head + values)))
    if block.kind != "slices":
        register.virtual = _virtual(name, register)
    rows = Prop("RecordSet", Kind.ROWS, rows_type=f"{name}_RowType")
    pair = Shape(name, [Prop("Recorder", Kind.COMPOSITE, RECORDERS), rows, Prop("Recorder_Type", Kind.TYPE)])
    pair_key = ("Recorder", "Recorder_Type")
    yield EntitySet(name, "recordset", pair, pair_key, {"RecordSet": register.row}, register=register)
    middle = ("Period", *(p.name for p in dims)) if block.kind == "slices" else ("LineNumber",)
    key = ("Recorder", *middle, "Recorder_Type")
    yield EntitySet(f"{name}_RecordType", "records", register.row, key, owner=name, register=register)


def load(recorded: str = RECORDED, guessed: str = GUESSED) -> Model:
    """Read the notation of ``stand.onec.schema``."""
    sets: dict[str, EntitySet] = {}
    names: set[str] = set()
    for text in (recorded, guessed):
        for block in _blocks(text):
            made = _register_sets(block) if "Register_" in block.name else _object_sets(block)
            sets.update((item.name, item) for item in made)
        names = names or set(sets)
    return Model(sets, frozenset(names))


#: The base that the stand serves.
MODEL = load()
