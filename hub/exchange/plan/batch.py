"""Planned records applied: what their systems show must be what was planned, and so must everything that comes of it.

A batch is one transaction. What it did is read from the change log before it is committed and held against the plan;
where anything differs, all of it is rolled back and its records are taken one by one, so that nothing happens here
that the plan does not show.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, func, select

from hub.exchange import absent, runs
from hub.exchange.brakes import Brakes
from hub.exchange.desk import Desk
from hub.exchange.hub import Hub, Route
from hub.exchange.mapping_desk import MappingDesk
from hub.exchange.naming import stream_name
from hub.exchange.plan.items import columns_by_stream, learn_logged, log_cells, mark
from hub.exchange.plan.parts import Item
from hub.exchange.plan.spell import Speller, key_of
from hub.exchange.pull import Pull, make_desk
from hub.exchange.request import record_request
from hub.exchange.resettle import settle
from hub.exchange.stage import Outcome, apply_page, release, row_hash
from hub.model.errors import Fenced
from hub.model.records import Counters, Page
from hub.store import core, tables

_NOTHING = mark(())


class Differs(Exception):
    """Something else came of a batch than was planned; it was rolled back."""


@dataclass(slots=True)
class Batches:
    """One plan's records at work. ``expected``: marks of all items by key; ``earlier``: run that applied a part before.

    ``moved``: is told of each item that is not applied, with the reason. ``mine``: versions of records after our own
    changes. ``done``: keys of what is here as planned.
    """

    hub: Hub
    run_id: int
    expected: Mapping[str, str]
    earlier: int | None
    moved: Callable[[Item, str], None]
    should_stop: Callable[[], bool] | None = None
    counters: dict[str, Counters] = field(default_factory=lambda: defaultdict(Counters))
    mine: dict[int, int] = field(default_factory=dict)
    done: set[str] = field(default_factory=set)
    already: int = 0
    _desks: dict[str, Desk] = field(default_factory=dict)
    _brakes: dict[str, Brakes] = field(default_factory=dict)
    _computed: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)

    def records(self, route: Route, items: Sequence[Item]) -> None:
        """Apply items of one route, stream and kind."""
        stream_id = self.hub.streams[route.system].get(items[0].stream)
        work = self.desk(route.system).by_stream.get(stream_id or 0)
        if work is None:
            self._all_moved(items, "plan_paused")
            return
        ready, raws = self._unmoved(route, work, [item for item in items if item.key not in self.done])
        self._each(ready, lambda some: self._commit(route, stream_id or 0, some, raws))

    def rules(self, items: Sequence[Item]) -> None:
        """Decide cards of one entity anew, as planned."""
        there = [item for item in items if item.record is not None]
        self._all_moved([item for item in items if item.record is None], "plan_not_yet")
        self._each(there, self._commit_rules)

    def settle(self, entity: str, records: Sequence[int]) -> None:
        """Note what is owed of these cards; nothing where the rules of now would change more than that."""

        def act(some: Sequence[int]) -> None:
            with self.hub.store.begin() as conn:
                last = self._last(conn)
                settle(conn, self.hub, self.run_id, entity, some)
                self._prove(conn, last, ())

        self._each(list(records), act, lambda _: None)

    def desk(self, system: str) -> Desk:
        """The desk of a system, made anew after a rollback: it remembers what was not committed."""
        if system not in self._desks:
            self._desks[system] = make_desk(self.hub, self.run_id, system)
            self._desks[system].brakes = self._brakes.setdefault(system, Brakes(self.hub))
        return self._desks[system]

    def _each(
        self, some: Sequence[Any], act: Callable[[Sequence[Any]], None], fails: Callable[[Any], None] | None = None
    ) -> None:
        """Do it for all, and for each alone when together they do not come out as planned."""
        if not some:
            return
        passed = {system: brakes.mark() for system, brakes in self._brakes.items()}
        try:
            act(some)
        except Differs:
            self._desks.clear()
            for system, mark_ in passed.items():
                self._brakes[system].passed = mark_
            if len(some) == 1:
                (fails or (lambda item: self.moved(item, "plan_differs")))(some[0])
                return
            for one in some:
                self._each([one], act, fails)

    def _all_moved(self, items: Sequence[Item], reason: str) -> None:
        for item in items:
            self.moved(item, reason)

    def _unmoved(self, route: Route, work: MappingDesk, items: Sequence[Item]) -> tuple[list[Item], dict[str, Any]]:
        """Items whose system shows what it did when they were planned, and the raw records."""
        ready: list[Item] = []
        raws, gone = self._read(route, work, [item.external_id for item in items])
        for item in items:
            raw = raws.get(item.external_id)
            if item.kind == "record":
                same = raw is not None and row_hash(raw, work.mapping.fingerprint) == item.row_hash
            else:
                same = raw is None and (item.kind == "zero" or item.external_id in gone)
            if same:
                ready.append(item)
            else:
                self.moved(item, "plan_changed" if raw is not None else "plan_gone")
        return ready, raws

    def _read(self, route: Route, work: MappingDesk, keys: Sequence[str]) -> tuple[dict[str, Any], set[str]]:
        """Records by key as they are now, and keys that the system says it does not have."""
        mapping = work.mapping
        if mapping.given or mapping.table != "set":
            found = self._whole(route, work)
            return {key: found[key] for key in keys if key in found}, set()
        connector = self.hub.connector(route.system)
        page = connector.fetch(record_request(mapping, self.hub.system(route.system)), keys)
        return _by_key(work, page.records), set(page.deleted)

    def _whole(self, route: Route, work: MappingDesk) -> dict[str, Any]:
        """What is not asked for by key: a table that is computed, records that a mapping gives. Planned ones only."""
        known = (route.system, stream_name(work.mapping))
        if known not in self._computed:
            found: dict[str, Any] = {}
            request = Pull(self.hub, self.run_id, route).request(work.mapping, None)
            given = [Page(work.mapping.stream, work.mapping.given, last=True)] if work.mapping.given else None
            for page in given or self.hub.connector(route.system).read(request):
                for key, raw in _by_key(work, page.records).items():
                    if key_of(*known, key) in self.expected:
                        found[key] = bytes(raw)
            self._computed[known] = found
        return self._computed[known]

    def _commit(self, route: Route, stream_id: int, items: Sequence[Item], raws: Mapping[str, Any]) -> None:
        if self.should_stop is not None and self.should_stop():
            raise Fenced("stopped", route=route.code)
        desk = self.desk(route.system)
        work = desk.by_stream[stream_id]
        with self.hub.store.begin() as conn:
            runs.hold(conn, self.run_id, route.id, route.code)
            still = self._still(conn, stream_id, items)
            if not still:
                return
            last = self._last(conn)
            outcome, gone = self._apply(conn, desk, work, still, raws)
            released = release(conn, desk, outcome.fulfilled)
            proven = self._prove(conn, last, still)
            runs.account(conn, self.run_id, route.id, outcome.counters, released=released, absent=gone, pages=1)
            versions = self._versions(conn, still[0].entity, [item.record for item in still])
        self.counters[route.code].add(outcome.counters)
        self.mine.update(versions)
        self.done.update(proven)

    def _apply(
        self, conn: Connection, desk: Desk, work: MappingDesk, items: Sequence[Item], raws: Mapping[str, Any]
    ) -> tuple[Outcome, int]:
        keys = [item.external_id for item in items]
        if items[0].kind == "zero":
            return Outcome(), absent.zero(conn, desk, work, set(), set(keys))
        if items[0].kind == "gone":
            return apply_page(conn, desk, work, Page(work.mapping.stream, (), keys)), 0
        return apply_page(conn, desk, work, Page(work.mapping.stream, [raws[key] for key in keys])), 0

    def _commit_rules(self, items: Sequence[Item]) -> None:
        entity = items[0].entity
        with self.hub.store.begin() as conn:
            versions = self._versions(conn, entity, [item.record for item in items])
            still = [item for item in items if self._unchanged(item, versions)]
            last = self._last(conn)
            settle(conn, self.hub, self.run_id, entity, [item.record for item in still if item.record is not None])
            proven = self._prove(conn, last, still)
            versions = self._versions(conn, entity, [item.record for item in still])
        self._all_moved([item for item in items if item not in still], "plan_golden_moved")
        self.mine.update(versions)
        self.done.update(proven)

    def _still(self, conn: Connection, stream_id: int, items: Sequence[Item]) -> list[Item]:
        """Those whose record here is what it was when they were planned."""
        link = core.link
        query = select(link.c.external_id, link.c.record_id, link.c.row_hash, link.c.last_run).where(
            link.c.stream_id == stream_id, link.c.external_id.in_([item.external_id for item in items])
        )
        links = {row.external_id: row for row in conn.execute(query)}
        versions = self._versions(conn, items[0].entity, [item.record for item in items])
        still = []
        for item in items:
            row = links.get(item.external_id)
            record = row.record_id if row is not None else None
            if row is not None and self.earlier and (row.row_hash, row.last_run) == (item.row_hash, self.earlier):
                self.already += 1
                self.done.add(item.key)
            elif item.record is None and record is not None:
                self.moved(item, "plan_known")
            elif record not in {None, item.record} or not self._unchanged(item, versions):
                self.moved(item, "plan_golden_moved")
            else:
                still.append(item)
        return still

    def _unchanged(self, item: Item, versions: Mapping[int, int]) -> bool:
        if item.record is None:
            return True
        now = versions.get(item.record)
        return now is not None and now in {item.version, self.mine.get(item.record)}

    @staticmethod
    def _versions(conn: Connection, entity: str, records: Sequence[int | None]) -> dict[int, int]:
        """Versions of records, which nobody else changes before the transaction ends."""
        root, ids = tables.ROOTS[entity], sorted({number for number in records if number is not None})
        query = select(root.c.id, root.c.row_version).where(root.c.id.in_(ids)).order_by(root.c.id)
        return {row.id: row.row_version for row in conn.execute(query.with_for_update())}

    def _last(self, conn: Connection) -> int:
        log = core.change_log
        return int(conn.execute(select(func.max(log.c.id)).where(log.c.run_id == self.run_id)).scalar() or 0)

    def _prove(self, conn: Connection, last: int, items: Sequence[Item]) -> set[str]:
        """Keys of what came about since; ``Differs`` when it is not what was planned."""
        came = self._came(conn, last)
        for item in items:
            if came.pop(item.key, _NOTHING) != item.mark:
                raise Differs
        for key, found in came.items():
            if self.expected.get(key) != found or key in self.done:
                raise Differs
        return {item.key for item in items} | came.keys()

    def _came(self, conn: Connection, last: int) -> dict[str, str]:
        """Marks of what this run has changed since, by key."""
        log, link, stream, system = core.change_log, core.link, core.stream, core.system
        query = (
            select(log, system.c.code, stream.c.name, link.c.external_id)
            .outerjoin(link, link.c.id == log.c.link_id)
            .outerjoin(stream, stream.c.id == link.c.stream_id)
            .outerjoin(system, system.c.id == stream.c.system_id)
            .where(log.c.run_id == self.run_id, log.c.id > last)
            .order_by(log.c.id)
        )
        groups: dict[str, list[Any]] = defaultdict(list)
        for row in conn.execute(query):
            key = key_of(row.code, row.name, row.external_id) if row.link_id else f"{row.entity}#{row.record_id}"
            groups[key].append(row)
        spell, columns = Speller(), columns_by_stream(self.hub)
        for entity in {rows[0].entity for rows in groups.values()}:
            learn_logged(conn, spell, entity, [row for rows in groups.values() for row in rows if row.entity == entity])
        return {
            key: mark(log_cells(spell, rows, columns.get((rows[0].code, rows[0].name)))) for key, rows in groups.items()
        }


def _by_key(work: MappingDesk, raws: Sequence[Any]) -> dict[str, Any]:
    heads = work.mapping.heads(raws)
    return {head[0]: raw for raw, head in zip(raws, heads, strict=True) if isinstance(head, tuple)}
