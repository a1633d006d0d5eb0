"""The card of a client with its history: orders, letters, calls, messages, tasks, leads, each with why it is here."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from hub.exchange.hub import Hub
from hub.exchange.which import find, label_of, living, the_one
from hub.store import comms_tables, core, tables

#: How many entries are shown unless told otherwise, the newest first.
MOST = 50
_WORKS_FOR = ("contact_of", "employed_by")
#: Documents of a client: the moment and what they are called by.
_DOCUMENTS = ("sales_order", "invoice", "shipment", "payment")


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that happened. ``kind``: the entity, or of an activity its type; ``rule``: by which it is here, with
    the person (``via``) whose it is where the client is his company. ``marks``: of a letter, ``answered`` and
    ``flagged``. ``handle`` and ``title`` are personal.
    """

    at: datetime | None
    kind: str
    record_id: int
    title: str
    direction: str | None
    status: str | None
    rule: str
    handle: str
    via: str
    thread: int | None
    marks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Point:
    """An address or number of the client."""

    system: str
    value: str
    ext: str | None


@dataclass(frozen=True, slots=True)
class ClientCard:
    """``people``: contact persons (number, name); ``merged``: numbers of records that were merged into this one."""

    record_id: int
    label: str
    kind: str
    state: str
    keys: tuple[tuple[str, str], ...]
    points: tuple[Point, ...]
    people: tuple[tuple[int, str], ...]
    merged: tuple[int, ...]
    entries: tuple[Entry, ...]
    total: int


def card(hub: Hub, ident: str, limit: int = MOST) -> ClientCard:
    """The client that ``ident`` names (by number, key, ИНН, phone, address), its last ``limit`` entries."""
    with hub.store.read() as conn:
        record_id = living(conn, the_one(conn, hub, "party", ident))
        party = tables.ROOTS["party"]
        root = conn.execute(select(party.c.kind, party.c.record_state).where(party.c.id == record_id)).one()
        merged = _merged(conn, record_id)
        people = _people(conn, [record_id, *merged])
        via = dict(people) | dict.fromkeys((record_id, *merged), "")
        links = _links(conn, [record_id, *merged])
        entries = [*_activities(conn, via), *_documents(conn, links), *_tasks(conn, links), *_leads(conn, links)]
        entries.sort(key=lambda one: (one.at is not None, one.at, one.record_id), reverse=True)
        found = find(conn, hub, "party", str(record_id))[0]
        points = _points(conn, record_id)
    told = (record_id, found.label, root.kind, root.record_state, found.keys)
    return ClientCard(*told, points, tuple(people), tuple(merged), tuple(entries[:limit]), len(entries))


def _merged(conn: Connection, record_id: int) -> list[int]:
    """Records that lead here, however far."""
    redirect, found, next_ = core.redirect, list[int](), [record_id]
    while next_:
        query = select(redirect.c.from_record_id).where(redirect.c.to_record_id.in_(next_))
        next_ = sorted(set(conn.execute(query).scalars()) - {record_id, *found})
        found.extend(next_)
    return sorted(found)


def _links(conn: Connection, record_ids: Sequence[int]) -> list[int]:
    query = select(core.link.c.id).where(core.link.c.record_id.in_(record_ids))
    return sorted(conn.execute(query).scalars())


def _people(conn: Connection, record_ids: Sequence[int]) -> list[tuple[int, str]]:
    """Contact persons of the client."""
    child, party = tables.CHILDREN["party_relationship"], tables.ROOTS["party"]
    query = (
        select(child.c.party_id)
        .join(party, party.c.id == child.c.party_id)
        .where(child.c.to_party_link_id.in_(_links(conn, record_ids)), child.c.type.in_(_WORKS_FOR))
        .where(party.c.record_state.not_in(("merged", "deleted")))
    )
    numbers = sorted(set(conn.execute(query).scalars()) - set(record_ids))
    return [(number, label_of(conn, "party", number)) for number in numbers]


def _points(conn: Connection, record_id: int) -> tuple[Point, ...]:
    child = tables.CHILDREN["contact_point"]
    query = select(child.c.system, child.c.value_raw, child.c.ext).where(child.c.party_id == record_id)
    return tuple(Point(*row) for row in conn.execute(query.order_by(child.c.seq)))


def _activities(conn: Connection, via: dict[int, str]) -> Iterable[Entry]:
    """The client's own, and those of its people; one that both are in is here once, as the client's own."""
    root, rows, match = tables.ROOTS["activity"], comms_tables.activity_party, comms_tables.activity_match
    mail = tables.CHILDREN["email_detail"]
    query = (
        select(
            root, rows.c.record_id, rows.c.rule, rows.c.handle, match.c.thread_id, mail.c.is_answered, mail.c.is_flagged
        )
        .join(rows, rows.c.activity_id == root.c.id)
        .join(match, match.c.activity_id == root.c.id)
        .outerjoin(mail, mail.c.activity_id == root.c.id)
        .where(rows.c.record_id.in_(sorted(via)), rows.c.kind == "matched", root.c.record_state != "merged")
    )
    found: dict[int, Entry] = {}
    for row in conn.execute(query).mappings():
        person = via[row["record_id"]]
        if row["id"] not in found or not person:
            found[row["id"]] = Entry(
                row["started_at"],
                row["type"],
                row["id"],
                row["subject"] or "",
                row["direction"],
                row["status"],
                row["rule"],
                row["handle"],
                person,
                row["thread_id"],
                tuple(mark for mark in ("answered", "flagged") if row[f"is_{mark}"]),
            )
    return found.values()


def _documents(conn: Connection, links: Sequence[int]) -> Iterable[Entry]:
    for name in _DOCUMENTS:
        root = tables.ROOTS[name]
        query = select(root).where(root.c.party_link_id.in_(links), root.c.record_state != "merged")
        for row in conn.execute(query).mappings():
            status = row.get("business_status") or row.get("posting_state")
            yield _entry(row, name, row["date"], str(row.get("number") or ""), status)


def _tasks(conn: Connection, links: Sequence[int]) -> Iterable[Entry]:
    root = tables.ROOTS["task"]
    for row in conn.execute(select(root).where(root.c.party_link_id.in_(links))).mappings():
        yield _entry(row, "task", row["date"], row["title"], row["status"])


def _leads(conn: Connection, links: Sequence[int]) -> Iterable[Entry]:
    root = tables.ROOTS["lead"]
    for row in conn.execute(select(root).where(root.c.party_link_id.in_(links))).mappings():
        yield _entry(row, "lead", row["opened_at"], row["title"], row["status"])


def _entry(row: Any, kind: str, at: datetime | None, title: str, status: str | None) -> Entry:
    return Entry(at, kind, row["id"], title, None, status, "reference", "", "", None)
