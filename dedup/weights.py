"""The table of weights: versions of ``weights.yaml``, checked and turned into hundredths of a bit.

Everything that is added up is an integer, so that the order of adding and the machine that adds never matter.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from dedup.facts import FACTS, LATE, VETOES

#: Kinds of blocking keys: see ``dedup.keys``.
KEY_KINDS = (
    "inn",
    "ogrn",
    "name_city",
    "name",
    "flat_city",
    "person_city",
    "person",
    "initial_city",
    "last_house",
    "name_house",
    "unit",
    "born",
    "word_postcode",
    "word_city",
    "street_city",
    "city_postcode",
    "street_house",
    "house_postcode",
    "phone",
    "email",
)
#: The version that is used unless another is asked for.
CURRENT = "ru-1"


#: A base is taken to be a sample of at least so many clients: a telephone that two of a hundred records share is no
#: more usual than one that two of ten thousand share.
LEAST = 10_000
#: Bits of a contact that two share, at least: above zero it counts as shared at all.
LEAST_CONTACT = 0.01


class Spec(NamedTuple):
    """Bits of a level. Constant: ``plus`` alone, with ``times`` 0. By rarity: ``rarity * times // 100 + plus``,
    bounded.
    """

    times: int
    plus: int
    least: int
    most: int

    def of(self, rarity: int) -> int:
        """The bits for a rarity of zero or more, all in hundredths."""
        return min(self.most, max(self.least, rarity * self.times // 100 + self.plus))


class ContactSpec(NamedTuple):
    """Bits of a contact: log2(records) + plus - slope * log2(different names on it), at least ``least``."""

    plus: float
    slope: float
    least: float

    def of(self, records: int, names: int) -> int:
        """The bits of a contact that so many different names are on, in hundredths."""
        bits = math.log2(max(records, LEAST)) + self.plus - self.slope * math.log2(max(names, 1))
        return round(100 * max(self.least, bits))


@dataclass(frozen=True)
class Weights:
    """One version. ``levels``: fact → level → bits; ``prior`` is added to every sum; bands in hundredths of a bit."""

    version: str
    expected: float
    auto: int
    review: int
    facts: int
    rare: int
    caps: Mapping[str, int]
    contact: ContactSpec
    domain: ContactSpec
    vetoes: tuple[str, ...]
    levels: Mapping[str, Mapping[str, Spec]]

    def prior(self, records: int) -> int:
        """Hundredths of a bit to start from, among so many records."""
        return -round(100 * math.log2((max(records, LEAST) - 1) / (2 * self.expected)))

    def bits(self, fact: str, level: str, rarity: int) -> int:
        """Hundredths of a bit of one level."""
        return self.levels[fact][level].of(rarity)


@lru_cache(maxsize=4096)
def rarity(records: int, count: int) -> int:
    """How rare a value is that ``count`` of ``records`` say: log2 of their ratio in hundredths."""
    return max(0, round(100 * math.log2(max(records, LEAST) / max(count, 1))))


def base_of(version: str) -> str:
    """The shipped version that a table goes back to: one fitted to a site is called ``ru-1+131``."""
    return version.partition("+")[0]


@cache
def _file() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((Path(__file__).parent / "weights.yaml").read_text(encoding="utf-8"))
    return loaded


#: The shipped versions.
VERSIONS = tuple(_file())


@cache
def weights(version: str = CURRENT) -> Weights:
    """One version of the shipped table; ``KeyError`` names the versions there are."""
    if version not in _file():
        raise KeyError(f"no weights {version!r}; there are: {', '.join(_file())}")
    return parse(version, _file()[version])


def parse(version: str, table: Mapping[str, Any]) -> Weights:
    """A table as it stands in the file; ``ValueError`` where a fact, a level or a veto is missing or unknown."""
    levels = {
        fact.name: {level.name: _spec(table["levels"], fact.name, level.name) for level in fact.levels}
        for fact in (*FACTS, *LATE)
    }
    for name, given in table["levels"].items():
        if strange := set(given) - set(levels.get(name, ())):
            raise ValueError(f"weights {version}: {name} has no level {', '.join(sorted(strange))}")
    if strange := set(table["caps"]) - set(KEY_KINDS):
        raise ValueError(f"weights {version}: no key {', '.join(sorted(strange))}; there are: {', '.join(KEY_KINDS)}")
    if strange := set(table["vetoes"]) - set(VETOES):
        raise ValueError(f"weights {version}: no veto {', '.join(sorted(strange))}; there are: {', '.join(VETOES)}")
    if min(float(table[kind]["least"]) for kind in ("contact", "domain")) < LEAST_CONTACT:
        raise ValueError(f"weights {version}: a shared contact weighs {LEAST_CONTACT} bits at least")
    bands = table["bands"]
    return Weights(
        version=version,
        expected=float(table["expected"]),
        auto=_hundredths(bands["auto"]),
        review=_hundredths(bands["review"]),
        facts=int(bands["facts"]),
        rare=_hundredths(table["rare"]),
        caps={kind: int(table["caps"].get(kind, 0)) for kind in KEY_KINDS},
        contact=ContactSpec(**table["contact"]),
        domain=ContactSpec(**table["domain"]),
        vetoes=tuple(name for name in VETOES if name in table["vetoes"]),
        levels=levels,
    )


def _spec(levels: Mapping[str, Any], fact: str, level: str) -> Spec:
    try:
        value = levels[fact][level]
    except KeyError:
        raise ValueError(f"weights: no bits for {fact}.{level}") from None
    if not isinstance(value, Mapping):
        return Spec(0, _hundredths(value), _hundredths(value), _hundredths(value))
    return Spec(
        _hundredths(value.get("times", 1.0)),
        _hundredths(value.get("plus", 0.0)),
        _hundredths(value.get("least", 0.0)),
        _hundredths(value.get("most", 99.0)),
    )


def _hundredths(value: float) -> int:
    return round(100 * value)
