"""The checks by name: which routes each applies to, and how to look."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from hub.exchange.hub import Hub, Route
from hub.model.entities import Entity
from hub.reconcile.comms import missed_without_call_back, unmatched_share
from hub.reconcile.content import amount_lines, identifier_digits, line_sums
from hub.reconcile.daily import daily_totals
from hub.reconcile.finding import Finding
from hub.reconcile.history import counters_balance, freshness, volume_as_usual
from hub.reconcile.standing import mappings_fit
from hub.reconcile.waiting import quarantine_empty, references_late


@dataclass(frozen=True, slots=True)
class Check:
    """``asks_source``: looking needs the network."""

    name: str
    look: Callable[[Hub, Route], Finding]
    applies: Callable[[Entity], bool] = lambda _: True
    asks_source: bool = False


def _fresh(hub: Hub, route: Route) -> Finding:
    return freshness(hub, route, datetime.now(UTC))


#: In the order an admin reads them.
CHECKS: dict[str, Check] = {
    check.name: check
    for check in (
        Check("counters_balance", counters_balance),
        Check("daily_totals", daily_totals, lambda entity: bool(entity.dated_by and entity.total), asks_source=True),
        Check("freshness", _fresh),
        Check("volume_as_usual", volume_as_usual),
        Check("line_sums", line_sums, lambda entity: bool(entity.total and amount_lines(entity))),
        Check("identifier_digits", identifier_digits, lambda entity: entity.name == "party"),
        Check("references_late", references_late),
        Check("quarantine_empty", quarantine_empty),
        Check("mappings_fit", mappings_fit),
        Check("unmatched_share", unmatched_share, lambda entity: entity.name == "activity"),
        Check("missed_without_call_back", missed_without_call_back, lambda entity: entity.name == "activity"),
    )
}


def checks_of(entity: Entity) -> list[Check]:
    """The checks that make sense for an entity."""
    return [check for check in CHECKS.values() if check.applies(entity)]


def look_at(hub: Hub, route: str, check: str) -> Finding:
    """Carry out one check of one route; ``KeyError`` for a check that does not exist."""
    return CHECKS[check].look(hub, hub.route(route))
