"""Which record a person means: by its number here, by its key in any system, or by what names a client.

A client is named by ИНН (or another identifier), a phone or an e-mail address, a document by its number too. What
names several records names none: they are listed to choose from.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from hub.exchange.hub import Hub
from hub.exchange.naming import CALLED_BY
from hub.model import identity
from hub.model.errors import NeedsPerson
from hub.store import core, tables

#: A number of ours; longer ones are ИНН or phones.
_OURS = re.compile(r"(?:№|#|no\.)?\s*(\d{1,9})", re.IGNORECASE)
_MOST = 20


@dataclass(frozen=True, slots=True)
class Found:
    """A record that may be meant. ``keys``: (system, external id) of its links; ``label`` is personal."""

    record_id: int
    label: str
    state: str
    keys: tuple[tuple[str, str], ...]


def entity_of(hub: Hub, name: str) -> str:
    """The entity by that name; ``NeedsPerson(unknown_entity)`` lists those of the installation."""
    there = list(dict.fromkeys(route.entity.name for route in hub.routes.values()))
    if name not in there:
        raise NeedsPerson("unknown_entity", entity=name, valid=", ".join(there))
    return name


def find(conn: Connection, hub: Hub, entity: str, ident: str) -> list[Found]:
    """All records that ``ident`` may mean, at most 20; ``NeedsPerson(which_nothing)`` when there is none."""
    entity_of(hub, entity)
    for ids in _ways(conn, entity, ident.strip()):
        if ids:
            return [_found(conn, entity, number) for number in sorted(ids)[:_MOST]]
    raise NeedsPerson("which_nothing", entity=entity, ident=ident)


def the_one(conn: Connection, hub: Hub, entity: str, ident: str) -> int:
    """Number of the one record meant; ``NeedsPerson(which_several)`` names the numbers there are."""
    found = find(conn, hub, entity, ident)
    if len(found) > 1:
        numbers = ", ".join(str(one.record_id) for one in found)
        raise NeedsPerson("which_several", entity=entity, ident=ident, numbers=numbers)
    return found[0].record_id


def link_of(conn: Connection, hub: Hub, entity: str, ident: str) -> int:
    """The link that stands for the one record meant: what a reference to it holds."""
    record_id = the_one(conn, hub, entity, ident)
    link = core.link
    number = conn.execute(select(func.min(link.c.id)).where(link.c.record_id == record_id)).scalar()
    if number is None:
        raise NeedsPerson("which_no_link", entity=entity, record=record_id)
    return int(number)


def living(conn: Connection, record_id: int) -> int:
    """The record itself, or the one that it was merged into."""
    redirect = core.redirect
    seen = {record_id}
    while True:
        target = conn.execute(
            select(redirect.c.to_record_id).where(redirect.c.from_record_id == record_id)
        ).scalar_one_or_none()
        if target is None or target in seen:
            return record_id
        seen.add(target)
        record_id = int(target)


def label_of(conn: Connection, entity: str, record_id: int) -> str:
    """What people call the record; empty when there is nothing to call it by, or no such record."""
    root = tables.ROOTS[entity]
    columns = [root.c[name] for name in CALLED_BY if name in root.c]
    row = conn.execute(select(*columns).where(root.c.id == record_id)).first() if columns else None
    return next((str(value) for value in row or () if value), "")


def _ways(conn: Connection, entity: str, ident: str) -> Iterator[set[int]]:
    """Records by each way to name one, the surest first."""
    root = tables.ROOTS[entity]
    ours = _OURS.fullmatch(ident)
    if ours:
        yield set(conn.execute(select(root.c.id).where(root.c.id == int(ours[1]))).scalars())
    yield _by_key(conn, entity, ident)
    if entity == "party":
        yield _by_client(conn, ident)
    if "number" in root.c:
        yield set(conn.execute(select(root.c.id).where(root.c.number == ident).limit(_MOST)).scalars())


def _by_key(conn: Connection, entity: str, ident: str) -> set[int]:
    """By the external id in any system; a GUID in either case."""
    link, stream = core.link, core.stream
    rows = conn.execute(
        select(link.c.record_id)
        .join(stream, stream.c.id == link.c.stream_id)
        .where(stream.c.entity == entity, link.c.external_id.in_({ident, ident.lower()}), link.c.record_id.is_not(None))
    )
    return {living(conn, number) for number in rows.scalars()}


def _by_client(conn: Connection, ident: str) -> set[int]:
    """Clients by an identifier, a phone or an address; those that were merged away do not count."""
    party, number, point = tables.ROOTS["party"], tables.CHILDREN["party_identifier"], tables.CHILDREN["contact_point"]
    norms = _norms(ident)
    told = select(number.c.party_id).where(number.c.value_norm.in_(norms), number.c.scheme != "code")
    ways = (told, select(point.c.party_id).where(point.c.value_norm.in_(norms)))
    for way in ways:
        ids = set(
            conn.execute(select(party.c.id).where(party.c.id.in_(way), party.c.record_state != "merged")).scalars()
        )
        if ids:
            return ids
    return set()


def _norms(ident: str) -> Sequence[str]:
    """Spellings under which an identifier, a phone or an e-mail address may be kept."""
    phone, (email, _) = identity.parse_phone(ident), identity.email_norm(ident)
    found = {ident, identity.digits(ident), phone.norm, email, ident.lower()}
    return sorted(norm for norm in found if norm)


def _found(conn: Connection, entity: str, record_id: int) -> Found:
    root, link, stream, system = tables.ROOTS[entity], core.link, core.stream, core.system
    state = conn.execute(select(root.c.record_state).where(root.c.id == record_id)).scalar() or ""
    keys = conn.execute(
        select(system.c.code, link.c.external_id)
        .join(stream, stream.c.id == link.c.stream_id)
        .join(system, system.c.id == stream.c.system_id)
        .where(link.c.record_id == record_id)
        .order_by(link.c.id)
    )
    return Found(record_id, label_of(conn, entity, record_id), state, tuple((row[0], row[1]) for row in keys))
