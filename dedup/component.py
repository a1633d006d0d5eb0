"""One component, judged whole: every pair in it is scored, so that the result depends on its records alone.

The batch does the same with the pairs that hang together; so a record that comes later, judged with its component,
leads to the partition that the batch would have made.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations

from dedup.cluster import Clustering, Link, cluster
from dedup.frequencies import Frequencies
from dedup.normal.record import Record
from dedup.score import Edge, score
from dedup.weights import Weights, weights

#: Components of more records than this are not scored whole: the pairs that keys found have to do.
WHOLE = 200
#: Hundredths of a bit of a pair that a person called one: it comes first.
JUDGED = 100_00


def link(edge: Edge, table: Weights, cut: int | None = None) -> Link | None:
    """An edge as clusters see it; ``None`` where it neither joins nor counts.

    ``cut``: hundredths of a bit from which a pair joins; ``None``: only what is automatic joins.
    """
    if edge.vetoes or (edge.weight < table.review and edge.rule != "judged"):
        return None
    if edge.rule == "judged":
        return Link(edge.a, edge.b, JUDGED, joins=True, key=True)
    joins = edge.band == "auto" if cut is None else edge.band == "auto" or edge.weight >= cut
    return Link(edge.a, edge.b, edge.weight, joins, key=bool(edge.rule) and edge.rule != "facts")


def recompute_component(
    records: Sequence[Record],
    frequencies: Frequencies,
    table: Weights | None = None,
    *,
    cut: int | None = None,
    judged: Mapping[tuple[int | str, int | str], str] | None = None,
) -> Clustering:
    """The clusters of records that hang together. ``judged``: standing words on pairs, the lesser id first."""
    table = table or weights()
    words = judged or {}
    ordered = sorted(records, key=lambda record: record.rec)
    edges = [score(a, b, frequencies, table, words.get((a.rec, b.rec), "")) for a, b in combinations(ordered, 2)]
    links = [found for edge in edges if (found := link(edge, table, cut))]
    cannot = {(edge.a, edge.b) for edge in edges if edge.vetoes}
    return cluster(links, cannot, cut=cut or 0)
