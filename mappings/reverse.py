"""The way back of a value: which source values make an expression give what is wanted.

``assign`` proposes, and whoever calls it proves the proposal by running the mapping forwards (``mappings.backward``):
so a proposal may be simple where alternatives and conditions make the exact answer hard.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from hub.model.fields import SCALE, Field
from mappings.generate import child_fields
from mappings.makers import MAKERS, way_back
from mappings.runtime import EMPTY, ZERO, Clock
from mappings.spec import (
    Cases,
    ChildSpec,
    Condition,
    Const,
    Expr,
    First,
    Mapped,
    MappingSpec,
    Read,
    Ref,
    Sum,
    Test,
)
from mappings.transforms import TRANSFORMS

NO_DATE = "0001-01-01T00:00:00"
UNDEFINED = "StandardODATA.Undefined"
#: Marking, posting and executing are acts of their own: what they decide is never written as a field.
ACTS = frozenset({"DeletionMark", "Posted", "Executed"})
#: How 1C writes an empty value, by wire.
_EMPTY: dict[str, Any] = {"text": "", "guid": ZERO, "date": NO_DATE, "number": 0, "int": 0, "bool": False}


def writable(spec: MappingSpec) -> frozenset[str]:
    """Root fields whose value can be told to the source."""
    if spec.given or spec.table != "set":
        return frozenset()
    return frozenset(item.field.name for item in spec.fields if has_way_back(item.expr))


def writable_children(spec: MappingSpec) -> dict[str, tuple[str, ...]]:
    """Columns of child tables that can be told to the source, by child; a child without any is left out."""
    if spec.given or spec.table != "set":
        return {}
    found = {child.child.name: _child_columns(child) for child in spec.children}
    return {name: columns for name, columns in found.items() if columns}


def _child_columns(child: ChildSpec) -> tuple[str, ...]:
    names: set[str] = set()
    for row in child.rows:
        own = {item.field.name for item in row.fields if has_way_back(item.expr)}
        if row.maker is not None:
            own = set(MAKERS[row.maker.name].columns) if way_back(row.maker) is not None else set()
        elif own or (row.when and not row.table):
            own |= {item.field.name for item in row.fields if isinstance(item.expr, Const)}
        names |= own - {"line_key"}
    return tuple(field.name for field in child_fields(child) if field.name in names)


def has_way_back(expr: Expr) -> bool:
    """Whether some values of an expression can be told to the source."""
    match expr:
        case Read(_, transform):
            return TRANSFORMS[transform].back
        case Mapped():
            return bool(_inverse(expr))
        case Ref():
            return True
        case Sum(parts):
            return parts[0][0] > 0
        case First(options):
            return any(has_way_back(option) for option in options)
        case Cases(branches):
            acts = any(test.name in ACTS for condition, _ in branches for test in condition)
            return not acts and any(isinstance(branch, Const) or has_way_back(branch) for _, branch in branches)
        case _:
            return False


def assign(expr: Expr, field: Field, value: Any, now: Mapping[str, Any], clock: Clock) -> dict[str, Any]:
    """Source values that should make ``expr`` give ``value`` (travelling form, references as ``RefTarget``).

    ``now``: what the source shows. ``ValueError`` if the value has no word there.
    """
    match expr:
        case Read():
            return {expr.name: read_back(expr, field, value, clock)}
        case Mapped():
            return {expr.name: _word(expr, field, value)}
        case Ref():
            return _ref_back([expr], field, value)
        case First(options):
            refs = [option for option in options if isinstance(option, Ref)]
            if len(refs) == len(options):
                return _ref_back(refs, field, value)
            return _first_back(options, field, value, now, clock)
        case Sum():
            return _sum_back(expr, field, value, now, clock)
        case Cases():
            return _cases_back(expr, field, value, now, clock)
        case _:
            raise ValueError(f"{field.name} has no way back")


def read_back(expr: Read, field: Field, value: Any, clock: Clock) -> Any:
    """A value as 1C writes it in JSON."""
    if value is None:
        return "" if expr.transform == "utc" else _EMPTY[TRANSFORMS[expr.transform].wire]
    match expr.transform:
        case "bool":
            return bool(value)
        case "money" | "qty" | "percent":
            whole, rest = divmod(value, 10 ** SCALE[field.kind])
            return value / 10 ** SCALE[field.kind] if rest else whole
        case "timestamp":
            return clock.local(value)
        case "utc":
            return f"{value[:10]}T{value[11:]}Z"
        case "date":
            return f"{value}T00:00:00"
        case _:
            return value


def _inverse(expr: Mapped) -> dict[Any, Any]:
    """Source word by canonical value; the first word of the table where several mean the same."""
    table: dict[Any, Any] = {}
    for word, value in expr.table:
        if value is not None:
            table.setdefault(value, word)
    return table


def _word(expr: Mapped, field: Field, value: Any) -> Any:
    if value is None:
        return False if any(isinstance(word, bool) for word, _ in expr.table) else ""
    words = _inverse(expr)
    if value not in words:
        raise ValueError(f"{field.name}: {value!r} has no word in the source; it has {', '.join(map(str, words))}")
    return words[value]


def _ref_back(options: list[Ref], field: Field, value: Any) -> dict[str, Any]:
    """The reference into the attribute that names its stream; those that are looked at before it are emptied."""
    result: dict[str, Any] = {}
    for option in options:
        here = value is not None and value.stream in option.targets
        empty = "" if option.typed or option.word else ZERO
        result[option.name] = value.external_id if here else empty
        if option.typed:
            result[f"{option.name}_Type"] = f"StandardODATA.{value.stream}" if here else UNDEFINED
        if here:
            return result
    if value is not None:
        raise ValueError(f"{field.name}: the source has no attribute for a reference to {value.stream}")
    return result


def _first_back(
    options: Iterable[Expr], field: Field, value: Any, now: Mapping[str, Any], clock: Clock
) -> dict[str, Any]:
    """The first alternative that can say it gets it, those before it are emptied.

    Those after it follow where they say the same another way: words, and numbers in proportion (an amount with VAT and
    one without, packs and units). NULL empties them all.
    """
    made: dict[str, Any] = {}
    lead: Read | None = None
    placed = False
    for option in options:
        if value is None or (not placed and not _says(option, value)):
            if has_way_back(option):
                made |= assign(option, field, None, now, clock)
        elif not placed:
            made |= assign(option, field, value, now, clock)
            lead, placed = option if isinstance(option, Read) else None, True
        elif isinstance(option, Mapped) and _says(option, value):
            made |= assign(option, field, value, now, clock)
        elif lead is not None and isinstance(option, Read) and TRANSFORMS[option.transform].wire == "number":
            made[option.name] = _in_proportion(now.get(option.name), now.get(lead.name), made[lead.name], field)
    if value is not None and not placed:
        raise ValueError(f"{field.name}: {value!r} has no word in the source")
    return made


def _in_proportion(old: Any, old_lead: Any, new_lead: Any, field: Field) -> Any:
    if not isinstance(old, int | float) or not isinstance(old_lead, int | float) or not old or not old_lead:
        return new_lead
    return round(old * new_lead / old_lead, SCALE[field.kind])


def _sum_back(expr: Sum, field: Field, value: Any, now: Mapping[str, Any], clock: Clock) -> dict[str, Any]:
    """The first number takes what the others leave of the sum (a discount by hand beside one by rule); NULL: none."""
    (_, lead), *others = expr.parts
    if value is None:
        return {part.name: 0 for _, part in expr.parts}
    known = [(sign, now.get(part.name)) for sign, part in others]
    rest = sum(sign * round(shown * 10 ** SCALE[field.kind]) for sign, shown in known if isinstance(shown, int | float))
    return {lead.name: read_back(lead, field, value - rest, clock)}


def _says(expr: Expr, value: Any) -> bool:
    match expr:
        case Const():
            return bool(expr.value == value)
        case Read(_, transform):
            return TRANSFORMS[transform].back
        case Mapped():
            return value is None or value in _inverse(expr)
        case Ref():
            return value is None or value.stream in expr.targets
        case First(options):
            return any(_says(option, value) for option in options)
        case Cases(branches):
            return any(_says(branch, value) for _, branch in branches)
        case _:
            return False


def _cases_back(expr: Cases, field: Field, value: Any, now: Mapping[str, Any], clock: Clock) -> dict[str, Any]:
    """The first branch that can say it is made to hold, those before it not to."""
    made: dict[str, Any] = {}
    for condition, branch in expr.branches:
        if _says(branch, value):
            made |= hold(condition)
            return made if isinstance(branch, Const) else made | assign(branch, field, value, now, clock)
        made |= break_off(condition, now)
    if value is None:
        return made
    raise ValueError(f"{field.name}: {value!r} has no word in the source")


def holds(condition: Condition, now: Mapping[str, Any]) -> bool:
    """Whether a condition holds for raw values."""
    return all(_holds(test, now.get(test.name)) for test in condition)


def _holds(test: Test, value: Any) -> bool:
    if not test.values:
        return bool(value) != test.negate
    empty = value in EMPTY or value == NO_DATE
    found = (empty and None in test.values) or any(value == choice for choice in test.values if choice is not None)
    return found != test.negate


def hold(condition: Condition) -> dict[str, Any]:
    """Values that make a condition hold, as far as a test names one."""
    made: dict[str, Any] = {}
    for test in condition:
        if not test.values:
            made[test.name] = not test.negate
        elif not test.negate:
            made |= _nothing(test.name) if test.values[0] is None else {test.name: test.values[0]}
    return made


def break_off(condition: Condition, now: Mapping[str, Any]) -> dict[str, Any]:
    """Values that make a condition not hold; ``ValueError`` where no single value does."""
    if not holds(condition, now):
        return {}
    for test in condition:
        if not test.values:
            return {test.name: test.negate}
        if test.negate and test.values == (None,):
            return {name: value for name, value in _nothing(test.name).items() if name == test.name or name in now}
    raise ValueError("nothing to set")


def _nothing(name: str) -> dict[str, Any]:
    return {name: ZERO} if name.endswith("_Key") else {name: "", f"{name}_Type": UNDEFINED}
