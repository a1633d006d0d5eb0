"""One pair: the parts of its score, what forbids it, and the band it falls into. Pure; the SQL twin is
``dedup.batch.scoring``.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from dedup.compare import Compared, compare
from dedup.facts import AGREEING, FACTS, KEY_RULES, RELATIONS, VETOES, WHOLE_NAME, Level
from dedup.frequencies import Frequencies, value_of
from dedup.normal.record import Record
from dedup.terms import Pair, first_of
from dedup.weights import Weights, rarity, weights

_VETOES = {name: first_of([test]) for name, test in VETOES.items()}
_WHOLE_NAME = first_of([WHOLE_NAME])
_KEY_RULES, _KEY_RULE = ("", *KEY_RULES), first_of(list(KEY_RULES.values()))
_RELATIONS, _RELATION = ("", *RELATIONS), first_of(list(RELATIONS.values()))
_AGREEING = [
    (name, f"{name}_l", {n for n, level in enumerate(fact.levels, 1) if level.name in AGREEING[name]})
    for name, fact in ((name, next(fact for fact in FACTS if fact.name == name)) for name in AGREEING)
]

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
    return weigh(compare(a, b), frequencies, table or weights(), judged)


def weigh(one: Compared, frequencies: Frequencies, table: Weights, judged: str = "") -> Edge:
    """Score two records that were compared; ``frequencies`` has to know what ``one`` asks for."""
    both = one.both
    both.p.update({kind: _contact(kind, values, frequencies, table) for kind, values in one.common.items() if values})
    parts = tuple(
        [
            Part(fact, level.name, table.bits(fact, level.name, _rarity(one, level, frequencies)))
            for fact, level in one.levels
        ]
    )
    prior = table.prior(frequencies.records)
    weight = prior + sum(part.bits for part in parts)
    vetoes = tuple([name for name in table.vetoes if _VETOES[name](*both)])
    agreeing = _agreeing(both, table)
    doubt = both.p["branch_l"] > 0
    if judged == DIFFERENT:
        vetoes = (*vetoes, "judged")
    rule = _rule(both, table, weight, len(agreeing), forbidden=bool(vetoes) or doubt)
    if judged == SAME:
        vetoes, rule = (), "judged"
    band = "auto" if rule else "review" if weight >= table.review and not vetoes else "nothing"
    relation = "" if band == "auto" else _RELATIONS[_RELATION(*both)]
    return Edge(
        one.a.rec, one.b.rec, parts, prior, weight, vetoes, agreeing, doubt, band, rule, relation, table.version
    )


def _contact(kind: str, values: Iterable[str], frequencies: Frequencies, table: Weights) -> int:
    """Bits of the rarest of these contacts."""
    spec = table.domain if kind == "domain" else table.contact
    return max(spec.of(frequencies.records, frequencies.names(kind, value)) for value in values)


def _rarity(one: Compared, level: Level, frequencies: Frequencies) -> int:
    """What the bits of a level are counted from: the commoner of what the two say, or a contact's own bits."""
    what = level.bits
    if not what:
        return 0
    if what.startswith("p."):
        return one.both.p[what[2:]]
    said = [value_of(one.a, what), value_of(one.b, what)]
    return min(rarity(frequencies.records, frequencies.count(what, value)) if value else 0 for value in said)


def _agreeing(both: Pair, table: Weights) -> tuple[str, ...]:
    found = [
        name
        for name, column, levels in _AGREEING
        if both.p[column] in levels and (name not in ("phone", "email") or both.p[name] >= table.rare)
    ]
    return (*found, "name") if _WHOLE_NAME(*both) else tuple(found)


def _rule(both: Pair, table: Weights, weight: int, agreeing: int, *, forbidden: bool) -> str:
    if forbidden:
        return ""
    key = _KEY_RULES[_KEY_RULE(*both)]
    return key or ("facts" if weight >= table.auto and agreeing >= table.facts else "")
