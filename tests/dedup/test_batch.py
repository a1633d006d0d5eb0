"""The batch: the same words over many pairs as over one, in any order, at a bounded cost and a known quality."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

import polars as pl
import pytest

from bench import dedup_persons
from bench.clients import make
from bench.quality import pairwise
from dedup.batch.clusters import joins_sql
from dedup.batch.golden import golden
from dedup.batch.run import Batch, Settings, dedupe, relations, review
from dedup.component import recompute_component
from dedup.facts import FACTS, KEY_RULES, LATE, RELATIONS
from dedup.frequencies import Counted
from dedup.keys import keys_of
from dedup.normal.record import Record, normalise
from dedup.score import DIFFERENT, SAME, score
from dedup.weights import weights

RU50K = Path("../shared/data/clients/ru50k.parquet")
PERSONS = RU50K.with_name("cyrillic_person_pairs.csv")


@cache
def _raw() -> pl.DataFrame:
    return make(4000, 21)


@cache
def _batch() -> Batch:
    batch = Batch()
    batch.prepare(_raw())
    return batch


@cache
def _records() -> Mapping[int, Record]:
    return {row["rec_id"]: normalise(row, row["rec_id"]) for row in _raw().iter_rows(named=True)}


@cache
def _counted() -> Counted:
    return Counted(_records().values())


def test_sql_scores_as_python_does() -> None:
    """Every part, the sum, vetoes, agreeing facts, rule and relation of every edge are those of the scalar score."""
    table = weights()
    rules, kinds = ["", *KEY_RULES, "facts"], ["", *RELATIONS]
    batch = _batch()
    assert batch.edges.height > 500
    for edge in batch.edges.iter_rows(named=True):
        one = score(_records()[edge["a"]], _records()[edge["b"]], _counted(), table)
        parts = {part.fact: (part.level, part.bits) for part in one.parts}
        for fact in (*FACTS, *LATE):
            level = edge[f"{fact.name}_l"]
            found = (fact.levels[level - 1].name, edge[f"{fact.name}_w"]) if level else None
            assert found == parts.get(fact.name), (fact.name, one)
        assert edge["weight"] == one.weight
        assert edge["vetoes"] == sum(1 << n for n, name in enumerate(table.vetoes) if name in one.vetoes)
        assert edge["agreeing"].bit_count() == len(one.agreeing)
        assert rules[edge["rule"]] == one.rule
        assert edge["rule"] or kinds[edge["relation"]] == one.relation


def test_every_edge_shares_a_key() -> None:
    """What the batch compares, the keys of single records lead to as well."""
    keys = {rec: set(keys_of(record)) for rec, record in _records().items()}
    for a, b in _batch().edges.select("a", "b").iter_rows():
        assert keys[a] & keys[b]


@pytest.mark.parametrize("cut", [None, 0])
def test_a_component_judged_alone_ends_as_in_the_batch(cut: int | None) -> None:
    """The partition of the batch, component by component, is what ``recompute_component`` makes of their records."""
    batch = _batch()
    made, _ = batch.partition(cut)
    strong = batch.edges.filter(pl.sql_expr(joins_sql(cut)))
    from dedup.cluster import components

    parts = components(strong.select("a", "b").iter_rows())
    alone = [
        group
        for part in parts
        for group in recompute_component([_records()[int(rec)] for rec in part], _counted(), cut=cut).groups
    ]
    assert sorted(alone) == made.groups
    assert len(alone) > 50


def test_the_order_of_records_does_not_matter() -> None:
    """A shuffled frame has the same clusters, edges and review queue."""
    one, other = dedupe(_raw()), dedupe(_raw().sample(fraction=1.0, shuffle=True, seed=3))
    assert one.cluster.equals(other.cluster)
    assert one.edges.sort("a", "b").equals(other.edges.sort("a", "b"))
    assert review(one).equals(review(other))


def test_slices_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A frame read and scored in small slices gives what it gives at once."""
    whole = dedupe(_raw())
    monkeypatch.setattr("dedup.batch.run._SLICE", 700)
    monkeypatch.setattr("dedup.batch.run._PAIRS", 90)
    sliced = dedupe(_raw().sort("rec_id").lazy())
    assert whole.cluster.equals(sliced.cluster)
    assert whole.edges.sort("a", "b").equals(sliced.edges.sort("a", "b"))


def test_a_persons_word_outranks_all_bits() -> None:
    """Merged pairs that a person calls different part; strangers called one meet; the scalar component agrees."""
    raw = _raw()
    plain = dedupe(raw)
    merged = [(a, b) for a, b in plain.edges.filter(pl.col("rule") > 0).select("a", "b").iter_rows()][:20]
    strangers = [(n, n + 1000) for n in range(0, 200, 10)]
    words = dict.fromkeys(merged, DIFFERENT) | dict.fromkeys(strangers, SAME)
    judged = dedupe(raw, judged=words).cluster.to_list()
    for a, b in merged:
        assert judged[a] != judged[b]
    joined = [judged[a] == judged[b] for a, b in strangers]
    assert sum(joined) >= len(joined) - 2  # one may be kept apart by a veto between others of their groups
    alone = recompute_component([_records()[rec] for rec in merged[0]], _counted(), judged={merged[0]: DIFFERENT})
    assert alone.groups == []


def test_families_and_branches_are_related_and_not_merged() -> None:
    """A wife on her husband's phone is of his household; the same ИНН with another КПП is a branch; neither is
    merged.
    """
    raw = pl.DataFrame(
        [
            {"rec_id": 1, "kind": "person", "name": "Иванов Иван Петрович", "phone": "89161234589", "city": "Москва"},
            {
                "rec_id": 2,
                "kind": "person",
                "name": "Иванова Мария Сергеевна",
                "phone": "89161234589",
                "city": "Москва",
            },
            {
                "rec_id": 3,
                "kind": "org",
                "name": "ООО Ромашка",
                "inn": "7707083893",
                "kpp": "770701001",
                "city": "Москва",
            },
            {
                "rec_id": 4,
                "kind": "org",
                "name": "ООО Ромашка",
                "inn": "7707083893",
                "kpp": "165543001",
                "city": "Казань",
            },
            {"rec_id": 5, "kind": "person", "name": "Петров Олег", "email": "info@romashka.ru"},
            {"rec_id": 6, "kind": "org", "name": "Ромашка", "email": "info@romashka.ru"},
        ],
        infer_schema_length=None,
    )
    result = dedupe(raw)
    assert result.cluster.to_list() == list(range(6))
    assert set(relations(result).iter_rows()) >= {(1, 2, "household"), (3, 4, "branch_of"), (5, 6, "contact_of")}


def test_a_golden_record_keeps_groups_together() -> None:
    """ИНН and КПП survive from one record, the filled and preferred one; records without a twin have none."""
    fields = ("rec_id", "kind", "name", "inn", "kpp", "phone", "source", "ts")
    rows = [
        (1, "org", "Ромашка", None, "770701001", "1", "crm", 9),
        (2, "org", "ООО Ромашка", "7707083893", None, "2", "1c", 1),
        (3, "org", "Другой", None, None, None, "1c", 1),
    ]
    raw = pl.DataFrame(rows, schema=fields, orient="row")
    raw = raw.with_columns(pl.lit(None, pl.String).alias(name) for name in ("ogrn", "email", "city", "address"))
    found = golden(raw, raw["rec_id"], pl.Series([0, 0, 2]), sources=("1c", "crm")).to_dicts()
    assert len(found) == 1
    assert (found[0]["inn"], found[0]["kpp"], found[0]["requisites_from"]) == ("7707083893", None, 2)
    assert (found[0]["phone"], found[0]["phone_from"], found[0]["members"]) == ("2", 2, 2)


def test_one_contact_on_many_records_costs_little() -> None:
    """A phone and a mailbox on one record in a hundred add few pairs and take little from the quality."""
    plain, spoiled = make(20_000, 8), make(20_000, 8, junk=0.01)
    one, other = dedupe(plain, Settings(cut=0)), dedupe(spoiled, Settings(cut=0))
    assert other.pairs <= 1.5 * one.pairs
    quality = [
        pairwise(found.cluster, raw.sort("rec_id")["entity_id"])[2] for found, raw in ((one, plain), (other, spoiled))
    ]
    assert quality[0] - quality[1] <= 0.012  # the shared records have lost their own phone and mailbox, too


@pytest.mark.skipif(not RU50K.exists(), reason="../shared/data/clients is not here: quality on ru50k is not measured")
def test_quality_on_clients_that_others_made() -> None:
    """On 50,000 records of another generator: the partition, what is automatic, and the length of the review queue."""
    raw = pl.read_parquet(RU50K)
    batch = Batch()
    batch.prepare(raw)
    truth = raw.sort("rec_id")["entity_id"]
    precision, _, f1 = pairwise(batch.partition(0)[1], truth)
    assert precision >= 0.985
    assert f1 >= 0.970
    precision, recall, _ = pairwise(batch.partition(None)[1], truth)
    assert precision >= 0.995
    assert recall >= 0.80
    assert batch.pairs < 2 * raw.height
    assert review(dedupe(raw)).height <= 20 * raw.height / 1000


@pytest.mark.skipif(not PERSONS.exists(), reason="../shared/data/clients is not here: persons are not judged")
def test_quality_on_persons_labelled_by_hand() -> None:
    """Of 500 pairs of Cyrillic names the levels tell one person from two."""
    assert dedup_persons.f1(dedup_persons.judge(PERSONS))[2] >= 0.95
