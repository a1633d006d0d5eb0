"""Systems that show something else than readers see, each with the reason: not sent yet, refused, or never to be."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, select

from hub.engine.cells import HUB, LIVING, NOBODY, STATE, Contribution, Golden, Value
from hub.engine.outgoing import outgoing
from hub.exchange.cards.card import UNSEEN, Card
from hub.exchange.cards.desk import CardDesk
from hub.exchange.cards.layout import layout_of
from hub.exchange.showing import Shower
from hub.exchange.why_model import Event, Shown
from hub.store import core


class Telling:
    """What the systems of one card were told, and were not. ``events``: the change log of the record."""

    def __init__(
        self,
        conn: Connection,
        desk: CardDesk,
        card: Card,
        golden: Mapping[str, Golden],
        shower: Shower,
        events: Sequence[Event],
    ) -> None:
        self.desk, self.card, self.golden, self.shower = desk, card, golden, shower
        self.rules, self.same = desk.rules(card.entity), layout_of(card.entity).same(desk.refs)
        self.unsaid = {(event.system, event.field) for event in events if event.op == "unsaid"}
        self.box = _outbox(conn, sorted(card.links))
        self.owed = {one.link_id: self._owed(one) for one in card.known.contributions if one.link_id in card.links}

    def of(self, path: str) -> Iterator[Shown]:
        """Systems that show another value of the cell."""
        for link_id, link in self.card.links.items():
            value = self.golden.get(path, NOBODY).value
            if link.state == "reserved" and value is not None:
                yield self._waiting(path, link_id, None, value)
        for one in self.card.known.contributions:
            if one.system != HUB and one.link_id in self.card.links:
                if path in self.owed[one.link_id]:
                    yield self._waiting(path, one.link_id, one.shown.get(path), self.owed[one.link_id][path])
                elif not self._shows(one, path):
                    yield self._other(path, one)

    def _owed(self, one: Contribution) -> dict[str, Value]:
        link = self.card.links[one.link_id]
        if link.state in UNSEEN:
            return {}
        way = self.desk.way(one.system, self.card.entity)
        return outgoing(one, self.golden, self.rules, way, self.same)

    def _shows(self, one: Contribution, path: str) -> bool:
        shown, wanted = one.shown.get(path), self.golden.get(path, NOBODY).value
        if path == STATE:
            return (shown or LIVING) == (wanted or LIVING)
        return self.same(path, shown, wanted)

    def _waiting(self, path: str, link_id: int, shown: Value, meant: Value) -> Shown:
        link, row = self.card.links[link_id], self.box.get(link_id)
        told = (self.shower.text(path, shown), self.shower.text(path, meant))
        if row is None:
            return Shown(link.system, link.external_id, *told, "owed")
        params = dict(row["error_params"] or {})
        state, code = row["state"], row["last_error"]
        return Shown(link.system, link.external_id, *told, "owed", state, code, params, row["next_at"])

    def _other(self, path: str, one: Contribution) -> Shown:
        link = self.card.links[one.link_id]
        shown = self.shower.text(path, one.shown.get(path))
        return Shown(link.system, link.external_id, shown, None, self._reason(path, one))

    def _reason(self, path: str, one: Contribution) -> str:
        """Why nothing is sent there."""
        way, cell = self.desk.way(one.system, self.card.entity), self.golden.get(path, NOBODY)
        if path in one.sent and self.same(path, one.sent[path], cell.value):
            return "unsaid" if (one.system, path) in self.unsaid else "spelling"
        if one.shown.get(STATE, LIVING) != LIVING:
            return "ended"
        if not way.may(path, one):
            return "not_written"
        return "guarded" if one.link_id in cell.guards else "tolerated"


def _outbox(conn: Connection, link_ids: Sequence[int]) -> dict[int, Mapping[str, Any]]:
    box = core.outbox
    rows = conn.execute(select(box).where(box.c.link_id.in_(link_ids))).mappings()
    return {row["link_id"]: dict(row) for row in rows}


def waits(
    conn: Connection, keys: Sequence[tuple[int, str]]
) -> dict[tuple[int, str], list[tuple[str, str, dict[str, Any]]]]:
    """What came of these records (stream, external id) and did not pass: kind, code and parameters of each."""
    found: dict[tuple[int, str], list[tuple[str, str, dict[str, Any]]]] = {}
    for kind, table in (("held", core.held), ("quarantine", core.quarantine)):
        ids = [external_id for _, external_id in keys]
        rows = conn.execute(select(table).where(table.c.external_id.in_(ids), table.c.state == "open")).mappings()
        for row in rows:
            key = (row["stream_id"], row["external_id"])
            if key in keys:
                found.setdefault(key, []).append((kind, row["reason_code"], dict(row["params"] or {})))
    return found
