"""Splink 5 on our normal forms and with our vetoes: the peer that ``bench.dedup`` is measured beside.

The model is one that a careful user would write for this data: names by level with term frequencies, contacts with term
frequencies, addresses by level, expectation maximisation blocked on two facts at once.
"""

from __future__ import annotations

import logging
import time
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from bench.measure import peak_rss_mb
from bench.quality import pairwise
from dedup.batch.run import by_slices
from dedup.normal.frame import DOMAIN, EMAIL, PHONE

_THRESHOLDS = (0.5, 0.8, 0.9, 0.95, 0.99)
_VETO = """
 (l.inn <> r.inn AND length(l.inn) = length(r.inn))
 OR (l.ogrn <> r.ogrn AND length(l.ogrn) = length(r.ogrn) AND coalesce(l.inn <> r.inn, true))
 OR (l.inn = r.inn AND length(l.inn) = 10 AND l.kpp <> r.kpp)
 OR (l.gender <> r.gender) OR (l.kind <> r.kind AND 'o' IN (l.kind, r.kind))
 OR (NOT (l.first[1] = r.first[1]))
 OR (length(l.first) > 1 AND length(r.first) > 1 AND damerau_levenshtein(l.first, r.first) > 2
     AND l.others IS NULL AND r.others IS NULL AND NOT starts_with(l.first, r.first) AND NOT starts_with(r.first,
     l.first))
 OR (NOT (l.middle[1] = r.middle[1]))
 OR (length(l.middle) > 1 AND length(r.middle) > 1 AND damerau_levenshtein(l.middle, r.middle) > 2)
 OR (l.kind = 'o' AND r.kind = 'o' AND coalesce(l.kpp <> r.kpp, true)
     AND (l.city <> r.city OR l.area <> r.area OR l.street <> r.street OR l.branch <> r.branch))"""


def columns(raw: pl.DataFrame | pl.LazyFrame) -> pl.DataFrame:
    """Our normal forms as Splink wants them: one row a record, nothing known is null."""
    _, normal = by_slices(raw)
    texts = [name for name, kind in normal.main.schema.items() if kind == pl.String]
    frame = normal.main.with_columns(pl.when(pl.col(name) != "").then(pl.col(name)).alias(name) for name in texts)
    for what, name in ((PHONE, "phone"), (EMAIL, "email"), (DOMAIN, "domain")):
        first = (
            normal.contacts.filter(pl.col("what") == what)
            .unique("row", keep="first")
            .select("row", pl.col("value").alias(name))
        )
        frame = frame.join(first, on="row", how="left")
    firm = pl.when(pl.col("last").is_null() & pl.col("first").is_null()).then(pl.col("name")).alias("firm")
    return frame.with_columns(firm).rename({"row": "unique_id"})


def settings() -> Any:
    """The model."""
    import splink.comparison_library as cl
    from splink import SettingsCreator, block_on

    def level(sql: str, label: str, frequency: str = "") -> dict[str, Any]:
        found: dict[str, Any] = {"sql_condition": sql, "label_for_charts": label}
        return found | ({"tf_adjustment_column": frequency} if frequency else {})

    def custom(name: str, *levels: dict[str, Any]) -> Any:
        null = {
            "sql_condition": f'"{name}_l" IS NULL OR "{name}_r" IS NULL',
            "label_for_charts": "null",
            "is_null_level": True,
        }
        return cl.CustomComparison(
            output_column_name=name,
            comparison_levels=[null, *levels, {"sql_condition": "ELSE", "label_for_charts": "else"}],
        )

    return SettingsCreator(
        link_type="dedupe_only",
        unique_id_column_name="unique_id",
        blocking_rules_to_generate_predictions=[
            block_on("inn"),
            block_on("phone"),
            block_on("email"),
            block_on("name", "city"),
            block_on("last", "substr(first, 1, 1)", "city"),
            block_on("last", "street", "house"),
            block_on("street", "house", "unit"),
        ],
        comparisons=[
            custom(
                "firm",
                level('"firm_l" = "firm_r"', "same", "firm"),
                level('"flat_l" = "flat_r"', "joined"),
                level('damerau_levenshtein("firm_l", "firm_r") <= 1', "slip"),
                level('damerau_levenshtein("firm_l", "firm_r") <= 2', "slips"),
            ),
            custom(
                "last",
                level('"last_l" = "last_r"', "same", "last"),
                level('damerau_levenshtein("last_l", "last_r") <= 1', "slip"),
                level('damerau_levenshtein("last_l", "last_r") <= 2', "slips"),
            ),
            custom(
                "first",
                level('"first_l" = "first_r"', "same", "first"),
                level('substr("first_l", 1, 1) = substr("first_r", 1, 1)', "initial"),
            ),
            custom(
                "middle",
                level('"middle_l" = "middle_r"', "same", "middle"),
                level('substr("middle_l", 1, 1) = substr("middle_r", 1, 1)', "initial"),
            ),
            custom("phone", level('"phone_l" = "phone_r"', "same", "phone")),
            custom(
                "email", level('"email_l" = "email_r"', "same", "email"), level('"domain_l" = "domain_r"', "domain")
            ),
            custom("inn", level('"inn_l" = "inn_r"', "same")),
            custom("city", level('"city_l" = "city_r"', "same", "city")),
            custom(
                "street",
                level('"street_l" = "street_r" AND "house_l" = "house_r" AND "unit_l" = "unit_r"', "unit"),
                level('"street_l" = "street_r" AND "house_l" = "house_r"', "house"),
            ),
        ],
        retain_intermediate_calculation_columns=False,
        retain_matching_columns=False,
    )


def run(raw: pl.DataFrame | pl.LazyFrame, spill: Path) -> dict[str, Any]:
    """CPU seconds by stage and the clusters (by row) at each threshold."""
    from splink import DuckDBAPI, Linker, block_on

    logging.getLogger("splink").setLevel(logging.ERROR)
    seconds: dict[str, float] = {}
    clock = time.process_time()

    def lap(stage: str) -> None:
        nonlocal clock
        seconds[stage] = seconds.get(stage, 0.0) + time.process_time() - clock
        clock = time.process_time()

    frame = columns(raw)
    lap("normalise")
    con = duckdb.connect(config={"threads": 1, "memory_limit": "3GB", "temp_directory": str(spill)})
    con.register("incoming", frame.to_arrow())
    con.execute("CREATE TABLE rec AS SELECT * FROM incoming")
    con.unregister("incoming")
    del frame
    linker = Linker(DuckDBAPI(con).register("rec", table_name="records"), settings())
    training = linker.training
    training.estimate_probability_two_random_records_match(
        [block_on("inn", "kpp"), block_on("phone", "name")], recall=0.6
    )
    training.estimate_u_using_random_sampling(max_pairs=5e6, seed=1)
    for rule in (block_on("phone", "name"), block_on("inn"), block_on("email", "name")):
        training.estimate_parameters_using_expectation_maximisation(rule)
    lap("train")
    predicted = linker.inference.predict(threshold_match_probability=0.3)
    lap("predict")
    con.execute(
        f"CREATE TABLE kept AS SELECT p.* FROM {predicted.physical_name} p JOIN rec l ON l.unique_id = p.unique_id_l"
        f" JOIN rec r ON r.unique_id = p.unique_id_r WHERE NOT coalesce(({_VETO}), false)"
    )
    lap("veto")
    clusters: dict[float, pl.Series] = {}
    memory = 0.0
    for threshold in _THRESHOLDS:
        table = DuckDBAPI(con).register(
            con.sql(f"SELECT * FROM kept WHERE match_probability >= {threshold}"),
            table_name=f"kept_{threshold}".replace(".", "_"),
        )
        found = linker.clustering.cluster_pairwise_predictions_at_threshold(
            table, threshold_match_probability=threshold
        )
        rows = pl.DataFrame(con.sql(f"SELECT unique_id, cluster_id FROM {found.physical_name} ORDER BY unique_id"))
        clusters[threshold] = rows["cluster_id"]
        if len(clusters) == 1:  # one threshold is what a user pays for
            lap("cluster")
            memory = peak_rss_mb()
    return {"seconds": seconds, "clusters": clusters, "rss": memory}


def best(clusters: dict[float, pl.Series], truth: pl.Series) -> tuple[float, tuple[float, float, float]]:
    """The threshold with the greatest F1, and precision, recall and F1 there."""
    scored = {threshold: pairwise(found, truth) for threshold, found in clusters.items()}
    threshold = max(scored, key=lambda key: scored[key][2])
    return threshold, scored[threshold]
