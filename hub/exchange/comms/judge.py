"""Judging activities: a page's, or those that a change of contacts touches; a few look-ups for all of them together."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from hub.exchange.comms import reading, threads
from hub.exchange.comms.chats import Chats
from hub.exchange.comms.directory import Directory
from hub.exchange.comms.matching import WEAK, Draft, Row, Verdict, correspondents, decide, draft
from hub.exchange.comms.own import Own
from hub.exchange.comms.reading import Event, Known
from hub.exchange.comms.threads import Place
from hub.exchange.comms.unknown import Policies
from hub.model.settings import Settings
from hub.store import bulk, comms_tables, tables

#: Written at once when contacts change that many letters name.
CHUNK = 1000
_PARTY = ("activity_id", "record_id", "entity", "kind", "rule", "role", "handle", "place")
_MATCH = ("activity_id", "state", "rule", "domain", "thread_id", "subject_key")
_SAID = "manual"
Anchors = Mapping[int, set[tuple[str, int]]]


@dataclass(frozen=True, slots=True)
class Judged:
    """An activity with what was decided of it."""

    event: Event
    verdict: Verdict


@dataclass(slots=True)
class _Work:
    """What is judged together, by activity."""

    events: dict[int, Event]
    old: dict[int, Known]
    places: dict[int, Place]
    drafts: dict[int, Draft]

    @property
    def free(self) -> dict[int, Event]:
        """Those that no person has decided."""
        said = {number for number, known in self.old.items() if known.rule == _SAID}
        return {number: one for number, one in self.events.items() if number not in said}


class Judge:
    """For one transaction."""

    def __init__(self, conn: Connection, settings: Settings) -> None:
        self.conn, self.own, self.known = conn, Own.of(settings), Directory()
        self.policies = Policies(settings)

    def judge(self, ids: Iterable[int]) -> dict[int, Judged]:
        """Decide these activities anew, and letters of their threads that stand on other letters. Only what differs is
        written; what a person decided stays.
        """
        events = reading.events(self.conn, ids)
        old = reading.matches(self.conn, events)
        firsts = {number: self._first(one) for number, one in events.items() if one.type == "email"}
        places = threads.join(self.conn, events, firsts, old)
        chats = Chats(self.conn, events, old, places)
        work = _Work(events, old, places, {})
        members = self._lean(work, {place.thread for place in places.values() if place.thread} - chats.threads)
        work.drafts = self._drafts(work.free)
        settled, stirred = chats.look(work.drafts)
        members += self._lean(work, stirred)
        work.drafts |= self._drafts({number: one for number, one in work.free.items() if number not in work.drafts})
        anchors = self._anchors(work.drafts, places, members, settled)
        verdicts = self._verdicts(work.drafts, places, anchors)
        self._write(events, old, places, verdicts)
        return {number: Judged(events[number], verdict) for number, verdict in verdicts.items()}

    def _lean(self, work: _Work, threads_: set[int]) -> list[Known]:
        """All letters of these threads; those that stand on others are decided with them."""
        members = reading.of_threads(self.conn, threads_)
        leaning = {one.id: one for one in members if one.id not in work.events and _leans(one)}
        if leaning:
            work.events |= reading.events(self.conn, leaning)
            work.old |= leaning
            work.places |= {number: Place(one.thread, one.subject) for number, one in leaning.items()}
        return members

    def _first(self, event: Event) -> str:
        """The address of the first correspondent: what letters of one subject are told apart by."""
        found = correspondents(event, self.own)
        return found[0].norm if found else ""

    def _drafts(self, events: Mapping[int, Event]) -> dict[int, Draft]:
        self.known.learn(self.conn, (one.norm for event in events.values() for one in event.people if one.norm))
        named = self._named(events)
        drafts = {number: draft(event, self.own, self.known, named.get(number, ())) for number, event in events.items()}
        several = {holder.record_id for made in drafts.values() for _, holders in made.open for holder in holders}
        self.known.learn_orders(self.conn, several)
        self.known.learn_domains(self.conn, {made.domain for made in drafts.values() if made.domain})
        return drafts

    def _named(self, events: Mapping[int, Event]) -> dict[int, list[tuple[int, str]]]:
        """Clients whom the source itself names, by reference or by an order of theirs."""
        orders = {number: one.order_link for number, one in events.items() if one.order_link is not None}
        of_order: dict[int, int] = {}
        if orders:
            records = reading.records_of(self.conn, orders.values())
            rows = bulk.fetch_rows(
                self.conn, tables.ROOTS["sales_order"], ("id", "party_link_id"), "id", sorted(set(records.values()))
            )
            party: dict[int, int] = dict(rows)
            of_order = {n: party[records[link]] for n, link in orders.items() if records.get(link) in party}
        links = {number: one.party_link for number, one in events.items() if one.party_link is not None}
        clients = reading.records_of(self.conn, [*links.values(), *of_order.values()])
        found: dict[int, list[tuple[int, str]]] = defaultdict(list)
        for told, rule in ((links, "source"), (of_order, "order")):
            for number, link in told.items():
                if link in clients:
                    found[number].append((clients[link], rule))
        return found

    def _anchors(
        self, drafts: Mapping[int, Draft], places: Mapping[int, Place], members: Sequence[Known], settled: Anchors
    ) -> Anchors:
        """By thread, what its letters are surely about. ``settled``: of chats whose messages were not looked at."""
        found: dict[int, set[tuple[str, int]]] = defaultdict(set)
        looked_at = {one.thread for one in members}
        found.update({thread: set(told) for thread, told in settled.items() if thread not in looked_at})
        thread_of = {one.id: one.thread for one in members if one.id not in drafts}
        rows = bulk.fetch_rows(self.conn, comms_tables.activity_party, _PARTY, "activity_id", sorted(thread_of))
        for number, record_id, entity, kind, rule, *_ in rows:
            thread = thread_of[number]
            if kind == "matched" and rule not in WEAK and thread is not None:
                found[thread].add((entity, record_id))
        for number, made in drafts.items():
            thread = places[number].thread if number in places else None
            if thread is not None:
                found[thread] |= made.anchors
        return found

    def _verdicts(
        self, drafts: Mapping[int, Draft], places: Mapping[int, Place], anchors: Anchors
    ) -> dict[int, Verdict]:
        thread_of = {number: place.thread for number, place in places.items()}
        unsure = [number for number, made in drafts.items() if made.foreign and not made.anchors]
        unknown = self.policies.of(self.conn, {number: drafts[number].event.line for number in unsure})
        nothing: set[tuple[str, int]] = set()
        return {
            number: decide(made, anchors.get(thread_of.get(number) or 0, nothing), self.known, unknown.get(number, ""))
            for number, made in drafts.items()
        }

    def _write(
        self,
        events: Mapping[int, Event],
        old: Mapping[int, Known],
        places: Mapping[int, Place],
        verdicts: Mapping[int, Verdict],
    ) -> None:
        new, changed = [], []
        for number in events:
            place, before, verdict = places.get(number, Place()), old.get(number), verdicts.get(number)
            if verdict is not None:
                row: tuple[Any, ...] = (number, verdict.state, verdict.rule, verdict.domain, *place)
            else:
                assert before is not None
                row = (*before[:4], *place)
            if before is None:
                new.append(row)
            elif row != tuple(before):
                changed.append(row)
        bulk.insert_rows(self.conn, comms_tables.activity_match, _MATCH, new)
        bulk.update_rows(self.conn, comms_tables.activity_match, _MATCH, changed)
        self._parties(verdicts, [number for number in verdicts if number in old])

    def _parties(self, verdicts: Mapping[int, Verdict], again: Sequence[int]) -> None:
        """Rows of clients; those of activities that were judged before are replaced where they differ."""
        table = comms_tables.activity_party
        there: dict[int, set[Row]] = defaultdict(set)
        for number, *row in bulk.fetch_rows(self.conn, table, _PARTY, "activity_id", again):
            there[number].add(Row(*row))
        differ = [number for number in again if there[number] != set(verdicts[number].rows)]
        bulk.delete_children(self.conn, table, "activity_id", differ)
        written = {*verdicts.keys() - set(again), *differ}
        rows = [(number, *row) for number in verdicts if number in written for row in verdicts[number].rows]
        bulk.insert_rows(self.conn, table, _PARTY, rows)


def _leans(one: Known) -> bool:
    """Whether other letters, or what is known of others, may decide it."""
    return one.rule != _SAID and (one.rule in WEAK or one.state in {"ambiguous", "unmatched", "ignored"})
