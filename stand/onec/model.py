"""The published objects of the three bases, read from the notation of ``stand.onec.schema``.

``$metadata``, the service document, JSON and Atom are all produced from a ``Model``; nothing else knows a set's shape.
``MODEL`` is that of УТ, ``UNF_MODEL`` and ``BP_MODEL`` are those of УНФ and БП.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from stand.onec.model_types import (
    EDM,
    EMPTY,
    EMPTY_DATE,
    EMPTY_REF,
    NAMESPACE,
    UNDEFINED,
    EntitySet,
    Kind,
    Model,
    Prop,
    Register,
    Shape,
)
from stand.onec.model_virtual import accounting_row, accounting_tables, tables, twin, with_types
from stand.onec.schema.bp import BP, BP_GUESSED
from stand.onec.schema.guessed import GUESSED
from stand.onec.schema.recorded import RECORDED
from stand.onec.schema.unf import UNF, UNF_GUESSED

__all__ = [
    "BP_MODEL",
    "EDM",
    "EMPTY",
    "EMPTY_DATE",
    "EMPTY_REF",
    "MODEL",
    "NAMESPACE",
    "UNDEFINED",
    "UNF_MODEL",
    "EntitySet",
    "Kind",
    "Model",
    "Prop",
    "Register",
    "Shape",
    "load",
]

UT_RECORDERS = (
    "Document_ЗаказКлиента",
    "Document_РеализацияТоваровУслуг",
    "Document_ПоступлениеБезналичныхДенежныхСредств",
    "Document_ПриходныйКассовыйОрдер",
)
UNF_RECORDERS = (
    "Document_ЗаказПокупателя",
    "Document_РасходнаяНакладная",
    "Document_АктВыполненныхРабот",
    "Document_ПоступлениеНаСчет",
    "Document_ПоступлениеВКассу",
)
BP_RECORDERS = (
    "Document_РеализацияТоваровУслуг",
    "Document_ПоступлениеНаРасчетныйСчет",
    "Document_ПриходныйКассовыйОрдер",
)
_OBJECTS = {
    "Catalog": "catalog",
    "Document": "document",
    "Task": "task",
    "ExchangePlan": "plan",
    "ChartOfAccounts": "accounts",
    "ChartOfCharacteristicTypes": "characteristics",
}
_PARTS = ("dim", "res", "att", "dim/", "res/", "ext")


def _prop(word: str, *, guessed: bool) -> Prop:
    name, _, code = word.partition(":")
    if code.startswith("@"):
        return Prop(name, Kind.REF, (code[1:],), guessed=guessed)
    if code.startswith("*"):
        return Prop(name, Kind.COMPOSITE, tuple(filter(None, code[1:].split("|"))), guessed=guessed)
    if code[0] in "sf" and code[1:].isdigit():
        return Prop(name, Kind(code[0]), length=int(code[1:]), guessed=guessed)
    return Prop(name, Kind(code), guessed=guessed)


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
            if words[0].startswith("+") or words[0] in _PARTS:
                part = words.pop(0).lstrip("+")
            guessed = words[:1] == ["?"]
            block.parts.setdefault(part, []).extend(_prop(word, guessed=guessed) for word in words[guessed:])
        yield block


def _object_sets(block: _Block) -> Iterable[EntitySet]:
    own = block.parts[""]
    parts = {part: props for part, props in block.parts.items() if part}
    head = own + [Prop(part, Kind.ROWS, rows_type=f"{block.name}_{part}_RowType") for part in parts]
    head += [twin(p) for p in own if p.kind is Kind.COMPOSITE]
    kind = _OBJECTS[block.name.split("_")[0]]
    number = [Prop("Ref_Key", Kind.GUID), Prop("LineNumber", Kind.INT64)]
    shapes = {part: Shape(f"{block.name}_{part}", with_types(number + props)) for part, props in parts.items()}
    yield EntitySet(block.name, kind, Shape(block.name, head), ("Ref_Key",), shapes)
    for part, shape in shapes.items():
        yield EntitySet(shape.name, "table", shape, ("Ref_Key", "LineNumber"), owner=block.name, part=part)


def _register(block: _Block, recorders: tuple[str, ...]) -> Register:
    dims, res, att, split, split_res = (tuple(block.parts.get(part, ())) for part in _PARTS[:5])
    name, kind = block.name, block.kind
    if kind == "independent":
        return Register(kind, dims, res, att, Shape(name, with_types([Prop("Period", Kind.DATE), *dims, *res, *att])))
    head = [Prop("Recorder", Kind.COMPOSITE, recorders), Prop("Period", Kind.DATE), Prop("LineNumber", Kind.INT64)]
    head += [Prop("Active", Kind.BOOL)] + [Prop("RecordType", Kind.ENUM)] * (kind == "balance")
    row = Shape(f"{name}_RecordType", with_types([*head, *dims, *res, *att]))
    register = Register(kind, dims, res, att, row, split=split, split_resources=split_res)
    if kind == "accounting":
        chart, kinds, value = (prop.targets for prop in block.parts["ext"])
        register.virtual = accounting_tables(name, register, chart[0], kinds[0], value)
        register.row = Shape(row.name, with_types([*head, *accounting_row(register, chart[0])]))
    elif kind != "slices":
        register.virtual = tables(name, register)
    return register


def _register_sets(block: _Block, recorders: tuple[str, ...]) -> Iterable[EntitySet]:
    name, register = block.name, _register(block, recorders)
    dims = tuple(prop.name for prop in register.dimensions)
    if register.kind == "independent":
        yield EntitySet(name, "independent", register.row, ("Period", *dims), register=register)
        return
    rows = Prop("RecordSet", Kind.ROWS, rows_type=f"{name}_RowType")
    pair = Shape(name, [Prop("Recorder", Kind.COMPOSITE, recorders), rows, Prop("Recorder_Type", Kind.TYPE)])
    pair_key = ("Recorder", "Recorder_Type")
    yield EntitySet(name, "recordset", pair, pair_key, {"RecordSet": register.row}, register=register)
    middle = ("Period", *dims) if register.kind == "slices" else ("LineNumber",)
    key = ("Recorder", *middle, "Recorder_Type")
    yield EntitySet(f"{name}_RecordType", "records", register.row, key, owner=name, register=register)


def load(recorded: str, guessed: str, recorders: tuple[str, ...]) -> Model:
    """Read the notation of ``stand.onec.schema``."""
    sets: dict[str, EntitySet] = {}
    names: set[str] = set()
    for text in (recorded, guessed):
        for block in _blocks(text):
            made = _register_sets(block, recorders) if "Register_" in block.name else _object_sets(block)
            sets.update((item.name, item) for item in made)
        names = names or set(sets)
    return Model(sets, frozenset(names), recorders)


#: Управление торговлей 11.
MODEL = load(RECORDED, GUESSED, UT_RECORDERS)
#: Управление нашей фирмой.
UNF_MODEL = load(UNF, UNF_GUESSED, UNF_RECORDERS)
#: Бухгалтерия предприятия 3.0.
BP_MODEL = load(BP, BP_GUESSED, BP_RECORDERS)
