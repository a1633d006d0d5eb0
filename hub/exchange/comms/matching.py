"""Whose an activity is: pure, of what the activity says and what the directory knows.

The order of the rules: what the source itself names (client, order) · who alone has the handle, or is the nearest of
those who have it (a person over the company, a client over a lead, the company that all of them work for) · of several
the one whom its thread is about, else the one with an order in work · the client of its thread · the company whose
domain it is. Nothing here depends on what came first.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from hub.exchange.comms.directory import TOO_MANY, Directory, Holder
from hub.exchange.comms.own import Own, corporate, domain_of
from hub.exchange.comms.reading import Event, Participant

State = Literal["matched", "ambiguous", "unmatched", "ignored", "manual"]
#: Rules of matches that stand on other letters, or that are tried after the thread: they tell nothing of it.
WEAK = frozenset({"thread", "open_order", "domain"})
#: The source itself says it.
_NAMED = frozenset({"source", "order"})
_FOREIGN = frozenset({"email", "phone", "messenger"})
#: Parts that our own side plays, by direction, whatever the number or address.
_OUR_PART = {
    "inbound": frozenset({"callee", "agent"}),
    "outbound": frozenset({"from", "reply_to", "caller", "agent"}),
    "internal": frozenset({"from", "reply_to", "caller", "callee", "agent"}),
}
_FIRST = {"reply_to": 0, "from": 1, "caller": 1, "callee": 1, "organizer": 2, "to": 3, "attendee": 3}
_ORDER = {"person": 0, "organization": 1, "lead": 2}
#: Kinds of a match, the stronger first: a record is in an activity once.
_KINDS = ("matched", "candidate", "employee")


class Row(NamedTuple):
    """A row of ``activity_party`` but for the activity."""

    record_id: int
    entity: str
    kind: str
    rule: str
    role: str
    handle: str
    place: int = 0


@dataclass(slots=True)
class Verdict:
    """Whose an activity is. ``rule`` of one that is nobody's: why."""

    state: State
    rule: str
    rows: list[Row]
    domain: str | None = None


@dataclass(slots=True)
class Draft:
    """What is known before the thread is looked at. ``open``: handles that several have; ``foreign``: correspondents,
    the first of whom counts most; ``hidden``, ``strange``: somebody hid his number, or shows what is none; ``loud``:
    some handle is of too many to tell anything.
    """

    event: Event
    rows: dict[int, Row] = field(default_factory=dict)
    open: list[tuple[Participant, list[Holder]]] = field(default_factory=list)
    foreign: list[Participant] = field(default_factory=list)
    hidden: bool = False
    strange: bool = False
    loud: bool = False

    @property
    def anchors(self) -> set[tuple[str, int]]:
        """Clients (and leads) that it is surely about: what its thread may go by."""
        return {(row.entity, row.record_id) for row in self.rows.values() if row.kind == "matched"}

    @property
    def domain(self) -> str | None:
        """Corporate domain of the first correspondent, if nobody has the address."""
        first = self.foreign[0] if self.foreign else None
        name = domain_of(first.norm) if first is not None and first.kind == "email" else ""
        known = bool(self.anchors or self.open)
        return name if corporate(name) and not known else None

    def add(self, row: Row) -> None:
        """A record is in an activity once, by the strongest of what put it there."""
        there = self.rows.get(row.record_id)
        if there is None or _KINDS.index(row.kind) < _KINDS.index(there.kind):
            self.rows[row.record_id] = row


def correspondents(event: Event, own: Own) -> list[Participant]:
    """Those of the other side, the first counts most; an answer goes to ``Reply-To`` before ``From``."""
    ours = _OUR_PART.get(event.direction, frozenset())
    foreign = [
        one for one in event.people if one.kind in _FOREIGN and one.role not in ours and not own.has(one.kind, one.norm)
    ]
    return sorted(foreign, key=lambda one: (_FIRST.get(one.role, 4), one.norm))


def draft(event: Event, own: Own, known: Directory, named: Iterable[tuple[int, str]]) -> Draft:
    """What can be told without the thread. ``named``: clients whom the source itself names, each with the rule."""
    ours = _OUR_PART.get(event.direction, frozenset())
    odd = {one.kind for one in event.people if one.role not in ours}
    made = Draft(event, hidden="hidden" in odd, strange="other" in odd)
    for record_id, rule in named:
        made.add(Row(record_id, "party", "matched", rule, "", ""))
    for one in event.people:
        for holder in known.holders(one.kind, one.norm):
            if holder.ours:
                made.add(Row(holder.record_id, "party", "employee", "employee", one.role, one.norm))
    for one in correspondents(event, own):
        holders = known.holders(one.kind, one.norm)
        if any(holder.ours for holder in holders):
            continue
        made.foreign.append(one)
        if len({holder.record_id for holder in holders}) >= TOO_MANY:
            made.loud = True
            continue
        chosen = nearest(holders, one.ext)
        if len(chosen) == 1:
            made.add(_matched(chosen[0], "lead" if chosen[0].kind == "lead" else "handle", one))
        elif firm := _firm(chosen, known):
            made.add(Row(firm, "party", "matched", "company", one.role, one.norm))
        elif chosen:
            made.open.append((one, chosen))
    return made


def _firm(holders: Collection[Holder], known: Directory) -> int | None:
    """The one company that all of them work for."""
    firms = [known.employers.get(holder.record_id, frozenset()) for holder in holders]
    common = frozenset.intersection(*firms) if firms else frozenset()
    return next(iter(common)) if len(common) == 1 else None


def nearest(holders: Collection[Holder], ext: str) -> list[Holder]:
    """Those who are nearest: living, with the same extension (none, where none was told), a person before a company
    before a lead; the oldest first.
    """
    left = [one for one in holders if one.living] or list(holders)
    left = [one for one in left if one.ext == ext] or left
    best = min((_ORDER[one.kind] for one in left), default=0)
    by_record = {one.record_id: one for one in left if _ORDER[one.kind] == best}
    return [by_record[number] for number in sorted(by_record)]


def narrow(made: Draft, known: Directory) -> None:
    """Decide between several where the thread did not: one has an order in work. Else they are candidates."""
    for one, holders in made.open:
        busy = [holder for holder in holders if holder.record_id in known.busy]
        if len(busy) == 1:
            made.add(_matched(busy[0], "open_order", one))
        else:
            order = sorted(holders, key=lambda holder: (holder.record_id not in known.busy, holder.record_id))
            for place, holder in enumerate(order, 1):
                made.add(Row(holder.record_id, holder.entity, "candidate", "handle", one.role, one.norm, place))


def decide(made: Draft, thread: Collection[tuple[str, int]], known: Directory, unknown: str) -> Verdict:
    """The verdict. ``thread``: what other letters of its thread are surely about; ``unknown``: what is to become of a
    stranger.
    """
    domain = made.domain
    about = _one_of(thread)
    if about is not None and made.open:
        mine = [one for one, holders in made.open if about[1] in {holder.record_id for holder in holders}]
        for one in mine:
            made.add(Row(about[1], about[0], "matched", "thread", one.role, one.norm))
        made.open = [pair for pair in made.open if pair[0] not in mine]
    narrow(made, known)
    if about is not None and not made.open and made.foreign and not made.anchors:
        made.add(Row(about[1], about[0], "matched", "thread", "", ""))
    if domain is not None and not made.anchors:
        _by_domain(made, known.of_domain(domain), domain)
    state, rule = _state(made, unknown)
    kept = {"matched", "employee"} if state in {"matched", "ignored", "unmatched"} else set(_KINDS)
    return Verdict(state, rule, [row for row in made.rows.values() if row.kind in kept], domain)


def _one_of(thread: Collection[tuple[str, int]]) -> tuple[str, int] | None:
    """The one client that the thread is about, or the one lead where no client is."""
    parties = {one for one in thread if one[0] == "party"} or set(thread)
    return next(iter(parties)) if len(parties) == 1 else None


def _matched(holder: Holder, rule: str, one: Participant) -> Row:
    return Row(holder.record_id, holder.entity, "matched", rule, one.role, one.norm)


def _by_domain(made: Draft, firms: list[int], domain: str) -> None:
    if len(firms) >= TOO_MANY:
        made.loud = True
        return
    kind = "matched" if len(firms) == 1 else "candidate"
    for place, number in enumerate(firms, 1):
        made.add(Row(number, "party", kind, "domain", made.foreign[0].role, domain, 0 if kind == "matched" else place))


def _state(made: Draft, unknown: str) -> tuple[State, str]:
    rows = list(made.rows.values())
    matched = [row for row in rows if row.kind == "matched"]
    first = made.foreign[0].norm if made.foreign else None
    asked = [row for row in rows if row.kind == "candidate"]
    named = any(row.rule in _NAMED for row in matched)
    if named or (matched and not any(row.handle == first for row in asked)):
        return "matched", min(matched, key=_strength).rule
    if asked:
        return "ambiguous", asked[0].rule
    if not made.foreign and not made.strange:
        return "ignored", "hidden" if made.hidden else "internal"
    if made.loud:
        return "unmatched", "too_many"
    robot = robotic(made.event)
    if robot:
        return "ignored", robot
    return ("ignored", "unknown") if unknown == "ignore" else ("unmatched", "nobody")


def _strength(row: Row) -> tuple[int, int]:
    order: Mapping[str, int] = {"source": 0, "order": 1, "handle": 2, "company": 3, "open_order": 4, "lead": 5}
    return order.get(row.rule, 6), row.record_id


_JUNK = ("junk", "spam", "спам", "нежелательн", "trash", "корзина", "удаленные", "удалённые", "deleted")
_ROBOTS = ("no-reply", "noreply", "no_reply", "donotreply", "do-not-reply", "mailer-daemon", "postmaster", "bounce")


def robotic(event: Event) -> str:
    """Why nobody is to be made known by this letter: ``robot`` or ``junk``; empty where a person wrote it."""
    if event.mail is not None and any(word in event.mail.folder.lower() for word in _JUNK):
        return "junk"
    sender = next((one.norm for one in event.people if one.role == "from"), "")
    auto = event.auto or (event.mail is not None and bool(event.mail.auto_kind))
    return "robot" if auto or sender.partition("@")[0].startswith(_ROBOTS) else ""
