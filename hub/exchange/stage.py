"""One page: what is unchanged, what is new, what cannot pass, and the writing of it, all inside one transaction.

A page whose rows the database refuses (or on which our own code stumbles) is cut in halves inside that transaction
until the one bad record is found; that one goes to quarantine and the others pass.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError
from xxhash import xxh3_64_intdigest

from hub.exchange import brakes, decided, sentinels, trouble, write
from hub.exchange.cards import match
from hub.exchange.cards.card import lock_links
from hub.exchange.cards.creation import offer
from hub.exchange.cards.desk import CardDesk
from hub.exchange.cards.receive import receive, receive_gone, special
from hub.exchange.cards.rows import date_rows
from hub.exchange.comms.follow import follow
from hub.exchange.desk import Desk
from hub.exchange.mapping_desk import MappingDesk
from hub.exchange.stubs import given_up, overdue
from hub.exchange.write import Incoming
from hub.model.errors import HubError
from hub.model.records import Counters, Page, Reject
from hub.store import bulk, core

_SIGN = 1 << 63
_WRAP = 1 << 64


@dataclass(slots=True)
class Outcome:
    """What became of a page's records. ``fulfilled``: links that were awaited and have their record now."""

    counters: Counters = field(default_factory=Counters)
    fulfilled: list[int] = field(default_factory=list)

    def add(self, other: Outcome) -> None:
        """Add another part of the page."""
        self.counters.add(other.counters)
        self.fulfilled.extend(other.fulfilled)


@dataclass(slots=True)
class _Sorted:
    """Where the records of a page went. ``passed``: those that stand nowhere any more, neither refused nor waiting."""

    rejects: list[tuple[Reject, Any]] = field(default_factory=list)
    parked: list[tuple[str, Any, list[int]]] = field(default_factory=list)
    passed: list[str] = field(default_factory=list)


@dataclass(slots=True)
class _Fresh:
    """A new or changed raw record, with the link it has already (if any)."""

    external_id: str
    version: str | None
    row_hash: int
    raw: Any
    link_id: int | None
    record_id: int | None
    expected: bool


def row_hash(raw: Any, fingerprint: int) -> int:
    """Signed 64-bit hash of a raw record under a mapping: equal only if both are."""
    value = xxh3_64_intdigest(raw, fingerprint)
    return value - _WRAP if value >= _SIGN else value


def apply_page(conn: Connection, desk: Desk, work: MappingDesk, page: Page) -> Outcome:
    """Everything a page does to the store but the cursor and the run's counters."""
    desk.links.start_page()
    outcome = apply_records(conn, desk, work, list(page.records))
    if page.deleted:
        _apply_deleted(conn, desk, work, page.deleted, outcome.counters)
    return outcome


def apply_records(conn: Connection, desk: Desk, work: MappingDesk, raws: Sequence[Any]) -> Outcome:
    """Raw records of one mapping into the store; bisects where a record breaks the whole."""
    try:
        return _attempt(conn, desk, work, raws)
    except IntegrityError:
        failed: Exception | None = None
        # Another run may have written the same expected link a moment ago; now it is visible and the same work passes.
    except (HubError, OperationalError):
        raise
    except Exception as error:  # noqa: BLE001 - whatever a record breaks, it costs only itself
        failed = error
    if failed is None:
        try:
            return _attempt(conn, desk, work, raws)
        except IntegrityError as error:
            failed = error
    if len(raws) == 1:
        return _refused(conn, desk, work, raws[0], failed)
    half = len(raws) // 2
    outcome = apply_records(conn, desk, work, raws[:half])
    outcome.add(apply_records(conn, desk, work, raws[half:]))
    return outcome


def _attempt(conn: Connection, desk: Desk, work: MappingDesk, raws: Sequence[Any]) -> Outcome:
    """Apply inside a savepoint; on any failure both the database and what we remember are as before."""
    mark, passed = desk.links.mark(), desk.brakes.mark() if desk.brakes else {}
    in_quarantine, waiting = (set(known) for known in work.troubled(conn))
    held = set(work.held_back(conn))
    savepoint = conn.begin_nested()
    try:
        outcome = _apply(conn, desk, work, raws)
        savepoint.commit()
    except BaseException:
        savepoint.rollback()
        desk.links.take_back(mark)
        if desk.brakes:
            desk.brakes.passed = passed
        work.open_quarantine, work.waiting, work.held = in_quarantine, waiting, held
        raise
    return outcome


def _refused(conn: Connection, desk: Desk, work: MappingDesk, raw: Any, error: Exception) -> Outcome:
    """The single record that breaks the page, named as what it broke."""
    head = work.mapping.heads([raw])[0]
    if isinstance(head, Reject):
        reject = head
    else:
        detail = str(error.orig) if isinstance(error, DBAPIError) else f"{type(error).__name__}: {error}"
        code = "refused_by_store" if isinstance(error, DBAPIError) else "record_breaks_mapping"
        reject = Reject(head[0], code, params={"detail": detail.splitlines()[0][:200]})
    trouble.quarantine(conn, desk, work, [(reject, raw)])
    return Outcome(Counters(received=1, quarantined=1))


def _apply(conn: Connection, desk: Desk, work: MappingDesk, raws: Sequence[Any]) -> Outcome:
    outcome, went = Outcome(Counters(received=len(raws))), _Sorted()
    fresh = _changed(conn, work, raws, outcome.counters, went)
    if fresh:
        _pass(conn, desk, work, fresh, outcome, went)
    outcome.counters.parked += len(went.parked)
    outcome.counters.quarantined += len(went.rejects)
    trouble.park(conn, desk, work, went.parked)
    trouble.quarantine(conn, desk, work, went.rejects)
    waiting = [external_id for external_id, _, _ in went.parked]
    refused = [reject.external_id for reject, _ in went.rejects]
    trouble.settle(conn, work, [*went.passed, *waiting], [*went.passed, *refused])
    brakes.settle(conn, work, went.passed)
    return outcome


def _changed(
    conn: Connection, work: MappingDesk, raws: Sequence[Any], counters: Counters, went: _Sorted
) -> list[_Fresh]:
    """The records that differ from what is known, by one look-up; nothing is decoded but key and version."""
    latest: dict[str, tuple[str | None, Any]] = {}
    for raw, head in zip(raws, work.mapping.heads(raws), strict=True):
        if isinstance(head, Reject):
            if decided.covers(conn, work, {head.external_id: raw}):
                counters.skip("decided")
            else:
                went.rejects.append((head, raw))
        else:
            if head[0] in latest:
                counters.skip("repeated")
            latest[head[0]] = (head[1], raw)
    found = bulk.find_links(conn, work.stream_id, list(latest))
    asked = {external_id: raw for external_id, (_, raw) in latest.items()} if work.decisions(conn) else {}
    covered = decided.covers(conn, work, asked)
    seed = work.mapping.fingerprint
    fresh: list[_Fresh] = []
    unchanged: list[str] = []
    for external_id, (version, raw) in latest.items():
        value = row_hash(raw, seed)
        link = found.get(external_id)
        if external_id in covered:
            counters.skip("decided")
            if covered[external_id] == "skipped":
                went.passed.append(external_id)
        elif link is None:
            fresh.append(_Fresh(external_id, version, value, raw, None, None, False))
        elif link[1] is not None and link[2] == value:
            unchanged.append(external_id)
        else:
            fresh.append(_Fresh(external_id, version, value, raw, link[0], link[1], link[1] is None))
    counters.unchanged += len(unchanged)
    went.passed.extend(unchanged)
    return fresh


def _decode(
    work: MappingDesk, fresh: list[_Fresh], counters: Counters, went: _Sorted
) -> tuple[list[_Fresh], list[Any]]:
    """Decoded records that are neither refused nor skipped, beside what they came from."""
    passing, items = [], []
    decoded = work.mapping.decode([one.raw for one in fresh], [one.external_id for one in fresh])
    for one, item in zip(fresh, decoded, strict=True):
        if isinstance(item, Reject):
            went.rejects.append((item, one.raw))
            continue
        reason = work.mapping.skip_reason(item)
        if reason is not None:
            counters.skip(reason)
            went.passed.append(one.external_id)
            continue
        passing.append(one)
        items.append(item)
    return passing, items


def _pass(
    conn: Connection, desk: Desk, work: MappingDesk, fresh: list[_Fresh], outcome: Outcome, went: _Sorted
) -> None:
    passing, items = _decode(work, fresh, outcome.counters, went)
    if not passing:
        return
    own = work.stream
    foreseen = _foresee(conn, desk, own, passing)
    wanted = work.mapping.collect(items)
    desk.links.resolve(conn, wanted)
    waits = _waiting(conn, desk, work, passing, items, wanted)
    emitted = work.mapping.emit(items, desk.links.ids)
    ready: list[Incoming] = []
    unused: list[_Fresh] = []
    for one, mapped in zip(passing, emitted, strict=True):
        if one.external_id in waits:
            awaited = [desk.links.ids[stream][key] for stream, key in waits[one.external_id]]
            went.parked.append((one.external_id, one.raw, awaited))
            unused.append(one)
        elif isinstance(mapped, Reject):
            went.rejects.append((mapped, one.raw))
            unused.append(one)
        else:
            link_id = desk.links.ids[own][one.external_id] if one.link_id is None else one.link_id
            ready.append(
                Incoming(
                    one.external_id, link_id, one.record_id, one.expected, one.version, one.row_hash, mapped, one.raw
                )
            )
    _keep_awaited(conn, desk, work, unused, foreseen, wanted.get(own, set()))
    held = set(_write(conn, desk, work, ready, outcome))
    went.passed.extend(item.external_id for item in ready if item.external_id not in held)


def _foresee(conn: Connection, desk: Desk, stream: str, passing: list[_Fresh]) -> set[str]:
    """Give the page's new records their link ids before references are resolved: they may refer to each other."""
    new = [one.external_id for one in passing if one.link_id is None]
    if new:
        desk.links.remember_new(stream, new, bulk.allocate(conn, "link", len(new)))
    for one in passing:
        if one.link_id is not None:
            desk.links.remember(stream, one.external_id, one.link_id)
    return set(new)


Waits = dict[str, list[tuple[str, str]]]


def _waiting(
    conn: Connection,
    desk: Desk,
    work: MappingDesk,
    passing: list[_Fresh],
    items: list[Any],
    wanted: dict[str, set[str]],
) -> Waits:
    """Records that must wait, each with the (stream, external id) it needs; asked of the database before believed."""
    streams = work.mapping.required_streams & wanted.keys()
    missing = {stream: desk.links.without_record(stream, wanted[stream]) for stream in streams}
    waits = _waits(work, passing, items, missing)
    if not waits:
        return waits
    needed: dict[str, set[str]] = defaultdict(set)
    for needs in waits.values():
        for stream, external_id in needs:
            if external_id in missing.get(stream, ()):
                needed[stream].add(external_id)
    still = desk.links.recheck(conn, needed)
    after = desk.hub.routes[work.route_code].settings.stub_after
    if after is not None:
        stubs = given_up(conn, desk.links, still, after)
        still = {stream: ids - stubs.get(stream, set()) for stream, ids in still.items()}
    return _waits(work, passing, items, still)


def _waits(work: MappingDesk, passing: list[_Fresh], items: list[Any], unresolved: dict[str, set[str]]) -> Waits:
    """Who needs a missing record waits, and who needs a waiting record waits too."""
    waits: Waits = {}
    if not any(unresolved.values()):
        return waits
    missing: dict[str, set[str]] = defaultdict(set, {stream: set(ids) for stream, ids in unresolved.items()})
    own, grew = work.stream, True
    while grew:
        grew = False
        for one, item in zip(passing, items, strict=True):
            if one.external_id in waits:
                continue
            needs = [(t.stream, t.external_id) for t in work.mapping.required(item)]
            needs = [need for need in needs if need[1] in missing[need[0]]]
            if needs:
                waits[one.external_id] = needs
                if one.record_id is None:
                    missing[own].add(one.external_id)
                    grew = True
    return waits


def _keep_awaited(
    conn: Connection, desk: Desk, work: MappingDesk, unused: list[_Fresh], foreseen: set[str], wanted: set[str]
) -> None:
    """Links of records that do not pass: one that stood expected still does, one foreseen here is new.

    A new one is written as expected where someone refers to it, else dropped.
    """
    stream, rows = work.stream, []
    for one in unused:
        if one.link_id is not None:
            if one.expected:
                desk.links.remember(stream, one.external_id, one.link_id, expected=True)
        elif one.external_id in wanted and one.external_id in foreseen:
            number = desk.links.ids[stream][one.external_id]
            rows.append((number, work.stream_id, one.external_id, "expected", desk.run_id))
            desk.links.remember(stream, one.external_id, number, expected=True)
        else:
            desk.links.forget(stream, one.external_id)
    if rows:
        bulk.insert_rows(conn, core.link, ("id", "stream_id", "external_id", "state", "first_run"), rows)


def _write(conn: Connection, desk: Desk, work: MappingDesk, ready: list[Incoming], outcome: Outcome) -> list[str]:
    """Write records that passed the mapping; external ids of those that the brakes hold back."""
    last = ready[-sentinels.KEPT :] if work.mapping.version_field else []
    before = sentinels.versions(conn, last)
    cards = desk.cards()
    cards.first_reading = cards.stream_read_at(conn, work.stream_id) is None
    new = [item for item in ready if item.record_id is None]
    there = [item for item in ready if item.record_id is not None]
    linked = _linked(conn, cards, work, new)
    new, again = match.once_each(work, [item for item in new if item.record_id is None])
    made = write.create(conn, desk, work, new)
    linked += _linked(conn, cards, work, again)
    # A pin that is being set on one of them must be seen, or the page would write over it; so must a merge.
    records = lock_links(conn, work.entity.name, {item.link_id: item.record_id for item in there if item.record_id})
    for item in there:
        item.record_id = records[item.link_id]
    apart = special(conn, [item.record_id for item in there if item.record_id is not None])
    alone = [item for item in there if item.record_id not in apart]
    changed = write.change(conn, desk, work, alone)
    to_cards = [*linked, *(item for item in there if item.record_id in apart), *changed.special]
    received = receive(conn, cards, work, to_cards)
    kept_back = {one.external_id for one in changed.held} | {item.external_id for item in changed.special}
    date_rows(
        conn,
        cards,
        work,
        [*made, *(item.record_id for item in alone if item.record_id and item.external_id not in kept_back)],
    )
    held = [*changed.held, *received.held]
    brakes.hold(conn, desk.run_id, work, held)
    offer(conn, cards, work.entity.name, [*made, *changed.ids, *received.ids])
    follow(conn, cards, work.entity.name, [*made, *changed.ids], changed.parts)
    counters = outcome.counters
    counters.created += len(new)
    counters.updated += len(changed.ids) + len(received.ids)
    counters.held += len(held)
    counters.unchanged += len(ready) - len(new) - len(changed.ids) - len(received.ids) - len(held)
    outcome.fulfilled.extend(item.link_id for item in (*new, *linked) if item.expected)
    back = [one.external_id for one in held]  # their links keep the version of before: what waits is not known yet
    sentinels.keep(conn, work.stream_id, desk.run_id, [item for item in last if item.external_id not in back], before)
    return back


def _linked(conn: Connection, cards: CardDesk, work: MappingDesk, new: list[Incoming]) -> list[Incoming]:
    """Those of the new records that belong to a card that is here; their links hang on it from now on."""
    found = match.find(conn, cards, work, new)
    linked = [item for item in new if item.external_id in found]
    for item in linked:
        item.record_id = found[item.external_id]
    match.attach(conn, cards, work, {item.link_id: (found[item.external_id], item.external_id) for item in linked})
    return linked


def _apply_deleted(
    conn: Connection, desk: Desk, work: MappingDesk, external_ids: Sequence[str], counters: Counters
) -> None:
    """Records that the source itself says are physically gone: they stay here, in state ``deleted``."""
    found = bulk.find_links(conn, work.stream_id, list(external_ids))
    known = {link[0]: link[1] for link in found.values() if link[1] is not None}
    targets = list(lock_links(conn, work.entity.name, known).items())
    kept = desk.hub.rules.rules(work.entity.name).state == "keep"  # it is not gone with its record: the cards decide
    apart = {number for _, number in targets} if kept else special(conn, [record_id for _, record_id in targets])
    plain = [target for target in targets if target[1] not in apart]
    changed, held = write.set_state(conn, desk, work, plain, "deleted", "delete")
    received = receive_gone(conn, desk.cards(), work, [target for target in targets if target[1] in apart], "deleted")
    held += received.held
    brakes.hold(conn, desk.run_id, work, held)
    waits = {one.external_id for one in held}
    done = [external_id for external_id in external_ids if external_id not in waits]
    # Should it come back as it was, it must be seen to have changed.
    gone = [(found[key][0], None, None) for key in done if key in found and found[key][1] is not None]
    bulk.update_rows(conn, core.link, ("id", "row_hash", "version"), gone)
    counters.received += len(external_ids)
    counters.updated += changed + len(received.ids)
    counters.held += len(held)
    counters.unchanged += len(targets) - changed - len(received.ids) - len(held)
    trouble.settle(conn, work, done, done)
    unknown = len(external_ids) - len(targets)
    if unknown:
        counters.skip("deleted_unknown", unknown)


def take_overdue(conn: Connection, desk: Desk, route_id: int, after: int) -> int:
    """Let records of a route pass that have waited ``after`` seconds for another one; how many passed."""
    passed = 0
    for stream_id, kept in overdue(conn, route_id, after).items():
        work = desk.by_stream.get(stream_id)
        if work is not None:
            with desk.read_in(conn, (run_id for _, run_id in kept)):
                outcome = apply_records(conn, desk, work, [raw for raw, _ in kept])
            passed += outcome.counters.created + outcome.counters.updated + release(conn, desk, outcome.fulfilled)
    return passed


def release(conn: Connection, desk: Desk, fulfilled: list[int]) -> int:
    """Replay what was parked for ``fulfilled`` links, and what was parked for that; how many records passed."""
    passed = 0
    while fulfilled:
        by_stream: dict[int, list[bytes]] = defaultdict(list)
        read_in: dict[int, set[int]] = defaultdict(set)
        for stream_id, external_id, payload, run_id in trouble.released_by(conn, fulfilled):
            by_stream[stream_id].append(payload)
            read_in[stream_id].add(run_id)
            if stream_id in desk.by_stream:
                desk.by_stream[stream_id].troubled(conn)[1].add(external_id)
        fulfilled = []
        for stream_id, raws in by_stream.items():
            work = desk.by_stream.get(stream_id)
            if work is None:
                continue  # its mapping is paused: the record stays parked and comes again with its route
            with desk.read_in(conn, read_in[stream_id]):
                outcome = apply_records(conn, desk, work, raws)
            passed += outcome.counters.created + outcome.counters.updated
            fulfilled.extend(outcome.fulfilled)
    return passed
