"""Who is to be on which mailing list: clients of a segment who consented, each address once and for all.

A subscription is a record like any other; a route that makes them in a mailing service (``create``) carries them there,
and the service's own word on them outranks the hub's. What keeps an unsubscription from being undone:

* an address that was ever known on a list, in whatever state, is not made a second time: who left stays known;
* the service's word is master of ``status``, so ours is not sent against it;
* the connector refuses to subscribe whom the service shows as unsubscribed.

Consent that is taken back on the card ends the subscriptions that the hub made for it, as long as no other client with
the same address consents. Leaving a segment ends nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from sqlalchemy import Connection, Select, and_, exists, func, select

from hub.engine.cells import HUB
from hub.exchange import runs
from hub.exchange.cards.card import Card, load
from hub.exchange.cards.desk import CardDesk
from hub.exchange.cards.match import one_at_a_time
from hub.exchange.cards.tasks import silent
from hub.exchange.comms import made, reading
from hub.exchange.hub import Hub
from hub.store import tables

ENTITY = "subscription"
#: Any segment.
EVERYBODY = "*"
#: Records of one transaction.
_CHUNK = 1000
_OURS = ("employee", "own_company")


def subscribe(hub: Hub, run_id: int, systems: Iterable[str]) -> None:
    """Make the subscriptions that are missing, and end those whose consent was taken back. A silent run makes none."""
    told = [
        (code, list_id, segment)
        for code in systems
        if (section := hub.settings.systems[code].mailing) is not None and _carries(hub, code)
        for list_id, segment in section.subscribe
    ]
    if not told:
        return
    with hub.store.read() as conn:
        if silent(conn, run_id):
            return
    for code, list_id, segment in told:
        for work in _turns(hub, run_id):
            if not _make(*work, code, list_id, segment):
                break
    lists, last = sorted({list_id for _, list_id, _ in told}), 0
    for work in _turns(hub, run_id):
        last = _end(*work, lists, last)
        if not last:
            break


def _carries(hub: Hub, system: str) -> bool:
    """Whether subscriptions of the hub's own get there: else they would only pile up."""
    return f"{system}.{ENTITY}" in hub.routes and hub.rules.creation(system, ENTITY) is not None


def _turns(hub: Hub, run_id: int) -> Iterator[tuple[Connection, CardDesk]]:
    """One transaction after another, each alone with the cards."""
    while True:
        with hub.store.begin() as conn:
            one_at_a_time(conn)
            yield conn, CardDesk(hub, run_id, runs.now().strftime("%Y-%m-%d %H:%M:%S"))


def _make(conn: Connection, desk: CardDesk, system: str, list_id: str, segment: str) -> int:
    """The next so many subscriptions; how many. None before the lists were read once: who is on them is known then."""
    streams = desk.hub.streams_of(system, ENTITY)
    if any(desk.stream_read_at(conn, desk.hub.streams[system][name]) is None for name in streams):
        return 0
    found = conn.execute(_missing(list_id, segment)).all()
    links = reading.links_of(conn, (row.party for row in found))
    records: list[dict[str, Any]] = [
        {"list": list_id, "email": row.email, "status": "subscribed", "party_link_id": links.get(row.party)}
        for row in found
    ]
    made.offered(conn, desk, ENTITY, made.make(conn, desk, ENTITY, records))
    return len(records)


def _missing(list_id: str, segment: str) -> Select[Any]:
    """Addresses of consenting clients of the segment that were never on the list, each with its oldest client."""
    party, point, there = tables.ROOTS["party"], tables.CHILDREN["contact_point"], tables.ROOTS[ENTITY]
    role = tables.CHILDREN["party_role"]
    known = exists().where(there.c.list == list_id, there.c.email == point.c.value_norm)
    ours = exists().where(role.c.party_id == party.c.id, role.c.role.in_(_OURS))
    query = (
        select(point.c.value_norm.label("email"), func.min(party.c.id).label("party"))
        .join(point, point.c.party_id == party.c.id)
        .where(party.c.record_state == "active", party.c.mailing_consent.is_(True))
        .where(point.c.system == "email", point.c.is_valid.is_(True), ~known, ~ours)
        .group_by(point.c.value_norm)
        .order_by(point.c.value_norm)
        .limit(_CHUNK)
    )
    return query if segment == EVERYBODY else query.where(party.c.segment == segment)


def _end(conn: Connection, desk: CardDesk, lists: list[str], after: int) -> int:
    """The next so many subscriptions of ours whose consent was taken back, by number; the last number, 0 at the end."""
    there = tables.ROOTS[ENTITY]
    query = (
        select(there.c.id)
        .where(there.c.list.in_(lists), there.c.status == "subscribed", there.c.record_state == "active")
        .where(there.c.party_link_id.is_not(None), _consent(there, given=False), ~_consent(there, given=True))
        .where(there.c.id > after)
        .order_by(there.c.id)
        .limit(_CHUNK)
    )
    ids = list(conn.execute(query).scalars())
    cards = load(conn, ENTITY, ids, desk.refs)
    words = {number: {"status": "unsubscribed"} for number in ids if not _said(cards[number])}
    made.say(conn, desk, ENTITY, words)
    return ids[-1] if ids else 0


def _said(card: Card) -> bool:
    """Whether the hub has said so already, and the service's own word stands against it."""
    own = next((one.own.get("status") for one in card.known.contributions if one.system == HUB), None)
    return own is not None and own.value == "unsubscribed"


def _consent(there: Any, *, given: bool) -> Any:
    """Whether a living client with the address gives consent, or has taken it back."""
    party, point = tables.ROOTS["party"], tables.CHILDREN["contact_point"]
    same = and_(point.c.party_id == party.c.id, point.c.system == "email", point.c.value_norm == there.c.email)
    return exists().where(same, party.c.record_state == "active", party.c.mailing_consent.is_(given))
