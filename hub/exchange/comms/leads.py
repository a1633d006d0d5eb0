"""A stranger who writes or calls becomes a lead, once; a lead whose address turns up on a client is that client."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection

from hub.engine.cells import Value
from hub.exchange.cards.desk import CardDesk
from hub.exchange.comms import made, reading
from hub.exchange.comms.directory import Directory
from hub.exchange.comms.judge import Judged
from hub.exchange.comms.matching import nearest
from hub.exchange.comms.reading import Event, Participant
from hub.exchange.comms.unknown import Policies
from hub.store import bulk, tables
from hub.texts import sentence

#: Kinds of events that a lead may come of, and what its source is called then.
_SOURCES = {"email": "email", "call": "call", "chat_message": "chat_message", "sms": "other", "web_form": "web_form"}
_SPEAKERS = frozenset({"reply_to", "from", "caller"})
_KINDS = frozenset({"email", "phone", "messenger"})
#: The state of a message that its sender took back.
_TAKEN_BACK = "cancelled"
_ALIVE = frozenset({"new", "in_progress", "qualified"})
_OURS = "lead:"


def make(conn: Connection, desk: CardDesk, judged: Iterable[Judged]) -> set[str]:
    """Leads of strangers, where their mailbox or line is to make some; the handles of those that are new."""
    strangers = [(one.event, who) for one in judged if (who := _stranger(one)) is not None]
    if not strangers:
        return set()
    policies = Policies(desk.hub.settings).of(conn, {event.id: event.line for event, _ in strangers})
    first: dict[str, tuple[Event, Participant]] = {}
    for event, who in sorted(strangers, key=lambda pair: (pair[0].at, pair[0].id)):
        if policies.get(event.id) == "create":
            first.setdefault(f"{_OURS}{who.kind}:{who.norm}", (event, who))
    there = bulk.fetch_rows(conn, tables.ROOTS["lead"], ("dedupe_key",), "dedupe_key", sorted(first))
    new = {key: first[key] for key in first.keys() - {row[0] for row in there}}
    links = reading.links_of(conn, (event.id for event, _ in new.values()))
    lang = desk.hub.settings.locale
    records = [_record(key, event, who, links.get(event.id), lang) for key, (event, who) in sorted(new.items())]
    numbers = made.make(conn, desk, "lead", records)
    points = [
        (number, seq, one.kind, one.norm, one.norm)
        for number, (_, (event, who)) in zip(numbers, sorted(new.items()), strict=True)
        for seq, one in enumerate(_handles(event, who), 1)
    ]
    columns = ("lead_id", "seq", "system", "value_norm", "value_raw")
    bulk.insert_rows(conn, tables.CHILDREN["lead_contact_point"], columns, points)
    made.offered(conn, desk, "lead", numbers)
    return {who.norm for _, who in new.values()}


def _stranger(one: Judged) -> Participant | None:
    """Who of an unmatched event may become a lead."""
    event, verdict = one.event, one.verdict
    if (verdict.state, verdict.rule) != ("unmatched", "nobody") or event.type not in _SOURCES:
        return None
    taken_back = event.type == "chat_message" and event.status == _TAKEN_BACK
    if event.direction != "inbound" or taken_back or not made.recent(event.at):
        return None
    speakers = [who for who in event.people if who.role in _SPEAKERS and who.kind in _KINDS]
    surest = sorted(speakers, key=lambda who: (who.role != "reply_to", _passing(who), who.kind == "phone"))
    return next(iter(surest), None)


def _passing(who: Participant) -> bool:
    """Whether people call him so and it may pass to another: a name in a messenger, where his number stays."""
    return who.norm.startswith("@") and ":" not in who.norm


def _handles(event: Event, who: Participant) -> list[Participant]:
    """What the lead is known by: who writes in a messenger has several handles at once."""
    if event.type != "chat_message":
        return [who]
    same = [one for one in event.people if one.role == who.role and one.kind in _KINDS and one != who]
    return [who, *sorted(same)]


def _record(key: str, event: Event, who: Participant, link: int | None, lang: str) -> dict[str, Any]:
    source = _SOURCES[event.type]
    handle = next((one.norm for one in _handles(event, who) if _passing(one)), who.norm)
    called = f"{who.name} ({handle})" if who.name and who.name != handle else handle
    return {
        "title": sentence(f"comms_lead_{source}", lang, who=called),
        "status": "new",
        "source": source,
        "line": event.line or None,
        "contact_name": who.name or None,
        "opened_at": event.at,
        "activity_link_id": link,
        "comment": event.subject or None,
        "dedupe_key": key,
    }


def convert(conn: Connection, desk: CardDesk, known: Directory, norms: Sequence[str]) -> int:
    """Leads of ours whose address or number a client has now: they became that client; how many."""
    child, root = tables.CHILDREN["lead_contact_point"], tables.ROOTS["lead"]
    points = bulk.fetch_rows(conn, child, ("lead_id", "system", "value_norm"), "value_norm", sorted(norms))
    columns = ("id", "status", "party_link_id", "dedupe_key", "record_state")
    rows = bulk.fetch_rows(conn, root, columns, "id", sorted({row[0] for row in points}))
    open_ = {
        number
        for number, status, party, key, state in rows
        if status in _ALIVE and party is None and state == "active" and str(key or "").startswith(_OURS)
    }
    if not open_:
        return 0
    known.learn(conn, norms)
    client = {number: _client(known, system, norm) for number, system, norm in points if number in open_}
    links = reading.links_of(conn, {record for record in client.values() if record is not None})
    won = {number: links[record] for number, record in client.items() if record in links}
    words: dict[int, dict[str, Value]] = {
        n: {"status": "converted", "party": link, "closed_at": desk.at} for n, link in won.items()
    }
    made.say(conn, desk, "lead", words)
    return len(won)


def _client(known: Directory, system: str, norm: str) -> int | None:
    """The one client who has it; an employee of ours is none."""
    holders = [one for one in known.holders(system, norm) if one.entity == "party"]
    chosen = nearest(holders, "")
    ours = any(one.ours for one in holders)
    return chosen[0].record_id if len(chosen) == 1 and not ours else None
