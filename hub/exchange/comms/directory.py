"""Who has a handle: clients, contact persons, employees and leads, looked up for a whole page at once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from sqlalchemy import Connection, select

from hub.exchange.comms.own import corporate
from hub.exchange.comms.reading import records_of
from hub.store import bulk, comms_tables, core, tables

#: So many have a handle that it tells nobody: a call centre, a shared mailbox, a number that was typed for lack of one.
TOO_MANY = 21
_OURS = frozenset({"employee", "own_company"})
_WORKS_FOR = frozenset({"contact_of", "employed_by"})
#: A lead that is rubbish knows nobody.
_DEAD_LEAD = "junk"
_OPEN_ORDER = ("confirmed", "in_work", "partly_shipped")
_SYSTEMS = {"email": "email", "phone": "phone", "fax": "phone", "messenger": "messenger"}


class Holder(NamedTuple):
    """One who has a handle. ``kind``: person, organization or lead; ``ours``: an employee, or a company of ours;
    ``ext``: the extension that goes with it; ``living``: neither marked nor archived nor gone.
    """

    record_id: int
    entity: str
    kind: str
    ours: bool
    ext: str
    living: bool


class Directory:
    """What one transaction has looked up. ``employers``: organisations that a person belongs to."""

    def __init__(self) -> None:
        self._holders: dict[tuple[str, str], list[Holder]] = defaultdict(list)
        self._of_domain: dict[str, set[int]] = defaultdict(set)
        self._asked: set[str] = set()
        self.employers: dict[int, frozenset[int]] = {}
        self.busy: set[int] = set()

    def holders(self, kind: str, norm: str) -> list[Holder]:
        """All that have the handle, the oldest first. An extension is known by the employees who have it."""
        return self._holders.get(("phone" if kind == "extension" else kind, norm), [])

    def of_domain(self, domain: str) -> list[int]:
        """Organisations that have an address there, themselves or by their people."""
        return sorted(self._of_domain.get(domain, ()))

    def learn(self, conn: Connection, norms: Iterable[str]) -> None:
        """Look up handles that were not asked for yet."""
        wanted = sorted(set(norms) - self._asked)
        if not wanted:
            return
        self._asked.update(wanted)
        self._parties(conn, wanted)
        self._leads(conn, wanted)

    def _parties(self, conn: Connection, norms: list[str]) -> None:
        point = tables.CHILDREN["contact_point"]
        points = bulk.fetch_rows(conn, point, ("party_id", "system", "value_norm", "ext"), "value_norm", norms)
        kinds = self._kinds(conn, {row[0] for row in points})
        ours = self._ours(conn, kinds)
        self._employers(conn, [number for number, (kind, _) in kinds.items() if kind == "person"])
        found: dict[tuple[str, str], set[Holder]] = defaultdict(set)
        for number, system, norm, ext in points:
            if number in kinds and system in _SYSTEMS:
                kind, living = kinds[number]
                found[_SYSTEMS[system], norm].add(Holder(number, "party", kind, number in ours, ext or "", living))
        partner_of = self._partners(conn, kinds)
        for handle, holders in found.items():
            self._holders[handle] = one_of_each(sorted(holders), partner_of)

    def _kinds(self, conn: Connection, ids: Iterable[int]) -> dict[int, tuple[str, bool]]:
        """Kind of each party and whether it lives; those that were merged away or are gone do not count."""
        rows = bulk.fetch_rows(conn, tables.ROOTS["party"], ("id", "kind", "record_state"), "id", sorted(ids))
        return {
            number: ("person" if kind == "person" else "organization", state == "active")
            for number, kind, state in rows
            if state not in {"merged", "deleted"}
        }

    def _partners(self, conn: Connection, ids: Iterable[int]) -> dict[int, int]:
        """The partner of 1C that each legal entity belongs to."""
        columns = ("id", "commercial_party_link_id")
        rows = bulk.fetch_rows(conn, tables.ROOTS["party"], columns, "id", sorted(ids))
        links = {number: link for number, link in rows if link is not None}
        records = records_of(conn, links.values())
        return {number: records[link] for number, link in links.items() if link in records}

    def _ours(self, conn: Connection, ids: Iterable[int]) -> set[int]:
        rows = bulk.fetch_rows(conn, tables.CHILDREN["party_role"], ("party_id", "role"), "party_id", sorted(ids))
        return {number for number, role in rows if role in _OURS}

    def _employers(self, conn: Connection, persons: list[int]) -> None:
        child = tables.CHILDREN["party_relationship"]
        rows = bulk.fetch_rows(conn, child, ("party_id", "type", "to_party_link_id"), "party_id", persons)
        told = [(number, link) for number, kind, link in rows if kind in _WORKS_FOR and link is not None]
        records = records_of(conn, (link for _, link in told))
        found: dict[int, set[int]] = defaultdict(set)
        for number, link in told:
            if link in records:
                found[number].add(records[link])
        self.employers.update((number, frozenset(found[number])) for number in persons)

    def _leads(self, conn: Connection, norms: list[str]) -> None:
        """Leads that still are; one that became a client stands for that client."""
        child = tables.CHILDREN["lead_contact_point"]
        points = bulk.fetch_rows(conn, child, ("lead_id", "system", "value_norm"), "value_norm", norms)
        columns = ("id", "status", "party_link_id", "record_state")
        rows = bulk.fetch_rows(conn, tables.ROOTS["lead"], columns, "id", sorted({row[0] for row in points}))
        leads = {number: (status, link) for number, status, link, state in rows if state == "active"}
        clients = records_of(conn, (link for _, link in leads.values() if link is not None))
        for number, system, norm in points:
            status, link = leads.get(number, (_DEAD_LEAD, None))
            if system not in _SYSTEMS or status == _DEAD_LEAD:
                continue
            entity, record_id = ("party", clients[link]) if link in clients else ("lead", number)
            self._holders[_SYSTEMS[system], norm].append(Holder(record_id, entity, "lead", False, "", True))

    def learn_domains(self, conn: Connection, domains: Iterable[str]) -> None:
        """Look up whose addresses are at these domains; nothing is asked of those that are everybody's."""
        point = tables.CHILDREN["contact_point"]
        wanted = sorted({one for one in domains if corporate(one)} - self._of_domain.keys())
        domain = comms_tables.email_domain(point.c.value_norm)
        found: dict[str, set[int]] = defaultdict(set)
        for chunk in bulk.chunks(wanted):
            query = select(domain, point.c.party_id).where(comms_tables.IS_EMAIL, domain.in_(chunk))
            for name, number in conn.execute(query):
                found[name].add(number)
        kinds = self._kinds(conn, set().union(*found.values()))
        ours = self._ours(conn, kinds)
        self._employers(conn, [number for number, (kind, _) in kinds.items() if kind == "person"])
        for name in wanted:
            there = {number for number in found[name] & kinds.keys() if number not in ours}
            people = {number for number in there if kinds[number][0] == "person"}
            self._of_domain[name] = (there - people).union(*(self.employers[number] for number in people))

    def learn_orders(self, conn: Connection, ids: Iterable[int]) -> None:
        """Which of the clients have an order in work, by themselves or by whom they belong to: ``busy``."""
        people = {number: self.employers.get(number, frozenset()) for number in ids}
        wanted, link, order = (
            sorted({*people, *frozenset().union(*people.values())}),
            core.link,
            tables.ROOTS["sales_order"],
        )
        having: set[int] = set()
        for chunk in bulk.chunks(wanted):
            query = (
                select(link.c.record_id)
                .join(order, order.c.party_link_id == link.c.id)
                .where(link.c.record_id.in_(chunk), order.c.record_state == "active")
                .where(order.c.business_status.in_(_OPEN_ORDER))
            )
            having.update(conn.execute(query.distinct()).scalars())
        self.busy |= {number for number, orgs in people.items() if number in having or orgs & having}


def one_of_each(holders: Sequence[Holder], partner_of: Mapping[int, int]) -> list[Holder]:
    """Holders without those who are the same client by the design of 1C: of a partner and its one legal entity the
    entity, which documents are made out to; of a partner and several of its entities the partner.
    """
    ids = {one.record_id for one in holders}
    entities: dict[int, set[int]] = defaultdict(set)
    for number in ids:
        partner = partner_of.get(number)
        if partner in ids and partner != number:
            entities[partner].add(number)
    left_out = {partner for partner, mine in entities.items() if len(mine) == 1}
    left_out |= {number for mine in entities.values() if len(mine) > 1 for number in mine}
    return [one for one in holders if one.record_id not in left_out]
