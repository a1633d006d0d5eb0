"""One pair: the parts of its score, what forbids it, and the band it falls into. Pure; the SQL twin is
``dedup.batch.scoring``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from dedup.facts import AGREEING, FACTS, KEY_RULES, LATE, RELATIONS, VETOES, WHOLE_NAME, Fact
from dedup.frequencies import Frequencies, pair
from dedup.normal.record import Record
from dedup.terms import Pair
from dedup.weights import Weights, weights

#: What a person has said of a pair.
SAME, DIFFERENT = "same", "different"


class Part(NamedTuple):
    """What one fact told: its level, and what that weighs in hundredths of a bit."""

    fact: str
    level: str
    bits: int


@dataclass(frozen=True, slots=True)
class Edge:
    """A scored pair; ``a`` is the lesser id. All bits are in hundredths.

    ``weight``: the parts and ``prior`` together. ``vetoes``: what forbids the merge, by name. ``agreeing``: independent
    facts that agree. ``band``: auto, review or nothing. ``rule``: what made it automatic (a key rule, ``facts`` or
    ``judged``), else empty. ``relation``: what two that are not one are to each other, else empty.
    """

    a: int | str
    b: int | str
    parts: tuple[Part, ...]
    prior: int
    weight: int
    vetoes: tuple[str, ...]
    agreeing: tuple[str, ...]
    doubt: bool
    band: str
    rule: str
    relation: str
    version: str


def score(a: Record, b: Record, frequencies: Frequencies, table: Weights | None = None, judged: str = "") -> Edge:
    """Score two records. ``judged``: a standing word on the pair (``same`` or ``different``), which outranks all
    bits.
    """
    table = table or weights()
    if (b.rec, "") < (a.rec, ""):
        a, b = b, a
    both = pair(a, b, frequencies, table)
    parts = _parts(both, table)
    prior = table.prior(frequencies.records)
    weight = prior + sum(part.bits for part in parts)
    vetoes = tuple(name for name in table.vetoes if VETOES[name].holds(both))
    agreeing = _agreeing(both, table)
    doubt = both.p["branch_l"] > 0
    if judged == DIFFERENT:
        vetoes = (*vetoes, "judged")
    rule = _rule(both, table, weight, len(agreeing), forbidden=bool(vetoes) or doubt)
    if judged == SAME:
        vetoes, rule = (), "judged"
    band = "auto" if rule else "review" if weight >= table.review and not vetoes else "nothing"
    relation = "" if band == "auto" else next((name for name, test in RELATIONS.items() if test.holds(both)), "")
    return Edge(a.rec, b.rec, parts, prior, weight, vetoes, agreeing, doubt, band, rule, relation, table.version)


def _parts(both: Pair, table: Weights) -> tuple[Part, ...]:
    """The parts of all facts, in their order; their levels are left in ``both.p`` for the tests that follow."""
    found = []
    for fact in (*FACTS, *LATE):
        number = next((n for n, level in enumerate(fact.levels, 1) if level.test.holds(both)), 0)
        both.p[f"{fact.name}_l"] = number
        if number:
            level = fact.levels[number - 1]
            found.append(Part(fact.name, level.name, table.bits(fact.name, level.name, _rarity(both, fact, number))))
    return tuple(found)


def _rarity(both: Pair, fact: Fact, number: int) -> int:
    column = fact.levels[number - 1].bits
    if not column:
        return 0
    if column.startswith("p."):
        return int(both.p[column[2:]])
    return int(min(both.l[f"{column}_b"], both.r[f"{column}_b"]))


def _agreeing(both: Pair, table: Weights) -> tuple[str, ...]:
    found = []
    for name, levels in AGREEING.items():
        fact = next(fact for fact in FACTS if fact.name == name)
        number = both.p[f"{name}_l"]
        if not number or fact.levels[number - 1].name not in levels:
            continue
        if name not in ("phone", "email") or both.p[name] >= table.rare:
            found.append(name)
    return (*found, "name") if WHOLE_NAME.holds(both) else tuple(found)


def _rule(both: Pair, table: Weights, weight: int, agreeing: int, *, forbidden: bool) -> str:
    if forbidden:
        return ""
    key = next((name for name, test in KEY_RULES.items() if test.holds(both)), "")
    return key or ("facts" if weight >= table.auto and agreeing >= table.facts else "")
