"""Weights fitted to judgements: they go where the judgements are, and no further than these can carry them."""

from __future__ import annotations

import random

import pytest

from bench.clients import make
from dedup.batch.run import Batch, Settings
from dedup.frequencies import Counted
from dedup.normal.record import normalise
from dedup.refit import LEAST, SEEN, Judged, enough, fit, moved
from dedup.score import Part, score
from dedup.weights import weights

#: What pairs may stand at here: bits that the table gives, in hundredths.
LEVELS = {("phone", "same"): 1100, ("name", "part"): 0, ("name", "differ"): -1300, ("city", "differ"): -450}
START = -400


def judgements(number: int, true: dict[tuple[str, str], int], start: int = START, seed: int = 1) -> list[Judged]:
    """Pairs as the table weighs them, judged by a world in which the bits are ``true``."""
    rng, found = random.Random(seed), []
    for _ in range(number):
        stands = [level for level in LEVELS if rng.random() < 0.5]
        odds = start + sum(true[level] for level in stands)
        parts = tuple(Part(*level, LEVELS[level]) for level in stands)
        one = rng.random() < 1 / (1 + 2 ** (-odds / 100))
        found.append(Judged(parts, START + sum(part.bits for part in parts), one))
    return found


def test_bits_go_where_the_judgements_are() -> None:
    """Two levels tell another thing here than the table says: they are found, the others hardly move."""
    true = {**LEVELS, ("name", "part"): 400, ("city", "differ"): -50}
    found = fit(judgements(3000, true))
    assert found.better
    assert found.moved["name", "part"] == pytest.approx(400, abs=100)
    assert found.moved["city", "differ"] == pytest.approx(400, abs=100)
    assert abs(found.moved["phone", "same"]) < 120
    assert abs(found.start) < 120


def test_a_table_that_is_right_is_not_bettered_by_much() -> None:
    """Judgements that agree with the table teach nothing: the fit foretells them no better, give or take noise."""
    found = [fit(judgements(300, LEVELS, seed=seed)) for seed in range(12)]
    assert sum(one.after - one.before for one in found) > 0
    assert all(abs(by) < 250 for one in found for by in one.moved.values())


def test_what_was_hardly_ever_seen_stays() -> None:
    """A level that fewer pairs stand at than it takes keeps its bits, however clear those pairs are."""
    few = [Judged((Part("email", "same", 900),), 500, one=False) for _ in range(SEEN - 1)]
    found = fit([*judgements(400, LEVELS), *few])
    assert ("email", "same") not in found.moved
    assert ("email", "same") in fit([*judgements(400, LEVELS), *few, few[0]]).moved


def test_few_judgements_carry_little() -> None:
    """One contradiction in ten moves a level by a bit or two, not to certainty."""
    seen = [Judged((Part("email", "same", 900),), 500, one=n % 10 != 0) for n in range(30)]
    found = fit([*judgements(400, LEVELS), *seen])
    assert -400 < found.moved["email", "same"] < 0


def test_too_few_judgements_are_refused() -> None:
    """Too few pairs, or pairs of one word alone, fit nothing."""
    pairs = judgements(LEAST, LEVELS)
    assert enough(pairs)
    assert not enough(pairs[1:])
    same = [pair for pair in judgements(3000, LEVELS) if pair.one]
    assert not enough(same)
    with pytest.raises(ValueError, match="too few"):
        fit(same)


def test_one_pair_and_a_million_are_weighed_alike_by_a_fitted_table() -> None:
    """The moved table keeps its promise: the batch and the score of one pair come to the same."""
    found = fit(judgements(3000, {**LEVELS, ("name", "part"): 400}, START - 150))
    table = moved(weights(), found, "ru-1+7")
    raw = make(1500, 5)
    batch = Batch(Settings(table=table))
    batch.prepare(raw)
    rows = {row["rec_id"]: normalise(row, row["rec_id"]) for row in raw.iter_rows(named=True)}
    known, ids = Counted(rows.values()), batch.ids.to_list()
    edges = batch.edges.select("a", "b", "weight").rows()
    assert len(edges) > 100
    moved_some = 0
    for a, b, weight in edges:
        edge = score(rows[ids[a]], rows[ids[b]], known, table)
        assert (edge.weight, edge.version) == (weight, "ru-1+7")
        moved_some += edge.weight != score(rows[ids[a]], rows[ids[b]], known).weight
    assert moved_some > len(edges) / 2
