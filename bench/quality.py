"""How good a partition is, pair by pair."""

from __future__ import annotations

import polars as pl


def pairwise(found: pl.Series, truth: pl.Series) -> tuple[float, float, float]:
    """Precision, recall and F1 of pairs in one cluster, against pairs of one entity; both by row."""
    frame = pl.DataFrame({"found": found, "truth": truth})
    right = _pairs(frame, "found", "truth")
    said, true = _pairs(frame, "found"), _pairs(frame, "truth")
    precision, recall = right / said if said else 1.0, right / true if true else 1.0
    return precision, recall, 2 * precision * recall / (precision + recall) if right else 0.0


def _pairs(frame: pl.DataFrame, *columns: str) -> int:
    sizes = frame.group_by(columns).len()["len"].cast(pl.Int64)
    return int((sizes * (sizes - 1) // 2).sum())


def blocked(pairs: pl.DataFrame, truth: pl.Series) -> float:
    """Share of the true pairs that are among the candidates ``a``, ``b`` (rows)."""
    hit = int((truth.gather(pairs["a"]) == truth.gather(pairs["b"])).sum())
    return hit / max(1, _pairs(pl.DataFrame({"truth": truth}), "truth"))
