"""Scoring as SQL: the facts, levels, vetoes and rules of ``dedup.facts`` rendered over a table of pairs."""

from __future__ import annotations

from collections.abc import Collection, Iterable

import polars as pl

from dedup.facts import AGREEING, FACTS, KEY_RULES, LATE, RELATIONS, VETOES, WHOLE_NAME, Fact, Level
from dedup.frequencies import CONTACTS, COUNTED
from dedup.normal.frame import DOMAIN, EMAIL, PHONE
from dedup.weights import Spec, Weights

#: Columns of a record that tests read.
TEXTS = (
    "kind",
    "name",
    "flat",
    "numbers",
    "last",
    "first",
    "middle",
    "gender",
    "others",
    "inn",
    "inn_any",
    "kpp",
    "ogrn",
    "birthday",
    "postcode",
    "city",
    "street",
    "house",
    "unit",
    "fias",
    "area",
)
MARKS = ("branch", "has_phone", "has_email")
BITS = tuple(f"{what}_b" for what in COUNTED)
#: All columns of a record that scoring and blocking read.
READ = (*TEXTS, *BITS, *MARKS)
_WHAT = {"phone": PHONE, "email": EMAIL, "domain": DOMAIN}
#: Facts that agree, in the order of the bits of ``agreeing``.
AGREEING_NAMES = (*AGREEING, "name")


def shared_sql(pair: str = "pair", contact: str = "contact") -> str:
    """Pairs that share a contact, with the bits of the rarest of each kind, or 0: the same for DuckDB and Spark.

    ``pair``: the table of ``a``, ``b``; ``contact``: that of ``row``, ``what``, ``number`` and ``bits``.
    """
    bits = ", ".join(
        f"coalesce(max(CASE WHEN one.what = {_WHAT[what]} THEN one.bits END), 0) AS {what}" for what in CONTACTS
    )
    return (
        f"SELECT pair.a, pair.b, {bits} FROM {pair} pair JOIN {contact} one ON one.row = pair.a"
        f" JOIN {contact} other ON other.row = pair.b AND other.number = one.number GROUP BY pair.a, pair.b"
    )


def sides(main: pl.DataFrame, pairs: pl.DataFrame, empty: Collection[str]) -> pl.DataFrame:
    """The pairs ``a``, ``b`` (rows of ``main``) with the columns of both records that tests read, but for empty
    ones.
    """
    kept = [*(name for name in TEXTS if name not in empty), *BITS, *MARKS]
    halves = [main.select(pl.col(kept).name.prefix(f"{side}_"))[pairs[row]] for side, row in (("l", "a"), ("r", "b"))]
    return pl.concat([pairs, *halves], how="horizontal")


def worth_sql(table: Weights) -> str:
    """Which edges are worth a look: those that may join, wait for a person or relate."""
    return f"(vetoes = 0 AND weight >= {table.review}) OR rule > 0 OR relation > 0"


def score_sql(table: Weights, records: int, empty: Collection[str] = ()) -> str:
    """Edges out of ``sides``, which has what pairs share too; columns that are ``empty`` everywhere are constants.

    Columns: ``a``, ``b``, of each fact ``…_l`` (number of its level, 0: none) and ``…_w`` (hundredths of a bit),
    ``weight``, ``vetoes`` and ``agreeing`` (bits by place), ``doubt``, ``rule`` and ``relation`` (numbers, 0: none).
    """
    early = ", ".join(f"{_levels(fact)} AS {fact.name}_l" for fact in FACTS)
    late = ", ".join(f"{_levels(fact)} AS {fact.name}_l" for fact in LATE)
    every = (*FACTS, *LATE)
    parts = ", ".join(f"{_bits(fact, table)} AS {fact.name}_w" for fact in every)
    total = " + ".join(f"{fact.name}_w" for fact in every)
    constants = "".join(f", '' AS {side}_{name}" for side in "lr" for name in empty)
    kept = ", ".join(f"{fact.name}_l, {fact.name}_w" for fact in every)
    return f"""
WITH whole AS (SELECT *{constants} FROM sides),
early AS (SELECT *, {early} FROM whole),
late AS (SELECT *, {late} FROM early),
parts AS (SELECT *, {parts} FROM late),
sums AS (SELECT *, {total} + ({table.prior(records)}) AS weight FROM parts),
judged AS (SELECT *, {_mask(VETOES[name].sql for name in table.vetoes)} AS vetoes, {_agreeing(table)} AS agreeing,
    {_first(test.sql for test in RELATIONS.values())} AS relation, {_first(test.sql for test in KEY_RULES.values())}
    AS key_rule FROM sums)
SELECT a, b, {kept}, weight, vetoes, agreeing, branch_l > 0 AS doubt,
    CASE WHEN vetoes <> 0 OR branch_l > 0 THEN 0 WHEN key_rule > 0 THEN key_rule
    WHEN weight >= {table.auto} AND bit_count(agreeing) >= {table.facts} THEN {len(KEY_RULES) + 1} ELSE 0 END AS rule,
    relation
FROM judged"""


def _levels(fact: Fact) -> str:
    cases = " ".join(f"WHEN {level.test.sql} THEN {number}" for number, level in enumerate(fact.levels, 1))
    return f"CASE {cases} ELSE 0 END"


def _bits(fact: Fact, table: Weights) -> str:
    cases = " ".join(
        f"WHEN {number} THEN {_spec(level, table.levels[fact.name][level.name])}"
        for number, level in enumerate(fact.levels, 1)
    )
    return f"CASE {fact.name}_l {cases} ELSE 0 END"


def _spec(level: Level, spec: Spec) -> str:
    if not spec.times:
        return f"({spec.plus})"
    column = level.bits
    base = (
        column[2:]
        if column.startswith("p.")
        else f"CAST(least(l_{column}_b, r_{column}_b) AS INTEGER)"
        if column
        else "0"
    )
    return f"least({spec.most}, greatest({spec.least}, {base} * {spec.times} // 100 + {spec.plus}))"


def _mask(tests: Iterable[str]) -> str:
    found = [f"CASE WHEN {test} THEN {1 << place} ELSE 0 END" for place, test in enumerate(tests)]
    return " + ".join(found) or "0"


def _first(tests: Iterable[str]) -> str:
    cases = " ".join(f"WHEN {test} THEN {number}" for number, test in enumerate(tests, 1))
    return f"CASE {cases} ELSE 0 END"


def _agreeing(table: Weights) -> str:
    tests = []
    for name, levels in AGREEING.items():
        fact = next(fact for fact in FACTS if fact.name == name)
        numbers = [str(n) for n, level in enumerate(fact.levels, 1) if level.name in levels]
        rare = f" AND {name} >= {table.rare}" if name in ("phone", "email") else ""
        tests.append(f"({name}_l IN ({', '.join(numbers)}){rare})")
    return _mask([*tests, WHOLE_NAME.sql])
