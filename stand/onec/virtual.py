"""Virtual tables: balances and turnovers of accumulation registers, slices of information registers.

Those of accounting registers are in ``virtual_accounting``. There is no breakdown by period or recorder, as over OData.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from stand.onec.errors import ODataError, bad_option, method_not_found
from stand.onec.evaluate import Compiler
from stand.onec.model import EntitySet, Prop, Register, Shape
from stand.onec.movements import of_register
from stand.onec.syntax import Parser
from stand.onec.world import Record, World

END_OF_TIME = "9999-12-31T23:59:59"
#: Columns of a turnovers' type that only a breakdown would fill.
_BREAKDOWN = {"Recorder", "Recorder_Type", "LineNumber"}
_SLICES = ("slices", "independent")
#: Method → the kinds of registers that have it, its parameters.
METHODS = {
    "Balance": (("balance", "accounting"), ("Period", "Condition", "Dimensions")),
    "Turnovers": (("balance", "turnover", "accounting"), ("StartPeriod", "EndPeriod", "Condition", "Dimensions")),
    "BalanceAndTurnovers": (("balance", "accounting"), ("StartPeriod", "EndPeriod", "Condition", "Dimensions")),
    "SliceLast": (_SLICES, ("Period", "Condition")),
    "SliceFirst": (_SLICES, ("Period", "Condition")),
    "RecordsWithExtDimensions": (("accounting",), ("StartPeriod", "EndPeriod", "Condition", "Order", "Top")),
}
#: What methods of accounting registers take besides.
ACCOUNTING = ("AccountCondition", "BalancedAccountCondition", "ExtraDimensions")
PARAMETERS = frozenset(name for _, names in METHODS.values() for name in names) | frozenset(ACCOUNTING)


class Table(NamedTuple):
    """A virtual table that was asked for: its columns and what computes its rows."""

    name: str
    shape: Shape
    key: tuple[str, ...]
    make: Callable[[], list[Record]]


def checked(item: EntitySet, name: str, given: dict[str, str]) -> Register:
    """The register, if the set has that method and the method those parameters. Codes 6 and 12."""
    kinds, parameters = METHODS[name]
    register = item.register
    bound = "recordset" if name not in ("SliceLast", "SliceFirst") else "records"
    if register is None or register.kind not in kinds or item.kind not in (bound, "independent"):
        raise method_not_found(name)
    known = {*parameters, *(ACCOUNTING if register.kind == "accounting" else ())}
    if unknown := sorted(given.keys() - known):
        raise ODataError(400, 12, f"Неизвестный параметр метода: {unknown[0]}")
    return register


def condition(world: World, item: EntitySet, shape: Shape, text: str) -> Callable[[Record], bool]:
    """A condition as a test of a record."""
    if not text:
        return bool
    return Compiler(world, item.name, shape, {}).predicate(Parser(text, "Condition").parse())


def chosen(known: Iterable[Prop], text: str) -> list[Prop]:
    """Dimensions named without ``_Key``, or all. Code 14 for an unknown one."""
    dimensions = [*known]
    if not text:
        return dimensions
    by_name = {prop.navigation: prop for prop in dimensions} | {p.name: p for p in dimensions}
    names = [name.strip() for name in text.split(",") if name.strip()]
    if unknown := [name for name in names if name not in by_name]:
        raise bad_option("Dimensions", unknown[0])
    wanted = {by_name[name].name for name in names}
    return [prop for prop in dimensions if prop.name in wanted]


def narrowed(whole: Shape, dimensions: Iterable[Prop], kept: Iterable[Prop]) -> Shape:
    """The columns of an answer: the kept dimensions and the resources."""
    left = {prop.name for prop in dimensions} - {prop.name for prop in kept}
    gone = _BREAKDOWN | {p.name for p in whole.props if p.name.endswith("Period")}
    return Shape(
        whole.name, [p for p in whole.props if p.name.removesuffix("_Type") not in left and p.name not in gone]
    )


def columns(shape: Shape, prop: Prop) -> tuple[str, ...]:
    """A dimension's field, and its type if it has one."""
    twin = f"{prop.name}_Type"
    return (prop.name, twin) if twin in shape.by_name else (prop.name,)


def number(value: float) -> int | float:
    """Rounded to thousandths, whole when it is."""
    rounded = round(value, 3)
    return int(rounded) if rounded == int(rounded) else rounded


def table(
    world: World, item: EntitySet, name: str, given: dict[str, str], source: Callable[[EntitySet], Iterable[Record]]
) -> Table:
    """A virtual table of an accumulation or information register. ``source``: reads a set row by row."""
    register = checked(item, name, given)
    if name in ("SliceLast", "SliceFirst"):
        return Table(item.name, item.shape, item.key, lambda: _slice(world, item, name, given, source(item)))
    dimensions = chosen(register.dimensions, given.get("Dimensions", ""))
    whole = register.virtual[name.removesuffix("s")]
    shape = narrowed(whole, register.dimensions, dimensions)
    return Table(shape.name, shape, (), lambda: [*_totals(world, item, name, given, dimensions)])


class _Sums:
    """Opening balance, receipt and expense of every resource."""

    __slots__ = ("expense", "opening", "receipt")

    def __init__(self, count: int) -> None:
        self.opening, self.receipt, self.expense = [0.0] * count, [0.0] * count, [0.0] * count


def window(name: str, given: dict[str, str]) -> tuple[str, str]:
    """From when on movements are turnovers, and until when (included). For a balance there are no turnovers."""
    if name == "Balance":
        edge = given.get("Period", END_OF_TIME)
        return edge, ""
    return given.get("StartPeriod", ""), given.get("EndPeriod", END_OF_TIME)


def _totals(
    world: World, item: EntitySet, name: str, given: dict[str, str], dimensions: list[Prop]
) -> Iterator[Record]:
    register = item.register
    assert register is not None
    test = condition(world, item, register.row, given.get("Condition", ""))
    names = [field for prop in dimensions for field in columns(register.row, prop)]
    empties = [register.row.defaults[field] for field in names]
    resources = [prop.name for prop in register.resources]
    start, end = window(name, given)
    totals: dict[tuple[str, ...], _Sums] = {}
    for move in of_register(world, item.name):
        early = move.date < start
        if (early and name == "Turnovers") or (not early and move.date > end):
            continue
        for row in move.rows():
            if not row.get("Active") or not test(row):
                continue
            sums = totals.setdefault(tuple(map(row.get, names, empties)), _Sums(len(resources)))
            sign = -1 if row.get("RecordType") == "Expense" else 1
            for index, field in enumerate(resources):
                value = row.get(field, 0)
                if early:
                    sums.opening[index] += sign * value
                else:
                    (sums.receipt if sign > 0 else sums.expense)[index] += value
    for key, sums in totals.items():
        found = _told(name, register.kind, resources, sums)
        if any(found.values()):
            yield dict(zip(names, key, strict=True)) | found


def _told(name: str, kind: str, resources: list[str], sums: _Sums) -> Record:
    found: Record = {}
    for field, opening, receipt, expense in zip(resources, sums.opening, sums.receipt, sums.expense, strict=True):
        if name == "Balance":
            found[f"{field}Balance"] = number(opening)
            continue
        found[f"{field}Turnover"] = number(receipt - expense)
        if kind == "balance":
            found |= {f"{field}Receipt": number(receipt), f"{field}Expense": number(expense)}
        if name == "BalanceAndTurnovers":
            found |= {
                f"{field}OpeningBalance": number(opening),
                f"{field}ClosingBalance": number(opening + receipt - expense),
            }
    return found


def _slice(world: World, item: EntitySet, name: str, given: dict[str, str], rows: Iterable[Record]) -> list[Record]:
    """The latest record of each combination of dimensions up to ``Period`` (included), or the earliest one since."""
    register, first = item.register, name == "SliceFirst"
    assert register is not None
    edge, test = given.get("Period", ""), condition(world, item, register.row, given.get("Condition", ""))
    names = [field for prop in register.dimensions for field in columns(register.row, prop)]
    found: dict[tuple[str, ...], Record] = {}
    for row in rows:
        when = row["Period"]
        if not test(row) or (edge and (when < edge if first else when > edge)):
            continue
        key = tuple(row.get(field, "") for field in names)
        known = found.get(key)
        if known is None or (when < known["Period"] if first else when >= known["Period"]):
            found[key] = row
    return [*found.values()]
