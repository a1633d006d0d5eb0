"""What is compared: of each link the client that its system tells of its own accord.

What we wrote into a system is not its word, so two systems that we made alike do not vouch for each other. The
company's own people and the company itself are nobody's duplicates.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, select

from dedup.normal.record import Record, normalise
from hub.engine.cells import HUB, LIVING, STATE, Cells, Contribution, Value, is_member
from hub.exchange.cards.card import UNSEEN, Card, load
from hub.exchange.cards.layout import layout_of
from hub.exchange.cards.refs import References
from hub.exchange.duplicates.marks import ENTITY
from hub.store import bulk, core, tables

#: Roles of those who are not compared.
OURS = frozenset({"employee", "own_company"})
_KINDS = {"organization": "org", "branch": "org", "sole_proprietor": "ip", "person": "person"}
_SCHEMES = {"inn": "inn", "kpp": "kpp", "ogrn": "ogrn", "ogrnip": "ogrn"}
_PARTS = ("last_name", "first_name", "middle_name")
#: Fields of an address, as they are compared.
_PLACES = {"city": "city", "postal_code": "postcode", "street": "street", "house": "house", "fias_id": "fias"}

Row = Mapping[str, Any]


def raw_of(root: Row, children: Mapping[str, Sequence[Row]]) -> dict[str, Any] | None:
    """A client as ``dedup.normal.record.normalise`` reads it; ``None`` for one of ours."""
    if any(row["role"] in OURS for row in children.get("party_role", ())):
        return None
    raw: dict[str, Any] = {"kind": _KINDS.get(str(root.get("kind")), "")}
    raw["name"] = root.get("legal_name") or root.get("display_name") or ""
    for row in children.get("party_identifier", ()):
        field = _SCHEMES.get(str(row["scheme"]))
        if field:
            raw.setdefault(field, row["value"] or row["value_norm"])
    for row in children.get("person_detail", ()):
        raw |= {name: row[name] for name in _PARTS if row[name]}
        raw["birthday"] = row["birth_date"]
    points = children.get("contact_point", ())
    raw["phone"] = [_phone(row) for row in points if row["system"] == "phone"]
    raw["email"] = [row["value_norm"] for row in points if row["system"] == "email"]
    for row in children.get("address", ()):
        raw.setdefault("address", row["text"])
        for name, field in _PLACES.items():
            if row[name]:
                raw.setdefault(field, row[name])
    return raw


def _phone(row: Row) -> str:
    return f"{row['value_norm']} доб. {row['ext']}" if row["ext"] else str(row["value_norm"])


def units_of(conn: Connection, link_ids: Iterable[int]) -> tuple[list[Record], list[int]]:
    """What these links say, and those among them that say nothing (any more): gone, of an ended card, one of ours."""
    wanted = set(link_ids)
    found = [normalise(raw, number) for number, raw in raws_of(conn, wanted)]
    return found, sorted(wanted.difference(int(unit.rec) for unit in found))


def raws_of(conn: Connection, link_ids: Iterable[int]) -> list[tuple[int, dict[str, Any]]]:
    """What these links say, before it is normalised, in their order; those that say nothing are left out."""
    wanted = set(link_ids)
    found: dict[int, dict[str, Any]] = {}
    for card in load(conn, ENTITY, _records(conn, wanted), References(), lock=False).values():
        for one in card.known.contributions:
            raw = raw_of(*_rows(one)) if one.link_id in wanted and _speaks(card, one) else None
            if raw is not None:
                found[one.link_id] = raw
    return sorted(found.items())


def _records(conn: Connection, link_ids: Iterable[int]) -> set[int]:
    found: set[int] = set()
    for chunk in bulk.chunks(sorted(link_ids)):
        rows = conn.execute(select(core.link.c.record_id).where(core.link.c.id.in_(chunk)))
        found.update(number for number in rows.scalars() if number is not None)
    return found


def _speaks(card: Card, one: Contribution) -> bool:
    """Whether a link tells of a client of its own accord: it was seen, it lives, and not all of it is our writing."""
    link = card.links.get(one.link_id)
    if one.system == HUB or link is None or link.state in UNSEEN or card.cells.get(STATE) != LIVING:
        return False
    return any(own.value is not None and own.cleared is None for path, own in one.own.items() if path != STATE)


def _rows(one: Contribution) -> tuple[dict[str, Any], dict[str, list[dict[str, Any]]]]:
    """The link's own words as rows of the entity."""
    cells: Cells = {path: own.value for path, own in one.own.items() if own.cleared is None}
    layout = layout_of(ENTITY)
    root = {path: value for path, value in cells.items() if path in layout.fields}
    children: dict[str, list[dict[str, Any]]] = defaultdict(list)
    single: dict[str, dict[str, Any]] = defaultdict(dict)
    for path, value in sorted(cells.items()):
        name = path.partition("[")[0] if is_member(path) else path.partition(".")[0]
        if name not in layout.children or value is None:
            continue
        if is_member(path):
            children[name].append(dict(zip(layout.columns[name], _row(value), strict=True)))
        else:
            single[name][path.partition(".")[2]] = value
    for name, told in single.items():
        children[name].append({column: told.get(column) for column in layout.columns[name]})
    return root, children


def _row(value: Value) -> tuple[Value, ...]:
    assert isinstance(value, tuple)
    return value


def bare_units(conn: Connection, after: int, most: int) -> tuple[list[tuple[int, dict[str, Any]]], int]:
    """What links say whose record nobody else speaks of, from the stored rows, by link id; and where to go on.

    No more than ``most`` links after the link ``after``; a place of 0: there are no more.
    """
    link, party, said = core.link, tables.ROOTS[ENTITY], core.contribution
    rows = conn.execute(
        select(link.c.id, link.c.record_id)
        .join(party, party.c.id == link.c.record_id)
        .join(core.stream, core.stream.c.id == link.c.stream_id)
        .where(
            link.c.id > after,
            core.stream.c.entity == ENTITY,
            link.c.state.not_in(sorted(UNSEEN)),
            party.c.record_state == LIVING,
            ~_another(link),
            ~select(said.c.link_id).where(said.c.link_id.in_([link.c.id, -link.c.record_id])).exists(),
        )
        .order_by(link.c.id)
        .limit(most)
    ).all()
    of_record = {row.record_id: row.id for row in rows}
    found = [(of_record[number], raw) for number, raw in _stored(conn, sorted(of_record)) if raw is not None]
    return sorted(found, key=lambda one: one[0]), rows[-1].id if len(rows) == most else 0


def _another(link: Any) -> Any:
    other = core.link.alias("other")
    return select(other.c.id).where(other.c.record_id == link.c.record_id, other.c.id != link.c.id).exists()


def _stored(conn: Connection, record_ids: Sequence[int]) -> Iterator[tuple[int, dict[str, Any] | None]]:
    """The clients as their stored rows tell them."""
    layout = layout_of(ENTITY)
    children: dict[int, dict[str, list[dict[str, Any]]]] = defaultdict(lambda: defaultdict(list))
    for name in ("party_role", "party_identifier", "contact_point", "address", "person_detail"):
        columns = layout.columns[name]
        for parent, *row in bulk.fetch_rows(
            conn, tables.CHILDREN[name], ("party_id", *columns), "party_id", record_ids, ("party_id", "seq")
        ):
            children[parent][name].append(dict(zip(columns, row, strict=True)))
    names = ("kind", "display_name", "legal_name")
    for number, *row in bulk.fetch_rows(conn, tables.ROOTS[ENTITY], ("id", *names), "id", record_ids):
        yield number, raw_of(dict(zip(names, row, strict=True)), children.get(number, {}))


def shared_links(conn: Connection) -> list[int]:
    """Links of clients that ``bare_units`` leaves out: of cards that several links, or a person, speak of."""
    link, said = core.link, core.contribution
    rows = conn.execute(
        select(link.c.id)
        .join(core.stream, core.stream.c.id == link.c.stream_id)
        .where(
            link.c.record_id.is_not(None),
            core.stream.c.entity == ENTITY,
            _another(link) | select(said.c.link_id).where(said.c.link_id.in_([link.c.id, -link.c.record_id])).exists(),
        )
        .order_by(link.c.id)
    )
    return list(rows.scalars())
