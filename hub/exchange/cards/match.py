"""The card that a new record belongs to, by what names a client exactly: ИНН with КПП, ОГРН, ОГРНИП.

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
from hub.store import core, tables

if TYPE_CHECKING:
    from hub.exchange.mapping_desk import MappingDesk
    from hub.exchange.write import Incoming

#: Scheme and value: ``("inn_kpp", "7701234567/770101001")``.
Exact: TypeAlias = tuple[str, str]
_SCHEMES = ("inn", "kpp", "ogrn", "ogrnip")
_CHUNK = 400
#: Key of PostgreSQL's advisory lock: two systems that bring the same new client at once wait for each other.
_LOCK = 0x0B3E_2000


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


def named_exactly(conn: Connection, record_ids: Sequence[int]) -> list[int]:
    """Those of the cards that something names exactly."""
    party, row = tables.ROOTS["party"], tables.CHILDREN["party_identifier"]
    told = _identifiers(conn, party, row, sorted(record_ids))
    return [number for number in record_ids if number in told and exact_names(told[number][1], told[number][0])]


def attach(conn: Connection, desk: CardDesk, work: MappingDesk, links: Mapping[int, tuple[int, str]]) -> None:
    """Hang links (id: record, external id) on the cards they belong to; those not written yet are made.

    What was reserved there for the card is not needed any more: its system has it of its own accord.
    Each leaves a row ``link`` in the change log, so that an undo finds what hung where.
    """
    table = core.link
    for reserved in _reserved(conn, work, {record_id for record_id, _ in links.values()}):
        conn.execute(delete(core.outbox).where(core.outbox.c.link_id == reserved))
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
    for start in range(0, len(told), _CHUNK):
        chunk = told[start : start + _CHUNK]
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
    for start in range(0, len(ids), _CHUNK):
        chunk = ids[start : start + _CHUNK]
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
    free = _reserved(conn, work, records)
    own = select(stream.c.system_id).where(stream.c.id == work.stream_id).scalar_subquery()
    ids, found = sorted(records), set[int]()
    for start in range(0, len(ids), _CHUNK):
        rows = conn.execute(
            select(link.c.record_id, link.c.id)
            .join(stream, stream.c.id == link.c.stream_id)
            .where(link.c.record_id.in_(ids[start : start + _CHUNK]), stream.c.system_id == own)
            .where(link.c.state != "refused")
        )
        found.update(record for record, number in rows if number not in free)
    return found


def _reserved(conn: Connection, work: MappingDesk, records: set[int]) -> set[int]:
    """Links that were reserved for the cards in this stream and that nobody has begun to make; nobody begins now."""
    link, box = core.link, core.outbox
    ids, found = sorted(records), set[int]()
    for start in range(0, len(ids), _CHUNK):
        rows = conn.execute(
            select(box.c.link_id)
            .join(link, link.c.id == box.c.link_id)
            .where(
                link.c.record_id.in_(ids[start : start + _CHUNK]),
                link.c.stream_id == work.stream_id,
                link.c.state == "reserved",
                box.c.meant.is_(None),
                box.c.lease_run_id.is_(None),
            )
            .with_for_update(of=box)
        )
        found.update(rows.scalars())
    return found
