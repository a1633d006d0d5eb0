"""After reading: what changed is compared, and what is one client beyond doubt is made one.

The first time, when too much has changed, and when records are normalised by other rules than before, everything is
compared anew; then nothing is merged, only proposed: an admin has to see what an existing base holds before a rule
touches it. Merges count in the budget of changes of their route, and what speaks against one
(``hub.exchange.merging.vetoes``) stops it, whatever the score says. A merge that a rule would not make again is undone
by itself as long as no system was told of it; after that only a person parts them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sqlalchemy import Connection, func, select

from dedup.keys import VERSION
from hub.exchange.brakes import Brakes
from hub.exchange.duplicates import sql
from hub.exchange.duplicates.marks import ENTITY, mark
from hub.exchange.duplicates.partition import Live, edge_of
from hub.exchange.duplicates.sample import switched_off
from hub.exchange.duplicates.units import units_of
from hub.exchange.duplicates.words import words
from hub.exchange.hub import Hub
from hub.exchange.merging.log import Entry, loose
from hub.exchange.merging.merge import Asked, merge_in
from hub.exchange.merging.told import Moved
from hub.exchange.merging.unmerge import Chosen, unmerge_in
from hub.model.errors import HubError, RetryLater
from hub.store import core, duplicates

if TYPE_CHECKING:
    from hub.exchange.duplicates.rebuild import Rebuilt

#: Who merges and parts unasked.
NAME = "duplicates"
#: Records that are compared in one transaction.
PAGE = 200
#: Changed records, and their share in a hundred, from which comparing everything is cheaper.
MANY, SHARE = 2000, 10


@dataclass(slots=True)
class Settled:
    """``compared``: records that had changed. ``rebuilt``: if everything was compared. ``merged``: records that were
    made one with another. ``parted``: records that were taken out of one. ``refused``: what something spoke against, by
    the code of the sentence. ``busy``: records that are to be looked at again.
    """

    compared: int = 0
    rebuilt: Rebuilt | None = None
    merged: int = 0
    parted: int = 0
    refused: dict[str, int] = field(default_factory=dict)
    busy: set[int] = field(default_factory=set)

    def refuse(self, code: str) -> None:
        """Count one more of these."""
        self.refused[code] = self.refused.get(code, 0) + 1


def settle(hub: Hub, run_id: int, *, merges: bool = True) -> Settled:
    """Compare what has changed since the last time, and merge. ``merges``: ``False`` only proposes."""
    result = Settled()
    with hub.store.begin() as conn:
        result.compared = conn.execute(select(func.count()).select_from(duplicates.dirty)).scalar_one()
        if _everything(conn, result.compared):
            # Fifty megabytes and half a second of libraries that few runs have a use for.
            from hub.exchange.duplicates.rebuild import rebuild

            result.rebuilt = rebuild(conn, run_id)
            return result
    brakes = Brakes(hub)
    while True:
        with hub.store.begin() as conn:
            records = list(conn.execute(select(duplicates.dirty.c.record_id).limit(PAGE)).scalars())
            if not records:
                mark(conn, result.busy, run_id)
                return result
            groups = compare(conn, records)
            sql.gone(conn, "dedup_dirty", ("record_id",), records)
            apart = strangers(conn, records) if merges else []
        for entry in apart:
            _part(hub, run_id, entry, result)
        for group in groups if merges else []:
            _merge_group(hub, run_id, group, brakes, result)


def _everything(conn: Connection, changed: int) -> bool:
    made = conn.execute(select(duplicates.statistics.c.records, duplicates.statistics.c.normaliser)).first()
    if made is None:
        party = select(core.link.c.id).join(core.stream, core.stream.c.id == core.link.c.stream_id)
        return conn.execute(party.where(core.stream.c.entity == ENTITY).limit(1)).first() is not None
    return made.normaliser != VERSION or (changed > MANY and changed * 100 > int(made.records) * SHARE)


def compare(conn: Connection, records: Collection[int]) -> list[tuple[int, ...]]:
    """Judge what the links of these records say; the groups of two and more that they are in by now."""
    links = {number for (number,) in sql.many(conn, "SELECT id FROM link WHERE record_id", records)}
    units, silent = units_of(conn, links)
    change = Live(conn, words).change(units, gone=silent)
    names = {group for number, group in change.groups.items()}
    members: dict[int, list[int]] = defaultdict(list)
    for number, group in sql.many(conn, "SELECT link_id, grp FROM dedup_unit WHERE grp", names):
        members[group].append(number)
    return [tuple(sorted(group)) for _, group in sorted(members.items()) if len(group) > 1]


def strangers(conn: Connection, records: Collection[int]) -> list[Entry]:
    """Merges into these records, the newest first, of which nothing holds the two sides together any more.

    Only such as a rule made and no system was told of (``hub.exchange.merging.log.loose``).
    """
    found = loose(conn, ENTITY, records)
    placed: dict[int, dict[int, int]] = defaultdict(dict)
    home = dict(sql.many(conn, "SELECT id, record_id FROM link WHERE record_id", found))
    for number, group in sql.many(conn, "SELECT link_id, grp FROM dedup_unit WHERE link_id", home):
        placed[home[number]][number] = group
    apart = []
    for record, entries in found.items():
        for entry in entries:
            theirs = {group for number, group in placed[record].items() if number in entry.links}
            rest = {group for number, group in placed[record].items() if number not in entry.links}
            if theirs and rest and not theirs & rest:
                apart.append(entry)
    return sorted(apart, key=lambda entry: -entry.id)


def _part(hub: Hub, run_id: int, entry: Entry, result: Settled) -> None:
    """Undo a merge that a rule made and would not make again."""
    with hub.store.begin() as conn:
        report = Moved("unmerge", ENTITY, entry.record_id, [entry.other_id], run_id=run_id, undone=[entry.run_id])
        savepoint = conn.begin_nested()
        try:
            unmerge_in(conn, hub, Chosen((entry,), by=NAME, judge=False), report)
        except HubError as error:
            savepoint.rollback()
            _refuse(result, error, entry.record_id)
            return
        savepoint.commit()
        result.parted += 1


def _merge_group(hub: Hub, run_id: int, group: tuple[int, ...], brakes: Brakes, result: Settled) -> None:
    """Make one record of the records that the links of a group hang on."""
    with hub.store.begin() as conn:
        asked = wish(conn, group)
        if asked is None:
            return
        if asked.rule in switched_off(conn):
            result.refuse("rule_off")
            return
        if not _lets(conn, hub, asked.survivor, len(asked.losers), brakes):
            result.refuse("mass_change")
            return
        report = Moved("merge", ENTITY, asked.survivor, list(asked.losers), run_id=run_id)
        savepoint = conn.begin_nested()
        try:
            merge_in(conn, hub, asked, report)
        except HubError as error:
            savepoint.rollback()
            _refuse(result, error, asked.survivor)
            return
        if report.vetoes:
            savepoint.rollback()
            result.refuse(report.vetoes[0].code)
            return
        savepoint.commit()
        result.merged += len(asked.losers)


def wish(conn: Connection, group: Collection[int]) -> Asked | None:
    """Which record of a group the others are to be merged into: the one with most links, of these the oldest."""
    links: dict[int, int] = defaultdict(int)
    for (record,) in sql.many(conn, "SELECT record_id FROM link WHERE id", group):
        if record is not None:
            links[record] += 1
    if len(links) < 2:
        return None
    survivor, *others = sorted(links, key=lambda record: (-links[record], record))
    return Asked(ENTITY, survivor, tuple(others), by=NAME, rule=rule_of(conn, group), mode="auto")


def rule_of(conn: Connection, group: Collection[int]) -> str:
    """The rule of the strongest pair of a group."""
    rows = sql.many(conn, "SELECT b, weight, detail FROM dedup_edge WHERE joins AND a", group)
    details = [detail for b, _, detail in sorted(rows, key=lambda row: -row[1]) if b in group]
    return edge_of(details[0]).rule if details else ""


def _lets(conn: Connection, hub: Hub, survivor: int, losers: int, brakes: Brakes) -> bool:
    """Whether so many more records of the survivor's route may change."""
    link, stream, system = core.link, core.stream, core.system
    code = conn.execute(
        select(system.c.code)
        .join(stream, stream.c.system_id == system.c.id)
        .join(link, link.c.stream_id == stream.c.id)
        .where(link.c.record_id == survivor)
        .order_by(link.c.is_primary.desc(), link.c.id)
    ).scalar()
    route = hub.routes.get(f"{code}.{ENTITY}")
    if route is None:
        return True
    return not brakes.judge(conn, route.id, route.code, 0, losers).stops(ends=False)


def _refuse(result: Settled, error: HubError, record: int) -> None:
    """Count it; what only came at a bad time is looked at again."""
    result.refuse(error.code)
    if isinstance(error, RetryLater):
        result.busy.add(record)
