"""What is known of pairs of links before anything is compared: one card, a person's judgement, kinship."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from itertools import combinations, product

from sqlalchemy import Connection

from dedup.score import DIFFERENT, SAME
from hub.exchange.cards.card import UNSEEN
from hub.exchange.duplicates import sql
from hub.exchange.duplicates.marks import ENTITY
from hub.exchange.merging.log import loose

_UNSEEN = ", ".join(f"'{state}'" for state in sorted(UNSEEN))


def words(conn: Connection, link_ids: Collection[int]) -> Mapping[tuple[int, int], str]:
    """Standing words on pairs of links of which one at least is among ``link_ids``, the lesser id first.

    ``same``: both hang on one record already, or a person said so. What only a rule put on one record, and nobody
    outside knows of, is not said to be the same. ``different``: a person said so; one is the branch or the partner of
    the other (looked for among ``link_ids``). A person's "different" outranks all but one card.
    """
    found = sql.many(conn, "SELECT id, record_id FROM link WHERE id", link_ids)
    records = {record for _, record in found if record is not None}
    links = _links(conn, records)
    said: dict[tuple[int, int], str] = {}
    for pair, word in {**_kin(conn, records), **_judged(conn, records)}.items():
        links |= _links(conn, {number for number in pair if number not in links})
        said.update((_ordered(a, b), word) for a, b in product(links.get(pair[0], ()), links.get(pair[1], ())))
    merged = loose(conn, ENTITY, links)
    for record, together in links.items():
        block = {number: entry.id for entry in merged.get(record, ()) for number in entry.links}
        pairs = combinations(sorted(together), 2)
        said.update((pair, SAME) for pair in pairs if block.get(pair[0]) == block.get(pair[1]))
    return said


def _links(conn: Connection, records: Collection[int]) -> dict[int, list[int]]:
    """Links of each record that speak for themselves."""
    found: dict[int, list[int]] = defaultdict(list)
    statement = f"SELECT record_id, id FROM link WHERE state NOT IN ({_UNSEEN}) AND record_id"
    for record, number in sql.many(conn, statement, records):
        found[record].append(number)
    return dict(found)


def _judged(conn: Connection, records: Collection[int]) -> dict[tuple[int, int], str]:
    """What persons said of pairs of living records; said of one that was merged, it holds for the one it is in now."""
    statement = "SELECT from_record_id, to_record_id FROM redirect WHERE to_record_id"
    into = dict(sql.many(conn, statement, records))
    named = {*records, *into}
    columns = "SELECT record_a, record_b, verdict, entity FROM judgement WHERE revoked_at IS NULL AND"
    rows = {tuple(row) for side in ("record_a", "record_b") for row in sql.many(conn, f"{columns} {side}", named)}
    told = [row for row in rows if row[3] == ENTITY and row[2] != "unsure"]
    beyond = {number for row in told for number in row[:2]} - named
    into |= dict(sql.many(conn, "SELECT from_record_id, to_record_id FROM redirect WHERE from_record_id", beyond))
    found: dict[tuple[int, int], str] = {}
    for one, other, verdict, _ in told:
        pair = _ordered(into.get(one, one), into.get(other, other))
        if pair[0] != pair[1] and found.get(pair) != DIFFERENT:
            found[pair] = verdict
    return found


def _kin(conn: Connection, records: Collection[int]) -> dict[tuple[int, int], str]:
    """Firms and their branches, partners and the legal entities that documents are made out to."""
    columns = "SELECT id, head_party_link_id, commercial_party_link_id FROM party WHERE id"
    named = {number: links for number, *links in sql.many(conn, columns, records) if any(links)}
    wanted = {link for links in named.values() for link in links if link}
    record_of = dict(sql.many(conn, "SELECT id, record_id FROM link WHERE id", wanted))
    pairs = ((number, record_of.get(link)) for number, links in named.items() for link in links if link)
    return {_ordered(one, other): DIFFERENT for one, other in pairs if other is not None and one != other}


def _ordered(a: int, b: int) -> tuple[int, int]:
    return (a, b) if a < b else (b, a)
