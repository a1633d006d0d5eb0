"""Everything is compared with everything: statistics, keys and pairs are made anew, and the groups with them.

The batch finds the pairs; what they weigh and which groups they make is told by the code that judges one record, so
both come to the same. All of it is one transaction: readers see the old groups until the new ones are there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl
from sqlalchemy import Connection

from dedup.batch.run import Batch, Settings
from dedup.cluster import MOST, components
from dedup.compare import compare
from dedup.frequencies import Counted
from dedup.keys import VERSION
from dedup.normal.record import RAW, Record, normalise
from dedup.score import SAME, weigh
from dedup.weights import Weights
from hub.exchange.duplicates import statistics
from hub.exchange.duplicates.blocks import keys_with_caps
from hub.exchange.duplicates.numbers import Numbers, numbers
from hub.exchange.duplicates.partition import Live, encoded, row_of, worth
from hub.exchange.duplicates.statistics import THE_ONE
from hub.exchange.duplicates.units import bare_units, raws_of, shared_links
from hub.exchange.duplicates.weighing import in_force
from hub.exchange.duplicates.words import words
from hub.exchange.runs import now
from hub.model.errors import NeedsPerson
from hub.store import bulk, duplicates

_PAGE = 2000
_LISTS = ("phone", "email")
_SCHEMA = {"rec_id": pl.Int64, **{name: pl.List(pl.String) if name in _LISTS else pl.String for name in RAW}}
#: From so many units on, pairs for each unit that are too many whatever was before, and so many times more than before.
_JUDGED, _FLOOD, _GROWTH = 1000, 2.0, 5.0
_TABLES = (duplicates.unit, duplicates.key, duplicates.statistic, duplicates.statistics, duplicates.edge,
           duplicates.dirty)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """How many units were compared, pairs looked at, pairs kept; groups of two and more."""

    units: int
    pairs: int
    kept: int
    groups: int


def rebuild(conn: Connection, run_id: int, table: Weights | None = None) -> Rebuilt:
    """Make all tables of duplicates anew inside the caller's transaction. ``table``: by default the weights in force.

    ``NeedsPerson(dedup_unsound)`` where what comes of it cannot be right; the caller's rollback keeps what was there.
    """
    table = table or in_force(conn)
    before = numbers(conn)
    raws = dict(_all(conn))
    units = {number: normalise(raw, number) for number, raw in raws.items()}
    pairs = _pairs(raws, table)
    del raws
    for one in _TABLES:
        conn.execute(one.delete())
    _store(conn, units, run_id, table)
    kept = _edges(conn, units, pairs, table)
    live = Live(conn, words, table)
    live.records = units
    groups = [part for part in components(kept) if len(part) > 1]
    made = 0
    changed: list[tuple[int, int]] = []
    for part in groups:
        found = live.groups_of([int(number) for number in part])
        changed += [(number, group) for number, group in found.items() if number != group]
        made += len({group for number, group in found.items() if number != group})
    bulk.update_rows(conn, duplicates.unit, ("link_id", "grp"), changed)
    after = numbers(conn)
    _refuse_unsound(before, after)
    return Rebuilt(len(units), len(pairs), after.pairs, made)


def _refuse_unsound(before: Numbers, after: Numbers) -> None:
    """A flood of pairs, or groups that swallow everything, mean that something else is wrong: a field that is read from
    the wrong place, a number that everybody was given.
    """
    share = after.pairs / max(after.units, 1)
    was = before.pairs / max(before.units, 1)
    if after.largest > MOST or (after.units >= _JUDGED and share > max(_FLOOD, _GROWTH * was)):
        raise NeedsPerson("dedup_unsound", pairs=after.pairs, units=after.units, largest=after.largest)


def _all(conn: Connection) -> Iterator[tuple[int, dict[str, Any]]]:
    """What each link says, page by page."""
    after = 0
    while True:
        rows, after = bare_units(conn, after, _PAGE)
        yield from rows
        if not after:
            break
    links = shared_links(conn)
    for start in range(0, len(links), _PAGE):
        yield from raws_of(conn, links[start : start + _PAGE])


def _pairs(raws: Mapping[int, Mapping[str, Any]], table: Weights) -> list[tuple[int, int]]:
    """Pairs that are worth a look, by the batch."""
    if len(raws) < 2:
        return []
    rows = [{"rec_id": number, **{name: _cell(name, raw.get(name)) for name in RAW}} for number, raw in raws.items()]
    batch = Batch(Settings(table=table))
    batch.prepare(pl.DataFrame(rows, schema=_SCHEMA, orient="row"))
    ids = batch.ids.to_list()
    return [(ids[a], ids[b]) for a, b in batch.edges.select("a", "b").iter_rows()]


def _cell(name: str, value: Any) -> Any:
    if name in _LISTS:
        return [str(one) for one in value] if value else None
    return None if value is None else str(value)


def _store(conn: Connection, units: Mapping[int, Record], run_id: int, table: Weights) -> None:
    """Units, their keys and what is counted of them."""
    keys = sorted((k, number) for number, unit in units.items() for k in keys_with_caps(unit, table))
    rows = [(number, encoded(unit), number) for number, unit in sorted(units.items())]
    bulk.insert_rows(conn, duplicates.unit, ("link_id", "record", "grp"), rows)
    bulk.insert_rows(conn, duplicates.key, ("k", "link_id"), keys)
    statistics.store(conn, Counted(units.values()))
    told = {"id": THE_ONE, "weights": table.version, "records": max(len(units), 1), "normaliser": VERSION}
    conn.execute(duplicates.statistics.insert().values(**told, run_id=run_id, at=now()))


def _edges(
    conn: Connection, units: Mapping[int, Record], pairs: list[tuple[int, int]], table: Weights
) -> list[tuple[int, int]]:
    """Keep the pairs that are worth it, those that words were said of among them; the pairs that join."""
    said = {pair: word for pair, word in words(conn, units).items() if pair[0] in units and pair[1] in units}
    _, known = statistics.current(conn)
    wanted = sorted({*pairs, *(pair for pair, word in said.items() if word == SAME)})
    rows = []
    for start in range(0, len(wanted), _PAGE):
        found = [compare(units[a], units[b]) for a, b in wanted[start : start + _PAGE]]
        known.learn(conn, found)
        edges = (weigh(one, known, table, said.get((int(one.a.rec), int(one.b.rec)), "")) for one in found)
        rows += [row_of(edge, table) for edge in edges if worth(edge, table)]
    bulk.insert_rows(conn, duplicates.edge, ("a", "b", "weight", "joins", "band", "detail"), rows)
    return [(row[0], row[1]) for row in rows if row[3]]
