"""What a mapping can tell its source, in the names that policies and ways use."""

from __future__ import annotations

from hub.engine.cells import STATE
from mappings.compiled import CompiledMapping
from mappings.reverse import ACTS
from mappings.spec import Cases, Const, Expr


def tellable(mapping: CompiledMapping) -> frozenset[str]:
    """Root fields, sets and lines by name, fields of a one-row table as ``child.field``; the mark of deletion."""
    names = set(mapping.writable)
    children = {child.child.name: child.child for child in mapping.children}
    for name, columns in mapping.writable_children.items():
        whole = children[name].lines or bool(children[name].key)
        names |= {name} if whole else {f"{name}.{column}" for column in columns}
    if mapping.deleted_field and mapping.writable:
        names.add(STATE)
    return frozenset(names)


def readable(mapping: CompiledMapping) -> frozenset[str]:
    """Root fields, child tables and own fields (``ext.<name>``) that the mapping fills."""
    spec = mapping.spec
    own = {item.field.name for item in spec.fields} | {child.child.name for child in spec.children}
    return frozenset(
        own | {f"ext.{item.field.name}" for item in spec.ext} | ({STATE} if mapping.deleted_field else set())
    )


def makes_records(mapping: CompiledMapping) -> bool:
    """Whether a record can be made by it: each mandatory field can be told, or is what every record of it has."""
    exprs = {item.field.name: item.expr for item in mapping.spec.fields}
    return all(
        item.name in mapping.writable or (item.name in exprs and _by_itself(exprs[item.name]))
        for item in mapping.entity.fields
        if item.required
    )


def by_act(mapping: CompiledMapping, name: str) -> bool:
    """Whether the source changes that field by an act of its own (posting a document, doing a task)."""
    return any(item.field.name == name and _acted(item.expr) for item in mapping.spec.fields)


def _acted(expr: Expr) -> bool:
    return isinstance(expr, Cases) and any(test.name in ACTS for condition, _ in expr.branches for test in condition)


def _by_itself(expr: Expr) -> bool:
    """A constant of the mapping, or what an act such as posting decides."""
    return isinstance(expr, Const) or _acted(expr)
