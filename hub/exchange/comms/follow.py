"""The one way in: activities, clients or leads have moved in this transaction; see what follows."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING

from sqlalchemy import Connection

from hub.exchange.cards.match import one_at_a_time
from hub.exchange.cards.tasks import silent
from hub.exchange.comms import leads, missed
from hub.exchange.comms.directory import TOO_MANY, Directory
from hub.exchange.comms.judge import CHUNK, Judge
from hub.exchange.comms.own import domain_of
from hub.store import bulk, comms_tables, core, tables

if TYPE_CHECKING:
    from hub.exchange.cards.desk import CardDesk

#: Parts of a card that say who has a handle.
TELLING: Mapping[str, frozenset[str]] = {
    "party": frozenset({"contact_point", "party_role", "party_relationship", "kind", "record_state"}),
    "lead": frozenset({"lead_contact_point", "status", "party", "record_state"}),
}


def follow(
    conn: Connection,
    desk: CardDesk,
    entity: str,
    record_ids: Iterable[int],
    parts: Mapping[int, Collection[str]] | None = None,
) -> None:
    """Records of the entity are new, or changed in ``parts`` (heads of paths by record; not told: in any).

    An installation that reads no activities has nothing to follow.
    """
    if entity not in {"activity", "party", "lead"} or not desk.follows:
        return
    if entity == "activity":
        _activities(conn, desk, sorted(set(record_ids)))
        return
    telling = TELLING[entity]
    ids = [number for number in set(record_ids) if parts is None or number not in parts or telling & set(parts[number])]
    rematch(conn, desk, ids, entity)


def rematch(conn: Connection, desk: CardDesk, record_ids: Iterable[int], entity: str = "party") -> int:
    """Decide anew whose the activities are that these clients (or leads) touch: by their contacts as they are now, by
    what was theirs before, by domain, by the source's word. How many were looked at.

    Whoever moves links from card to card (merge, split, unmerge) calls it for all cards that gained or lost one.
    """
    ids = sorted(set(record_ids))
    if not ids or not desk.follows:
        return 0
    one_at_a_time(conn)
    norms = _handles(conn, entity, ids)
    if entity == "party":
        leads.convert(conn, desk, Directory(), sorted(norms))
        norms |= _handles(conn, entity, _people_of(conn, ids))
    touched = sorted(_touched(conn, entity, ids, norms))
    for start in range(0, len(touched), CHUNK):
        Judge(conn, desk.hub.settings).judge(touched[start : start + CHUNK])
    return len(touched)


def _activities(conn: Connection, desk: CardDesk, ids: list[int]) -> None:
    if not ids:
        return
    one_at_a_time(conn)
    judged = Judge(conn, desk.hub.settings).judge(ids)
    arrived = {number: judged[number] for number in ids if number in judged}
    quiet = desk.first_reading or silent(conn, desk.run_id)
    missed.look(conn, desk, arrived, silent=quiet)
    new = set[str]() if quiet else leads.make(conn, desk, arrived.values())
    if new:
        Judge(conn, desk.hub.settings).judge(_having(conn, new))


def _handles(conn: Connection, entity: str, ids: list[int]) -> set[str]:
    """Addresses and numbers of these clients, without those that so many have that they tell nothing, before or now."""
    table, parent = {
        "party": (tables.CHILDREN["contact_point"], "party_id"),
        "lead": (tables.CHILDREN["lead_contact_point"], "lead_id"),
    }[entity]
    norms = {row[0] for row in bulk.fetch_rows(conn, table, ("value_norm",), parent, ids)}
    having: dict[str, set[int]] = {}
    for norm, number in bulk.fetch_rows(conn, table, ("value_norm", parent), "value_norm", sorted(norms)):
        having.setdefault(norm, set()).add(number)
    return {norm for norm in norms if len(having[norm] - set(ids)) < TOO_MANY}


def _people_of(conn: Connection, ids: list[int]) -> list[int]:
    """People who work for these: whose letters are theirs depends on it."""
    links = [row[0] for row in bulk.fetch_rows(conn, core.link, ("id",), "record_id", ids)]
    child = tables.CHILDREN["party_relationship"]
    return sorted({row[0] for row in bulk.fetch_rows(conn, child, ("party_id",), "to_party_link_id", links)})


def _having(conn: Connection, norms: Iterable[str]) -> set[int]:
    """Activities that somebody with one of these handles takes part in."""
    child = tables.CHILDREN["activity_participant"]
    return {row[0] for row in bulk.fetch_rows(conn, child, ("activity_id",), "handle_norm", sorted(norms))}


def _touched(conn: Connection, entity: str, ids: list[int], norms: Collection[str]) -> set[int]:
    match, party = comms_tables.activity_match, comms_tables.activity_party
    found = _having(conn, norms)
    found |= {row[0] for row in bulk.fetch_rows(conn, party, ("activity_id",), "record_id", ids)}
    if entity == "party":
        domains = sorted({domain_of(norm) for norm in norms} - {""})
        found |= {row[0] for row in bulk.fetch_rows(conn, match, ("activity_id",), "domain", domains)}
        links = [row[0] for row in bulk.fetch_rows(conn, core.link, ("id",), "record_id", ids)]
        root = tables.ROOTS["activity"]
        found |= {row[0] for row in bulk.fetch_rows(conn, root, ("id",), "party_link_id", links)}
    return found
