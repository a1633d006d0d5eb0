"""An admin's word on what is held: approved, it goes its way without brakes; rejected, our value stays.

What "no" means. Of a change that came: what the system says is known from now on, and the cells that it would have
changed are pinned to the value they had, until a system says something new; a held end leaves the record alive. Where
the route may write, the system is then owed our value like anybody else. Of a change to be sent: what the system shows
is from now on taken to stand for our value, so that nothing is owed until that changes; a record that was to be made
there is not made.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from sqlalchemy import Connection, delete, select, update

from hub.engine.arrive import Arrival, golden_of
from hub.engine.cells import LIVING, STATE, Pin
from hub.engine.outgoing import outgoing
from hub.exchange import runs, service
from hub.exchange.cards.card import UNSEEN, Card, load
from hub.exchange.cards.desk import CardDesk
from hub.exchange.cards.layout import layout_of
from hub.exchange.cards.ledger import Ledger
from hub.exchange.cards.pinning import set_pin, settle
from hub.exchange.caught import caught
from hub.exchange.desk import Desk
from hub.exchange.held import Item, carry_out, payloads, work_of
from hub.exchange.hub import Hub, Route
from hub.exchange.mapping_desk import MappingDesk
from hub.exchange.pull import make_desk
from hub.exchange.service import RouteReport
from hub.exchange.stage import Outcome, release
from hub.exchange.write import write_log
from hub.model.errors import HubError, StopRoute
from hub.store import core

Word = Literal["approve", "reject"]
_BATCH = 100


@dataclass(slots=True)
class Decided:
    """What came of it. ``gone``: did not wait any more. ``run_id``: ``None`` where there was nothing to decide."""

    run_id: int | None = None
    approved: int = 0
    rejected: int = 0
    gone: int = 0
    routes: list[RouteReport] = field(default_factory=list)

    @property
    def error(self) -> HubError | None:
        """What kept a route from being decided about; its items wait on."""
        return next((one.error for one in self.routes if one.error is not None), None)


def decide(
    hub: Hub,
    words: Sequence[tuple[Item, Word]],
    *,
    by: str,
    dagster_run_id: str | None = None,
    supersedes: str | None = None,
) -> Decided:
    """Carry the words out in one run of mode ``decide``; what waits of other routes is not touched."""
    result = Decided()
    if not words:
        return result
    came = [(item, word) for item, word in words if item.direction == "in"]
    owed = [(item, word) for item, word in words if item.direction == "out"]
    planned = [code for code in hub.routes if any(item.route == code for item, _ in came)]
    result.run_id = runs.open_run(
        hub.store, planned, mode="decide", initiator=by, dagster_run_id=dagster_run_id, supersedes=supersedes
    )
    hub.believe_schemas(service.SCHEMA_SECONDS)
    for code in planned:
        _route(hub, result, hub.route(code), [one for one in came if one[0].route == code], by)
    for batch in _batches(owed):
        with hub.store.begin() as conn:
            _to_be_sent(conn, hub, result, batch, by)
    with hub.store.begin() as conn:
        runs.end_run_if_done(conn, result.run_id)
    return result


def _batches(words: Sequence[tuple[Item, Word]]) -> Iterator[Sequence[tuple[Item, Word]]]:
    return (words[start : start + _BATCH] for start in range(0, len(words), _BATCH))


def _route(hub: Hub, result: Decided, route: Route, words: Sequence[tuple[Item, Word]], by: str) -> None:
    """Changes that came by one route, with its lease, counted as any records that come."""
    report, run_id = RouteReport(route.code, "running"), result.run_id or 0

    def act() -> None:
        desk = make_desk(hub, run_id, route.system)
        desk.brakes = None
        with hub.store.begin() as conn:
            runs.take_route(conn, run_id, route.id, route.code)
            runs.start_route(conn, run_id, route.id, hub.profile_hash(route.system), None)
        for batch in _batches(words):
            with hub.store.begin() as conn:
                runs.hold(conn, run_id, route.id, route.code)
                outcome = _batch(conn, desk, result, batch, by)
                released = release(conn, desk, outcome.fulfilled)
                runs.account(conn, run_id, route.id, outcome.counters, released=released)
            report.counters.add(outcome.counters)

    report.error = caught(act, route.code)
    troubled = report.counters.quarantined or report.counters.parked
    report.state = "failed" if report.error is not None else "warnings" if troubled else "completed"
    service.close_route(hub, run_id, route.id, report)
    result.routes.append(report)


def _batch(conn: Connection, desk: Desk, result: Decided, batch: Sequence[tuple[Item, Word]], by: str) -> Outcome:
    outcome, kept = Outcome(), payloads(conn, [item for item, _ in batch])
    for item, word in batch:
        if item.id not in kept:
            result.gone += 1
            continue
        work = work_of(desk, item)
        if work is None:
            raise StopRoute("mapping_paused", route=item.route)
        if word == "approve":
            outcome.add(carry_out(conn, desk, work, item, kept[item.id]))
            result.approved += 1
        else:
            outcome.add(_kept_out(conn, desk, work, item, kept[item.id], by))
            result.rejected += 1
        # Only now, since the readings that held it back do not tell since when it has been so.
        work.held_back(conn).discard(item.external_id)
        table = core.held
        conn.execute(
            update(table)
            .where(table.c.id == int(item.id[1:]))
            .values(
                state="approved" if word == "approve" else "rejected",
                decided_by=by,
                decided_at=runs.now(),
                last_run=desk.run_id,
            )
        )
    return outcome


def _kept_out(conn: Connection, desk: Desk, work: MappingDesk, item: Item, payload: str | None, by: str) -> Outcome:
    """Let the system's word be known, and our values stand against it until somebody says something new."""
    before = _card(conn, desk.cards(), item)
    outcome: Outcome = carry_out(conn, desk, work, item, payload)
    cards = desk.cards()
    after = _card(conn, cards, item)
    if before is None or after is None:
        return outcome
    ledger, same = Ledger(cards, item.entity), layout_of(item.entity).same(cards.refs)
    stood = {STATE: LIVING, **before.cells}
    for path in sorted(stood.keys() | after.cells.keys()):
        if not same(path, stood.get(path), after.cells.get(path)):
            set_pin(conn, cards, ledger, after, path, Pin(stood.get(path), ends=True), by, item.reason)
    settle(cards, ledger, after)
    ledger.log(after, None, "reject", None, None, None)
    ledger.write(conn)
    _give_back(conn, work, item, by)
    return outcome


def _give_back(conn: Connection, work: MappingDesk, item: Item, by: str) -> None:
    """Who said no has agreed that our value goes back: it is not asked about a second time."""
    box, link = core.outbox, core.link
    own = select(link.c.id).where(link.c.stream_id == work.stream_id, link.c.external_id == item.external_id)
    told = {"approved": {"by": by, "at": runs.now().isoformat()}}
    conn.execute(
        update(box)
        .where(box.c.link_id.in_(own.scalar_subquery()), box.c.state.in_(("pending", "waiting", "held")))
        .values(state="pending", next_at=None, last_error=None, error_params=told)
    )


def _card(conn: Connection, desk: CardDesk, item: Item) -> Card | None:
    if item.record_id is None:
        return None
    return load(conn, item.entity, [item.record_id], desk.refs).get(item.record_id)


def _to_be_sent(conn: Connection, hub: Hub, result: Decided, batch: Sequence[tuple[Item, Word]], by: str) -> None:
    """Rows of the outbox: let go, or taken back."""
    box, at = core.outbox, runs.now()
    desk = CardDesk(hub, result.run_id or 0, at.strftime("%Y-%m-%d %H:%M:%S"))
    ids = [int(item.id[1:]) for item, _ in batch]
    query = select(box).where(box.c.id.in_(ids), box.c.state == "held").with_for_update()
    rows = {f"o{row['id']}": row for row in conn.execute(query).mappings()}
    log: list[tuple[Any, ...]] = []
    for item, word in batch:
        row = rows.get(item.id)
        if row is None:
            result.gone += 1
            continue
        log.append((desk.run_id, item.entity, item.record_id, row["link_id"], word, None, item.reason, by, desk.at))
        if word == "approve":
            told = {**(row["error_params"] or {}), "approved": {"by": by, "at": at.isoformat()}}
            values = {"state": "pending", "attempts": 0, "next_at": None, "last_error": None, "error_params": told}
            conn.execute(update(box).where(box.c.id == row["id"]).values(**values))
            result.approved += 1
        else:
            _take_back(conn, desk, item, row["link_id"])
            conn.execute(delete(box).where(box.c.id == row["id"]))
            result.rejected += 1
    write_log(conn, log)


def _take_back(conn: Connection, desk: CardDesk, item: Item, link_id: int) -> None:
    """What the link shows stands for our values from now on; one that was to be made is not."""
    card = _card(conn, desk, item)
    if card is None or link_id not in card.links:
        return
    if card.links[link_id].state in UNSEEN:
        conn.execute(update(core.link).where(core.link.c.id == link_id).values(state="refused"))
        return
    rules, same = desk.rules(item.entity), layout_of(item.entity).same(desk.refs)
    golden, contribution = golden_of(card.known, rules, same), card.contribution(link_id)
    owed = outgoing(contribution, golden, rules, desk.way(item.system, item.entity), same)
    ledger = Ledger(desk, item.entity)
    for path, value in owed.items():
        ledger.log(card, link_id, "unsaid", path, contribution.shown.get(path), value)
    known = card.known.put(replace(contribution, sent={**contribution.sent, **owed}))
    ledger.decided(card, Arrival(known, golden_of(known, rules, same)))
    ledger.write(conn)
