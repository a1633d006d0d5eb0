"""The way back: canonical values in travelling form to a payload the source understands."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hub.model.fields import SCALE, Field
from mappings.runtime import ZERO, Clock
from mappings.spec import Expr, FieldSpec, First, Mapped, MappingSpec, Read, Ref
from mappings.transforms import TRANSFORMS

#: How 1C writes an empty value, by wire.
_EMPTY: dict[str, Any] = {"text": "", "guid": ZERO, "date": "0001-01-01T00:00:00", "number": 0, "int": 0, "bool": False}


def writable(spec: MappingSpec) -> frozenset[str]:
    """Root fields whose value can be told to the source: one source name, and a transform with a way back."""
    return frozenset(item.field.name for item in spec.fields if _has_way_back(item.expr))


def _has_way_back(expr: Expr) -> bool:
    match expr:
        case Read(_, transform):
            return TRANSFORMS[transform].back
        case Mapped():
            return bool(_inverse(expr))
        case Ref():
            return not expr.not_self
        case First(options):
            return all(isinstance(option, Ref) and not option.typed for option in options)
        case _:
            return False


def _inverse(expr: Mapped) -> dict[Any, Any]:
    """Source word by canonical value; the first word of the table where several mean the same."""
    table: dict[Any, Any] = {}
    for word, value in expr.table:
        if value is not None:
            table.setdefault(value, word)
    return table


def payload(spec: MappingSpec, clock: Clock, values: Mapping[str, Any]) -> dict[str, Any]:
    """See ``CompiledMapping.reverse``."""
    known = {item.field.name: item for item in spec.fields}
    result: dict[str, Any] = {}
    for name, value in values.items():
        item = known.get(name)
        if item is None or not _has_way_back(item.expr):
            raise KeyError(name)
        result.update(_back(item, clock, value))
    return result


def _back(item: FieldSpec, clock: Clock, value: Any) -> dict[str, Any]:
    expr = item.expr
    if isinstance(expr, Read):
        return {expr.name: _read_back(expr, item.field, clock, value)}
    if isinstance(expr, Mapped):
        return {expr.name: _word(expr, item.field, value)}
    options = expr.options if isinstance(expr, First) else (expr,)
    return _ref_back([option for option in options if isinstance(option, Ref)], item.field, value)


def _read_back(expr: Read, field: Field, clock: Clock, value: Any) -> Any:
    if value is None:
        return _EMPTY[TRANSFORMS[expr.transform].wire]
    match expr.transform:
        case "bool":
            return bool(value)
        case "money" | "qty" | "percent":
            return (
                value / 10 ** SCALE[field.kind] if value % 10 ** SCALE[field.kind] else value // 10 ** SCALE[field.kind]
            )
        case "timestamp":
            return clock.local(value)
        case "date":
            return f"{value}T00:00:00"
        case _:
            return value


def _word(expr: Mapped, field: Field, value: Any) -> Any:
    if value is None:
        return False if any(isinstance(word, bool) for word, _ in expr.table) else ""
    words = _inverse(expr)
    if value not in words:
        raise ValueError(f"{field.name}: {value!r} has no word in the source; it has {', '.join(map(str, words))}")
    return words[value]


def _ref_back(options: list[Ref], field: Field, value: Any) -> dict[str, Any]:
    """The reference into the attribute that names its stream, the other alternatives emptied."""
    result: dict[str, Any] = {}
    placed = value is None
    for option in options:
        here = not placed and value.stream in option.targets
        placed = placed or here
        if option.typed:
            result[option.name] = value.external_id if here else ""
            result[f"{option.name}_Type"] = f"StandardODATA.{value.stream}" if here else "StandardODATA.Undefined"
        else:
            result[option.name] = value.external_id if here else ZERO
    if not placed:
        raise ValueError(f"{field.name}: the source has no attribute for a reference to {value.stream}")
    return result
