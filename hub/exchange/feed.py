"""Pulling a change feed: one packet holds records of many streams, and is acknowledged only after all are committed.

Killed anywhere before the acknowledgement, the base sends the same packet again (with what changed meanwhile), and
what was committed already is unchanged.
"""

from __future__ import annotations

from hub.exchange import runs
from hub.exchange.hub import Hub, Route
from hub.exchange.pull import Pull, make_desk
from hub.exchange.stage import apply_page, release
from hub.model.records import Counters, Page


class FeedPull:
    """One system's feed in one run. ``parts``: a pull per route that had something, with its counters."""

    def __init__(self, hub: Hub, run_id: int, system: str) -> None:
        self.hub, self.run_id, self.system = hub, run_id, system
        self.parts: dict[str, Pull] = {}
        self._desk = make_desk(hub, run_id, system)
        self._by_stream = {
            work.mapping.stream: work for work in self._desk.by_mapping.values() if work.mapping.table == "set"
        }
        for route in [*(r for r in hub.routes.values() if r.system == system), hub.other_route(system)]:
            self._take(route)

    def _take(self, route: Route) -> None:
        with self.hub.store.begin() as conn:
            runs.take_route(conn, self.run_id, route.id, route.code)
            runs.start_route(conn, self.run_id, route.id, self.hub.profile_hash(self.system), None)
        self.parts[route.code] = Pull(self.hub, self.run_id, route)

    def run(self, node: str) -> None:
        """Packet after packet until the base has no more."""
        connector = self.hub.connector(self.system)
        while (packet := connector.feed(node)) is not None:
            for page in packet.pages:
                self._page(page)
            connector.acknowledge(node, packet.number)

    def _page(self, page: Page) -> None:
        work = self._by_stream.get(page.stream)
        route = self.hub.other_route(self.system) if work is None else self.hub.route(work.route_code)
        part = self.parts[route.code]
        with self.hub.store.begin() as conn:
            runs.hold(conn, self.run_id, route.id, route.code)
            released = 0
            if work is None:
                counters = Counters(received=len(page.records) + len(page.deleted))
                counters.skip("not_mapped", counters.received)
            else:
                outcome = apply_page(conn, self._desk, work, page)
                counters = outcome.counters
                released = release(conn, self._desk, outcome.fulfilled)
            runs.account(conn, self.run_id, route.id, counters, released=released, pages=1, bytes=page.nbytes)
        part.counters.add(counters)
        part.released += released
        part.pages += 1
