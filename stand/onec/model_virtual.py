"""Result rows of registers' virtual tables, with the field names that ``$metadata`` lists."""

from __future__ import annotations

from collections.abc import Iterable

from stand.onec.model_types import Kind, Prop, Register, Shape

_PERIODS = ("", "Second", "Minute", "Hour", "Day", "Week", "TenDays", "Month", "Quarter", "HalfYear", "Year")
#: How many kinds of analytics an account may have.
ANALYTICS = 3
_BALANCE = ("Balance", "BalanceDr", "BalanceCr", "SplittedBalanceDr", "SplittedBalanceCr")
_TURNOVER = ("Turnover", "TurnoverDr", "TurnoverCr")
_EDGES = (
    *("OpeningBalance", "OpeningBalanceDr", "OpeningBalanceCr", "OpeningSplittedBalanceDr", "OpeningSplittedBalanceCr"),
    *_TURNOVER,
    *("ClosingBalance", "ClosingBalanceDr", "ClosingBalanceCr", "ClosingSplittedBalanceDr", "ClosingSplittedBalanceCr"),
)


def with_types(props: Iterable[Prop]) -> list[Prop]:
    """Composite properties are followed, at the very end, by their ``_Type`` twins."""
    found = [*props]
    return found + [twin(p) for p in found if p.kind is Kind.COMPOSITE]


def twin(prop: Prop) -> Prop:
    """The ``X_Type`` of a composite ``X``."""
    return Prop(f"{prop.name}_Type", Kind.TYPE, guessed=prop.guessed)


def _when() -> list[Prop]:
    found = [Prop(f"{period}Period", Kind.DATE) for period in _PERIODS]
    return [*found, Prop("Recorder", Kind.STRING), Prop("LineNumber", Kind.INT64)]


def _resources(props: Iterable[Prop], suffixes: tuple[str, ...]) -> list[Prop]:
    return [Prop(f"{p.name}{suffix}", Kind.DOUBLE) for p in props for suffix in suffixes]


def tables(name: str, register: Register) -> dict[str, Shape]:
    """Those of an accumulation register."""
    twins = [twin(p) for p in register.dimensions if p.kind is Kind.COMPOSITE]
    dims, last = [*register.dimensions, *_when()], [*twins, Prop("Recorder_Type", Kind.TYPE)]
    res = register.resources
    if register.kind == "turnover":
        return {"Turnover": Shape(f"{name}_Turnover", [*dims, *_resources(res, ("Turnover",)), *last])}
    both = ("OpeningBalance", "Turnover", "Receipt", "Expense", "ClosingBalance")
    turnover = _resources(res, ("Turnover", "Receipt", "Expense"))
    return {
        "Balance": Shape(f"{name}_Balance", [*register.dimensions, *_resources(res, ("Balance",)), *twins]),
        "Turnover": Shape(f"{name}_Turnover", [*dims, *turnover, *last]),
        "BalanceAndTurnover": Shape(f"{name}_BalanceAndTurnover", [*dims, *_resources(res, both), *last]),
    }


def sided(prop: Prop, side: str) -> Prop:
    """``ВалютаDr_Key`` of ``Валюта_Key``, ``КоличествоCr`` of ``Количество``."""
    base, key = prop.navigation, "_Key" if prop.name.endswith("_Key") else ""
    return Prop(f"{base}{side}{key}", prop.kind, prop.targets, prop.length, guessed=prop.guessed)


def _both(props: Iterable[Prop]) -> list[Prop]:
    return [sided(prop, side) for prop in props for side in ("Dr", "Cr")]


def accounting_row(register: Register, chart: str) -> list[Prop]:
    """Fields of an accounting record after its head: accounts, dimensions, resources; no analytics."""
    accounts = [Prop(f"Account{side}_Key", Kind.REF, (chart,)) for side in ("Dr", "Cr")]
    dims = [*register.dimensions, *_both(register.split)]
    return [*accounts, *dims, *register.resources, *_both(register.split_resources), *register.attributes]


def accounting_tables(
    name: str, register: Register, chart: str, kinds: str, value: tuple[str, ...]
) -> dict[str, Shape]:
    """Those of an accounting register. ``value``: what analytics may be; ``kinds``: the chart of their kinds."""
    numbers = range(1, ANALYTICS + 1)
    analytics = [Prop(f"ExtDimension{n}", Kind.COMPOSITE, value) for n in numbers]
    by = [Prop("Account_Key", Kind.REF, (chart,)), *analytics, *register.dimensions, *register.split]
    res, twins = (*register.resources, *register.split_resources), [twin(p) for p in analytics]
    last = [*twins, Prop("Recorder_Type", Kind.TYPE)]
    sides = [
        prop
        for side in ("Dr", "Cr")
        for n in numbers
        for prop in (
            Prop(f"ExtDimension{side}{n}", Kind.COMPOSITE, value),
            Prop(f"ExtDimensionType{side}{n}_Key", Kind.REF, (kinds,)),
        )
    ]
    records = with_types([*register.row.props[:4], *accounting_row(register, chart), *sides])
    return {
        "Balance": Shape(f"{name}_Balance", [*by, *_resources(res, _BALANCE), *twins]),
        "Turnover": Shape(f"{name}_Turnover", [*by, *_when(), *_resources(res, _TURNOVER), *last]),
        "BalanceAndTurnover": Shape(f"{name}_BalanceAndTurnover", [*by, *_when(), *_resources(res, _EDGES), *last]),
        "RecordsWithExtDimensions": Shape(f"{name}_RecordsWithExtDimensions", records),
    }
