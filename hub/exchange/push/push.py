"""One route sends what it owes: batch by batch, each row to one of six ends."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, cast

import msgspec
from sqlalchemy import select, update

from connectors.base import Placing, WriteResult
from hub.engine.arrive import Arrival, golden_of
from hub.engine.cells import Contribution
from hub.engine.outgoing import outgoing
from hub.exchange import runs
from hub.exchange.brakes import Brakes
from hub.exchange.cards.card import UNSEEN, Card, load
from hub.exchange.cards.desk import CardDesk
from hub.exchange.cards.layout import layout_of
from hub.exchange.cards.ledger import Ledger
from hub.exchange.desk import Desk
from hub.exchange.hub import Hub, Route
from hub.exchange.mapping_desk import MappingDesk
from hub.exchange.merging.log import tell
from hub.exchange.pull import make_desk
from hub.exchange.push import box
from hub.exchange.push.decide import NOT_TAKEN, Decider, Gate, Outgo, not_taken
from hub.exchange.request import record_request
from hub.exchange.stage import apply_page, apply_records, release
from hub.model.errors import Fenced, HubError, RetryLater
from hub.model.records import PUSHED, Counters, Page, PushCounters
from hub.store import core

log = logging.getLogger("obmen.exchange")

#: Rows that are fetched, decided and sent together.
BATCH = 50
#: How often a row is sent anew within a run because its record was being edited meanwhile.
_TRIES = 3


@dataclass(slots=True)
class Push:
    """One route that sends in one run. ``received``: what the looks before and after writing brought in.

    ``only``: links that it sends to, all that are owed without it; ``gate``: asked before each of them.
    """

    hub: Hub
    run_id: int
    route: Route
    should_stop: Callable[[], bool] | None = None
    only: list[int] | None = None
    gate: Gate | None = None
    counters: PushCounters = field(default_factory=PushCounters)
    received: Counters = field(default_factory=Counters)
    done: list[int] = field(default_factory=list)
    tries: dict[int, int] = field(default_factory=dict)
    brakes: Brakes = field(init=False)
    _written: int = field(init=False)

    def __post_init__(self) -> None:
        self.brakes = Brakes(self.hub)
        self._written = self._writes()

    def run(self) -> None:
        """Send until nothing is due. Faults of the system come out as ``HubError``; rows not sent stay owed."""
        desk = make_desk(self.hub, self.run_id, self.route.system)
        desk.brakes = None  # what comes back with our own writes is no mass change
        try:
            while rows := self._lease():
                self._batch(desk, rows)
        finally:
            self._rest()

    def _lease(self) -> list[box.Row]:
        if self.should_stop is not None and self.should_stop():
            raise Fenced("stopped", route=self.route.code)
        if self.only is None:
            with self._transaction() as conn:
                return box.lease(conn, self.run_id, self.route.id, self.done, BATCH)
        while self.only:
            with self._transaction() as conn:
                rows = box.lease(conn, self.run_id, self.route.id, self.done, BATCH, self.only[:BATCH])
            if rows:
                return rows
            del self.only[:BATCH]
        return []

    @contextmanager
    def _transaction(self) -> Iterator[Any]:
        with self.hub.store.begin() as conn:
            runs.hold(conn, self.run_id, self.route.id, self.route.code)
            yield conn

    def _batch(self, desk: Desk, rows: Sequence[box.Row]) -> None:
        current = self._look(desk, rows)
        found = self.hub.found(self.route.system, self.route.entity.name)
        with self._transaction() as conn:
            decider = Decider(conn, desk, self.route, current, self.brakes, self.gate, found)
            decided = decider.decide(rows, shadow=self.route.settings.shadow)
            told = {one.card.record_id for one in decided.outgo if one.writes}
            tell(conn, self.route.entity.name, told, self.run_id)
        for outcome, reason, row_id in decided.ended:
            self._count(outcome, reason, row_id)
        by_stream: dict[str, list[Outgo]] = {}
        for one in decided.outgo:
            by_stream.setdefault(one.work.mapping.stream, []).append(one)
        for stream, changes in by_stream.items():
            self._send(desk, stream, changes)

    def _look(self, desk: Desk, rows: Sequence[box.Row]) -> dict[int, tuple[Any, str | None]]:
        """Fetch what the records show now and let it arrive; the raw records by link, with their versions."""
        link = core.link
        with self.hub.store.read() as conn:
            found = conn.execute(
                select(link.c.id, link.c.stream_id, link.c.external_id, link.c.state).where(
                    link.c.id.in_([row.link_id for row in rows])
                )
            ).all()
            held = {number: work.held_back(conn) for number, work in desk.by_stream.items()}
        sent = {row.link_id for row in rows if row.sent_before}
        by_stream: dict[int, dict[str, int]] = {}
        for one in found:
            looked = one.state not in UNSEEN or one.id in sent
            if looked and one.stream_id in desk.by_stream and one.external_id not in held[one.stream_id]:
                by_stream.setdefault(one.stream_id, {})[one.external_id] = one.id
        current: dict[int, tuple[Any, str | None]] = {}
        for stream_id, links in by_stream.items():
            current |= self._fetch(desk, desk.by_stream[stream_id], links, sent)
        return current

    def _fetch(
        self, desk: Desk, work: MappingDesk, links: dict[str, int], sent: set[int]
    ) -> dict[int, tuple[Any, str | None]]:
        connector = self.hub.connector(self.route.system)
        page = connector.fetch(record_request(work.mapping, self.hub.system(self.route.system)), list(links))
        gone = [key for key in page.deleted if links.get(key) not in sent]  # what we asked to be made may yet be made
        with self._transaction() as conn:
            self._see_anew(conn, [links[key] for key in links if links[key] in sent])
            seen = Page(page.stream, page.records, gone, nbytes=page.nbytes)
            self._arrived(conn, desk, apply_page(conn, desk, work, seen))
        heads = work.mapping.heads(page.records)
        return {
            links[head[0]]: (raw, head[1])
            for raw, head in zip(page.records, heads, strict=True)
            if isinstance(head, tuple) and head[0] in links
        }

    @staticmethod
    def _see_anew(conn: Any, link_ids: Sequence[int]) -> None:
        """What is read next must be taken even if it is what was read before: it may be the answer to a write."""
        if link_ids:
            conn.execute(update(core.link).where(core.link.c.id.in_(link_ids)).values(row_hash=None))

    def _arrived(self, conn: Any, desk: Desk, outcome: Any) -> None:
        release(conn, desk, outcome.fulfilled)
        runs.account(conn, self.run_id, self.route.id, outcome.counters)
        self.received.add(outcome.counters)

    def _send(self, desk: Desk, stream: str, changes: Sequence[Outgo]) -> None:
        """Write, and settle each result as it comes; what was not sent when the system stops us stays owed."""
        writing = [one for one in changes if one.writes]
        settled = 0
        for one in changes:
            if one not in writing:
                self._stands(desk, one)
        try:
            self._place(stream, [one for one in writing if one.change.create])
            results = self.hub.connector(self.route.system).write(stream, [one.change for one in writing])
            for one, result in zip(writing, results, strict=False):
                self._settle(desk, one, result)
                settled += 1
        except HubError as error:
            self._not_sent(writing[settled:], error)
            raise

    def _place(self, stream: str, creating: Sequence[Outgo]) -> None:
        """Reserve the key that each new record will have, where the system makes it of the one that was reserved.

        Should we die after the write, the next read meets a record whose key is known, and makes no second card of it.
        """
        connector = self.hub.connector(self.route.system)
        if not creating or not connector.capabilities.places:
            return
        places = {one.row.id: cast("Placing", connector).place(stream, one.change) for one in creating}
        with self._transaction() as conn:
            for one in creating:
                key = places[one.row.id]
                if self._take_key(conn, one, key):
                    one.change = replace(one.change, external_id=key)

    def _stands(self, desk: Desk, one: Outgo) -> None:
        """All of it stands there already, in the system's own spelling: what was seen is its confirmation."""
        with self._transaction() as conn:
            self._see_anew(conn, [one.row.link_id])
            self._arrived(conn, desk, apply_records(conn, desk, one.work, [one.raw]))
            self._close(conn, desk, one)

    def _not_sent(self, rest: Sequence[Outgo], error: HubError) -> None:
        with self._transaction() as conn:
            for one in rest:
                box.not_sent(conn, one.row, error.code, sent_before=one.change.look_first)
                self._count("unknown" if one.change.look_first else "waiting", error.code, one.row.id)

    def _settle(self, desk: Desk, one: Outgo, result: WriteResult) -> None:
        with self._transaction() as conn:
            if result.record is not None and result.became in {"written", "unchanged", "not_posted"}:
                if not self._take_key(conn, one, result.external_id):
                    box.fail(conn, one.row, "key_of_another", system=self.route.system, id=result.external_id)
                    self._count("failed", "key_of_another", one.row.id)
                    return
                self._see_anew(conn, [one.row.link_id])
                self._arrived(conn, desk, apply_records(conn, desk, one.work, [msgspec.Raw(result.record)]))
                if not_taken(conn, one.work, result.external_id):
                    box.wait_for(conn, one.row, NOT_TAKEN)
                    self._count("waiting", NOT_TAKEN, one.row.id)
                    return
            if result.became in {"written", "unchanged"}:
                self._close(conn, desk, one)
                return
            error = result.error
            code = error.code if error is not None else result.became
            params = runs.told(error)["params"] if error is not None else {}
            if result.became == "moved":
                self._again(conn, one, "record_moved")
            elif result.became == "unknown":
                self._count(box.wait(conn, one.row, code, keep=True, **params), code, one.row.id)
            elif isinstance(error, RetryLater) or code in box.PASSING:
                waits = box.wait(conn, one.row, code, for_ever=code in box.PASSING, **params)
                self._count(waits, code, one.row.id)
            else:
                box.fail(conn, one.row, code, **params)
                self._count("failed", code, one.row.id)

    def _again(self, conn: Any, one: Outgo, code: str) -> None:
        """Look, decide and send again, but not for ever: somebody may be editing the record all the time."""
        tries = self.tries[one.row.id] = self.tries.get(one.row.id, 0) + 1
        if tries < _TRIES:
            box.again(conn, one.row, op="update" if code == "more_owed" else None)
        else:
            self._count(box.wait(conn, one.row, code), code, one.row.id)

    @staticmethod
    def _take_key(conn: Any, one: Outgo, external_id: str) -> bool:
        """The system gave the record a key of its own in place of the one reserved; whether it is free for this card.

        What was met where the new record should have been may be known already, as a record of another card.
        """
        if not one.change.create or external_id == one.change.external_id:
            return True
        link = core.link
        same = (link.c.stream_id == one.work.stream_id) & (link.c.external_id == external_id)
        if conn.execute(select(link.c.id).where(same, link.c.id != one.row.link_id)).first() is not None:
            return False
        conn.execute(update(link).where(link.c.id == one.row.link_id).values(external_id=external_id))
        return True

    def _close(self, conn: Any, desk: Desk, one: Outgo) -> None:
        """After the read-back: settled, or owed anew, or refused because the system shows something else."""
        cards = desk.cards()
        entity = self.route.entity.name
        card = load(conn, entity, [one.card.record_id], cards.refs)[one.card.record_id]
        layout, rules = layout_of(entity), cards.rules(entity)
        same = layout.same(cards.refs)
        golden = golden_of(card.known, rules, same)
        contribution = card.contribution(one.row.link_id)
        if one.words.unsaid:
            contribution = self._without_words(conn, cards, card, contribution, one)
        owed = outgoing(contribution, golden, rules, cards.way(self.route.system, entity), same)
        refused = [path for path in owed if path in one.words.meant and same(path, owed[path], one.words.meant[path])]
        if refused:
            shown = contribution.shown.get(refused[0])
            said = {"field": refused[0], "sent": str(owed[refused[0]]), "shown": str(shown)}
            box.fail(conn, one.row, "shows_otherwise", system=self.route.system, **said)
            self._count("failed", "shows_otherwise", one.row.id)
        elif owed:
            if set(owed) <= set(one.words.missing):
                box.wait_for(conn, replace(one.row, op="update"), "reference_missing", field=next(iter(owed)))
                self._count("waiting", "reference_missing", one.row.id)
            else:
                self._again(conn, one, "more_owed")
        else:
            box.settled(conn, one.row)
            self._count("confirmed", "", one.row.id)

    @staticmethod
    def _without_words(conn: Any, cards: CardDesk, card: Card, contribution: Contribution, one: Outgo) -> Contribution:
        """A value without words stands for what is shown: it is told again when it changes, and not every night."""
        after = replace(contribution, sent={**contribution.sent, **one.words.unsaid})
        known = card.known.put(after)
        ledger = Ledger(cards, card.entity)
        for path, value in one.words.unsaid.items():
            ledger.log(card, one.row.link_id, "unsaid", path, contribution.shown.get(path), value)
        golden = golden_of(known, cards.rules(card.entity), layout_of(card.entity).same(cards.refs))
        ledger.decided(card, Arrival(known, golden))
        ledger.write(conn)
        return after

    def _count(self, outcome: str, reason: str, row_id: int) -> None:
        self.counters.add(outcome, reason)
        self.done.append(row_id)

    def _rest(self) -> None:
        """Count what was not touched (it waits, is held or failed before) and write the counters."""
        with self.hub.store.begin() as conn:
            box.give_back(conn, self.run_id, self.route.id)
            for state, reason, number in box.standing(conn, self.route.id, self.done):
                outcome = state if state in PUSHED else "unknown" if state == "sending" else "waiting"
                self.counters.add(outcome, reason or state, number)
            runs.account_push(conn, self.run_id, self.route.id, self.counters, self._writes() - self._written)

    def _writes(self) -> int:
        """Requests that wrote to the system, of this process so far."""
        traffic = self.hub.traffic(self.route.system)
        return traffic.writes if traffic else 0
