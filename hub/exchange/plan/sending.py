"""What a plan tells systems: sent by the usual way, limited to what was planned and is still owed as planned."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, select

from hub.engine.cells import Value
from hub.exchange.cards.card import Card
from hub.exchange.hub import Hub
from hub.exchange.plan.batch import Batches
from hub.exchange.plan.parts import Outgoing
from hub.exchange.plan.recorder import told
from hub.exchange.plan.spell import Speller
from hub.exchange.push import box
from hub.exchange.sending import PushReport, push_route
from hub.store import bulk, core


class Sending:
    """``moved``: is told of each part that is not sent, with the reason. ``sent``: how many were."""

    def __init__(
        self,
        hub: Hub,
        run_id: int,
        batches: Batches,
        moved: Callable[[Outgoing, str], None],
        should_stop: Callable[[], bool] | None,
    ) -> None:
        self.hub, self.run_id, self.batches, self.moved, self.should_stop = hub, run_id, batches, moved, should_stop
        self.sent = 0
        self._spell = Speller()
        self._planned: dict[int, Outgoing] = {}
        self._passed: set[int] = set()

    def route(self, code: str, planned: Sequence[Outgoing], blocked: str | None) -> PushReport:
        """Send what is planned of one route. ``blocked``: why it cannot be."""
        if blocked is not None:
            for part in planned:
                self.moved(part, blocked)
            planned = ()
        self._planned, self._passed = self._links(planned), set()
        owed = self._owed(self._planned)
        missing = {number: part for number, part in self._planned.items() if number not in owed}
        self._settle(missing)
        owed = self._owed(self._planned)
        report = push_route(
            self.hub, self.run_id, code, should_stop=self.should_stop, only=sorted(owed), gate=self._gate
        )
        self._account(owed, report)
        return report

    def _gate(self, conn: Connection, card: Card, link_id: int, meant: Mapping[str, Value], create: bool) -> bool:
        """Whether the link's system would be told exactly what the plan shows."""
        part = self._planned.get(link_id)
        same = part is not None and told(conn, self._spell, card, link_id, dict(meant), create=create) == part.changes
        if same:
            self._passed.add(link_id)
        return same

    def _links(self, planned: Sequence[Outgoing]) -> dict[int, Outgoing]:
        """Each part by the link it is sent to; parts that have none are told as moved."""
        found, missing = self._found(planned)
        by_entity: dict[str, list[int]] = {}
        for part in missing:
            if part.op == "create" and part.record is not None:  # reserved now, if the rules of now want it made
                by_entity.setdefault(part.entity, []).append(part.record)
        for entity, records in by_entity.items():
            self.batches.settle(entity, records)
        late, missing = self._found(missing)
        for part in missing:
            self.moved(part, "plan_not_owed")
        return found | late

    def _found(self, planned: Sequence[Outgoing]) -> tuple[dict[int, Outgoing], list[Outgoing]]:
        found: dict[int, Outgoing] = {}
        missing: list[Outgoing] = []
        with self.hub.store.read() as conn:
            for part in planned:
                number = self._link(conn, part)
                if number is None:
                    missing.append(part)
                else:
                    found[number] = part
        return found, missing

    def _link(self, conn: Connection, part: Outgoing) -> int | None:
        link = core.link
        stream_id = self.hub.streams[part.system].get(part.stream)
        where = [link.c.stream_id == stream_id, link.c.external_id == part.external_id]
        if part.op == "create":
            record = part.record if part.record is not None else self._record(conn, part.card)
            where = [link.c.stream_id == stream_id, link.c.record_id == record, link.c.state == "reserved"]
        number = conn.execute(select(link.c.id).where(*where).order_by(link.c.id).limit(1)).scalar()
        return None if number is None else int(number)

    @staticmethod
    def _record(conn: Connection, card: str) -> int | None:
        """The record that a key in words names."""
        link, stream, system = core.link, core.stream, core.system
        code, _, rest = card.partition(":")
        name, _, external_id = rest.partition("/")
        query = (
            select(link.c.record_id)
            .join(stream, stream.c.id == link.c.stream_id)
            .join(system, system.c.id == stream.c.system_id)
            .where(system.c.code == code, stream.c.name == name, link.c.external_id == external_id)
        )
        number = conn.execute(query).scalar()
        return None if number is None else int(number)

    def _owed(self, planned: Mapping[int, Outgoing]) -> dict[int, Any]:
        """Rows of the outbox of these links."""
        table, found, ids = core.outbox, dict[int, Any](), sorted(planned)
        with self.hub.store.read() as conn:
            for chunk in bulk.chunks(ids):
                query = select(table.c.link_id, table.c.state, table.c.last_error)
                found |= {row.link_id: row for row in conn.execute(query.where(table.c.link_id.in_(chunk)))}
        return found

    def _settle(self, missing: Mapping[int, Outgoing]) -> None:
        """What other rules make owed is noted when they are applied: for these cards that is now."""
        by_entity: dict[str, list[int]] = {}
        for part in missing.values():
            if part.record is not None:
                by_entity.setdefault(part.entity, []).append(part.record)
        for entity, records in by_entity.items():
            self.batches.settle(entity, records)

    def _account(self, owed: Mapping[int, Any], report: PushReport) -> None:
        """Which parts were sent; why the others were not."""
        rest = self._owed(self._planned)
        for number, part in self._planned.items():
            row = rest.get(number)
            if number in self._passed and (row is None or _more_owed(row)):
                self.sent += 1
            elif report.error is not None:
                self.moved(part, report.error.code)
            elif row is None:
                self.moved(part, "plan_not_owed")
            elif number in owed and row.last_error not in {None, box.FIRST_CONTACT}:
                self.moved(part, row.last_error)
            else:
                self.moved(part, "plan_moved")


def _more_owed(row: Any) -> bool:
    """What was planned is there; what came to be owed meanwhile is the next exchange's."""
    return bool(row.state == "pending" and row.last_error is None)
