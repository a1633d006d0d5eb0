"""Virtual tables: balances of accumulation registers, latest slices of information registers."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from stand.onec.errors import ODataError, bad_option, method_not_found
from stand.onec.evaluate import Compiler
from stand.onec.model import EntitySet, Prop, Register, Shape
from stand.onec.movements import of_register
from stand.onec.syntax import Parser
from stand.onec.world import Record, World


def _condition(world: World, item: EntitySet, shape: Shape, text: str) -> Callable[[Record], bool]:
    if not text:
        return bool
    return Compiler(world, item.name, shape, {}).predicate(Parser(text, "Condition").parse())


def _moment(arguments: dict[str, str]) -> str:
    return arguments.get("Period", "9999-12-31T23:59:59")


def _dimensions(register: Register, text: str) -> list[Prop]:
    """Dimensions named without ``_Key``, or all. Code 14 for an unknown one."""
    if not text:
        return [*register.dimensions]
    known = {prop.navigation: prop for prop in register.dimensions} | {p.name: p for p in register.dimensions}
    names = [name.strip() for name in text.split(",") if name.strip()]
    if unknown := [name for name in names if name not in known]:
        raise bad_option("Dimensions", unknown[0])
    chosen = {known[name].name for name in names}
    return [prop for prop in register.dimensions if prop.name in chosen]


def _of_balances(item: EntitySet) -> Register:
    if item.register is None or item.register.kind != "balance" or item.kind != "recordset":
        raise method_not_found("Balance")
    return item.register


def balance_shape(item: EntitySet, arguments: dict[str, str]) -> Shape:
    """Columns of a balance: the chosen dimensions and all resources. Code 6 on anything but a register of balances."""
    register = _of_balances(item)
    chosen = {prop.name for prop in _dimensions(register, arguments.get("Dimensions", ""))}
    left = {prop.name for prop in register.dimensions} - chosen
    whole = register.virtual["Balance"]
    return Shape(whole.name, [prop for prop in whole.props if prop.name.removesuffix("_Type") not in left])


def balance(world: World, item: EntitySet, arguments: dict[str, str]) -> list[Record]:
    """Non-zero balances by dimensions before ``Period`` (the moment itself is not included, as in 1C)."""
    register = _of_balances(item)
    until, test = _moment(arguments), _condition(world, item, register.row, arguments.get("Condition", ""))
    chosen = _dimensions(register, arguments.get("Dimensions", ""))
    names = [name for prop in chosen for name in _columns(register.row, prop)]
    resources = [prop.name for prop in register.resources]
    totals: dict[tuple[str, ...], list[float]] = {}
    empties = [register.row.defaults[name] for name in names]
    for move in of_register(world, item.name):
        if move.date >= until:
            continue
        for row in move.rows():
            if not row.get("Active") or not test(row):
                continue
            sums = totals.setdefault(tuple(map(row.get, names, empties)), [0.0] * len(resources))
            sign = 1 if row["RecordType"] == "Receipt" else -1
            for index, name in enumerate(resources):
                sums[index] += sign * row.get(name, 0)
    return [*_balances(names, resources, totals)]


def _columns(row: Shape, prop: Prop) -> Iterable[str]:
    twin = f"{prop.name}_Type"
    return (prop.name, twin) if twin in row.by_name else (prop.name,)


def _balances(names: list[str], resources: list[str], totals: dict[tuple[str, ...], list[float]]) -> Iterable[Record]:
    for key, sums in totals.items():
        rounded = [_number(value) for value in sums]
        if any(rounded):
            columns = [*names, *(f"{name}Balance" for name in resources)]
            yield dict(zip(columns, [*key, *rounded], strict=True))


def _number(value: float) -> int | float:
    """Rounded to thousandths, whole when it is."""
    rounded = round(value, 3)
    return int(rounded) if rounded == int(rounded) else rounded


def slice_last(
    world: World, item: EntitySet, arguments: dict[str, str], rows: Iterable[Record], *, first: bool = False
) -> list[Record]:
    """The latest record of each combination of dimensions up to ``Period`` (included), or the earliest one since."""
    register = item.register
    if register is None or register.kind not in ("slices", "independent") or item.kind == "recordset":
        raise method_not_found("SliceFirst" if first else "SliceLast")
    edge = arguments.get("Period", "")
    test = _condition(world, item, register.row, arguments.get("Condition", ""))
    names = [name for prop in register.dimensions for name in _columns(register.row, prop)]
    found: dict[tuple[str, ...], Record] = {}
    for row in rows:
        when = row["Period"]
        if not test(row) or (edge and (when < edge if first else when > edge)):
            continue
        key = tuple(row.get(name, "") for name in names)
        known = found.get(key)
        if known is None or (when < known["Period"] if first else when >= known["Period"]):
            found[key] = row
    return [*found.values()]


def turnovers(item: EntitySet, name: str) -> ODataError:
    """Turnovers are declared but not emulated; says so instead of answering something."""
    if item.register is None or not item.register.virtual:
        return method_not_found(name)
    return ODataError(501, 21, f"Метод {name} не реализован в стенде")
