"""What is owed on each leased row, and the change that tells it; or why nothing can be sent now."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import Connection, select

from connectors.base import Change
from hub.engine.arrive import golden_of
from hub.engine.cells import LIVING, STATE, Contribution, Golden, Value
from hub.engine.outgoing import Way, outgoing
from hub.exchange.brakes import Brakes
from hub.exchange.cards.card import UNSEEN, Card, load, lock_links
from hub.exchange.cards.layout import Layout, layout_of
from hub.exchange.cards.ledger import Ledger
from hub.exchange.push import box
from hub.exchange.push.stopped import stop_ping_pong
from hub.exchange.push.supply import supplied
from hub.exchange.push.words import Addresses, Speaker, Words
from hub.store import bulk, core, tables

if TYPE_CHECKING:
    from hub.exchange.desk import Desk
    from hub.exchange.hub import Route
    from hub.exchange.mapping_desk import MappingDesk
    from mappings.finds import Found

#: Nothing is written to a record while what it shows waits for a person.
NOT_TAKEN = "record_not_taken"


#: Whether what a link's system is to be told (golden values by path; is it a new record?) may be sent now.
Gate = Callable[[Connection, Card, int, Mapping[str, Value], bool], bool]


@dataclass(slots=True)
class Outgo:
    """One change that is ready to be sent, with the row it comes from. ``raw``: the record as it was looked at."""

    row: box.Row
    work: MappingDesk
    card: Card
    words: Words
    change: Change
    raw: Any = None

    @property
    def writes(self) -> bool:
        """Whether there is anything to send: all of it may stand there already."""
        return self.change.create or not self.words.empty


@dataclass(slots=True)
class Decided:
    """Of one batch: what is to be sent; how many rows ended as what (``run_push`` columns), with their reasons."""

    outgo: list[Outgo]
    ended: list[tuple[str, str, int]]


class Decider:
    """Decides the rows of one batch inside one transaction. ``current``: raw records as they are now, by link.

    ``gate``: what it does not let pass stays as it is. ``found``: what the look-ups of the route's mappings find.
    """

    def __init__(
        self,
        conn: Connection,
        desk: Desk,
        route: Route,
        current: Mapping[int, tuple[Any, str | None]],
        brakes: Brakes,
        gate: Gate | None = None,
        found: Found | None = None,
    ) -> None:
        self.brakes, self.gate, self.found = brakes, gate, found
        self.conn, self.desk, self.route, self.current = conn, desk, route, current
        self.cards_desk = desk.cards()
        self.layout: Layout = layout_of(route.entity.name)
        self.rules = self.cards_desk.rules(route.entity.name)
        self.way = self.cards_desk.way(route.system, route.entity.name)
        self.same = self.layout.same(self.cards_desk.refs)
        self._speakers: dict[str, Speaker] = {}

    def decide(self, rows: Sequence[box.Row], *, shadow: bool) -> Decided:
        """Settle what is owed no more, note why others wait, and make the changes of the rest."""
        result = Decided([], [])
        cards = self._cards(rows)
        ready: list[tuple[box.Row, MappingDesk, Card, Contribution, dict[str, Value]]] = []
        ledger = Ledger(self.cards_desk, self.route.entity.name)
        stop_ping_pong(self.conn, list(cards.values()), ledger)
        ledger.write(self.conn)
        for row in rows:
            card = cards.get(row.link_id)
            work = self.desk.by_stream.get(card.links[row.link_id].stream_id) if card else None
            if card is None or card.cells.get(STATE) == "merged":
                self._end(result, row, "superseded", "record_gone")
            elif work is None:
                box.wait_for(self.conn, row, "mapping_paused")
                self._end(result, row, "waiting", "mapping_paused")
            elif not_taken(self.conn, work, card.links[row.link_id].external_id):
                box.wait_for(self.conn, row, NOT_TAKEN)
                self._end(result, row, "waiting", NOT_TAKEN)
            else:
                contribution = card.contribution(row.link_id)
                owed = self._owed(row, work, card, contribution)
                if owed:
                    ready.append((row, work, card, contribution, owed))
                else:
                    box.settled(self.conn, row)
                    self._end(result, row, "confirmed" if row.sent_before else "superseded", "")
        besides = self._supplied(ready)
        said: list[Mapping[str, Value]] = [*(owed for *_, owed in ready), *besides.values()]
        self._learn(said, [card for _, _, card, _, _ in ready])
        ends = sum(not row.approved and STATE in owed for row, *_, owed in ready)
        changes = sum(not row.approved for row, *_ in ready) - ends
        verdicts = self.brakes.judge(self.conn, self.route.id, self.route.settings.code, ends, changes)
        for row, work, card, contribution, owed in ready:
            if not row.approved and verdicts.stops(ends=STATE in owed):
                held = verdicts.held("", None, ends=STATE in owed)
                box.hold(self.conn, row, held.reason, **held.params)
                self._end(result, row, "held", held.reason)
                continue
            self._say(result, row, work, card, contribution, owed, besides.get(row.link_id, {}), shadow=shadow)
        return result

    def _cards(self, rows: Sequence[box.Row]) -> dict[int, Card]:
        link = core.link
        wanted = [row.link_id for row in rows]
        found = self.conn.execute(select(link.c.id, link.c.record_id).where(link.c.id.in_(wanted)))
        known = {row.id: row.record_id for row in found if row.record_id is not None}
        records = lock_links(self.conn, self.route.entity.name, known)
        cards = load(self.conn, self.route.entity.name, records.values(), self.cards_desk.refs)
        return {link_id: cards[record] for link_id, record in records.items() if record in cards}

    def _owed(self, row: box.Row, work: MappingDesk, card: Card, contribution: Contribution) -> dict[str, Value]:
        golden = golden_of(card.known, self.rules, self.same)
        if card.links[row.link_id].state not in UNSEEN:
            return outgoing(contribution, golden, self.rules, self.way, self.same)
        if golden[STATE].value != LIVING:
            return {}  # ended before it was made there
        return self._whole(work, contribution, golden)

    def _whole(self, work: MappingDesk, contribution: Contribution, golden: Mapping[str, Golden]) -> dict[str, Value]:
        """Of a record to be made all that the mapping can tell, whatever else the route may write later."""
        names = frozenset({*work.mapping.writable, *work.mapping.writable_children})
        return outgoing(replace(contribution, primary=True), golden, self.rules, Way(names), self.same)

    def _supplied(
        self, ready: Sequence[tuple[box.Row, MappingDesk, Card, Contribution, dict[str, Value]]]
    ) -> dict[int, dict[str, int]]:
        """What completes the records that are to be made, by link."""
        creations = {
            row.link_id: (work.mapping.spec, owed)
            for row, work, card, _, owed in ready
            if work.mapping.spec.supplies and card.links[row.link_id].state in UNSEEN
        }
        return supplied(self.conn, self.cards_desk.refs, self.route.system, creations) if creations else {}

    def _learn(self, owed: Sequence[Mapping[str, Value]], cards: Sequence[Card]) -> None:
        """Which records the values name, and the keys that the system knows these by."""
        refs = self.cards_desk.refs
        named = [number for values in owed for number in self.layout.link_ids(values)]
        said = [one.shown for card in cards for one in card.known.contributions]
        named += [number for shown in said for number in self.layout.link_ids(shown)]
        refs.learn(self.conn, named)
        records = sorted({record for number in named if (record := refs.record(number)) is not None})
        link, stream, system = core.link, core.stream, core.system
        found: list[tuple[int, str, str]] = []
        for chunk in bulk.chunks(records):
            rows = self.conn.execute(
                select(link.c.record_id, stream.c.name, link.c.external_id)
                .join(stream, stream.c.id == link.c.stream_id)
                .join(system, system.c.id == stream.c.system_id)
                .where(
                    link.c.record_id.in_(chunk),
                    system.c.code == self.route.system,
                    link.c.state == "active",
                )
                .order_by(link.c.is_primary.desc(), link.c.id)
            )
            found.extend((row[0], row[1], row[2]) for row in rows)
        self.addresses = Addresses(found, self._factors(records))

    def _factors(self, records: Sequence[int]) -> dict[int, Fraction]:
        """How many of what it is made of each unit among the records is; none for a pack that does not say."""
        unit = tables.ROOTS["unit"]
        found: dict[int, Fraction] = {}
        if not any(child.lines for child in self.layout.children.values()):
            return found
        for chunk in bulk.chunks(records):
            rows = self.conn.execute(
                select(unit.c.id, unit.c.kind, unit.c.factor_num, unit.c.factor_den).where(unit.c.id.in_(chunk))
            )
            for number, kind, above, below in rows:
                if above and below:
                    found[number] = Fraction(above) / Fraction(below)
                elif kind != "pack":
                    found[number] = Fraction(1)
        return found

    def _speaker(self, work: MappingDesk) -> Speaker:
        if work.mapping.name not in self._speakers:
            speaker = Speaker(work.mapping, self.layout, self.cards_desk.refs, self.addresses, self.found)
            self._speakers[work.mapping.name] = speaker
        return self._speakers[work.mapping.name]

    def _say(
        self,
        result: Decided,
        row: box.Row,
        work: MappingDesk,
        card: Card,
        contribution: Contribution,
        owed: Mapping[str, Value],
        besides: Mapping[str, int],
        *,
        shadow: bool,
    ) -> None:
        link = card.links[row.link_id]
        create = link.state in UNSEEN
        raw, version = self.current.get(link.id, (None, None))
        if raw is None and not create:
            box.fail(self.conn, row, "record_gone", system=self.route.system, stream=link.stream, id=link.external_id)
            self._end(result, row, "failed", "record_gone")
            return
        current = None if create else msgspec.json.decode(raw)
        words = self._speaker(work).say(card, contribution, owed, current, besides)
        if self.gate is not None and not self.gate(self.conn, card, link.id, words.meant, create):
            self._end(result, row, "held" if row.state == "held" else "waiting", "plan_moved")
            return
        needed = words.missing.keys() & _required(work) if create else ()
        if words.missing and (needed or not (words.meant or words.unsaid)):
            path, number = next(one for one in words.missing.items() if not needed or one[0] in needed)
            box.wait_for(self.conn, row, "reference_missing", field=path, link=number)
            self._end(result, row, "waiting", "reference_missing")
            return
        if shadow:
            box.wait_for(self.conn, row, "shadow")
            self._end(result, row, "waiting", "shadow")
            return
        change = words.change(link, version, create=create, look_first=row.sent_before)
        unsaid = dict(words.unsaid) if create else None
        box.sending(self.conn, row, dict(words.meant), dict(change.fields), version, self.desk.run_id, unsaid)
        result.outgo.append(Outgo(row, work, card, words, change, raw))

    def _end(self, result: Decided, row: box.Row, outcome: str, reason: str) -> None:
        if outcome == "superseded":
            box.settled(self.conn, row)
        result.ended.append((outcome, reason, row.id))


def not_taken(conn: Connection, work: MappingDesk, external_id: str) -> bool:
    """Whether what the record shows now is not here, but held back, refused or parked: it is not to be written over."""
    return any(external_id in known for known in (*work.troubled(conn), work.held_back(conn)))


def _required(work: MappingDesk) -> set[str]:
    """Fields and lines without which no record can be made."""
    fields = {item.field.name for item in work.mapping.spec.fields if item.required or item.field.required}
    return fields | {part.child.name for part in work.children if part.child.lines}
