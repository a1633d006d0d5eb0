"""Clusters: no order, no veto overruled, no black holes."""

from __future__ import annotations

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from dedup.cluster import MOST, Link, cluster

_PAIR = st.tuples(st.integers(0, 11), st.integers(0, 11)).filter(lambda pair: pair[0] < pair[1])
_LINKS = st.dictionaries(_PAIR, st.tuples(st.integers(-400, 3000), st.booleans(), st.booleans()), max_size=40)


def _links(found: dict[tuple[int, int], tuple[int, bool, bool]]) -> list[Link]:
    return [Link(a, b, weight, joins and weight >= 0, key) for (a, b), (weight, joins, key) in found.items()]


@settings(deadline=None)
@given(_LINKS, st.sets(_PAIR, max_size=12), st.randoms(use_true_random=False))
def test_no_order_of_the_input_matters(
    found: dict[tuple[int, int], tuple[int, bool, bool]], cannot: set[tuple[int, int]], rng: random.Random
) -> None:
    """Any permutation of links makes the same groups and the same refusals."""
    links = _links(found)
    shuffled = rng.sample(links, len(links))
    one, other = cluster(links, cannot), cluster(shuffled, set(rng.sample(sorted(cannot), len(cannot))))
    assert one.groups == other.groups
    assert sorted(one.refused) == sorted(other.refused)


@settings(deadline=None)
@given(_LINKS, st.sets(_PAIR, max_size=20))
def test_a_veto_is_never_overruled(
    found: dict[tuple[int, int], tuple[int, bool, bool]], cannot: set[tuple[int, int]]
) -> None:
    """Two records that cannot be one never stand in one group, however they are linked through others."""
    for group in cluster(_links(found), cannot).groups:
        assert not [pair for pair in cannot if pair[0] in group and pair[1] in group]


def test_the_weakest_link_of_a_chain_with_a_veto_breaks() -> None:
    """A - B - C with A and C different: the heavier link holds, the other is refused for the veto."""
    made = cluster([Link(1, 2, 900, True, False), Link(2, 3, 500, True, False)], {(1, 3)})
    assert made.groups == [(1, 2)]
    assert [(one.a, one.b, one.why) for one in made.refused] == [(2, 3, "veto")]


def test_a_group_stays_small() -> None:
    """A star of equal links grows to the limit and no further."""
    links = [Link(0, n, 900, True, True) for n in range(1, MOST + 30)]
    made = cluster(links, set())
    assert max(map(len, made.groups)) == MOST
    assert {one.why for one in made.refused} == {"size"}


def test_two_groups_that_disagree_on_the_whole_stay_two() -> None:
    """One strong link between groups whose other links speak against it is refused; an identifier would carry it."""
    links = [Link(1, 2, 2000, True, False), Link(3, 4, 2000, True, False), Link(1, 3, 300, True, False)]
    against = [Link(1, 4, -390, False, False), Link(2, 3, -390, False, False), Link(2, 4, -390, False, False)]
    assert cluster(links + against, set()).groups == [(1, 2), (3, 4)]
    links[2] = Link(1, 3, 300, True, True)
    assert cluster(links + against, set()).groups == [(1, 2, 3, 4)]


def test_a_bridge_is_cut() -> None:
    """Two firm pairs that one light link holds together are two groups."""
    links = [Link(1, 2, 2000, True, False), Link(3, 4, 2000, True, False), Link(2, 3, 300, True, False)]
    made = cluster(links, set())
    assert made.groups == [(1, 2), (3, 4)]
    assert made.refused[-1].why == "bridge"
