"""What befalls records, written down as it is committed: each look that a card took in, each word of a person.

The rows lie in a table of their own in the same database, so that what is rolled back was never written down, however
the process died. Nothing of what the exchange makes of it is kept: no contribution, no golden value.
"""

from __future__ import annotations

import base64
import pickle
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from unittest.mock import patch

from sqlalchemy import Column, Connection, Integer, MetaData, Table, Text

from hub.engine.cells import HUB, STATE, Moment, Value, equal, head, is_member
from hub.engine.incoming import incoming
from hub.exchange import write
from hub.exchange.cards import receive
from hub.exchange.cards.card import UNSEEN, Card, seconds
from hub.exchange.cards.layout import layout_of
from hub.exchange.cards.ledger import Ledger
from hub.exchange.cards.refs import References
from hub.store.database import Store

TABLE = Table(
    "test_history", MetaData(), Column("id", Integer, primary_key=True, autoincrement=True), Column("body", Text)
)


_NEVER = Moment(0, 0)


@dataclass(frozen=True, slots=True)
class Look:
    """A record of a link was taken in. ``ours``: what we meant by cells that show a write of ours; ``alone``: nobody
    else speaks of it, and it is read without being remembered word by word.
    """

    link: int
    told: Mapping[str, Value]
    lists: frozenset[str]
    when: Moment = _NEVER
    ours: Mapping[str, Value] = field(default_factory=dict)
    alone: bool = False


@dataclass(frozen=True, slots=True)
class Forgotten:
    """Of a record that only this link spoke of nothing but what it shows is known, said by then."""

    link: int
    by: int


@dataclass(frozen=True, slots=True)
class Said:
    """A word of a person or of a guard on a cell: ``pin``, ``unpin``, ``answer``, ``ask`` (of ``link``), ``unsaid``."""

    kind: str
    record: int
    path: str
    value: Value = None
    link: int | None = None
    ends: bool = False
    when: Moment = _NEVER


Event = Look | Forgotten | Said


def history(store: Store) -> list[Event]:
    """All that was committed, in its order."""
    with store.read() as conn:
        rows = conn.execute(TABLE.select().order_by(TABLE.c.id)).all()
        return [pickle.loads(base64.b64decode(row.body)) for row in rows]  # noqa: S301 - our own


def _keep(conn: Connection, events: Sequence[Event]) -> None:
    for one in events:
        conn.execute(TABLE.insert().values(body=base64.b64encode(pickle.dumps(one)).decode()))


@contextmanager
def recording(store: Store) -> Iterator[None]:
    """Whatever is exchanged meanwhile is written down."""
    with store.begin() as conn:
        TABLE.create(conn, checkfirst=True)
    with _Recorder().patches():
        yield


@dataclass(frozen=True, slots=True)
class _Later:
    """A word of which the rest is known when the ledger is written."""

    kind: str
    card: Card
    path: str
    value: Value
    link: int | None

    def told(self) -> Said:
        record, pins = self.card.record_id, self.card.known.pins
        if self.kind == "answer":
            own = next(one for one in self.card.known.contributions if one.system == HUB).own[self.path]
            value = None if own.cleared else own.value
            return Said("answer", record, self.path, value, when=own.cleared or own.when)
        ends = self.kind == "pin" and self.path in pins and pins[self.path].ends
        return Said(self.kind, record, self.path, self.value, self.link, ends)


class _Recorder:
    """Stands between the exchange and what it calls; everything goes on as before."""

    def __init__(self) -> None:
        self.looks: dict[int, Look] = {}
        self.kept: dict[int, list[Event | _Later]] = {}
        self.touched: dict[int, set[int]] = {}

    @contextmanager
    def patches(self) -> Iterator[None]:
        """All of them, for a while."""
        told = [
            patch.object(receive, "incoming", self._incoming(incoming)),
            patch.object(write, "create", self._create(write.create)),
            patch.object(write, "change", self._change(write.change)),
            patch.object(write, "set_state", self._set_state(write.set_state)),
            patch.object(Ledger, "arrived", self._arrived(Ledger.arrived)),
            patch.object(Ledger, "decided", self._decided(Ledger.decided)),
            patch.object(Ledger, "ask", self._ask(Ledger.ask)),
            patch.object(Ledger, "log", self._log(Ledger.log)),
            patch.object(Ledger, "close_conflicts", self._close(Ledger.close_conflicts)),
            patch.object(Ledger, "write", self._write(Ledger.write)),
        ]
        for one in told:
            one.start()
        try:
            yield
        finally:
            for one in told:
                one.stop()

    def _events(self, ledger: Ledger, card: Card) -> list[Event | _Later]:
        """Where to write down; first, on the first touch of a card of which no word was stored, that it was so."""
        events = self.kept.setdefault(id(ledger), [])
        touched = self.touched.setdefault(id(ledger), set())
        if card.record_id not in touched:
            touched.add(card.record_id)
            seen = [link for link in card.links.values() if link.state not in UNSEEN]
            if not card.stored and len(seen) == 1:
                events.append(Forgotten(seen[0].id, seconds(seen[0].read_by, up=True)))
        return events

    def _incoming(self, real: Callable[..., Any]) -> Callable[..., Any]:
        def take_in(old: Any, told: Any, when: Moment, **more: Any) -> Any:
            meant, accepts = more.get("unknown") or {}, more.get("accepts", equal)
            lists = frozenset(more.get("lists", ()))
            seen = {path for path in meant if path in told or (is_member(path) and head(path) in lists)}
            ours = {path: meant[path] for path in seen if accepts(path, meant[path], told.get(path))}
            self.looks[old.link_id] = Look(old.link_id, dict(told), lists, when, ours)
            return real(old, told, when, **more)

        return take_in

    def _arrived(self, real: Callable[..., bool]) -> Callable[..., bool]:
        def arrived(ledger: Ledger, card: Card, arrival: Any, link_id: int, *rest: Any, **more: Any) -> bool:
            self._events(ledger, card).append(self.looks.pop(link_id))
            return real(ledger, card, arrival, link_id, *rest, **more)

        return arrived

    def _decided(self, real: Callable[..., bool]) -> Callable[..., bool]:
        def decided(ledger: Ledger, card: Card, after: Any, **more: Any) -> bool:
            self._events(ledger, card)
            return real(ledger, card, after, **more)

        return decided

    def _ask(self, real: Callable[..., None]) -> Callable[..., None]:
        def ask(ledger: Ledger, card: Card, question: Any, link_id: int) -> None:
            self._events(ledger, card).append(Said("ask", card.record_id, question.path, question.ours, link_id))
            real(ledger, card, question, link_id)

        return ask

    def _log(self, real: Callable[..., None]) -> Callable[..., None]:
        def log(
            ledger: Ledger, card: Card, link_id: int | None, op: str, path: str | None, before: Value, after: Value
        ) -> None:
            if op in {"pin", "unpin", "unsaid"} and path is not None:
                self._events(ledger, card).append(_Later(op, card, path, after, link_id))
            real(ledger, card, link_id, op, path, before, after)

        return log

    def _close(self, real: Callable[..., None]) -> Callable[..., None]:
        def close(ledger: Ledger, card: Card, path: str, state: str) -> None:
            if state == "resolved":
                self._events(ledger, card).append(_Later("answer", card, path, None, None))
            real(ledger, card, path, state)

        return close

    def _write(self, real: Callable[..., None]) -> Callable[..., None]:
        def write_(ledger: Ledger, conn: Connection) -> None:
            real(ledger, conn)
            self.touched.pop(id(ledger), None)
            events = self.kept.pop(id(ledger), [])
            _keep(conn, [one.told() if isinstance(one, _Later) else one for one in events])

        return write_

    def _create(self, real: Callable[..., list[int]]) -> Callable[..., list[int]]:
        def create(conn: Connection, desk: Any, work: Any, items: Any) -> list[int]:
            made = real(conn, desk, work, items)
            _keep(conn, [_alone(desk, work, item) for item in items])
            return made

        return create

    def _change(self, real: Callable[..., Any]) -> Callable[..., Any]:
        def change(conn: Connection, desk: Any, work: Any, items: Any) -> Any:
            result = real(conn, desk, work, items)
            held = {one.external_id for one in result.held}
            others = [item for item in items if item not in result.special and item.external_id not in held]
            _keep(conn, [_alone(desk, work, item) for item in others])
            return result

        return change

    def _set_state(self, real: Callable[..., Any]) -> Callable[..., Any]:
        def set_state(conn: Connection, desk: Any, work: Any, targets: Any, state: str, op: str) -> Any:
            result = real(conn, desk, work, targets, state, op)
            if not result[1]:
                _keep(conn, [Look(link, {STATE: state}, frozenset(), alone=True) for link, _ in targets])
            return result

        return set_state


def _alone(desk: Any, work: Any, item: Any) -> Look:
    refs: References = desk.cards().refs
    cells, lists = layout_of(work.entity.name).told(work, item.mapped, lambda _: None, refs)
    return Look(item.link_id, cells, lists, alone=True)
