"""Pulling a change feed: one packet holds records of many streams, and is acknowledged only after all are committed.

Killed anywhere before the acknowledgement, the base sends the same packet again (with what changed meanwhile), and
what was committed already is unchanged.

A node has one reader. The story: A has committed packet 7 and is about to acknowledge it; B asks for packet 7 at this
moment, and the base stamps what has changed since with 7 too. Now A acknowledges 7, the base forgets all of it, and if
B dies before its commit those changes are gone for good. Hence a lease on the node in our store: who asks for a packet
holds it, and an acknowledgement is sent inside a transaction that has locked and renewed it.

A reader elsewhere (a second home, another program) knows no lease of ours. The numbers show him: they count by one,
and only acknowledgements move them. The packet after our own number N is N + 1; a higher one means that somebody else
has acknowledged what we never got. One of our own may have arrived without our knowing (killed before the commit, an
answer that was lost): whoever ends like that leaves his name at the node, and the next one allows for it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, or_, select, update

from connectors.base import FeedPacket
from hub.exchange import cursors, runs, went_back
from hub.exchange.hub import Hub, Route
from hub.exchange.pull import Pull, make_desk
from hub.exchange.stage import apply_page, release
from hub.model.errors import Fenced, NeedsPerson, RetryLater
from hub.model.records import Counters, Page
from hub.store import core

#: Whoever only asks whether a node has anything needs no longer than this.
ASKING = timedelta(minutes=5)


class NodeLease:
    """The right to read one node of one system. ``holder``: ``run:<number>``, or a name for who only asks.

    ``unsure``: the name of who may have acknowledged one packet more than is known here.
    """

    def __init__(self, hub: Hub, system: str, node: str, holder: str, length: timedelta = runs.LEASE) -> None:
        self.hub, self.system, self.holder, self.length = hub, system, holder, length
        self.node = node or hub.system(system).node or ""
        self.unsure: str | None = None

    def _where(self, conn: Connection) -> list[Any]:
        system_id = conn.execute(select(core.system.c.id).where(core.system.c.code == self.system)).scalar_one()
        return [core.feed_node.c.system_id == system_id, core.feed_node.c.node == self.node]

    def take(self) -> int | None:
        """Lease the node; the number last acknowledged. ``RetryLater(node_busy)`` while another one reads it."""
        table, until = core.feed_node, runs.now() + self.length
        with self.hub.store.begin() as conn:
            runs.close_dead_runs(conn)
            where = self._where(conn)
            row = conn.execute(select(table).where(*where).with_for_update()).mappings().first()
            if row is None:
                system_id = conn.execute(select(core.system.c.id).where(core.system.c.code == self.system)).scalar_one()
                conn.execute(
                    table.insert().values(system_id=system_id, node=self.node, holder=self.holder, lease_until=until)
                )
                return None
            if row["holder"] not in (None, self.holder) and self._alive(conn, row["holder"], row["lease_until"]):
                raise RetryLater("node_busy", system=self.system, node=self.node, holder=row["holder"])
            conn.execute(update(table).where(*where).values(holder=self.holder, lease_until=until))
            self.unsure = row["holder"]
            return None if row["acknowledged"] is None else int(row["acknowledged"])

    @staticmethod
    def _alive(conn: Connection, holder: str, until: Any) -> bool:
        """A run that has ended holds nothing, whatever its lease says."""
        kind, _, number = holder.partition(":")
        if kind == "run":
            state = conn.execute(
                select(core.exchange_run.c.state).where(core.exchange_run.c.id == int(number))
            ).scalar()
            if state != "running":
                return False
        return bool(until > runs.now())

    @contextmanager
    def held(self) -> Iterator[Connection]:
        """A transaction in which nobody else can take the node; ``Fenced`` when somebody has."""
        table = core.feed_node
        with self.hub.store.begin() as conn:
            kept = conn.execute(
                update(table)
                .where(*self._where(conn), table.c.holder == self.holder)
                .values(lease_until=runs.now() + self.length)
            )
            if kept.rowcount != 1:
                raise Fenced("node_taken", system=self.system, node=self.node)
            yield conn

    def expect(self, acknowledged: int | None, number: int) -> None:
        """Packet ``number`` is offered after ``acknowledged``; ``NeedsPerson(node_shared)`` when we are not alone."""
        if acknowledged is None or number <= acknowledged + 1:
            return
        if number > acknowledged + 2 or self.unsure is None:
            title = self.hub.system(self.system).title or self.system
            params = {"title": title, "system": self.system, "node": self.node}
            raise NeedsPerson("node_shared", **params, number=number, expected=acknowledged + 1)
        with self.held() as conn:
            self.note(conn, number - 1)

    @contextmanager
    def acknowledging(self, number: int) -> Iterator[None]:
        """While packet ``number`` is being acknowledged; whatever goes wrong meanwhile, it may have been."""
        self.unsure = self.holder
        with self.held() as conn:
            yield
            self.note(conn, number)
        self.unsure = None

    def note(self, conn: Connection, number: int) -> None:
        """Remember the number of a packet that was acknowledged."""
        table = core.feed_node
        later = or_(table.c.acknowledged.is_(None), table.c.acknowledged < number)
        conn.execute(update(table).where(*self._where(conn), later).values(acknowledged=number))

    def give_back(self) -> None:
        """Let others read the node. The name of who is unsure stays there, and holds nothing."""
        table, until = core.feed_node, runs.now() if self.unsure else None
        with self.hub.store.begin() as conn:
            conn.execute(
                update(table)
                .where(*self._where(conn), table.c.holder == self.holder)
                .values(holder=self.unsure, lease_until=until)
            )


class FeedPull:
    """One system's feed in one run. ``parts``: a pull per route, with its counters.

    Everything a packet brings is taken, since the acknowledgement covers all of it. What belongs to a route that is
    switched off or to a mapping that is paused is counted as skipped, and its stream is read whole the next time.
    """

    def __init__(self, hub: Hub, run_id: int, system: str) -> None:
        self.hub, self.run_id, self.system = hub, run_id, system
        self.parts: dict[str, Pull] = {}
        self._desk = make_desk(hub, run_id, system)
        self._by_stream = {
            work.mapping.stream: work for work in self._desk.by_mapping.values() if work.mapping.table == "set"
        }
        for route in [*(r for r in hub.routes.values() if r.system == system), hub.other_route(system)]:
            if route.settings.enabled:
                self._take(route)

    def _take(self, route: Route) -> None:
        with self.hub.store.begin() as conn:
            runs.take_route(conn, self.run_id, route.id, route.code)
            runs.start_route(conn, self.run_id, route.id, self.hub.profile_hash(self.system), None)
        self.parts[route.code] = Pull(self.hub, self.run_id, route)

    def run(self, node: str) -> None:
        """Packet after packet until the base has no more."""
        lease = NodeLease(self.hub, self.system, node, f"run:{self.run_id}")
        acknowledged = lease.take()
        connector = self.hub.connector(self.system)
        try:
            while (packet := connector.feed(node)) is not None:
                went_back.feed_number(self.hub, self.system, acknowledged, packet.number)
                lease.expect(acknowledged, packet.number)
                self._packet(packet)
                with lease.acknowledging(packet.number):
                    connector.acknowledge(node, packet.number)
                acknowledged = packet.number
        finally:
            lease.give_back()

    def _packet(self, packet: FeedPacket) -> None:
        for page in packet.pages:
            self._page(page)

    def _page(self, page: Page) -> None:
        work = self._by_stream.get(page.stream)
        route = self.hub.other_route(self.system) if work is None else self.hub.route(work.route_code)
        enabled = route.settings.enabled
        part = self.parts[route.code if enabled else self.hub.other_route(self.system).code]
        with self.hub.store.begin() as conn:
            runs.hold(conn, self.run_id, part.route.id, part.route.code)
            released, number = 0, len(page.records) + len(page.deleted)
            if work is None or not enabled:
                counters = self._passed_over(conn, page.stream, number, enabled=enabled)
            else:
                outcome = apply_page(conn, self._desk, work, page)
                counters = outcome.counters
                released = release(conn, self._desk, outcome.fulfilled)
            runs.account(conn, self.run_id, part.route.id, counters, released=released, pages=1, bytes=page.nbytes)
        part.counters.add(counters)
        part.released += released
        part.pages += 1
        part.nbytes += page.nbytes

    def _passed_over(self, conn: Connection, stream: str, number: int, *, enabled: bool) -> Counters:
        """Why a page is not taken; what some route would take is owed and read whole when it can be."""
        counters, route_id = Counters(received=number), self.hub.route_of_stream(self.system).get(stream)
        if route_id is None:
            counters.skip("not_mapped", number)
            return counters
        cursors.forget(conn, [route_id], self.hub.streams[self.system][stream])
        if enabled:
            counters.skip("mapping_paused", number)
        else:
            counters.skip("route_disabled", number)
        return counters
