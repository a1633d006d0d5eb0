"""Golden records of clusters, over a frame: for each group of fields the record it survives from.

What the hub shows its readers is a pure function of contributions (``hub.engine``); this is the batch's answer for
bases that are only to be cleaned, with the same thought: fields that belong together survive together, each from one
record that is named.
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

#: Fields that survive together: group → (fields, the field that has to be filled for the group to count).
GROUPS: dict[str, tuple[tuple[str, ...], str]] = {
    "requisites": (("inn", "kpp", "ogrn"), "inn"),
    "name": (("kind", "name"), "name"),
    "address": (("city", "address"), "address"),
    "phone": (("phone",), "phone"),
    "email": (("email",), "email"),
}
#: Columns that decide beside ``rec_id``, and those that survive.
NEEDED = ("source", "ts", *(field for fields, _ in GROUPS.values() for field in fields))


def golden(
    raw: pl.DataFrame | pl.LazyFrame, ids: pl.Series, cluster: pl.Series, sources: Sequence[str] = ()
) -> pl.DataFrame:
    """One row for each cluster of two and more: ``cluster`` (the id of its first member), ``members``, the fields, and
    ``…_from``, the ``rec_id`` that each group of fields survives from.

    ``ids`` and ``cluster`` as in ``dedup.batch.run.Result``. A filled group outranks an empty one, then ``sources``
    outrank each other in their order, then the longer requisites, then what is later (``ts``), then the lesser id.
    """
    of = pl.DataFrame({"rec_id": ids, "cluster": ids.gather(cluster)})
    of = of.filter(pl.len().over("cluster") > 1)
    rows = raw.lazy().select("rec_id", *NEEDED).join(of.lazy(), on="rec_id", how="inner").collect()
    return survivors(rows, sources)


def survivors(rows: pl.DataFrame, sources: Sequence[str]) -> pl.DataFrame:
    """As ``golden``, out of the records of whole clusters: ``cluster``, ``rec_id`` and the columns ``NEEDED``."""
    rows = rows.with_row_index("at")
    rank = {source: place for place, source in enumerate(sources)}
    ranked = pl.col("source").replace_strict(rank, default=len(rank), return_dtype=pl.Int32) if rank else pl.lit(0)
    found = rows.group_by("cluster").agg(members=pl.len()).sort("cluster")
    for group, (fields, key) in GROUPS.items():
        filled = pl.sum_horizontal((pl.col(field).fill_null("") != "").cast(pl.Int8) for field in fields)
        order = rows.select(
            "cluster", "at", "ts", "rec_id", has=pl.col(key).fill_null("") != "", rank=ranked, filled=filled
        )
        order = order.sort(
            "cluster", "has", "rank", "filled", "ts", "rec_id", descending=[False, True, False, True, True, False]
        )
        best = order.filter(pl.col("cluster").is_first_distinct())  # the first of each cluster
        kept = rows.select(*fields, pl.col("rec_id").alias(f"{group}_from"))[best["at"]]
        found = pl.concat([found, kept], how="horizontal")
    return found
