"""The card that a new record belongs to: a client by what names it exactly (ИНН with КПП, ОГРН, ОГРНИП), a letter, a
call or a meeting by its own key wherever it is seen.

Likeness is not looked at here. Where an exact name fits several cards, or a card that the system knows already, or
several records of one page, nobody is linked: that is for a person, or for the search for duplicates.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from sqlalchemy import Connection, delete, select, update

from hub.exchange.cards.desk import CardDesk
from hub.exchange.write import write_log
from hub.store import bulk, core, tables

if TYPE_CHECKING:
    from hub.exchange.mapping_desk import MappingDesk
    from hub.exchange.write import Incoming

#: Scheme and value: ``("inn_kpp", "7701234567/770101001")``.
Exact: TypeAlias = tuple[str, str]
_SCHEMES = ("inn", "kpp", "ogrn", "ogrnip")
#: Key of PostgreSQL's advisory lock: two systems that bring the same new client at once wait for each other.
_LOCK = 0x0B3E_2000
#: The same for events and what follows from them.
EVENTS_LOCK = _LOCK + 1


def exact_names(identifiers: Iterable[tuple[str, str]], kind: str | None) -> set[Exact]:
    """What names a client exactly, of its (scheme, value) pairs. Of a sole proprietor ИНН alone does: it has no КПП."""
    by_scheme: dict[str, list[str]] = defaultdict(list)
    for scheme, value in identifiers:
        by_scheme[scheme].append(value)
    found = {(scheme, value) for scheme in ("ogrn", "ogrnip") for value in by_scheme[scheme]}
    inns, kpps = by_scheme["inn"], by_scheme["kpp"]
    if len(inns) == 1 and len(kpps) == 1:
        found.add(("inn_kpp", f"{inns[0]}/{kpps[0]}"))
    elif len(inns) == 1 and not kpps and kind == "sole_proprietor":
        found.add(("inn", inns[0]))
    return found


def find(conn: Connection, desk: CardDesk, work: MappingDesk, items: Sequence[Incoming]) -> dict[str, int]:
    """Cards (record ids) that new records belong to, by the record's external id."""
    if work.entity.name == "activity":
        return _same_event(conn, work, items)
    if work.entity.name != "party" or not desk.shared("party") or not items:
        return {}
    wanted = {item.external_id: _names_of(work, item) for item in items}
    names = Counter(name for told in wanted.values() for name in told)
    if not names:
        return {}
    if conn.dialect.name == "postgresql":
        conn.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK})")
    known = _known(conn, {name.partition("/")[0] for _, name in names})
    taken = _of_system(conn, work, {record for records in known.values() for record in records})
    found: dict[str, int] = {}
    for external_id, told in wanted.items():
        cards = {record for name in told for record in known.get(name, ())}
        alone = all(names[name] == 1 for name in told)
        if len(cards) == 1 and alone and not cards & taken:
            found[external_id] = cards.pop()
    twice = {record for record, number in Counter(found.values()).items() if number > 1}
    return {external_id: record for external_id, record in found.items() if record not in twice}


def one_at_a_time(conn: Connection) -> None:
    """Until this transaction ends nobody else joins events or looks whose they are; a writer of SQLite is alone anyway.

    Told as a story: a page brings a letter and sees no client with its address; at the same time another page brings
    the client and sees no letter. Each commits, and the letter is nobody's though the address is on a card. Whoever
    comes second waits here, and then sees what the first one left.
    """
    if conn.dialect.name == "postgresql":
        conn.exec_driver_sql(f"SELECT pg_advisory_xact_lock({EVENTS_LOCK})")


def once_each(work: MappingDesk, items: Sequence[Incoming]) -> tuple[list[Incoming], list[Incoming]]:
    """New records, the first of each event, and those that show an event of the same page again."""
    if work.entity.name != "activity":
        return list(items), []
    first: list[Incoming] = []
    again: list[Incoming] = []
    seen: set[tuple[Any, ...]] = set()
    for item in items:
        key = _event_key(work, item)
        (again if key in seen else first).append(item)
        if key[0] is not None:
            seen.add(key)
    return first, again


def named_exactly(conn: Connection, record_ids: Sequence[int]) -> list[int]:
    """Those of the cards that something names exactly."""
    party, row = tables.ROOTS["party"], tables.CHILDREN["party_identifier"]
    told = _identifiers(conn, party, row, sorted(record_ids))
    return [number for number in record_ids if number in told and exact_names(told[number][1], told[number][0])]


def attach(conn: Connection, desk: CardDesk, work: MappingDesk, links: Mapping[int, tuple[int, str]]) -> None:
    """Hang links (id: record, external id) on the cards they belong to; those not written yet are made.

    What was reserved there for the card is not needed any more: its system has it. Where we asked for it and got no
    answer, this is the answer: the system gave the record a key of its own.
    Each leaves a row ``link`` in the change log, so that an undo finds what hung where.
    """
    table, box = core.link, core.outbox
    new = {record_id: link_id for link_id, (record_id, _) in links.items()}
    for record_id, reserved, sent in _reserved(conn, work, set(new)):
        where = box.c.link_id == reserved
        conn.execute(update(box).where(where).values(link_id=new[record_id]) if sent else delete(box).where(where))
        conn.execute(delete(table).where(table.c.id == reserved))
    for link_id, (record_id, external_id) in links.items():
        values = {"record_id": record_id, "state": "found", "origin": False}
        if conn.execute(update(table).where(table.c.id == link_id).values(**values)).rowcount == 0:
            conn.execute(
                table.insert().values(
                    id=link_id,
                    stream_id=work.stream_id,
                    external_id=external_id,
                    first_run=desk.run_id,
                    last_run=desk.run_id,
                    **values,
                )
            )
    log = [
        (desk.run_id, work.entity.name, record_id, link_id, "link", None, None, str(record_id), desk.at)
        for link_id, (record_id, _) in links.items()
    ]
    write_log(conn, log)


def _event_key(work: MappingDesk, item: Incoming) -> tuple[Any, ...]:
    """Key and kind of an event; no key where its source gives none."""
    told = {one.name: value for one, value in zip(work.fields, item.mapped.root, strict=True)}
    return told.get("external_key"), told.get("type")


def _same_event(conn: Connection, work: MappingDesk, items: Sequence[Incoming]) -> dict[str, int]:
    """A letter in another folder or account, a meeting in another calendar: the oldest record of that key and kind.

    Two accounts that bring one letter at once wait for each other, or there would be two of it.
    """
    wanted = {item.external_id: key for item in items if (key := _event_key(work, item))[0] is not None}
    if not wanted:
        return {}
    one_at_a_time(conn)
    columns, keys = ("external_key", "type", "id", "record_state"), sorted({key for key, _ in wanted.values()})
    rows = bulk.fetch_rows(conn, tables.ROOTS["activity"], columns, "external_key", keys)
    known = {(key, kind): number for key, kind, number, state in sorted(rows, key=_newest) if state != "merged"}
    return {external_id: known[key] for external_id, key in wanted.items() if key in known}


def _newest(row: tuple[Any, ...]) -> int:
    return -int(row[2])


def _names_of(work: MappingDesk, item: Incoming) -> set[Exact]:
    at = next((at for at, part in enumerate(work.children) if part.child.name == "party_identifier"), None)
    if at is None or item.mapped.record_state != "active":
        return set()
    columns = work.children[at].columns
    if not {"scheme", "value_norm"} <= set(columns):
        return set()
    scheme, value = columns.index("scheme"), columns.index("value_norm")
    valid = columns.index("is_valid") if "is_valid" in columns else None
    rows = item.mapped.children[at]
    told = [(row[scheme], row[value]) for row in rows if row[scheme] in _SCHEMES and (valid is None or row[valid] != 0)]
    kind = next((v for f, v in zip(work.fields, item.mapped.root, strict=True) if f.name == "kind"), None)
    return exact_names(told, kind)


def _known(conn: Connection, values: Iterable[str]) -> dict[Exact, set[int]]:
    """Living cards by what names them exactly, as far as any of ``values`` is among it."""
    party, row = tables.ROOTS["party"], tables.CHILDREN["party_identifier"]
    told = sorted(values)
    ids: set[int] = set()
    for chunk in bulk.chunks(told):
        ids.update(
            conn.execute(
                select(row.c.party_id).where(row.c.value_norm.in_(chunk), row.c.scheme.in_(_SCHEMES))
            ).scalars()
        )
    found: dict[Exact, set[int]] = defaultdict(set)
    for number, (kind, rows) in _identifiers(conn, party, row, sorted(ids)).items():
        for name in exact_names(rows, kind):
            found[name].add(number)
    return found


def _identifiers(
    conn: Connection, party: Any, row: Any, ids: Sequence[int]
) -> dict[int, tuple[str, list[tuple[str, str]]]]:
    found: dict[int, tuple[str, list[tuple[str, str]]]] = {}
    for chunk in bulk.chunks(ids):
        rows = conn.execute(
            select(party.c.id, party.c.kind, row.c.scheme, row.c.value_norm, row.c.is_valid)
            .join(row, row.c.party_id == party.c.id)
            .where(party.c.id.in_(chunk), party.c.record_state == "active", row.c.scheme.in_(_SCHEMES))
        )
        for number, kind, scheme, value, valid in rows:
            pairs = found.setdefault(number, (kind, []))[1]
            if valid is None or valid:
                pairs.append((scheme, value))
    return found


def _of_system(conn: Connection, work: MappingDesk, records: set[int]) -> set[int]:
    """Those of the cards that this system has a link to already, or that are being made there just now."""
    link, stream = core.link, core.stream
    free = {number for _, number, _ in _reserved(conn, work, records)}
    own = select(stream.c.system_id).where(stream.c.id == work.stream_id).scalar_subquery()
    ids, found = sorted(records), set[int]()
    for chunk in bulk.chunks(ids):
        rows = conn.execute(
            select(link.c.record_id, link.c.id)
            .join(stream, stream.c.id == link.c.stream_id)
            .where(link.c.record_id.in_(chunk), stream.c.system_id == own)
            .where(link.c.state != "refused")
        )
        found.update(record for record, number in rows if number not in free)
    return found


def _reserved(conn: Connection, work: MappingDesk, records: set[int]) -> list[tuple[int, int, bool]]:
    """Cards with the link reserved for each in this stream, and whether the record was asked for; not those that
    somebody is making just now, and nobody begins to.
    """
    link, box = core.link, core.outbox
    ids = sorted(records)
    found: list[tuple[int, int, bool]] = []
    for chunk in bulk.chunks(ids):
        rows = conn.execute(
            select(link.c.record_id, link.c.id, box.c.meant)
            .join(box, box.c.link_id == link.c.id)
            .where(
                link.c.record_id.in_(chunk),
                link.c.stream_id == work.stream_id,
                link.c.state == "reserved",
                box.c.lease_run_id.is_(None),
            )
            .with_for_update(of=box)
        )
        found.extend((record, number, meant is not None) for record, number, meant in rows)
    return found
