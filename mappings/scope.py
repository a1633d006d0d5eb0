"""Which source names an expression looks at, with the wire type each must have."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from mappings.makers import MAKERS
from mappings.spec import (
    Cases,
    Concat,
    Condition,
    Const,
    Expr,
    FieldSpec,
    First,
    Mapped,
    MappingSpec,
    OfRow,
    Read,
    Ref,
    RowSpec,
    Sum,
)
from mappings.transforms import TRANSFORMS

#: A wire that fits whatever else the name is used as.
ANY = "any"
_WIDER = {("text", "guid"): "guid", ("text", "date"): "date"}


def reads(expr: Expr) -> Iterator[tuple[str, str]]:
    """Every (source name, wire) an expression looks at."""
    match expr:
        case Read(name, transform):
            yield name, TRANSFORMS[transform].wire
        case Mapped(name, table):
            yield name, "bool" if any(isinstance(key, bool) for key, _ in table) else "text"
        case Ref(name, _, typed):
            yield name, expr.wire
            if typed:
                yield f"{name}_Type", "text"
        case Cases(branches):
            for condition, branch in branches:
                yield from tests(condition)
                yield from reads(branch)
        case Const() | OfRow():
            return
        case _:
            for part in _parts(expr):
                yield from reads(part)


def _parts(expr: First | Sum | Concat) -> Iterator[Expr]:
    if isinstance(expr, First):
        yield from expr.options
    elif isinstance(expr, Sum):
        yield from (part for _, part in expr.parts)
    else:
        yield from expr.parts


def of_rows(expr: Expr) -> Iterator[OfRow]:
    """Every look into a tabular part inside an expression."""
    match expr:
        case OfRow():
            yield expr
        case First(options):
            for option in options:
                yield from of_rows(option)
        case Cases(branches):
            for _, branch in branches:
                yield from of_rows(branch)
        case _:
            return


def tests(condition: Condition) -> Iterator[tuple[str, str]]:
    """Every (source name, wire) a condition looks at."""
    for test in condition:
        yield test.name, test.wire


def refs(expr: Expr) -> Iterator[Ref]:
    """Every reference inside an expression."""
    if isinstance(expr, Ref):
        yield expr
    elif isinstance(expr, First):
        for option in expr.options:
            yield from refs(option)
    elif isinstance(expr, Cases):
        for _, branch in expr.branches:
            yield from refs(branch)
    elif isinstance(expr, OfRow):
        yield from refs(expr.value)


def row_reads(row: RowSpec) -> Iterator[tuple[str, str]]:
    """Every (source name, wire) a row template looks at, in the scope of its table (or of the record)."""
    yield from tests(row.when)
    if row.maker is not None:
        for name in filter(None, row.maker.sources):
            yield name, MAKERS[row.maker.name].wire
    if row.number:
        yield row.number, "int"
    for item in row.fields:
        yield from reads(item.expr)


def all_fields(spec: MappingSpec) -> Iterator[FieldSpec]:
    """Every field of a mapping: root, ``ext``, and those of child rows."""
    yield from spec.fields
    yield from spec.ext
    for child in spec.children:
        for row in child.rows:
            yield from row.fields


def all_refs(spec: MappingSpec) -> Iterator[tuple[FieldSpec, Ref]]:
    """Every reference of a mapping with the field it belongs to."""
    for item in all_fields(spec):
        for ref in refs(item.expr):
            yield item, ref


def reference_codes(spec: MappingSpec) -> dict[str, str]:
    """By source name (``Part.Name``), the code that a broken reference is refused with."""
    found = [("", item) for item in (*spec.fields, *spec.ext)]
    found += [
        (f"{row.table}." if row.table else "", item) for c in spec.children for row in c.rows for item in row.fields
    ]
    return {f"{part}{ref.name}": ref.code for part, item in found for ref in refs(item.expr)}


def key_wire(name: str) -> str:
    """How a key part stands in JSON: a guid by 1C's naming of references, else a text."""
    return "guid" if name.endswith("_Key") else "text"


def root_reads(spec: MappingSpec) -> Iterator[tuple[str, str]]:
    """Every (source name, wire) looked at in the scope of the record itself."""
    for name in spec.key:
        yield name, key_wire(name)
    if spec.deleted:
        yield spec.deleted, "bool"
    for _, condition in spec.skip:
        yield from tests(condition)
    for item in (*spec.fields, *spec.ext):
        yield from reads(item.expr)
    for child in spec.children:
        for row in child.rows:
            if not row.table:
                yield from row_reads(row)


def table_reads(spec: MappingSpec) -> dict[str, list[tuple[str, str]]]:
    """By tabular part, every (source name, wire) looked at in its rows."""
    tables: dict[str, list[tuple[str, str]]] = {}
    for child in spec.children:
        for row in child.rows:
            if row.table:
                tables.setdefault(row.table, []).extend(row_reads(row))
    for item in (*spec.fields, *spec.ext):
        for look in of_rows(item.expr):
            tables.setdefault(look.table, []).extend([*tests(look.when), *reads(look.value)])
    return tables


def merge(pairs: Iterable[tuple[str, str]]) -> tuple[dict[str, str], list[tuple[str, str, str]]]:
    """Wires by name in order of first use, and the names used as two things at once: (name, one, other)."""
    wires: dict[str, str] = {}
    clashes: list[tuple[str, str, str]] = []
    for name, wire in pairs:
        had = wires.setdefault(name, wire)
        if wire in {had, ANY}:
            continue
        wider = wire if had == ANY else _WIDER.get((had, wire)) or _WIDER.get((wire, had))
        if wider is None:
            clashes.append((name, had, wire))
        else:
            wires[name] = wider
    return {name: "text" if wire == ANY else wire for name, wire in wires.items()}, clashes
