"""Comparing keys and versions with what is known, and fetching only what differs.

A *sweep* compares all keys of a stream. It is the only thing besides a change feed that shows physical deletions: what
it did not see is asked for by key, and is believed deleted when the base says that there is no such record. Paging by
``$skip`` may pass over a record that moves meanwhile, hence the question; a sweep that was cut off asks nothing.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, func, or_, select
from xxhash import xxh3_64_intdigest

from connectors.base import Connector
from hub.exchange import runs, went_back
from hub.exchange.cursors import Cursor
from hub.exchange.desk import Desk
from hub.exchange.mapping_desk import MappingDesk
from hub.exchange.prefetch import prefetch
from hub.exchange.pulling import Pulling
from hub.model.errors import StopRoute
from hub.model.records import Page, Reject, Window
from hub.store import bulk, core

#: Records fetched by key at once: they are held in memory whole.
FETCH = 100
#: When so many differ, and they are more than a quarter, reading whole pages asks for less.
MANY = 200
#: States of which a system's absence says nothing new.
_SETTLED = ("deleted", "archived", "merged")

Heads = Sequence[tuple[str, str | None] | Reject]


class Seen:
    """The keys that a sweep has seen: eight bytes each. Two keys of one hash would at worst hide one deletion."""

    def __init__(self) -> None:
        self._hashes = array("Q")
        self._sorted = True

    def add(self, heads: Heads) -> None:
        """Remember the keys of a page."""
        self._hashes.extend(xxh3_64_intdigest(head[0].encode()) for head in heads if isinstance(head, tuple))
        self._sorted = False

    def __contains__(self, external_id: object) -> bool:
        if not self._sorted:
            self._hashes, self._sorted = array("Q", sorted(self._hashes)), True
        value = xxh3_64_intdigest(str(external_id).encode())
        at = bisect_left(self._hashes, value)
        return at < len(self._hashes) and self._hashes[at] == value


def versions(pull: Pulling, connector: Connector, desk: Desk, work: MappingDesk, window: Window | None) -> bool:
    """Bring the records of ``window`` that are new or another version; ``False``: so many that rows are to be read."""
    return _compare(pull, connector, desk, work, window, None, partial=False)


def sweep(
    pull: Pulling, connector: Connector, desk: Desk, work: MappingDesk, last: Cursor, *, partial: bool = False
) -> None:
    """Compare all keys: bring what differs, then settle what is gone. ``partial``: only of records that are here."""
    seen = Seen()
    _compare(pull, connector, desk, work, None, seen, partial=partial)
    sweep_end(pull, connector, desk, work, seen, last)


def _compare(
    pull: Pulling,
    connector: Connector,
    desk: Desk,
    work: MappingDesk,
    window: Window | None,
    seen: Seen | None,
    *,
    partial: bool,
) -> bool:
    mapping, done, differing = work.mapping, 0, 0
    pages = prefetch(connector.read(pull.keys_request(mapping, window)))
    try:
        for page in pages:
            heads = _heads(pull, work, page)
            if seen is not None:
                seen.add(heads)
            other = _differing(pull, work, heads, partial=partial)
            done, differing = done + len(heads), differing + len(other)
            if seen is None and differing > MANY and differing * 4 > done:
                return False
            equal = len({head[0] for head in heads}) - len(other)
            pull.commit(desk, work, Page(mapping.stream, (), nbytes=page.nbytes), equal=equal)
            _bring(pull, connector, desk, work, other)
            pull.tell(mapping.stream, done, None)
    finally:
        pages.close()
    return True


def _heads(pull: Pulling, work: MappingDesk, page: Page) -> list[tuple[str, str | None]]:
    heads: list[tuple[str, str | None]] = []
    for head in work.mapping.heads(page.records):
        if isinstance(head, Reject):
            name = pull.hub.system(pull.route.system).title or pull.route.system
            raise StopRoute("key_missing", system=name, stream=page.stream, field=head.field)
        heads.append(head)
    return heads


def _differing(pull: Pulling, work: MappingDesk, heads: list[tuple[str, str | None]], *, partial: bool) -> list[str]:
    """Keys whose version is not the one known; with ``partial`` not those that are unknown here."""
    told = dict(heads)
    with pull.hub.store.read() as conn:
        known = known_versions(conn, work.stream_id, list(told))
    return [
        external_id
        for external_id, version in told.items()
        if (version is None or known.get(external_id) != version) and not (partial and external_id not in known)
    ]


def known_versions(conn: Connection, stream_id: int, external_ids: Sequence[str]) -> dict[str, str | None]:
    """Versions of the records of these keys, by key; those that have no record here are not there."""
    link, found = core.link, dict[str, str | None]()
    for chunk in bulk.chunks(external_ids):
        rows = conn.execute(
            select(link.c.external_id, link.c.version).where(
                link.c.stream_id == stream_id, link.c.external_id.in_(chunk), link.c.record_id.is_not(None)
            )
        )
        found.update({row.external_id: row.version for row in rows})
    return found


def bring_listed(
    pull: Pulling, connector: Connector, desk: Desk, work: MappingDesk, listed: Sequence[tuple[str, str | None]]
) -> int:
    """Fetch and commit those of the records that are new or another version; how many are known as they are."""
    other = _differing(pull, work, list(listed), partial=False)
    _bring(pull, connector, desk, work, other)
    return len(listed) - len(other)


def _bring(
    pull: Pulling, connector: Connector, desk: Desk, work: MappingDesk, external_ids: Sequence[str]
) -> list[str]:
    """Fetch records by key and commit them; keys that the base says it does not have."""
    gone: list[str] = []
    request = pull.request(work.mapping, None)
    for chunk in bulk.chunks(external_ids, FETCH):
        page = connector.fetch(request, chunk)
        gone.extend(page.deleted)
        if page.records:
            pull.commit(desk, work, Page(page.stream, page.records, nbytes=page.nbytes))
    return gone


def sweep_end(
    pull: Pulling,
    connector: Connector,
    desk: Desk,
    work: MappingDesk,
    seen: Seen,
    last: Cursor,
    within: Sequence[str] = ("",),
) -> None:
    """All keys were seen: ask for those that are here and were not, and believe the base that they are gone.

    ``last``: cursor of the sweep. When an admin has said that the base as it is now is the truth, any number may be.
    ``within``: beginnings of the keys that can have been seen.
    """
    with pull.hub.store.read() as conn:
        candidates = [key for key in _unseen(conn, pull, work, seen) if key.startswith(tuple(within))]
    gone = _bring(pull, connector, desk, work, candidates)
    if not last.position.get("trust"):
        with pull.hub.store.read() as conn:
            lost, of = _living(conn, work, gone)
        went_back.too_many_gone(pull.hub, pull.route.system, work.stream, lost, of)
    for chunk in bulk.chunks(gone):
        pull.commit(desk, work, Page(work.mapping.stream, (), chunk))
    last.position = {}
    with pull.hub.store.begin() as conn:
        runs.hold(conn, pull.run_id, pull.route.id, pull.route.code)
        last.save(conn, done=True)


def _unseen(conn: Connection, pull: Pulling, work: MappingDesk, seen: Seen) -> Iterator[str]:
    """Keys of records here that the sweep did not see, of those that wait or are refused too.

    A record that is yet to be made there is not missing.
    """
    link, table, first = core.link, work.table, pull.route.settings.not_before
    query = (
        select(link.c.external_id)
        .join(table, table.c.id == link.c.record_id)
        .where(
            link.c.stream_id == work.stream_id,
            _made(),
            or_(link.c.row_hash.is_not(None), link.c.version.is_not(None)),  # else known to be gone, others have it
            table.c.record_state.not_in(_SETTLED),
        )
    )
    if first is not None and work.entity.dated_by:
        query = query.where(func.date(table.c[work.entity.dated_by]) > str(first))
    troubled: set[str] = set().union(*work.troubled(conn))
    known = (str(row.external_id) for row in conn.execute(query))
    yield from (external_id for external_id in known if external_id not in seen and external_id not in troubled)
    yield from (external_id for external_id in sorted(troubled) if external_id not in seen)


def _living(conn: Connection, work: MappingDesk, external_ids: Sequence[str]) -> tuple[int, int]:
    """How many of these are active here (not even marked for deletion), and how many of the whole stream are."""
    link, table = core.link, work.table
    active: Any = (
        select(func.count())
        .select_from(link.join(table, table.c.id == link.c.record_id))
        .where(link.c.stream_id == work.stream_id, _made(), table.c.record_state == "active")
    )
    lost = sum(
        int(conn.execute(active.where(link.c.external_id.in_(chunk))).scalar_one())
        for chunk in bulk.chunks(external_ids)
    )
    return lost, int(conn.execute(active).scalar_one())


def _made() -> Any:
    """What we have yet to make there is not missed."""
    return core.link.c.state != "reserved"
