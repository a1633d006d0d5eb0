"""What an update of the configuration does to a base: objects and fields that vanish or change their type."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from stand.onec.model import EMPTY, EntitySet, Kind, Model, Prop, Shape
from stand.onec.world import World

#: Types that a field may be changed to.
TYPES = {
    "Edm.String": Kind.STRING,
    "Edm.Double": Kind.DOUBLE,
    "Edm.Int16": Kind.INT16,
    "Edm.Int64": Kind.INT64,
    "Edm.Boolean": Kind.BOOL,
    "Edm.DateTime": Kind.DATE,
    "Edm.Guid": Kind.GUID,
}


def reshaped(model: Model, gone: Iterable[str], retyped: Mapping[str, str]) -> Model:
    """The model without the fields ``Set.Field`` of ``gone`` and with others' types changed.

    A field of a tabular part is named by the part's own set (``Document_X_Товары.Цена``). ``ValueError``: no such
    field, a key field, or a type that is not one of ``TYPES``.
    """
    changes: dict[int, dict[str, Kind | None]] = {}
    for name in gone:
        if "." in name:
            shape, field = _named(model, name)
            changes.setdefault(id(shape), {}).update({field: None, f"{field}_Type": None})
    for name, edm in retyped.items():
        if edm not in TYPES:
            raise ValueError(f"{edm} is none of {', '.join(TYPES)}")
        shape, field = _named(model, name)
        changes.setdefault(id(shape), {})[field] = TYPES[edm]
    if not changes:
        return model
    sets = {name: _set(item, changes) for name, item in model.sets.items()}
    return replace(model, sets={n: item for n, item in sets.items() if _owned(sets, item)})


def _named(model: Model, name: str) -> tuple[Shape, str]:
    set_name, _, field = name.rpartition(".")
    item = model.sets.get(set_name)
    if item is None or field not in item.shape.by_name or field in item.key:
        raise ValueError(f"{name} is no field that can be changed")
    return item.shape, field


def _set(item: EntitySet, changes: Mapping[int, Mapping[str, Kind | None]]) -> EntitySet:
    def new(shape: Shape) -> Shape:
        return _shape(shape, changes.get(id(shape), {}))

    shape = new(item.shape)
    register = item.register and replace(item.register, row=new(item.register.row))
    tables = {name: new(rows) for name, rows in item.tables.items() if name in shape.by_name}
    return replace(item, shape=shape, tables=tables, register=register)


def _owned(sets: Mapping[str, EntitySet], item: EntitySet) -> bool:
    """A tabular part's own set goes with the part."""
    return item.kind != "table" or item.part in sets[item.owner].tables


def _shape(shape: Shape, changes: Mapping[str, Kind | None]) -> Shape:
    if not changes:
        return shape
    props = [_prop(prop, changes[prop.name]) if prop.name in changes else prop for prop in shape.props]
    return Shape(shape.name, [prop for prop in props if prop is not None])


def _prop(prop: Prop, kind: Kind | None) -> Prop | None:
    return None if kind is None else Prop(prop.name, kind)


def convert(world: World, retyped: Mapping[str, str]) -> None:
    """Rewrite what is stored in fields whose type has changed, as an update of the configuration does: for good."""
    for name, edm in retyped.items():
        set_name, _, field = name.rpartition(".")
        table = world.tables.get(set_name)
        for record in table or ():
            if field in record:
                record[field] = _converted(TYPES[edm], record[field])


def _converted(kind: Kind, value: Any) -> Any:
    """The value in its new type, empty where 1C finds nothing of it there."""
    if kind is Kind.STRING:
        return str(value)
    if kind in (Kind.DOUBLE, Kind.INT16, Kind.INT64):
        try:
            number = float(value)
        except ValueError:
            return EMPTY[kind]
        return str(int(number)) if kind is Kind.INT64 else number if kind is Kind.DOUBLE else int(number)
    return EMPTY[kind]


def published(model: Model, gone: Iterable[str]) -> Model:
    """The model without the sets of ``gone``, with their tabular parts and records. ``ValueError``: no such set."""
    names = {name for name in gone if "." not in name}
    if unknown := names - model.sets.keys():
        raise ValueError(f"not published anyway: {', '.join(sorted(unknown))}")
    if not names:
        return model
    left = {n: item for n, item in model.sets.items() if n not in names and item.owner not in names}
    return replace(model, sets=left)
