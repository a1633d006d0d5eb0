"""What records and keys are made of, by a version of its own; distances; what a shared contact has to weigh."""

from __future__ import annotations

import hashlib
from copy import deepcopy

import duckdb
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.clients import make
from dedup.keys import VERSION, keys_of
from dedup.normal.record import normalise
from dedup.terms import distance
from dedup.weights import CURRENT, _file, parse

#: Version → what two thousand generated clients come to.
MADE = {1: "f515d7f133005467"}


def test_whoever_changes_records_or_keys_counts_the_version_on() -> None:
    """Stores hold records and keys as the code made them; only another ``VERSION`` makes them anew."""
    told = hashlib.sha256()
    for row in make(2000, 5).iter_rows(named=True):
        unit = normalise(row, row["rec_id"])
        told.update(msgspec.json.encode((unit, keys_of(unit))))
    assert MADE.get(VERSION) == told.hexdigest()[:16], "count dedup.keys.VERSION on, and write down what it gives"


@given(st.text("abc", max_size=9), st.text("abc", max_size=9), st.integers(1, 3))
def test_a_distance_is_duckdbs(one: str, other: str, most: int) -> None:
    """Up to ``most`` it is exact, beyond it is beyond, whatever the words begin and end with alike."""
    asked = "SELECT damerau_levenshtein(?, ?)"
    (exact,) = duckdb.execute(asked, [one, other]).fetchone() or (None,)
    found = distance(one, other, most)
    assert (found == exact) if exact <= most else (found > most)


@pytest.mark.parametrize("kind", ["contact", "domain"])
def test_a_shared_contact_weighs_something(kind: str) -> None:
    """A table by which two that share a telephone share nothing is refused."""
    table = deepcopy(_file()[CURRENT])
    table[kind]["least"] = 0.0
    with pytest.raises(ValueError, match="a shared contact weighs"):
        parse("made", table)
