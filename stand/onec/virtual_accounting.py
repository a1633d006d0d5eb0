"""Virtual tables of accounting registers: balances and turnovers by account and analytics, entries with analytics.

Every entry is looked at twice, from its debit and from its credit side; on either side fields have their plain names.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from stand.onec.errors import ODataError, bad_option
from stand.onec.model import EMPTY_REF, EntitySet, Prop, Register
from stand.onec.model_virtual import ANALYTICS, sided
from stand.onec.movements import of_register
from stand.onec.query import ordered
from stand.onec.virtual import END_OF_TIME, Table, checked, chosen, columns, condition, narrowed, number, window
from stand.onec.world import Record, World

Key = tuple[str, ...]


#: Opening balance, debit turnover, credit turnover.
Sums = list[float]


def table(world: World, item: EntitySet, name: str, given: dict[str, str]) -> Table:
    """The table asked for. Code 12 for a condition on the other account anywhere but in turnovers."""
    register = checked(item, name, given)
    if "BalancedAccountCondition" in given and name != "Turnovers":
        raise ODataError(400, 12, "Неизвестный параметр метода: BalancedAccountCondition")
    if name == "RecordsWithExtDimensions":
        shape = register.virtual[name]
        return Table(shape.name, shape, (), lambda: records(world, item, given))
    whole = register.virtual[name.removesuffix("s")]
    dimensions = _dimensions(register)
    kept = chosen(dimensions, given.get("Dimensions", ""))
    shape = narrowed(whole, dimensions, kept)
    return Table(shape.name, shape, (), lambda: [*_totals(world, item, name, given, kept)])


def _dimensions(register: Register) -> list[Prop]:
    """The account, its analytics, and the register's dimensions."""
    props = register.virtual["Balance"].props
    return [*props[: 1 + ANALYTICS + len(register.dimensions) + len(register.split)]]


class _Side(NamedTuple):
    """How one side of an entry is read. ``key``: (field, value when it is not there) of account and dimensions.

    ``plain``: (field of the entry, its plain name), for conditions; ``amounts``: fields of the resources.
    """

    column: int
    key: list[tuple[str, str]]
    plain: list[tuple[str, str]]
    amounts: list[str]


def _side(register: Register, side: str) -> _Side:
    shape = register.virtual["Balance"]
    names = {prop.name: prop.name for prop in (*register.dimensions, *register.resources)}
    names |= {prop.name: sided(prop, side).name for prop in (*register.split, *register.split_resources)}
    names["Account_Key"] = f"Account{side}_Key"
    for index in range(1, ANALYTICS + 1):
        names |= {f"ExtDimension{index}{end}": f"ExtDimension{side}{index}{end}" for end in ("", "_Type")}
    fine = [field for prop in _dimensions(register) for field in columns(shape, prop)]
    resources = (*register.resources, *register.split_resources)
    return _Side(
        1 if side == "Dr" else 2,
        [(names[field], shape.defaults[field]) for field in fine],
        [(own, plain) for plain, own in names.items()],
        [names[prop.name] for prop in resources],
    )


def _totals(world: World, item: EntitySet, name: str, given: dict[str, str], kept: list[Prop]) -> Iterator[Record]:
    register = item.register
    assert register is not None
    shape, resources = register.virtual["Balance"], (*register.resources, *register.split_resources)
    fine = [field for prop in _dimensions(register) for field in columns(shape, prop)]
    coarse = [field for prop in kept for field in columns(shape, prop)]
    places = [fine.index(field) for field in coarse]
    groups: dict[Key, list[list[Sums]]] = {}
    for key, found in _summed(world, item, name, given).items():
        groups.setdefault(tuple(key[place] for place in places), []).append(found)
    types = {r["Ref_Key"]: r["Type"] for r in world.tables[_chart(register)]}
    for key, parts in groups.items():
        record = dict(zip(coarse, key, strict=True))
        kind = types.get(record.get("Account_Key", ""), "ActivePassive")
        values: Record = {}
        for index, prop in enumerate(resources):
            values |= _told(name, prop.name, kind, [part[index] for part in parts])
        if any(values.values()):
            yield record | values


def _chart(register: Register) -> str:
    return register.virtual["Balance"].by_name["Account_Key"].targets[0]


def _summed(world: World, item: EntitySet, name: str, given: dict[str, str]) -> dict[Key, list[Sums]]:
    """Sums of every resource by account and all dimensions."""
    register = item.register
    assert register is not None
    shape, (start, end) = register.virtual["Balance"], window(name, given)
    asked = [given[option] for option in ("Condition", "AccountCondition") if given.get(option)]
    tests = [condition(world, item, shape, text) for text in asked]
    # The other account is named as in the language of queries or as if one stood there.
    other = given.get("BalancedAccountCondition", "").replace("BalancedAccount", "Account")
    balanced = [condition(world, item, shape, other)] if other else []
    kinds = _kinds(world, register, given.get("ExtraDimensions", ""))
    sides = [_side(register, side) for side in ("Dr", "Cr")]
    found: dict[Key, list[Sums]] = {}
    for move in of_register(world, item.name):
        early = move.date < start
        if (early and name == "Turnovers") or (not early and move.date > end):
            continue
        for row in filter(_active, move.rows()):
            for side, opposite in zip(sides, reversed(sides), strict=True):
                seen = _regrouped(row, kinds, side) if kinds else row
                if seen is None or not _passes(tests, side, seen) or not _passes(balanced, opposite, row):
                    continue
                key = tuple([seen.get(field, empty) for field, empty in side.key])
                # An entry without an account on a side is not seen from there.
                if key[0] != EMPTY_REF:
                    _add(found.setdefault(key, [[0, 0, 0] for _ in side.amounts]), side, row, early=early)
    return found


def _kinds(world: World, register: Register, text: str) -> list[str]:
    """Keys of the kinds of analytics that ``ExtraDimensions`` lists, by guid or by name. Code 14 for another word."""
    chart = register.virtual["RecordsWithExtDimensions"].by_name["ExtDimensionTypeDr1_Key"].targets[0]
    rows = world.tables[chart]
    names = {str(row["Ref_Key"]): row for row in rows}
    names |= {row[field]: row for row in rows for field in ("Description", "PredefinedDataName") if row.get(field)}
    found = []
    for word in filter(None, (part.strip() for part in text.split(","))):
        name = word[5:-1] if word.startswith("guid'") else word
        if name not in names:
            raise bad_option("ExtraDimensions", word)
        found.append(str(names[name]["Ref_Key"]))
    return found


def _regrouped(row: Record, kinds: list[str], side: _Side) -> Record | None:
    """The entry with only those analytics on a side, in that order; ``None`` when its account lacks one of them."""
    mark = "Dr" if side.column == 1 else "Cr"
    places = {row.get(f"ExtDimensionType{mark}{n}_Key"): n for n in range(1, ANALYTICS + 1)}
    if not {*kinds} <= places.keys():
        return None
    gone = {f"ExtDimension{mark}{n}{end}" for n in range(1, ANALYTICS + 1) for end in ("", "_Type")}
    seen = {name: value for name, value in row.items() if name not in gone}
    for n, kind in enumerate(kinds, 1):
        for end in ("", "_Type"):
            if (value := row.get(f"ExtDimension{mark}{places[kind]}{end}")) is not None:
                seen[f"ExtDimension{mark}{n}{end}"] = value
    return seen


def _passes(tests: list[Callable[[Record], bool]], side: _Side, row: Record) -> bool:
    look = {plain: row[own] for own, plain in side.plain if own in row}
    return all(test(look) for test in tests)


def _add(sums: list[Sums], side: _Side, row: Record, *, early: bool) -> None:
    for index, field in enumerate(side.amounts):
        if value := row.get(field, 0):
            if early:
                sums[index][0] += value if side.column == 1 else -value
            else:
                sums[index][side.column] += value


def _active(row: Record) -> bool:
    return bool(row.get("Active"))


def _balance(prefix: str, field: str, kind: str, values: list[float]) -> Record:
    """A balance by the type of the account, and split: debts and credits of the parts do not cancel each other."""
    net = sum(values)
    debit = net if kind == "Active" or (kind == "ActivePassive" and net > 0) else 0
    credit = -net if kind == "Passive" or (kind == "ActivePassive" and net < 0) else 0
    return {
        f"{field}{prefix}Balance": number(net),
        f"{field}{prefix}BalanceDr": number(debit),
        f"{field}{prefix}BalanceCr": number(credit),
        f"{field}{prefix}SplittedBalanceDr": number(sum(value for value in values if value > 0)),
        f"{field}{prefix}SplittedBalanceCr": number(-sum(value for value in values if value < 0)),
    }


def _told(name: str, field: str, kind: str, parts: list[Sums]) -> Record:
    opening = [part[0] for part in parts]
    if name == "Balance":
        return _balance("", field, kind, opening)
    debit, credit = sum(part[1] for part in parts), sum(part[2] for part in parts)
    turned = {
        f"{field}Turnover": number(debit - credit),
        f"{field}TurnoverDr": number(debit),
        f"{field}TurnoverCr": number(credit),
    }
    if name == "Turnovers":
        return turned
    closing = [begun + more - less for begun, more, less in parts]
    return _balance("Opening", field, kind, opening) | turned | _balance("Closing", field, kind, closing)


def records(world: World, item: EntitySet, given: dict[str, str]) -> list[Record]:
    """Entries with both sides' analytics from ``StartPeriod`` to ``EndPeriod``, both included. Code 14: a bad Top."""
    register = item.register
    assert register is not None
    shape = register.virtual["RecordsWithExtDimensions"]
    test, top = condition(world, item, shape, given.get("Condition", "")), given.get("Top", "")
    if top and not top.isdigit():
        raise bad_option("Top", top)
    found = [record for record in _heads(world, item, given) if test(record)]
    if order := given.get("Order", ""):
        found = ordered(world, EntitySet(shape.name, "independent", shape, ()), found, order)
    return found[: int(top)] if top else found


def _heads(world: World, item: EntitySet, given: dict[str, str]) -> Iterator[Record]:
    start, end = given.get("StartPeriod", ""), given.get("EndPeriod", END_OF_TIME)
    for move in of_register(world, item.name):
        if start <= move.date <= end:
            for row in move.rows():
                yield {"Recorder": move.recorder, "Recorder_Type": move.recorder_type, **row}
