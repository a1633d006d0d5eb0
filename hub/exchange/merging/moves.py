"""The rows of the store that move with links, inside one transaction; cards are loaded anew afterwards.

A merge, told as a story. The contributions of both cards get rows. The loser's links, open questions and pins hang on
the survivor from now on; what the hub itself said of the loser is said of the survivor where nothing was; the loser's
row stays as readers saw it last, in state ``merged``, with a redirect. ``before`` remembers what no other table tells.
Its undo moves all that is still there back. Nothing is computed here: what readers see is decided by ``resolve``.

Keys of ``before``: ``links`` (flags by link), ``primary`` (of the survivor's links), ``state``, ``pins`` (numbers),
``conflicts`` (the value held, by number), ``hub`` (paths), ``marks`` (when an end was said, by link), ``redirects``
(records that led to the loser), ``judgements`` (numbers of those taken back).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, delete, select, update

from hub.engine.cells import HUB, LIVING, STATE, Contribution, Moment
from hub.engine.codec import decode, encode
from hub.exchange.cards.card import UNSEEN, Card, CardLink
from hub.exchange.cards.desk import CardDesk
from hub.exchange.cards.moving import MERGED, revive
from hub.exchange.cards.pinning import moment_of
from hub.exchange.cards.rows import give_rows
from hub.exchange.runs import now
from hub.model.errors import RetryLater
from hub.store import core, tables

Before = dict[str, Any]


def refuse_busy(conn: Connection, cards: Iterable[Card]) -> None:
    """``RetryLater(merge_busy)`` while a run sends to a record of these cards: its answer finds them as they were."""
    box, run = core.outbox, core.exchange_run
    ids = [number for card in cards for number in card.links]
    leased = select(box.c.lease_run_id).where(box.c.link_id.in_(ids), box.c.lease_until > now())
    row = conn.execute(leased.join(run, run.c.id == box.c.lease_run_id).where(run.c.state == "running")).first()
    if row is not None:
        raise RetryLater("merge_busy", run=row[0])


def join(conn: Connection, desk: CardDesk, survivor: Card, other: Card) -> Before:
    """Move all of ``other`` to ``survivor``; what an undo needs."""
    for card in (survivor, other):
        give_rows(conn, desk, card)
    before: Before = {"state": other.cells[STATE], "marks": _old_marks(survivor, other)}
    _drop_reserved(conn, survivor, other)
    before["conflicts"] = _move_questions(conn, survivor, other)
    before["pins"] = _move_pins(conn, survivor, other)
    before["hub"] = _move_hub_words(conn, desk, survivor, other)
    before["links"] = {str(link.id): _flags(link) for link in other.links.values()}
    point(conn, survivor.record_id, list(other.links))
    before["primary"] = _one_primary(conn, [*survivor.links.values()], [*other.links.values()], _dead(survivor, other))
    before["redirects"] = _end(conn, desk, survivor, other)
    return before


def part(conn: Connection, whole: int, other: int, before: Mapping[str, Any], there: Sequence[int]) -> None:
    """Move what came from ``other`` back to it: the links that are still there, questions and pins."""
    for number in there:
        values = {"record_id": other, "is_primary": before["links"][str(number)]["primary"]}
        conn.execute(update(core.link).where(core.link.c.id == number).values(**values))
    for number, flag in before["primary"].items():
        mine = (core.link.c.id == int(number), core.link.c.record_id == whole)
        conn.execute(update(core.link).where(*mine).values(is_primary=flag))
    take_questions(conn, whole, other, there)
    table = core.conflict
    for number, ours in before["conflicts"].items():
        where = (table.c.id == int(number), table.c.state == "open", table.c.record_id == other)
        conn.execute(update(table).where(*where).values(ours=ours))
    pins = core.pin
    conn.execute(update(pins).where(pins.c.id.in_(before["pins"]), pins.c.record_id == whole).values(record_id=other))
    redirect = core.redirect
    revive(conn, other)
    leads = redirect.c.from_record_id.in_(before["redirects"])
    conn.execute(update(redirect).where(leads, redirect.c.to_record_id == whole).values(to_record_id=other))


def take_questions(conn: Connection, whole: int, other: int, links: Sequence[int]) -> None:
    """Open questions about what these links say go along with them."""
    table = core.conflict
    where = (table.c.link_id.in_(links), table.c.record_id == whole, table.c.state == "open")
    conn.execute(update(table).where(*where).values(record_id=other))


def set_state(conn: Connection, desk: CardDesk, entity: str, record_id: int, state: str) -> None:
    """The state of a record's row alone."""
    root = tables.ROOTS[entity]
    values = {"record_state": state, "updated_by_run": desk.run_id, "row_version": root.c.row_version + 1}
    conn.execute(update(root).where(root.c.id == record_id).values(**values))


def without_hub_words(conn: Connection, card: Card, other: int, paths: Sequence[str]) -> None:
    """What the hub said of the other record is said of this one no more, where nothing else was said since."""
    mine = next((one for one in card.known.contributions if one.system == HUB), None)
    row = conn.execute(select(core.contribution).where(core.contribution.c.link_id == -other)).mappings().first()
    if mine is None or row is None:
        return
    theirs = decode(0, HUB, {name: row[name] for name in ("own", "shown", "sent")})
    own = {path: word for path, word in mine.own.items() if path not in paths or word != theirs.own.get(path)}
    known = card.known.put(replace(mine, own=own))
    if not own:
        known = replace(known, contributions=tuple(one for one in known.contributions if one.system != HUB))
        conn.execute(delete(core.contribution).where(core.contribution.c.link_id == card.hub_link))
    card.known = known


def with_marks(card: Card, marks: Mapping[str, Sequence[int]], *, first_met: bool) -> None:
    """Ends of records were said when they were (``marks``), or, ``first_met``, nobody knows when."""
    for number, (first, last) in marks.items():
        if int(number) not in card.links:
            continue
        said = card.contribution(int(number))
        own = said.own.get(STATE)
        if own is not None and own.value != LIVING and own.when.last == last:
            when = Moment(0, last) if first_met else Moment(first, last)
            card.known = card.known.put(replace(said, own={**said.own, STATE: replace(own, when=when)}))


def even_primaries(conn: Connection, card: Card) -> None:
    """One link of each system is written to, whatever has moved."""
    changed = _one_primary(conn, list(card.links.values()), [], _dead(card))
    for number in changed:
        link = card.links[int(number)]
        card.links[link.id] = replace(link, primary=not link.primary)
        known = {one.link_id for one in card.known.contributions}
        if link.id in known:
            card.known = card.known.put(replace(card.contribution(link.id), primary=not link.primary))


def _flags(link: CardLink) -> dict[str, bool]:
    return {"primary": link.primary}


def point(conn: Connection, record_id: int, links: Sequence[int]) -> None:
    """The links hang on that record from now on."""
    conn.execute(update(core.link).where(core.link.c.id.in_(links)).values(record_id=record_id))


def _dead(*cards: Card) -> set[int]:
    """Links whose system shows the record ended."""
    said = (one for card in cards for one in card.known.contributions)
    return {one.link_id for one in said if not one.living or one.shown.get(STATE, LIVING) != LIVING}


def _old_marks(survivor: Card, other: Card) -> dict[str, list[int]]:
    """Ends that were said while the hub looked on: to a living record that they meet they are differences, no news."""
    said = [one for card in (survivor, other) for one in card.known.contributions if one.system != HUB]
    if not any(one.living for one in said):
        return {}
    ends = {one.link_id: one.own[STATE].when for one in said if not one.living}
    return {str(number): [when.first, when.last] for number, when in ends.items() if when.first}


def _drop_reserved(conn: Connection, survivor: Card, other: Card) -> None:
    """What was only to be made in a system that knows the client by the other card is not made; what may have been
    asked for already is awaited. Of two reservations the survivor's stays.
    """
    box, link = core.outbox, core.link
    theirs = {one.system for one in survivor.links.values() if one.state != "refused"}
    mine = {one.system for one in other.links.values() if one.state not in UNSEEN}
    for card, there in ((other, theirs), (survivor, mine)):
        spare = [one.id for one in card.links.values() if one.state == "reserved" and one.system in there]
        rows = conn.execute(select(box.c.link_id).where(box.c.link_id.in_(spare), box.c.meant.is_not(None)))
        sent = set(rows.scalars())
        for number in (number for number in spare if number not in sent):
            conn.execute(delete(box).where(box.c.link_id == number))
            conn.execute(delete(link).where(link.c.id == number))
            del card.links[number]


def _move_questions(conn: Connection, survivor: Card, other: Card) -> dict[str, Any]:
    """Open conflicts; what they hold is what readers of the survivor see, if they see anything."""
    table, before = core.conflict, dict[str, Any]()
    for (path, _), number in other.conflicts.items():
        held = other.known.holds[path].value
        mine = survivor.known.holds.get(path)
        agreed = mine.value if mine is not None else survivor.cells.get(path)
        before[str(number)] = held
        values = {"record_id": survivor.record_id, "ours": held if agreed is None else agreed}
        conn.execute(update(table).where(table.c.id == number).values(**values))
    return before


def _move_pins(conn: Connection, survivor: Card, other: Card) -> list[int]:
    """Pins of cells that the survivor has none for; the others sleep with the record, and so does a pinned end."""
    moved = {path: number for path, number in other.pins.items() if path not in survivor.pins and path != STATE}
    ids = sorted(moved.values())
    conn.execute(update(core.pin).where(core.pin.c.id.in_(ids)).values(record_id=survivor.record_id))
    return ids


def _move_hub_words(conn: Connection, desk: CardDesk, survivor: Card, other: Card) -> list[str]:
    """What the hub said of the loser holds for the survivor, where the hub said nothing; the loser's row sleeps."""
    mine, theirs = (_hub(card) for card in (survivor, other))
    if theirs is None:
        return []
    paths = sorted(path for path in theirs.own if path != STATE and (mine is None or path not in mine.own))
    own = {**(mine.own if mine else {}), **{path: theirs.own[path] for path in paths}}
    row = {**encode(replace(theirs, own=own)), "run_id": desk.run_id, "read_at": now(), "mapping": None}
    table = core.contribution
    if conn.execute(update(table).where(table.c.link_id == survivor.hub_link).values(**row)).rowcount == 0:
        conn.execute(table.insert().values(link_id=survivor.hub_link, **row))
    return paths


def _hub(card: Card) -> Contribution | None:
    return next((one for one in card.known.contributions if one.system == HUB), None)


def _one_primary(
    conn: Connection, mine: Sequence[CardLink], theirs: Sequence[CardLink], dead: set[int]
) -> dict[str, bool]:
    """Of each system one link is primary: a living one that is there, rather of the survivor, rather as it was. What
    the flags that change were.
    """
    first, changed = {link.id for link in mine}, dict[str, bool]()
    by_system: dict[str, list[CardLink]] = {}
    for link in (*mine, *theirs):
        by_system.setdefault(link.system, []).append(link)
    for links in by_system.values():
        best = min(
            links,
            key=lambda link: (link.state in UNSEEN, link.id in dead, link.id not in first, not link.primary, link.id),
        )
        for link in links:
            if link.primary != (link is best):
                changed[str(link.id)] = link.primary
                where = core.link.c.id == link.id
                conn.execute(update(core.link).where(where).values(is_primary=link is best))
    return changed


def _end(conn: Connection, desk: CardDesk, survivor: Card, other: Card) -> list[int]:
    """The loser's row is left as it is, in state ``merged``; whoever is sent to it is sent on. Who was."""
    set_state(conn, desk, other.entity, other.record_id, MERGED)
    table = core.redirect
    leads = table.c.to_record_id == other.record_id
    ids = sorted(conn.execute(select(table.c.from_record_id).where(leads)).scalars())
    conn.execute(update(table).where(leads).values(to_record_id=survivor.record_id))
    conn.execute(
        table.insert().values(
            from_record_id=other.record_id,
            to_record_id=survivor.record_id,
            entity=other.entity,
            run_id=desk.run_id,
            at=moment_of(desk),
        )
    )
    return ids
