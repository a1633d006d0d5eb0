"""Whatever the order in which clients come, change and go, their groups are those that the batch makes of them."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from functools import cache

import polars as pl
import pytest
from sqlalchemy import Connection, select

from bench.clients import make
from dedup.batch.run import dedupe
from dedup.frequencies import Counted
from dedup.normal.record import Record, normalise
from hub.exchange.duplicates import statistics
from hub.exchange.duplicates.partition import Live
from hub.exchange.runs import now
from hub.store import duplicates
from hub.store.database import Store

#: Small enough for a test, big enough for families, branches and switchboards.
NUMBER = 400


@cache
def frame(seed: int) -> pl.DataFrame:
    return make(NUMBER, seed)


@cache
def units(seed: int) -> tuple[Record, ...]:
    return tuple(normalise(row, row["rec_id"]) for row in frame(seed).iter_rows(named=True))


def by_batch(raw: pl.DataFrame) -> set[frozenset[int]]:
    """Groups of two and more as the batch finds them."""
    result = dedupe(raw)
    groups: dict[int, set[int]] = {}
    for number, first in zip(result.ids.to_list(), result.cluster.to_list(), strict=True):
        groups.setdefault(first, set()).add(number)
    return {frozenset(group) for group in groups.values() if len(group) > 1}


def stored(conn: Connection) -> set[frozenset[int]]:
    """Groups of two and more in the store."""
    groups: dict[int, set[int]] = {}
    for number, group in conn.execute(select(duplicates.unit.c.link_id, duplicates.unit.c.grp)):
        groups.setdefault(group, set()).add(number)
    assert all(min(group) == name for name, group in groups.items())
    return {frozenset(group) for group in groups.values() if len(group) > 1}


def counted(conn: Connection, records: Sequence[Record]) -> None:
    """Put the statistics of these records in force."""
    statistics.store(conn, Counted(records))
    conn.execute(duplicates.statistics.delete())
    row = {"id": 1, "weights": "ru-1", "records": len(records), "run_id": 1, "at": now()}
    conn.execute(duplicates.statistics.insert().values(**row))


def come(conn: Connection, records: Iterable[Record], at_once: int = 1) -> None:
    """Let records come, so many at once."""
    waiting = list(records)
    for start in range(0, len(waiting), at_once):
        Live(conn).change(waiting[start : start + at_once])


@pytest.mark.parametrize("seed", [1, 2])
def test_in_any_order_the_groups_are_those_of_the_batch(store: Store, seed: int) -> None:
    """Shuffled, one by one and in handfuls, with edits and departures between: the end is the batch's partition."""
    rng = random.Random(seed)
    records = list(units(seed))
    rng.shuffle(records)
    wanted = by_batch(frame(seed))
    assert len(wanted) > 10
    with store.begin() as conn:
        counted(conn, units(seed))
        half = len(records) // 2
        come(conn, records[:half])
        strangers = rng.sample(records[:half], 20)
        for one in strangers:  # somebody types something else, then puts it right
            Live(conn).change([normalise({"name": f"ООО Временно {one.rec}", "phone": "+7 495 000-11-22"}, one.rec)])
        Live(conn).change([], gone=[int(one.rec) for one in records[:30]])
        come(conn, records[half:], at_once=7)
        come(conn, records[:30])
        come(conn, strangers, at_once=3)
        assert stored(conn) == wanted
        edges = conn.execute(select(duplicates.edge.c.a, duplicates.edge.c.b, duplicates.edge.c.weight)).all()
    with store.begin() as conn:  # and the pairs that were kept are the same as in another order
        for table in (duplicates.unit, duplicates.key, duplicates.edge):
            conn.execute(table.delete())
        come(conn, reversed(records), at_once=40)
        again = conn.execute(select(duplicates.edge.c.a, duplicates.edge.c.b, duplicates.edge.c.weight)).all()
        assert stored(conn) == wanted
    assert {tuple(edge) for edge in again} == {tuple(edge) for edge in edges}


def test_a_key_that_too_many_share_blocks_no_more_and_blocks_again(store: Store) -> None:
    """A switchboard: pairs found by its number alone go when it has too many records, and return when it has fewer."""
    people = [
        {"kind": "person", "name": f"Человеков{'абвгдежзик'[n % 10]}{n} Пётр", "phone": "+7 495 100-20-30"}
        for n in range(70)
    ]
    records = [normalise(one, number) for number, one in enumerate(people)]
    with store.begin() as conn:
        counted(conn, records)
        come(conn, records[:60])
        few = conn.execute(select(duplicates.edge.c.a)).all()
        come(conn, records[60:])
        many = conn.execute(select(duplicates.edge.c.a)).all()
        Live(conn).change([], gone=range(60, 70))
        back = conn.execute(select(duplicates.edge.c.a)).all()
    assert len(many) < 10  # what like surnames find
    assert len(back) == len(few) > 500
