"""How the search for duplicates stands: who waits for a person, whether all is compared, whether groups are sound."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import select

from hub.exchange.duplicates.numbers import Numbers, numbers
from hub.exchange.hub import Hub
from hub.reconcile.finding import Finding
from hub.reconcile.history import local
from hub.store import duplicates

#: Statistics older than this say too little about the clients of today.
OLD = timedelta(days=35)
#: Members of one client beyond which somebody should look.
LARGE = 20


@dataclass(frozen=True, slots=True)
class DuplicatesCheck:
    """A check of the queue."""

    name: str
    look: Callable[[Hub], Finding]


def duplicates_open(hub: Hub) -> Finding:
    """No pair waits for a person."""
    with hub.store.read() as conn:
        found = numbers(conn)
    told: dict[str, int | float] = {"rc_pairs_auto": found.auto, "rc_pairs_review": found.review}
    if not found.review:
        return Finding(True, "rc_duplicates_good", {}, "warn", told)
    return Finding(False, "rc_duplicates_bad", {"number": found.review, "per": _per(found)}, "warn", told)


def duplicates_compared(hub: Hub) -> Finding:
    """All that changed is compared, with statistics that are not old."""
    with hub.store.read() as conn:
        waiting = numbers(conn).waiting
        at = conn.execute(select(duplicates.statistics.c.at)).scalar()
    told: dict[str, int | float] = {"rc_not_compared": waiting}
    if at is None:
        return Finding(False, "rc_compared_never", {}, "warn", told)
    made = at if at.tzinfo else at.replace(tzinfo=UTC)
    if waiting or datetime.now(UTC) - made > OLD:
        return Finding(False, "rc_compared_bad", {"number": waiting, "since": local(hub, made)}, "warn", told)
    return Finding(True, "rc_compared_good", {"since": local(hub, made)}, "warn", told)


def duplicates_sound(hub: Hub) -> Finding:
    """No group is so large that it cannot be one client."""
    with hub.store.read() as conn:
        found = numbers(conn)
    told: dict[str, int | float] = {"rc_groups": found.groups, "rc_largest": found.largest}
    params = {"largest": found.largest, "groups": found.groups}
    passed = found.largest <= LARGE
    return Finding(passed, "rc_groups_good" if passed else "rc_groups_bad", params, "error", told)


def _per(found: Numbers) -> str:
    return f"{found.review * 1000 / max(found.units, 1):.0f}"


CHECKS = {
    one.name: one
    for one in (
        DuplicatesCheck("duplicates_open", duplicates_open),
        DuplicatesCheck("duplicates_compared", duplicates_compared),
        DuplicatesCheck("duplicates_sound", duplicates_sound),
    )
}
